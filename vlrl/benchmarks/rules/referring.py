"""Referring expressions (RefCOCO, RefCOCO+, RefCOCOg, LISA-Grounding): the layouts of three kits and their rules for one box."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down, own_prompt, task_prompt
from vlrl.benchmarks.rules import lmms_eval, vlmevalkit_boxes
from vlrl.data.errors import RowError
from vlrl.data.image_size import image_size
from vlrl.data.layout import LayoutError, find_files
from vlrl.data.tables import numbered_rows, read_rows
from vlrl.geometry import Box, answer_pixels, as_box, from_xywh
from vlrl.metrics.box_iou import iou
from vlrl.metrics.score_table import ScoreTable
from vlrl.parsing.action_lists import first_block
from vlrl.rewards import grounding
from vlrl.rewards.outcome import failed
from vlrl.types import Answer, Media, Sample, Score

SPLITS = ("val", "test", "testA", "testB")
ASKED = "Please provide the bounding box coordinate of the region this sentence describes: "
MAX_DIGITS = 300
ABOVE_HALF = 0.5 + 1e-9


def parquet_rows(folder: Path, name: str) -> Iterator[Sample]:
    """lmms-lab's copy: a row is an object with several expressions, each a row here; boxes are xywh in pixels.

    A doc_id is `<question_id>:<number of the expression>`, with `<split>:` in front where the folder holds several splits.
    """
    by_split = {split: _split_files(folder, split) for split in SPLITS}
    present = {split: paths for split, paths in by_split.items() if paths}
    if not present:
        raise LayoutError(f"{folder}: holds none of [data/]{{{','.join(SPLITS)}}}-*.parquet; `vlrl eval --list` shows the layout")
    for split, paths in present.items():
        for place, row in numbered_rows(paths, ("question_id", "answer", "bbox"), skip=("image", "segmentation")):
            media = place.image("image")
            box = _checked(from_xywh, row["bbox"], place.source, "bbox")
            answer = {"box": box, "image_size": image_size(media.path, place.source), "groups": {"split": split}}
            if row.get("file_name"):
                answer["cluster"] = row["file_name"].rpartition("_")[0] or row["file_name"]
            prefix = f"{split}:" if len(present) > 1 else ""
            for index, expression in enumerate(row["answer"]):
                yield Sample(f"{prefix}{row['question_id']}:{index}", name, expression, answer, (media,), place.source)


def _split_files(folder: Path, split: str) -> list[Path]:
    try:
        return find_files(folder, f"{split}-*.parquet", f"data/{split}-*.parquet")
    except LayoutError:
        return []


def vlm_r1_rows(path: Path, roots: Sequence[Path], name: str, split: str) -> Iterator[Sample]:
    """VLM-R1's `rec_jsons_processed/*.json`: a doc_id is the index in the file, boxes are xyxy in pixels of the original."""
    for index, row in enumerate(read_rows(path, ("image", "problem", "solution"))):
        source = f"{path}:{index}"
        picture = next((root / row["image"] for root in roots if (root / row["image"]).is_file()), roots[0] / row["image"])
        box = _checked(as_box, row["solution"], source, "solution")
        answer = {"box": box, "image_size": image_size(str(picture), source), "groups": {"split": split}}
        question = row.get("normal_caption") or row["problem"].removeprefix(ASKED).removesuffix(".")
        yield Sample(str(index), name, question, answer, (Media("image", str(picture)),), source)


def tsv_rows(path: Path, name: str, prefix: str) -> Iterator[Sample]:
    """VLMEvalKit's `RefCOCO.tsv`, of which the rows of one set count (all where `prefix` is empty); a doc_id is the row's index.

    Where an index stands in several splits it is `<split>_<index>`, as the kit itself writes it.
    """
    seen = Counter(row["index"] for row in read_rows(path, ("index", "question"), skip=("image",)))
    for place, row in numbered_rows([path], ("index", "question"), skip=("image",)):
        split = row.get("split") or row.get("dataset") or vlmevalkit_boxes.split_of(row.get("category"))
        if prefix and split.partition("_")[0] != prefix:
            continue
        media = place.image("image")
        size = image_size(media.path, place.source)
        box = _checked(as_box, vlmevalkit_boxes.gold_box(row, size), place.source, "bbox_x1 ... bbox_y2 or answer")
        doc_id = row["index"] if seen[row["index"]] == 1 else f"{split}_{row['index']}"
        answer = {"box": box, "image_size": size, "groups": {"split": split}}
        yield Sample(doc_id, name, row["question"], answer, (media,), place.source)


