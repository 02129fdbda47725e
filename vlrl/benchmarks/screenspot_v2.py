"""ScreenSpot-v2 (OS-Atlas, arXiv 2410.23218): ScreenSpot with its wrong labels mended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from vlrl.benchmarks import Benchmark, Protocol, Reference, own_prompt, task_prompt
from vlrl.benchmarks.rules import lmms_eval
from vlrl.benchmarks.screenspot import PLATFORM_OF, SEECLICK_OFFICIAL, seeclick_rows, strict_metrics
from vlrl.data.errors import RowError
from vlrl.data.image_size import image_size
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows
from vlrl.geometry import Box, as_box, from_xywh, to_pixels
from vlrl.rewards import gui
from vlrl.types import Sample

NAME = "screenspot-v2"
LMMS_PROMPT = (
    "Identify the UI element for the instruction and output exactly one click point as [x, y] in normalized coordinates within "
    "[0, 1]. Do not output a bounding box.\nInstruction: {question}"
)


def load(folder: Path) -> Iterable[Sample]:
    """The rows of the authors' files, or of the parquet copy."""
    found = find_files(folder, "screenspot_*_v2.json", "test-*.parquet", "data/test-*.parquet")
    return _parquet(found) if found[0].suffix == ".parquet" else seeclick_rows(found, folder / "screenspotv2_image", NAME)


def _parquet(paths: Iterable[Path]) -> Iterator[Sample]:
    """Rows of the parquet copy; a doc_id is the row's index."""
    for place, row in numbered_rows(paths, ("bbox", "instruction", "data_type", "data_source"), skip=("image",)):
        media = place.image("image")
        size = image_size(media.path, place.source)
        platform = PLATFORM_OF.get(row["data_source"], "web")
        groups = {"platform": platform, "ui_type": row["data_type"], "source": row["data_source"]}
        try:
            box = pixel_box(row["bbox"], size)
        except ValueError as error:
            raise RowError(place.source, "bbox", str(error), "get the file anew") from error
        answer = {"box": list(box), "image_size": size, "groups": groups}
        yield Sample(str(place.number), NAME, row["instruction"], answer, (media,), place.source)


def pixel_box(values: Sequence[float], size: Sequence[float]) -> Box:
    """A box of the copy, which does not say how it is written, read as lmms-eval reads it.

    Four numbers of 0 to 1 are fractions, corners; other numbers are pixels: corners where the second pair exceeds the first,
    else corner and size.

    >>> pixel_box([0.1, 0.1, 0.5, 0.5], [100, 100]), pixel_box([80, 10, 15, 30], [100, 100])
    ((10.0, 10.0, 50.0, 50.0), (80.0, 10.0, 95.0, 40.0))
    """
    x1, y1, x2, y2 = values
    if min(values) >= 0 and max(values) <= 1 and x2 >= x1 and y2 >= y1:
        return as_box(to_pixels(values, "unit", (size[0], size[1])))
    return as_box(list(values)) if x2 > x1 and y2 > y1 else from_xywh(list(values))


BENCHMARK = Benchmark(
    name=NAME,
    title="ScreenSpot-v2",
    sizes={"test": 1272},
    licence="see the card of OS-Copilot/ScreenSpot-v2; screenshots belong to their owners",
    layout=(
        "screenspot_{mobile,desktop,web}_v2.json + screenspotv2_image/ (OS-Copilot/ScreenSpot-v2)",
        "[data/]test-*.parquet: image, bbox, instruction, data_type, data_source (HongxinLi/ScreenSpot_v2)",
    ),
    load=load,
    hub=("OS-Copilot/ScreenSpot-v2", "HongxinLi/ScreenSpot_v2"),
    protocols=(
        Protocol("strict", gui.click, task_prompt("gui"), "accuracy", strict_metrics),
        SEECLICK_OFFICIAL,
        Protocol(
            "lmms-eval",
            lmms_eval.click,
            own_prompt(LMMS_PROMPT),
            "screenspot_v2_action_acc",
            lambda table: lmms_eval.click_metrics(table, "screenspot_v2"),
            oracle="lmms_eval 0.7.3 tasks/screenspot_v2/utils.py, executed",
            differences=lmms_eval.CLICK_DIFFERENCES,
            generation={"max_completion_length": 128},
        ),
    ),
    references=(
        Reference("UI-R1-3B", "85.4", "UI-R1, arXiv 2503.21620"),
        Reference("UI-R1-E-3B", "89.5", "UI-R1, arXiv 2503.21620"),
        Reference("GUI-R1-3B", "85.0", "GUI-R1, arXiv 2504.10458"),
    ),
    pitfalls=(
        "The parquet copy does not say whether a box is corners or corner and size; lmms-eval guesses from the numbers.",
        "An early copy by third parties lacked images.",
    ),
)
