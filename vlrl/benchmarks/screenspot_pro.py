"""ScreenSpot-Pro (arXiv 2504.07981): small elements on large screens of professional software."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down, own_prompt, task_prompt
from vlrl.benchmarks.rules import lmms_eval
from vlrl.benchmarks.screenspot import gui_r1_rows
from vlrl.benchmarks.screenspot_v2 import LMMS_PROMPT
from vlrl.data.errors import RowError
from vlrl.data.image_size import image_size
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows, read_rows
from vlrl.geometry import Point, as_box, space_extent, to_pixels
from vlrl.metrics.click import inside
from vlrl.metrics.score_table import ScoreTable
from vlrl.parsing.json_text import numbers
from vlrl.parsing.literals import parse_literal
from vlrl.parsing.points import parse_point
from vlrl.parsing.tags import answer_text
from vlrl.rewards import gui
from vlrl.rewards.gold_geometry import image_size_of
from vlrl.rewards.outcome import failed
from vlrl.types import Answer, Media, Sample, Score

NAME = "screenspot-pro"
NEEDS = ("bbox", "instruction", "ui_type")
CALL, CALL_END = "<tool_call>", "</tool_call>"
FORCED = CALL + '\n{"name": "computer_use", "arguments": {"action": "left_click", "coordinate": ['
"""What the official runner puts at the beginning of the answer."""
GROUPS = ("group", "application", "platform", "ui_type")


def load(folder: Path) -> Iterable[Sample]:
    """The rows of the authors' files, of the parquet copy, or of GUI-R1's."""
    patterns = ("annotations/*.json", "test-*.parquet", "data/test-*.parquet", "screenspot_pro_test.parquet")
    found = find_files(folder, *patterns)
    if found[0].name == "screenspot_pro_test.parquet":
        return gui_r1_rows(found, NAME)
    return _parquet(found) if found[0].suffix == ".parquet" else _original(found, folder / "images")


def _original(paths: Iterable[Path], images: Path) -> Iterator[Sample]:
    """A doc_id is the row's id."""
    for path in paths:
        for index, row in enumerate(read_rows(path, ("id", "img_filename", "img_size", *NEEDS))):
            media = Media("image", str(images / row["img_filename"]))
            yield _sample(str(row["id"]), row, row["img_size"], media, f"{path}:{index}")


def _parquet(paths: Iterable[Path]) -> Iterator[Sample]:
    """A doc_id is the row's id, where the copy has one, else its index."""
    for place, row in numbered_rows(paths, NEEDS, skip=("image",)):
        media = place.image("image")
        size = _listed(row.get("img_size")) or image_size(media.path, place.source)
        yield _sample(str(row.get("id", place.number)), row, size, media, place.source)


def _listed(value: Any) -> Any:
    """A list, which some copies write as text."""
    return parse_literal(value) if isinstance(value, str) else value


def _sample(doc_id: str, row: Mapping[str, Any], size: list[int], media: Media, source: str) -> Sample:
    try:
        box = as_box(_listed(row["bbox"]))
    except ValueError as error:
        raise RowError(source, "bbox", str(error), "get the file anew") from error
    if max(box) <= 1:
        box = as_box(to_pixels(box, "unit", (size[0], size[1])))
    groups = {name: row[name] for name in GROUPS if row.get(name)}
    answer = {"box": list(box), "image_size": list(size), "groups": groups}
    return Sample(doc_id, NAME, row["instruction"], answer, (media,), source)


def official_qwen25vl(text: str, answer: Answer) -> Score:
    """The runner's rule with its adapter for Qwen2.5-VL: the coordinate of the first tool call, edges included.

    The runner begins the answer with a tool call; a text that goes on with the coordinate is read, and so is one that makes its
    own call or names a bare point. Two numbers are a point, four a box. Failures: `no_answer`, `wrong_format`.

    >>> gold = {"box": [0, 0, 50, 50], "image_size": [100, 100]}
    >>> official_qwen25vl("20, 30]}}\\n</tool_call>", gold).value, official_qwen25vl("[20, 30]", gold).value
    (1.0, 1.0)
    """
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    point = _called(body if CALL in body else FORCED + body)
    if point is None and CALL not in body:
        point = parse_point(body)
    if point is None:
        return failed("wrong_format")
    size = image_size_of(answer)
    width, height = space_extent(answer.get("space", "pixels"), size, answer.get("processed_size"))
    fraction = point[0] / width, point[1] / height
    hit = inside(fraction, lmms_eval.fraction_box(answer["box"], answer))
    return Score(float(hit), correct=hit, extracted=[fraction[0] * size[0], fraction[1] * size[1]])