def _checked(read: Any, values: Any, source: str, key: str) -> list[float]:
    try:
        return list(read(list(values)))
    except (ValueError, TypeError) as error:
        raise RowError(source, key, str(error), "get the file anew") from error


def load(folder: Path, name: str, vlm_r1_stem: str, tsv_prefix: str) -> Iterable[Sample]:
    """The rows of one of the three layouts."""
    for pattern in (f"rec_jsons_processed/{vlm_r1_stem}_*.json", f"{vlm_r1_stem}_*.json"):
        found = sorted(folder.glob(pattern))
        if found:
            split = found[0].stem.rpartition("_")[2]
            return vlm_r1_rows(found[0], (folder / "coco", folder, folder / "lisa"), name, split)
    if (folder / "RefCOCO.tsv").is_file():
        return tsv_rows(folder / "RefCOCO.tsv", name, tsv_prefix)
    return parquet_rows(folder, name)


def bbox_rec(text: str, answer: Answer) -> Score:
    """lmms-eval's `refcoco_bbox_rec`: the first four numbers in square brackets as a box in 0-1, an IoU of at least .5.

    Numbers are fractions whatever the declared space is: the prompt asks for them. Parts: `IoU`, `ACC@0.1` to `ACC@0.9`,
    `Center_ACC`. Failure: `no_box`.

    >>> gold = {"box": [0, 0, 50, 50], "image_size": [100, 100]}
    >>> bbox_rec("[0, 0, 0.5, 0.25]", gold).value, bbox_rec("(0, 0, 0.5, 0.5)", gold).failure
    (1.0, 'no_box')
    """
    found = lmms_eval.read_box(text, lmms_eval.SQUARE)
    parts = lmms_eval.rec_parts(found, lmms_eval.fraction_box(answer["box"], answer))
    right = parts["ACC@0.5"] == 1
    return Score(float(right), parts, right, list(found) if found else None, None if found else "no_box")


_WHOLE = re.compile(r"\[(\d++),\s*+(\d++),\s*+(\d++),\s*+(\d++)\]")
_SIGNED = r"\s*+(-?+(?:\d++(?:\.\d++)?+|\.\d++))\s*+"
_ANY = re.compile(rf"\[{_SIGNED},{_SIGNED},{_SIGNED},{_SIGNED}\]")


def vlm_r1(text: str, answer: Answer) -> Score:
    """VLM-R1's script for its own models: the last four whole numbers of the first answer block's object, an IoU above .5.

    The box stands in square brackets between the block's first `{` and its last `}`. Failure: `no_box`.

    >>> gold = {"box": [0, 0, 100, 100]}
    >>> vlm_r1('<answer>[{"bbox_2d": [0, 0, 100, 51]}]</answer>', gold).value, vlm_r1("[0, 0, 100, 51]", gold).failure
    (1.0, 'no_box')
    """
    block = first_block(text) or ""
    found = _WHOLE.findall(block[max(block.find("{"), 0) : block.rfind("}") + 1] if "{" in block else "")
    return _above_half(found[-1] if found else None, answer)


def vlm_r1_baseline(text: str, answer: Answer) -> Score:
    """VLM-R1's script for models without a thought: the first four numbers in square brackets, an IoU above .5.

    >>> vlm_r1_baseline("[0, 0, 99.5, 51]", {"box": [0, 0, 100, 100]}).value
    1.0
    """
    match = _ANY.search(text)
    return _above_half(match.groups() if match else None, answer)


def _above_half(written: Sequence[str] | None, answer: Answer) -> Score:
    if written is None:
        return failed("no_box")
    x1, y1, x2, y2 = answer_pixels([float(number[:MAX_DIGITS]) for number in written], answer)
    found: Box = (x1, y1, x2, y2)
    overlap = iou(found, as_box(answer["box"]))
    return Score(float(overlap > ABOVE_HALF), {"iou": overlap}, overlap > ABOVE_HALF, list(found))


