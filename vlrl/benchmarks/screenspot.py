"""ScreenSpot (SeeClick, arXiv 2401.10935): find the element of a screenshot that an instruction names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down, own_prompt, task_prompt
from vlrl.benchmarks.rules import gui_r1, lmms_eval, vlmevalkit_gui
from vlrl.data.errors import RowError
from vlrl.data.image_size import image_size
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows, read_rows
from vlrl.geometry import Box, Point, from_xywh, to_pixels
from vlrl.metrics.click import inside, strictly_inside
from vlrl.metrics.mean import mean_of_means
from vlrl.metrics.score_table import ScoreTable
from vlrl.parsing.literals import parse_literal
from vlrl.rewards import gui
from vlrl.rewards.gold_geometry import image_size_of
from vlrl.rewards.outcome import failed
from vlrl.types import Answer, Media, Sample, Score

NAME = "screenspot"
SEECLICK_PROMPT = (
    'In this UI screenshot, what is the position of the element corresponding to the command "{question}" (with point)?'
)
PLATFORMS = ("mobile", "desktop", "web")
PLATFORM_OF = {"ios": "mobile", "android": "mobile", "windows": "desktop", "macos": "desktop"}
"""The platform of a `data_source`; all others are web sites."""


def load(folder: Path) -> Iterable[Sample]:
    """The rows of SeeClick's files, of the parquet copy, of GUI-R1's, or of VLMEvalKit's tables."""
    patterns = ("screenspot_*.json", "test-*.parquet", "data/test-*.parquet", "screenspot_test.parquet")
    tables = [f"ScreenSpot_{platform}.tsv" for platform in ("Mobile", "Desktop", "Web")]
    found = find_files(folder, *patterns, *tables)
    if found[0].suffix == ".tsv":
        return tsv_rows([folder / name for name in tables if (folder / name).is_file()], NAME)
    if found[0].name == "screenspot_test.parquet":
        return gui_r1_rows(found, NAME)
    return parquet_rows(found, NAME) if found[0].suffix == ".parquet" else seeclick_rows(found, folder / "screenspot_imgs", NAME)


def seeclick_rows(paths: Iterable[Path], images: Path, name: str) -> Iterator[Sample]:
    """Rows of `screenspot_<platform>*.json`; a doc_id is `<platform>:<index in that file>`. Boxes are xywh in pixels."""
    order = {platform: number for number, platform in enumerate(PLATFORMS)}
    by_platform = {path.stem.split("_")[1]: path for path in paths}
    for platform in sorted(by_platform, key=lambda one: order.get(one, len(order))):
        path = by_platform[platform]
        needs = ("img_filename", "bbox", "instruction", "data_type", "data_source")
        for index, row in enumerate(read_rows(path, needs)):
            source, picture = f"{path}:{index}", str(images / row["img_filename"])
            box = _box(row["bbox"], source)
            groups = {"platform": platform, "ui_type": row["data_type"], "source": row["data_source"]}
            answer = {"box": list(box), "image_size": image_size(picture, source), "groups": groups}
            yield Sample(f"{platform}:{index}", name, row["instruction"], answer, (Media("image", picture),), source)


def parquet_rows(paths: Iterable[Path], name: str) -> Iterator[Sample]:
    """Rows of the parquet copy, whose boxes are xyxy in 0-1; a doc_id is the row's index."""
    needs = ("bbox", "instruction", "data_type", "data_source")
    for place, row in numbered_rows(paths, needs, skip=("image",)):
        media = place.image("image")
        size = image_size(media.path, place.source)
        platform = PLATFORM_OF.get(row["data_source"], "web")
        groups = {"platform": platform, "ui_type": row["data_type"], "source": row["data_source"]}
        box = to_pixels(row["bbox"], "unit", (size[0], size[1]))
        answer = {"box": list(box), "image_size": size, "groups": groups}
        if row.get("file_name"):
            answer["cluster"] = row["file_name"]
        yield Sample(str(place.number), name, row["instruction"], answer, (media,), place.source)


def gui_r1_rows(paths: Iterable[Path], name: str) -> Iterator[Sample]:
    """Rows of GUI-R1's parquet file, whose boxes are xyxy in pixels; a doc_id is the row's index."""
    for place, row in numbered_rows(paths, ("instruction", "gt_bbox", "group", "ui_type"), skip=("image",)):
        media = place.image("image")
        groups = {"platform": row["group"], "ui_type": row["ui_type"]}
        answer = {"box": list(row["gt_bbox"]), "image_size": image_size(media.path, place.source), "groups": groups}
        yield Sample(str(place.number), name, row["instruction"], answer, (media,), place.source)


