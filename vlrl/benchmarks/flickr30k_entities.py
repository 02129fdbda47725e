"""Flickr30k Entities (arXiv 1505.04870): the box of each phrase of a caption."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from vlrl.benchmarks import Benchmark, Metric, Protocol, break_down, task_prompt
from vlrl.data.errors import RowError
from vlrl.data.layout import find_files
from vlrl.geometry import Box, as_box
from vlrl.metrics.box_iou import iou
from vlrl.metrics.score_table import ScoreTable
from vlrl.rewards import grounding
from vlrl.rewards.gold_geometry import gold_boxes
from vlrl.types import Answer, Media, Sample, Score, UserError

NAME = "flickr30k-entities"
PHRASE = re.compile(r"\[/EN#(\d++)/(\S++)\s++([^\]]++)\]")

ORACLE = "phrases and boxes: BryanPlummer/flickr30k_entities 68b3d6f flickr30k_entities_utils.py, executed; IoU by hand"


def load(folder: Path) -> Iterable[Sample]:
    """The phrases with a box of the images in `test.txt` (without it, of all); a doc_id is `<image>:<caption>:<phrase>`."""
    sentences = find_files(folder, "Sentences/*.txt", "annotations/Sentences/*.txt")
    listed = folder / "test.txt"
    wanted = set(listed.read_text(encoding="utf-8").split()) if listed.is_file() else None
    return _rows([path for path in sentences if wanted is None or path.stem in wanted], folder)


def _rows(paths: Iterable[Path], folder: Path) -> Iterator[Sample]:
    for path in paths:
        boxes, size = _annotations(path.parent.parent / "Annotations" / f"{path.stem}.xml")
        picture = folder / "flickr30k-images" / f"{path.stem}.jpg"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            for place, (entity, kinds, phrase) in enumerate(PHRASE.findall(line)):
                if entity not in boxes:
                    continue
                answer: Answer = {
                    "box": list(_hull(boxes[entity])),
                    "boxes": [{"box": list(box)} for box in boxes[entity]],
                    "image_size": size,
                    "groups": {"kind": kinds.split("/")},
                    "cluster": path.stem,
                }
                yield Sample(
                    f"{path.stem}:{number}:{place}", NAME, phrase, answer, (Media("image", str(picture)),), f"{path}:{number}"
                )


def _annotations(path: Path) -> tuple[dict[str, list[Box]], list[int]]:
    """The boxes of each entity in pixels from 0 on (the file counts from 1), and the picture's size."""
    try:
        root = ElementTree.parse(path).getroot()
        size = [int(root.findtext(f"size/{side}", "")) for side in ("width", "height")]
        boxes: dict[str, list[Box]] = {}
        for thing in root.iter("object"):
            for place in thing.findall("bndbox"):
                corners = [int(place.findtext(name, "")) - 1 for name in ("xmin", "ymin", "xmax", "ymax")]
                for name in thing.findall("name"):
                    boxes.setdefault(name.text or "", []).append(as_box(corners))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); add Annotations/ beside Sentences/") from error
    except (ElementTree.ParseError, ValueError) as error:
        raise RowError(str(path), "bndbox", str(error), "get the file anew") from error
    return boxes, size


def _hull(boxes: Iterable[Box]) -> Box:
    x1, y1, x2, y2 = zip(*boxes, strict=True)
    return min(x1), min(y1), max(x2), max(y2)


def any_box(text: str, answer: Answer) -> Score:
    """1 when the answer's first box has an IoU of at least .5 with any box of the phrase, else 0; fails as `grounding.acc50`.

    >>> gold = {"box": [0, 0, 30, 10], "boxes": [{"box": [0, 0, 10, 10]}, {"box": [20, 0, 30, 10]}]}
    >>> any_box("[20, 0, 30, 10]", gold).value, any_box("[0, 0, 30, 10]", gold).value
    (1.0, 0.0)
    """
    score = grounding.acc50(text, answer)
    if score.extracted is None:
        return score
    x1, y1, x2, y2 = score.extracted
    hit = any(iou((x1, y1, x2, y2), one.box) >= grounding.CORRECT_IOU for one in gold_boxes(answer))
    return Score(float(hit), correct=hit, extracted=score.extracted)


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """R@1 overall and by kind of phrase."""
    return break_down(table, "R@1")


BENCHMARK = Benchmark(
    name=NAME,
    title="Flickr30k Entities",
    sizes={},
    licence="images under Flickr terms, not to be passed on",
    layout=("[annotations/]Sentences/*.txt, Annotations/*.xml, test.txt + flickr30k-images/ (BryanPlummer/flickr30k_entities)",),
    load=load,
    protocols=(
        Protocol("strict", grounding.acc50, task_prompt("grounding"), "R@1", metrics),
        Protocol(
            "merged",
            grounding.acc50,
            task_prompt("grounding"),
            "R@1",
            metrics,
            oracle=ORACLE,
            differences=("The rule is our own: the box around all boxes of the phrase, an IoU of at least .5.",),
        ),
        Protocol(
            "any",
            any_box,
            task_prompt("grounding"),
            "R@1",
            metrics,
            oracle=ORACLE,
            differences=("An IoU of at least .5 with any box of the phrase.",),
        ),
    ),
    pitfalls=(
        "Papers use two golds: the box around all boxes of a phrase (merged), or any of them.",
        "Phrases without a box (scenes, things out of sight) are left out.",
        "The XML counts pixels from 1.",
    ),
)