def _called(body: str) -> Point | None:
    """The coordinate of the first tool call, cut behind its last brace."""
    inner = body.partition(CALL)[2].partition(CALL_END)[0]
    try:
        coordinate = json.loads(inner[: inner.rfind("}") + 1])["arguments"]["coordinate"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    values = numbers(coordinate, 2) or numbers(coordinate, 4)
    if values is None:
        return None
    corners = len(values) // 2
    return sum(values[0::2]) / corners, sum(values[1::2]) / corners


def official_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`action_acc`, `text_acc`, `icon_acc` and `wrong_format_num` over all rows; the accuracies of each group and application."""
    found: dict[str, Metric] = {f"overall/{name}": value for name, value in _accuracies(table).items()}
    found["overall/wrong_format_num"] = float(table.failures["wrong_format"] + table.failures["no_answer"])
    for group, prefix in (("group", "group"), ("application", "app")):
        for label, rows in table.by(group).items():
            found |= {f"{prefix}:{label}/{name}": value for name, value in _accuracies(rows).items()}
    return found


def _accuracies(table: ScoreTable) -> dict[str, Metric]:
    return {"action_acc": table.mean(), **{f"{ui_type}_acc": rows.mean() for ui_type, rows in table.by("ui_type").items()}}


def official_prompt(sample: Sample, mode: str, space: str) -> str:
    """The instruction with the call that is asked for; the runner adds the description of the tool."""
    call = '{"name": "computer_use", "arguments": {"action": "left_click", "coordinate": [x, y]}}'
    return own_prompt(f"{{question}}\nCall the function computer_use: {CALL}\n{call}\n{CALL_END}")(sample, mode, space)


BENCHMARK = Benchmark(
    name=NAME,
    title="ScreenSpot-Pro",
    sizes={"test": 1581},
    licence="see the card of likaixin/ScreenSpot-Pro",
    layout=(
        "annotations/*.json + images/ (likaixin/ScreenSpot-Pro)",
        "[data/]test-*.parquet: image, bbox, instruction, ui_type, group, application (TIGER-Lab/ScreenSpot-Pro)",
        "screenspot_pro_test.parquet: image, instruction, gt_bbox, group, ui_type (ritzzai/GUI-R1)",
    ),
    load=load,
    hub=("likaixin/ScreenSpot-Pro", "TIGER-Lab/ScreenSpot-Pro"),
    protocols=(
        Protocol("strict", gui.click, task_prompt("gui"), "accuracy", lambda table: break_down(table, "accuracy")),
        Protocol(
            "official-qwen25vl",
            official_qwen25vl,
            official_prompt,
            "overall/action_acc",
            official_metrics,
            oracle="likaixin2000/ScreenSpot-Pro-GUI-Grounding bd8bbbb eval_screenspot_pro.py with models/qwen2_5vl.py, run with "
            "stored answers",
            differences=(
                "A thought in front of the call, another action and a bare point are read; there they are a wrong format.",
                "The prompt describes the call in one line instead of the whole tool.",
            ),
            generation={"max_pixels": 99_999_999, "max_completion_length": 2048},
        ),
        Protocol(
            "lmms-eval",
            lmms_eval.click,
            own_prompt(LMMS_PROMPT),
            "screenspot_pro_action_acc",
            lambda table: lmms_eval.click_metrics(table, "screenspot_pro"),
            oracle="lmms_eval 0.7.3 tasks/screenspot_pro/utils.py, executed",
            differences=lmms_eval.CLICK_DIFFERENCES,
            generation={"max_completion_length": 128},
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-3B", "23.9", "arXiv 2504.14239"),
        Reference("Qwen2.5-VL-7B", "29.0", "arXiv 2504.14239"),
        Reference("InfiGUI-R1-3B", "35.7", "arXiv 2504.14239"),
    ),
    pitfalls=(
        "Fewer pixels halve the score: the official runner has no limit worth the name.",
        "text and icon accuracies are taken inside each group; the overall number is the mean over rows.",
        "VLMEvalKit's break-downs weigh a cell by the square of its rows; only its overall number is right.",
    ),
)