def tsv_rows(paths: Iterable[Path], name: str) -> Iterator[Sample]:
    """Rows of VLMEvalKit's tables, boxes xywh in pixels; a doc_id is the index, with several tables `<platform>:<index>`."""
    paths = list(paths)
    for path in paths:
        platform = path.stem.rpartition("_")[2].lower()
        for place, row in numbered_rows([path], ("index", "question", "bbox", "data_type"), skip=("image",)):
            media = vlmevalkit_gui.picture(place, row)
            groups = {"platform": platform, "ui_type": row["data_type"], "source": row.get("data_source", "")}
            box = _box(parse_literal(row["bbox"]), place.source)
            answer = {"box": list(box), "image_size": image_size(media.path, place.source), "groups": groups}
            doc_id = row["index"] if len(paths) == 1 else f"{platform}:{row['index']}"
            yield Sample(doc_id, name, row["question"], answer, (media,), place.source)


def _box(values: Any, source: str) -> Box:
    try:
        return from_xywh(values)
    except ValueError as error:
        raise RowError(source, "bbox", str(error), "get the file anew") from error


def cells(table: ScoreTable) -> Mapping[str, Metric]:
    """Accuracy of the six cells (platform, text or icon), their plain mean, and the mean over all rows."""
    means = {
        f"{platform}_{ui_type}": rows.mean()
        for platform, on_platform in table.by("platform").items()
        for ui_type, rows in on_platform.by("ui_type").items()
    }
    return {**means, "mean_of_six": mean_of_means(means.values()), "micro": table.mean()}


def strict_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Accuracy overall, by platform, kind and source, and the mean of the six cells."""
    return {**break_down(table, "accuracy"), "mean_of_six": cells(table)["mean_of_six"]}


def seeclick(text: str, answer: Answer) -> Score:
    """SeeClick's script: the two numbers of the text as a point in 0-1, or the centre of four, inside the box, edges included.

    Box tokens `<box>(x1,y1),(x2,y2)</box>` are in 0-1000. Any other number of numbers is a wrong format. See the protocol's
    `differences` for what is read better than there.

    >>> gold = {"box": [0, 0, 50, 50], "image_size": [100, 100]}
    >>> seeclick("(0.25, 0.5)", gold).value, seeclick("<box>(0,0),(100,100)</box>", gold).value, seeclick("(25, 50)", gold).value
    (1.0, 1.0, 0.0)
    """
    point = _seeclick_point(text)
    if point is None:
        return failed("wrong_format")
    size = image_size_of(answer)
    box = answer["box"]
    left, top, right, bottom = (value / size[axis % 2] for axis, value in enumerate(box))
    hit = inside(point, (left, top, right, bottom))
    return Score(float(hit), correct=hit, extracted=list(point))


_TOKENS = re.compile(r"<box>\((\d++),(\d++)\),\((\d++),(\d++)\)</box>")
_NUMBER = re.compile(r"(?<![\w.])(-?+(?:\d++(?:\.\d*+)?+|\.\d++))(\s*+%)?+(?![^\W\d])")
MAX_DIGITS = 30


def _seeclick_point(text: str) -> Point | None:
    tokens = _TOKENS.search(text)
    if tokens:
        numbers = [int(number[:MAX_DIGITS]) / 1000 for number in tokens.groups()]
    else:
        numbers = [float(number[:MAX_DIGITS]) / (100 if percent else 1) for number, percent in _NUMBER.findall(text)]
    if len(numbers) not in (2, 4):
        return None
    corners = len(numbers) // 2
    return sum(numbers[0::2]) / corners, sum(numbers[1::2]) / corners


def gui_r1_click(text: str, answer: Answer) -> Score:
    """GUI-R1's evaluation: the answer's point inside the box, edges left out (`rules.gui_r1.read_point`).

    >>> gold = {"box": [0, 0, 50, 50], "image_size": [100, 100]}
    >>> gui_r1_click("<answer>[{'action': 'click', 'point': [20, 50]}]</answer>", gold).value
    0.0
    """
    point = gui_r1.read_point(text, answer)
    if point is None:
        return failed("no_point")
    left, top, right, bottom = answer["box"]
    hit = strictly_inside(point, (left, top, right, bottom))
    return Score(float(hit), correct=hit, extracted=list(point))


def gui_r1_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`Type <platform>-<text or icon>`, and the mean over all rows."""
    means = {
        f"Type {platform}-{ui_type}": rows.mean()
        for platform, on_platform in table.by("platform").items()
        for ui_type, rows in on_platform.by("ui_type").items()
    }
    return {**means, "accuracy": table.mean()}


