"""ScreenSpot (SeeClick, arXiv 2401.10935): find the element of a screenshot that an instruction names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down, own_prompt, task_prompt
from vlrl.data.errors import RowError
from vlrl.data.image_size import image_size
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows, read_rows
from vlrl.geometry import Box, Point, from_xywh, to_pixels
from vlrl.metrics.click import inside
from vlrl.metrics.mean import mean_of_means
from vlrl.metrics.score_table import ScoreTable
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
    """The rows of SeeClick's files, or of the parquet copy."""
    found = find_files(folder, "screenspot_*.json", "test-*.parquet", "data/test-*.parquet")
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


BENCHMARK = Benchmark(
    name=NAME,
    title="ScreenSpot",
    sizes={"test": 1272},
    licence="Apache-2.0 (repository); screenshots belong to their owners",
    layout=(
        "screenspot_{mobile,desktop,web}.json + screenspot_imgs/ (SeeClick)",
        "[data/]test-*.parquet: image, bbox (0-1 xyxy), instruction, data_type, data_source (rootsautomation/ScreenSpot)",
    ),
    load=load,
    hub=("rootsautomation/ScreenSpot",),
    protocols=(
        Protocol("strict", gui.click, task_prompt("gui"), "accuracy", strict_metrics),
        Protocol(
            "seeclick-official",
            seeclick,
            own_prompt(SEECLICK_PROMPT),
            "mean_of_six",
            cells,
            oracle="njucckevin/SeeClick 0ef37ac pretrain/screenspot_test.py, run with stored answers",
            differences=(
                "A number may lack its leading zero (`.15`), and a percent sign divides by 100; the script reads 15.",
                "Digits inside a word are no coordinates: `x1=0.1`, `point_2d`.",
                "The letters `box` without box tokens do not make the numbers of a text unreadable.",
            ),
        ),
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
