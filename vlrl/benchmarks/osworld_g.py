"""OSWorld-G (Jedi, arXiv 2505.13227): find an element of a desktop, or say that it is not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down, own_prompt, task_prompt
from vlrl.benchmarks.rules import lmms_eval
from vlrl.data.errors import RowError
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows, read_json, read_rows
from vlrl.geometry import Point, answer_pixels, as_box, from_xywh
from vlrl.metrics.click import inside
from vlrl.metrics.polygon import inside_polygon, on_outline
from vlrl.metrics.score_table import ScoreTable
from vlrl.parsing.points import parse_point
from vlrl.parsing.tags import answer_text
from vlrl.rewards.outcome import failed
from vlrl.types import Answer, Media, Sample, Score

NAME = "osworld-g"
NEEDS = ("id", "image_path", "image_size", "instruction", "box_type", "box_coordinates")
REFUSALS = (
    "not exist", "no such", "not present", "not visible", "not found", "cannot be found", "can't be found", "cannot find",
    "can't find", "could not find", "couldn't find", "not on the screen", "not available", "there is no", "infeasible",
    "not shown", "not in the image", "not in the screenshot",
)  # fmt: skip


def load(folder: Path) -> Iterable[Sample]:
    """The rows of the authors' file, or of the parquet copy; a doc_id is the row's id."""
    patterns = ("OSWorld-G.json", "benchmark/OSWorld-G.json", "OSWorld-G_refined.json", "benchmark/OSWorld-G_refined.json")
    found = find_files(folder, *patterns, "test-*.parquet", "data/test-*.parquet")
    return _parquet(found) if found[0].suffix == ".parquet" else _original(found[0])


def _original(path: Path) -> Iterator[Sample]:
    tags = _tags(path.parent / "classification_result.json")
    for index, row in enumerate(read_rows(path, NEEDS)):
        source, media = f"{path}:{index}", Media("image", str(path.parent / "images" / row["image_path"]))
        yield _sample(row, media, source, tags.get(str(row["id"]), []))


def _parquet(paths: Iterable[Path]) -> Iterator[Sample]:
    for place, row in numbered_rows(paths, [key for key in NEEDS if key != "image_path"], skip=("image",)):
        yield _sample(row, place.image("image"), place.source, [])


def _tags(path: Path) -> dict[str, list[str]]:
    """The abilities that each id tests; the file names them as `{tag: [ids]}` or `{"classified": {tag: [rows]}}`."""
    if not path.is_file():
        return {}
    found: dict[str, list[str]] = {}
    content = read_json(path)
    by_tag = content.get("classified", content) if isinstance(content, dict) else {}
    for tag, rows in by_tag.items():
        for row in rows if isinstance(rows, list) else []:
            found.setdefault(str(row.get("id") if isinstance(row, dict) else row), []).append(tag)
    return found


def _sample(row: Mapping[str, Any], media: Media, source: str, tags: list[str]) -> Sample:
    kind = str(row["box_type"]).lower()
    groups: dict[str, Any] = {"box_type": kind, "element": list(row.get("GUI_types") or []), "ability": tags}
    answer: Answer = {"kind": kind, "image_size": list(row["image_size"]), "groups": groups, **_gold(kind, row, source)}
    return Sample(str(row["id"]), NAME, row["instruction"], answer, (media,), source)


def _gold(kind: str, row: Mapping[str, Any], source: str) -> Answer:
    """The gold box (xywh in the file) or polygon (x, y, x, y, ...; four values are two corners in any order)."""
    values = list(row["box_coordinates"])
    try:
        if kind == "bbox":
            return {"box": list(from_xywh(values))}
        if kind == "polygon" and len(values) == 4:
            (x1, x2), (y1, y2) = sorted(values[0::2]), sorted(values[1::2])
            return {"box": list(as_box([x1, y1, x2, y2]))}
    except ValueError as error:
        raise RowError(source, "box_coordinates", str(error), "get the file anew") from error
    whole = kind == "polygon" and len(values) % 2 == 0 and len(values) >= 6
    return {"polygons": [values] if whole else []}


def strict(text: str, answer: Answer) -> Score:
    """1 for a point in the gold box or polygon, edges included; of a missing target, for words that say so or a negative point.

    The first point counts (`vlrl.parsing.points`), in the declared space. Failures: `no_answer`, `no_point`.

    >>> strict("[-1, -1]", {"kind": "refusal", "image_size": [960, 540]}).value, strict("[5, 5]", {"kind": "refusal"}).value
    (1.0, 0.0)
    >>> strict("[5, 5]", {"kind": "polygon", "polygons": [[0, 0, 10, 0, 0, 10]]}).value
    1.0
    """
    body = answer_text(text)
    written = None if body is None else parse_point(body)
    if written is None:
        return _without_point(body, answer)
    x, y = answer_pixels(written, answer)
    return _judged((x, y), answer)


def lmms(text: str, answer: Answer) -> Score:
    """The same, read as lmms-eval does: the prompt allows pixels or fractions.

    Two numbers of 0 to 1 of which one is written with a decimal point or a percent sign are fractions, whole ones are pixels.

    >>> gold = {"kind": "bbox", "box": [0, 0, 50, 50], "image_size": [100, 100]}
    >>> lmms("[0.5, 0.5]", gold).value, lmms("x=50, y=50", gold).value, lmms("[0.51, 0.5]", gold).value
    (1.0, 1.0, 0.0)
    """
    body = answer_text(text)
    found = None if body is None else lmms_eval.read_point(body)
    if found is None:
        return _without_point(body, answer)
    point = lmms_eval.point_of(found)
    space = answer.get("space")
    if space not in ("thousandths", "processed"):
        whole = len(found) == 2 and all(str(number).isdecimal() for number in found)
        space = "unit" if min(point) >= 0 and max(point) <= 1 and not whole else "pixels"
    x, y = answer_pixels(point, {**answer, "space": space})
    return _judged((x, y), answer)


def _without_point(body: str | None, answer: Answer) -> Score:
    if body is not None and answer["kind"] == "refusal" and any(words in body.lower() for words in REFUSALS):
        return Score(1.0, correct=True, extracted="refusal")
    return failed("no_answer" if body is None else "no_point")


def _judged(point: Point, answer: Answer) -> Score:
    hit = max(point) < 0 if answer["kind"] == "refusal" else _hits(point, answer)
    return Score(float(hit), correct=hit, extracted=list(point))


def _hits(point: Point, answer: Answer) -> bool:
    if "box" in answer:
        return inside(point, answer["box"])
    outlines = [list(zip(flat[0::2], flat[1::2], strict=True)) for flat in answer["polygons"]]
    return any(inside_polygon(point, outline) or on_outline(point, outline) for outline in outlines)


def lmms_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`osworld_g_acc`, and the same of each kind of target."""
    kinds = {f"osworld_g_{kind}_acc": rows.mean() for kind, rows in table.by("box_type").items()}
    return {"osworld_g_acc": table.mean(), **kinds}


