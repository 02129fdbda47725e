"""How the ODinW scorer of Qwen3-VL reads detections (QwenLM/Qwen3-VL, evaluation/ODinW-13/run_odinw.py)."""

from __future__ import annotations

import ast
import warnings
from typing import Any

from vlrl.geometry import answer_pixels
from vlrl.parsing.json_text import numbers
from vlrl.parsing.tags import THINK, THINK_END
from vlrl.rewards.detection import MAX_BOXES
from vlrl.rewards.gold_geometry import plain_label
from vlrl.types import Answer

MAX_LENGTH = 200_000
"""Characters; a longer answer is unreadable."""


def read_detections(text: str, answer: Answer) -> tuple[list[dict[str, Any]], str | None]:
    """The boxes of an answer in original pixels, `[{"box", "label", "confidence"}]`, and why there is none: `no_boxes`.

    The text without code fences must be one Python literal, a list of objects with `bbox_2d` and `label`. An entry without four
    numbers is left out; one without a label, a `null`, or words around the list make the whole answer empty. A thought is
    dropped if its opening tag stood in the prompt. Boxes are grouped by label as written, in order of first appearance.

    >>> read_detections('```json\\n[{"bbox_2d": [1, 2, 3, 4], "label": "Cat"}]\\n```', {})
    ([{'box': [1.0, 2.0, 3.0, 4.0], 'label': 'cat', 'confidence': None}], None)
    >>> read_detections('[{"bbox_2d": [1, 2, 3, 4]}]', {})
    ([], 'no_boxes')
    """
    entries = _entries(text)
    if entries is None or len(entries) > MAX_BOXES:
        return [], "no_boxes"
    order = {label: place for place, (_, label) in reversed(list(enumerate(entries)))}
    entries.sort(key=lambda entry: order[entry[1]])
    found = [{"box": list(answer_pixels(box, answer)), "label": plain_label(label), "confidence": None} for box, label in entries]
    return found, None


def _entries(text: str) -> list[tuple[tuple[float, ...], str]] | None:
    """Every box with its label as written; None where the scorer's own reading fails."""
    body = text if THINK in text else text.rpartition(THINK_END)[2]
    try:
        value = _literal(body.replace("```json", "").replace("```", ""))
        pairs = [(entry["bbox_2d"], entry["label"]) for entry in value if len(entry.get("bbox_2d", [])) == 4]
    except (AttributeError, KeyError, TypeError):
        return None
    checked = [(numbers(list(box), 4), label) for box, label in pairs if isinstance(label, str)]
    return [(box, label) for box, label in checked if box is not None]


def _literal(text: str) -> Any:
    """A Python literal, read without evaluating anything; None when it is none."""
    if len(text) > MAX_LENGTH:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the text may hold odd escapes
            return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