def rec(text: str, answer: Answer) -> Score:
    """lmms-eval's `screenspot_rec`: the first four numbers in brackets as a box in 0-1, an IoU of at least .5 with the gold box.

    Where one of the numbers is above 1 all are thousandths. Parts: `IoU`, `ACC@0.1` to `ACC@0.9`, `Center_ACC`.

    >>> gold = {"box": [0, 0, 50, 50], "image_size": [100, 100]}
    >>> rec("[0, 0, 0.5, 0.25]", gold).value, rec("(0, 0, 500, 500)", gold).value, rec("[.1, .1, .5, .5]", gold).failure
    (1.0, 1.0, 'no_box')
    """
    found = lmms_eval.read_box(text, lmms_eval.ANY_BRACKET)
    if found is not None and max(found) > 1:
        x1, y1, x2, y2 = (value / 1000 for value in found)
        found = x1, y1, x2, y2
    parts = lmms_eval.rec_parts(found, lmms_eval.fraction_box(answer["box"], answer))
    right = parts["ACC@0.5"] == 1
    failure = "no_box" if found is None else None
    return Score(parts["ACC@0.5"], parts, right, None if found is None else list(found), failure)


def rec_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """lmms-eval's seven numbers, and `ACC@0.5` of each cell."""
    cell = {f"screenspot_ACC@0.5-{name}": value for name, value in cells(table).items() if name not in ("mean_of_six", "micro")}
    return {**lmms_eval.rec_metrics(table, "screenspot"), **cell}


REC_PROMPT = (
    "Bounding box coordinates are specified in the format (top-left x, top-left y, bottom-right x, bottom-right y). All values "
    "are floating point numbers bounded between 0 and 1 with two decimal places of precision (e.g., 0.15). Please provide the "
    "bounding box coordinates of the region that corresponds to the command: {question}"
)
SEECLICK_DIFFERENCES = (
    "A number may lack its leading zero (`.15`), and a percent sign divides by 100; the script reads 15.",
    "Digits inside a word are no coordinates: `x1=0.1`, `point_2d`.",
    "The letters `box` without box tokens do not make the numbers of a text unreadable.",
)
SEECLICK_OFFICIAL = Protocol(
    "seeclick-official",
    seeclick,
    own_prompt(SEECLICK_PROMPT),
    "mean_of_six",
    cells,
    oracle="njucckevin/SeeClick 0ef37ac pretrain/screenspot_test.py, run with stored answers",
    differences=SEECLICK_DIFFERENCES,
)

BENCHMARK = Benchmark(
    name=NAME,
    title="ScreenSpot",
    sizes={"test": 1272},
    licence="Apache-2.0 (repository); screenshots belong to their owners",
    layout=(
        "screenspot_{mobile,desktop,web}.json + screenspot_imgs/ (SeeClick)",
        "[data/]test-*.parquet: image, bbox (0-1 xyxy), instruction, data_type, data_source (rootsautomation/ScreenSpot)",
        "screenspot_test.parquet: image, instruction, gt_bbox (pixels, xyxy), group, ui_type (ritzzai/GUI-R1)",
        "ScreenSpot_{Mobile,Desktop,Web}.tsv: index, image in base64, question, bbox (pixels, xywh), data_type (VLMEvalKit)",
    ),
    load=load,
    hub=("rootsautomation/ScreenSpot",),
    protocols=(
        Protocol("strict", gui.click, task_prompt("gui"), "accuracy", strict_metrics),
        SEECLICK_OFFICIAL,
        Protocol(
            "gui-r1",
            gui_r1_click,
            gui_r1.prompt("click"),
            "accuracy",
            gui_r1_metrics,
            oracle="ritzz-ai/GUI-R1 d43eea2 inference_vllm_screenspot.py extract_coord, eval_screenspot.py, executed",
            differences=("A cell without a single hit stays in the means; the script leaves it out.",),
            generation={"max_completion_length": 1024},
        ),
        Protocol(
            "lmms-eval-rec",
            rec,
            own_prompt(REC_PROMPT),
            "screenspot_ACC@0.5",
            rec_metrics,
            oracle="lmms_eval 0.7.3 tasks/screenspot/utils_rec.py, executed",
            differences=(lmms_eval.NO_CENTRE,),
        ),
        vlmevalkit_gui.SCREENSPOT,
    ),
    references=(
        Reference("Qwen2.5-VL-7B", "84.7", "arXiv 2502.13923"),
        Reference("UI-R1-3B", "83.3", "UI-R1, arXiv 2503.21620"),
        Reference("InfiGUI-R1-3B", "87.5", "arXiv 2504.14239"),
    ),
    pitfalls=(
        "`Avg` is the mean over rows (micro) in some papers and the mean of six cells in others.",
        "Harnesses guess from magnitude whether numbers are pixels, thousandths or fractions.",
    ),
)