BENCHMARK = Benchmark(
    name=NAME,
    title="OSWorld-G",
    sizes={"test": 564},
    licence="see the card of xlang-ai/OSWorld-G",
    layout=(
        "[benchmark/]OSWorld-G.json (or OSWorld-G_refined.json), classification_result.json + images/ (xlang-ai/OSWorld-G)",
        "[data/]test-*.parquet: id, image, image_size, instruction, box_type, box_coordinates (MMInstruction/OSWorld-G)",
    ),
    load=load,
    hub=("MMInstruction/OSWorld-G",),
    protocols=(
        Protocol("strict", strict, task_prompt("gui"), "accuracy", lambda table: break_down(table, "accuracy")),
        Protocol(
            "lmms-eval",
            lmms,
            own_prompt(
                "Identify the UI target for the instruction and output exactly one click point as [x, y]. You may use either "
                "normalized coordinates in [0, 1] or absolute pixel coordinates. If the target does not exist, output [-1, -1].\n"
                "Instruction: {question}"
            ),
            "osworld_g_acc",
            lmms_metrics,
            oracle="lmms_eval 0.7.3 tasks/osworld_g/utils.py, executed",
            differences=(
                *lmms_eval.CLICK_DIFFERENCES,
                "Whole numbers are pixels: [1, 1] is a pixel, not the far corner.",
                "All edges of a polygon belong to it; the ray rule leaves out the right and the lower ones.",
                "A refusal in words counts like [-1, -1].",
            ),
            generation={"max_completion_length": 128},
        ),
    ),
    references=(
        Reference("Qwen3-VL-8B", "58.2", "Qwen3-VL report, arXiv 2511.21631"),
        Reference("Qwen3-VL-32B", "65.1", "Qwen3-VL report, arXiv 2511.21631"),
        Reference("Qwen3-VL-235B", "66.7", "Qwen3-VL report, arXiv 2511.21631"),
    ),
    pitfalls=(
        "54 of the targets are not there; VLMEvalKit takes all of them, and polygons too, for boxes.",
        "Four values of a polygon are two corners, not a polygon.",
        "The refined file has the same targets with longer instructions: its numbers are higher.",
    ),
)