def vlm_r1_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`accuracy` in percent, and the mean IoU of what was read."""
    return {"accuracy": table.mean().percent(), "iou": table.mean("iou")}


def strict_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Acc@0.5 overall and by split."""
    return break_down(table, "acc50")


STRICT = Protocol("strict", grounding.acc50, task_prompt("grounding"), "acc50", strict_metrics)
VLM_R1_DIFFERENCES = ("Areas are continuous; the script loses an overlap that is one pixel wide or high.",)
VLM_R1 = Protocol(
    "vlm-r1",
    vlm_r1,
    own_prompt(
        f"{ASKED}{{question}}. First output the thinking process in <think> </think> tags and then output the final answer in "
        "<answer> </answer> tags. Output the final answer in JSON format."
    ),
    "accuracy",
    vlm_r1_metrics,
    oracle="om-ai-lab/VLM-R1 90052f4 src/eval/test_rec_r1.py extract_bbox_answer, resize_bbox, iou, executed",
    differences=(*VLM_R1_DIFFERENCES, "All rows count; the script takes the first 2,000 after a shuffle with seed 42."),
    generation={"max_completion_length": 256},
)
VLM_R1_BASELINE = Protocol(
    "vlm-r1-baseline",
    vlm_r1_baseline,
    own_prompt(f"{ASKED}{{question}}. Please provide the bounding box coordinate in JSON format."),
    "accuracy",
    vlm_r1_metrics,
    oracle="om-ai-lab/VLM-R1 90052f4 src/eval/test_rec_baseline.py extract_bbox_answer, resize_bbox, iou, executed",
    differences=VLM_R1_DIFFERENCES,
    generation={"max_completion_length": 256},
)
BBOX_REC = Protocol(
    "lmms-eval-bbox-rec",
    bbox_rec,
    own_prompt(
        "Bounding box coordinates are specified in the format (top-left x, top-left y, bottom-right x, bottom-right y). All "
        "values are floating point numbers bounded between 0 and 1. Please provide the bounding box coordinate of the region "
        "this sentence describes: {question}"
    ),
    "refcoco_ACC@0.5",
    lambda table: lmms_eval.rec_metrics(table, "refcoco"),
    oracle="lmms_eval 0.7.3 tasks/refcoco/utils_rec.py, executed",
    differences=(lmms_eval.NO_CENTRE,),
)
PITFALLS = (
    "An answer in pixels of the resized picture loses some 20 points when it is taken for original pixels.",
    "`>=` and `>` at an IoU of .5 differ between kits, and so do the first and the last box of a text.",
    "Published error rates of the labels reach 14 %; the sets are in the training data of recent models.",
)


def refcoco_benchmark(
    name: str,
    title: str,
    *,
    sizes: Mapping[str, int],
    stem: str,
    hub: str,
    references: tuple[Reference, ...],
    pitfalls: tuple[str, ...] = (),
) -> Benchmark:
    """One of the three RefCOCO sets. `stem` begins VLM-R1's file names, `hub` is the name of lmms-lab's copy.

    >>> refcoco_benchmark("refcoco", "RefCOCO", sizes={}, stem="refcoco", hub="RefCOCO", references=()).layout[0]
    'rec_jsons_processed/refcoco_val.json + coco/train2014/ (omlab/VLM-R1)'
    """
    prefix = title if title != "RefCOCO" else ""
    return Benchmark(
        name=name,
        title=title,
        sizes=sizes,
        licence="Apache-2.0 (annotations); images under Flickr terms",
        layout=(
            f"rec_jsons_processed/{stem}_val.json + coco/train2014/ (omlab/VLM-R1)",
            f"[data/]{{val,test,testA,testB}}-*.parquet: question_id, image, answer, bbox (lmms-lab/{hub})",
            "RefCOCO.tsv: index, image in base64, question, category, answer or bbox_x1 ... (mjuicem/RefCOCO-VLMEvalKit)",
        ),
        load=lambda folder: load(folder, name, stem, prefix),
        hub=(f"lmms-lab/{hub}", f"lmms-lab-encoder/{hub}", "omlab/VLM-R1", "mjuicem/RefCOCO-VLMEvalKit"),
        protocols=(STRICT, BBOX_REC, VLM_R1, VLM_R1_BASELINE, vlmevalkit_boxes.PROTOCOL),
        references=references,
        pitfalls=(*pitfalls, *PITFALLS),
    )
