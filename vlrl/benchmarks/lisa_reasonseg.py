"""ReasonSeg (LISA, arXiv 2308.00692): the mask of what a question is about, here from boxes or outlines in text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down, own_prompt
from vlrl.benchmarks.rules.masks import IGNORED, gold_mask, read_mask
from vlrl.data.image_size import image_size
from vlrl.data.layout import LayoutError, find_files
from vlrl.data.tables import numbered_rows
from vlrl.metrics.score_table import ScoreTable
from vlrl.parsing.tags import answer_text
from vlrl.tasks import SPACE_WORDS
from vlrl.types import Answer, Media, Sample, Score, UserError

NAME = "lisa-reasonseg"
ROOTS = ("", "ReasonSeg/", "reason_seg/ReasonSeg/")
SPLITS = ("val", "test")
EPSILON = 1e-5
UNUSED = "flag"


def load(folder: Path) -> Iterable[Sample]:
    """The images of LISA's folders, or the rows of the parquet copy."""
    for root in ROOTS:
        found = {split: paths for split in SPLITS if (paths := sorted((folder / root / split).glob("*.json")))}
        if found:
            return _original(found)
    patterns = ("test-*.parquet", "data/test-*.parquet", "val-*.parquet", "data/val-*.parquet")
    try:
        return _parquet(find_files(folder, *patterns))
    except LayoutError as error:
        raise LayoutError(f"{error}, nor {{val,test}}/*.json below it, ReasonSeg/ or reason_seg/ReasonSeg/") from error


def _original(by_split: Mapping[str, Iterable[Path]]) -> Iterator[Sample]:
    """A picture and its JSON side by side; a doc_id is their name. The first of several texts is asked."""
    for split, paths in by_split.items():
        for path in paths:
            content = _read(path)
            picture, source = str(path.with_suffix(".jpg")), str(path)
            shapes = [{"label": one["label"], "points": one["points"]} for one in content["shapes"]]
            kind = "sentence" if content.get("is_sentence") else "phrase"
            answer: Answer = {
                "shapes": [one for one in shapes if one["label"].lower() != UNUSED],
                "image_size": image_size(picture, source),
                "groups": {"split": split, "query": kind},
            }
            yield Sample(path.stem, NAME, content["text"][0].strip(), answer, (Media("image", picture),), source)


def _read(path: Path) -> dict[str, Any]:
    """The file's object; some of the published files are not UTF-8."""
    raw = path.read_bytes()
    try:
        try:
            content = json.loads(raw.decode("utf-8"))
        except UnicodeDecodeError:
            content = json.loads(raw.decode("cp1252"))
    except ValueError as error:
        raise UserError(f"{path}: is not JSON ({error}); get the file anew") from error
    if not isinstance(content, dict) or not {"shapes", "text"} <= content.keys():
        raise LayoutError(f"{path}: has no shapes and text; is it ReasonSeg's file?")
    return content


def _parquet(paths: Iterable[Path]) -> Iterator[Sample]:
    """Rows of the parquet copy, whose masks know nothing of ignored places; a doc_id is the row's index."""
    for place, row in numbered_rows(paths, ("mask", "text"), skip=("image",)):
        media = place.image("image")
        mask = np.array(row["mask"], dtype=bool)
        answer: Answer = {"runs": _runs(mask), "image_size": [mask.shape[1], mask.shape[0]]}
        answer["groups"] = {"split": place.path.name.partition("-")[0]}
        question = row["text"] if isinstance(row["text"], str) else row["text"][0]
        yield Sample(str(place.number), NAME, question.strip(), answer, (media,), place.source)


def _runs(mask: np.ndarray) -> dict[str, Any]:
    flat = np.concatenate([[0], mask.flatten(order="F").astype(np.int8)])
    edges = np.flatnonzero(np.diff(flat)) if len(flat) > 1 else np.array([], dtype=int)
    counts = np.diff(np.concatenate([[0], edges, [mask.size]]))
    return {"size": list(mask.shape), "counts": [int(count) for count in counts]}


def official(text: str, answer: Answer) -> Score:
    """The IoU of one image as LISA computes it: intersection / (union + 1e-5), ignored pixels left out.

    Nothing found where there is nothing is 1. Parts: `intersection` and `union`, in pixels. Failures: `no_answer`, `no_mask`.

    >>> gold = {"shapes": [{"label": "target", "points": [[0, 0], [9, 0], [9, 9], [0, 9]]}], "image_size": [20, 20]}
    >>> round(official('{"bbox_2d": [0, 0, 10, 5]}', gold).value, 6)
    0.5
    """
    body = answer_text(text)
    found = None if body is None else read_mask(body, answer)
    target = gold_mask(answer)
    if found is None:
        parts = {"intersection": 0.0, "union": float((target == 1).sum())}
        return Score(0.0, parts, False, failure="no_answer" if body is None else "no_mask")
    judged = target != IGNORED
    intersection = float(((found == 1) & (target == 1)).sum())
    union = float((((found == 1) | (target == 1)) & judged).sum())
    value = intersection / (union + EPSILON) if union else 1.0
    return Score(value, {"intersection": intersection, "union": union}, value >= 0.5, {"pixels": int(found.sum())})


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`gIoU`, the mean over images, `cIoU`, the sum of the intersections over that of the unions, and the share from .5 on."""
    return {**break_down(table, "gIoU"), "cIoU": table.ratio("intersection", "union")}


def prompt(sample: Sample, mode: str, space: str) -> str:
    """Asks for boxes or outlines, as a model that writes text can give them."""
    form = f'{SPACE_WORDS[space]}: [{{"bbox_2d": [x1, y1, x2, y2]}}] or [{{"polygon": [x1, y1, x2, y2, ...]}}]'
    return own_prompt(f"Give everything that the question is about as JSON {form}. {{question}}")(sample, mode, space)


BENCHMARK = Benchmark(
    name=NAME,
    title="ReasonSeg",
    sizes={"val": 200, "test": 779},
    licence="Apache-2.0 (repository); images of their owners",
    layout=(
        "[reason_seg/ReasonSeg/]{val,test}/*.jpg with *.json beside them: text, is_sentence, shapes (dvlab-research/LISA)",
        "[data/]{val,test}-*.parquet: image, mask, text (Ricky06662/ReasonSeg_val, ReasonSeg_test)",
    ),
    load=load,
    hub=("Ricky06662/ReasonSeg_test", "Ricky06662/ReasonSeg_val"),
    protocols=(
        Protocol("strict", official, prompt, "gIoU", metrics),
        Protocol(
            "official",
            official,
            prompt,
            "gIoU",
            metrics,
            oracle="dvlab-research/LISA 3cb2d43 utils/data_processing.py get_mask_from_json, utils/utils.py "
            "intersectionAndUnionGPU, the arithmetic of train_ds.py validate, executed",
            differences=(
                "A text carries the mask as boxes, outlines or run lengths; LISA's decoder draws it from an embedding.",
                "A text that says nothing about the mask is wrong, also where there is nothing to find; an empty list is not.",
            ),
        ),
    ),
    references=(Reference("Seg-Zero-7B, test", "gIoU 57.5", "arXiv 2503.06520"),),
    pitfalls=(
        "A box filled whole is no mask: the numbers of models that write boxes are lower than those of segmenters.",
        "Pixels of the value 255 are not judged; evaluators that cast the mask to truth values count them as target.",
        "Images are large: a low limit of pixels halves the score.",
    ),
)
