"""VLMEvalKit's rule for RefCOCO (vlmeval/dataset/refcoco.py)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from vlrl.benchmarks import Metric, Protocol, own_prompt
from vlrl.geometry import Box, answer_pixels
from vlrl.metrics.box_iou import iou
from vlrl.metrics.mean import Mean, mean_of_means
from vlrl.metrics.score_table import ScoreTable
from vlrl.rewards.gold_geometry import image_size_of
from vlrl.rewards.outcome import failed
from vlrl.types import Answer, Score

SPLITS = ("RefCOCO_val", "RefCOCO_testA", "RefCOCO_testB", "RefCOCO+_val", "RefCOCO+_testA", "RefCOCO+_testB", "RefCOCOg_val",
          "RefCOCOg_test")  # fmt: skip
SUFFIXES = {"val": "val", "test": "test", "testa": "testA", "testb": "testB"}
MAX_FRACTION = 1.5
THOUSAND = 1000
MAX_DIGITS = 300
_NUMBER = r"[-+]?+(?:\d++(?:\.\d++)?+|\.\d++)(?:[eE][-+]?+\d++)?+"
_GAP = r"(?:\s*+,\s*+|\s++)"
_BOX = re.compile(rf"\[\s*+({_NUMBER}){_GAP}({_NUMBER}){_GAP}({_NUMBER}){_GAP}({_NUMBER})\s*+\]")
_ANY = re.compile(_NUMBER)


def split_of(category: str | None) -> str:
    """The split that a category such as `RefCOCO testA` names.

    >>> split_of("RefCOCO+ test A"), split_of(None)
    ('RefCOCO+_testA', 'RefCOCO')
    """
    name, _, rest = (category or "RefCOCO").strip().partition(" ")
    plain = re.sub(r"[\s_-]++", "", rest.lower())
    return f"{name}_{SUFFIXES.get(plain, rest.strip().replace(' ', '_').replace('-', '_'))}" if rest.strip() else name


def gold_box(row: Mapping[str, Any], size: Sequence[float]) -> list[float]:
    """The gold box of a row in pixels: its four columns, else its `answer`, in pixels or as fractions; ValueError for neither."""
    columns = [row.get(f"bbox_{name}") for name in ("x1", "y1", "x2", "y2")]
    if all(columns):
        return [float(str(value)) for value in columns]
    values = read_box(str(row.get("answer", "")))
    if values is None:
        raise ValueError("holds no four numbers")
    fractions = max(map(abs, values)) <= MAX_FRACTION
    return [value * (size[axis % 2] if fractions else 1) for axis, value in enumerate(values)]


def read_box(text: str) -> Box | None:
    """The first four numbers in square brackets, parted by commas or blanks, else the first four of the text, or None.

    >>> read_box("[.1 .2 .3 .4]"), read_box("x1=1, y1=2 x2=3")
    ((0.1, 0.2, 0.3, 0.4), (1.0, 1.0, 1.0, 2.0))
    """
    match = _BOX.search(text)
    written = list(match.groups()) if match else _ANY.findall(text)[:4]
    if len(written) < 4:
        return None
    x1, y1, x2, y2 = (float(number[:MAX_DIGITS]) for number in written)
    return x1, y1, x2, y2


def precision_at_1(text: str, answer: Answer) -> Score:
    """An IoU of at least .5 with the gold box. Corners are sorted and clipped to the image.

    Numbers of at most 1.5 are fractions, of at most 1000 thousandths, others pixels, unless the space is declared as `processed`.
    Failure: `no_box`.

    >>> gold = {"box": [0, 0, 50, 50], "image_size": [100, 100]}
    >>> [precision_at_1(text, gold).value for text in ("[0, 0, 0.5, 0.5]", "[500 500 0 0]", "0 0 400 400", "[0, 0, 50, 50]")]
    [1.0, 1.0, 1.0, 0.0]
    """
    found = read_box(text)
    if found is None:
        return failed("no_box")
    box = _clipped(found, answer)
    x1, y1, x2, y2 = answer["box"]
    overlap = iou(box, (x1, y1, x2, y2))
    return Score(float(overlap >= 0.5), {"iou": overlap}, overlap >= 0.5, list(box))


def _clipped(found: Box, answer: Answer) -> Box:
    width, height = image_size_of(answer)
    largest = max(map(abs, found))
    space = "unit" if largest <= MAX_FRACTION else "thousandths" if largest <= THOUSAND else "pixels"
    declared = "processed" if answer.get("space") == "processed" else space
    values = answer_pixels(found, {**answer, "space": declared})
    xs, ys = (sorted(min(max(value, 0.0), side) for value in values[axis::2]) for axis, side in ((0, width), (1, height)))
    return xs[0], ys[0], xs[1], ys[1]


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`Average`, the mean over the kit's eight splits (over all rows where none of them is there), and each split, in percent."""
    splits: dict[str, Mean] = {label: rows.mean().percent() for label, rows in table.by("split").items()}
    known = [mean for label, mean in splits.items() if label in SPLITS]
    average = mean_of_means(known) if known else table.mean().percent()
    return {"Average": average, **splits, "Average IoU": table.mean("iou")}


PROTOCOL = Protocol(
    "vlmevalkit",
    precision_at_1,
    own_prompt("{question}"),
    "Average",
    metrics,
    oracle="ms-vlmeval 0.0.20 dataset/refcoco.py RefCOCODataset, executed",
    differences=("The size of a picture comes from the picture; the kit takes 1 x 1 where its columns are missing.",),
)
