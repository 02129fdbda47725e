"""NExT-GQA (arXiv 2309.01327): answer a question about a video, and say when in the video the answer is seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, own_prompt
from vlrl.benchmarks.rules.choices import with_options
from vlrl.data.errors import RowError
from vlrl.data.layout import LayoutError, find_files
from vlrl.data.tables import read_json, read_rows
from vlrl.metrics.score_table import ScoreTable
from vlrl.metrics.temporal import Span, span_iou
from vlrl.parsing.json_value import parse_json
from vlrl.parsing.spans import parse_span
from vlrl.parsing.tags import answer_text
from vlrl.rewards.gold_geometry import gold_span
from vlrl.rewards.text_gold import ALPHABET
from vlrl.rewards.vqa import choice
from vlrl.types import Answer, Media, Sample, Score

NAME = "next-gqa"
OPTIONS = ("a0", "a1", "a2", "a3", "a4")
TYPES = {"CW": "Why", "CH": "How", "TN": "Bef&Aft", "TP": "Bef&Aft", "TC": "When"}
"""The authors' names of the question types."""
GROUNDED = 0.5
THRESHOLDS = (0.3, 0.5)


def load(folder: Path) -> Iterable[Sample]:
    """The grounded questions of the authors' `test.csv`; a doc_id is `<video_id>_<qid>`."""
    table, spans = (find_files(folder, name, f"datasets/nextgqa/{name}")[0] for name in ("test.csv", "gsub_test.json"))
    gold = read_json(spans)
    if not isinstance(gold, dict):
        raise LayoutError(f"{spans}: is not an object by video; is it this benchmark's file?")
    places = table.parent / "map_vid_vidorID.json"
    return _rows(table, gold, read_json(places) if places.is_file() else {})


def _rows(table: Path, gold: Mapping[str, Any], places: Mapping[str, str]) -> Iterator[Sample]:
    needs = ("video_id", "question", "answer", "qid", "type", *OPTIONS)
    for number, row in enumerate(read_rows(table, needs)):
        video, source = row["video_id"], f"{table}:{number}"
        spans = gold.get(video, {}).get("location", {}).get(row["qid"])
        if spans is None:
            continue  # not among the grounded questions
        options = [row[name] for name in OPTIONS]
        if row["answer"] not in options:
            raise RowError(source, "answer", f"{row['answer']!r} is none of the options", "get the file anew")
        answer: Answer = {
            "answer": ALPHABET[options.index(row["answer"])],
            "choices": options,
            "spans": [list(span) for span in spans],
            "groups": {"type": TYPES.get(row["type"], row["type"])},
            "cluster": video,
        }
        media = Media("video", str(table.parent / "videos" / f"{places.get(video, video)}.mp4"))
        yield Sample(f"{video}_{row['qid']}", NAME, row["question"], answer, (media,), source)


def official(text: str, answer: Answer) -> Score:
    """1 for the right option with a span of which at least half lies in a gold segment (IoP >= .5), else 0.

    Parts: `qa`, `gqa`, `iop`, `iou` and their shares from .3 and .5 on, each against the best gold segment. A span without
    length inside a segment has an IoP of 1. Failures: `no_answer`, `no_choice`, `several_choices`, `no_span`.

    >>> gold = {"answer": "A", "choices": ["sits", "runs"], "spans": [[2, 6]]}
    >>> official("(A) 4 - 8", gold).parts["iop"], official("(A) 4 - 8", gold).value, official("(A) 4 - 4", gold).value
    (0.5, 1.0, 1.0)
    """
    return _grounded(text, answer, instant=1.0)


def strict(text: str, answer: Answer) -> Score:
    """As `official`, but a span without length covers nothing: naming an instant would win every segment that it lies in.

    >>> strict("(A) 4 - 4", {"answer": "A", "choices": ["sits", "runs"], "spans": [[2, 6]]}).value
    0.0
    """
    return _grounded(text, answer, instant=0.0)


def _grounded(text: str, answer: Answer, instant: float) -> Score:
    golds = [gold_span({"span": span}) for span in answer["spans"]]
    body = answer_text(text)
    picked = choice(_option_part(body or ""), answer)
    span = parse_span(body) if body is not None else None
    iop = max((_iop(span, gold, instant) for gold in golds), default=0.0) if span else 0.0
    iou = max((span_iou(span, gold) for gold in golds), default=0.0) if span else 0.0
    qa = float(picked.correct is True)
    value = float(qa == 1 and iop >= GROUNDED)
    shares = {f"{name}@{share}": float(part >= share) for name, part in (("iop", iop), ("iou", iou)) for share in THRESHOLDS}
    failure = picked.failure or (None if span else "no_span")
    extracted = {"option": picked.extracted, "span": list(span) if span else None}
    return Score(value, {"qa": qa, "iop": iop, "iou": iou, **shares}, value == 1, extracted, failure)


def _option_part(body: str) -> str:
    """The `answer` of an answer in JSON, else all of it.

    >>> _option_part('{"answer": "C", "start": 3, "end": 8}')
    'C'
    """
    found = parse_json(body)
    return str(found["answer"]) if isinstance(found, dict) and "answer" in found else body


def _iop(span: Span, gold: Span, instant: float) -> float:
    """Length of the overlap over the span's own length; `instant` for a span without length inside the gold segment."""
    overlap = min(span[1], gold[1]) - max(span[0], gold[0])
    if span[0] == span[1]:
        return instant if overlap >= 0 else 0.0
    return max(0.0, overlap) / (span[1] - span[0])


NAMES: Sequence[tuple[str, str]] = (
    ("Acc@QA", "qa"),
    ("mIoP", "iop"),
    ("IoP@0.3", "iop@0.3"),
    ("IoP@0.5", "iop@0.5"),
    ("mIoU", "iou"),
    ("IoU@0.3", "iou@0.3"),
    ("IoU@0.5", "iou@0.5"),
)


def official_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """The paper's numbers in percent, and both accuracies by type of question."""
    by_type = {
        f"{name}/type:{label}": rows.mean(part).percent()
        for label, rows in table.by("type").items()
        for name, part in (("Acc@GQA", None), ("Acc@QA", "qa"))
    }
    return {"Acc@GQA": table.mean().percent(), **{name: table.mean(part).percent() for name, part in NAMES}, **by_type}


def prompt(sample: Sample, mode: str, space: str) -> str:
    """Ours: the authors' models give no text."""
    ask = "Answer with the letter of the right option, then with the start and the end, in seconds, of the part of the video "
    form = "that shows it, such as: (B) 3.5 - 7. "
    return own_prompt(f"{ask}{form}{with_options(sample)}")(sample, mode, space)


BENCHMARK = Benchmark(
    name=NAME,
    title="NExT-GQA",
    sizes={"test": 5553},
    licence="MIT (repository); videos of VidOR under their own terms",
    layout=("[datasets/nextgqa/]test.csv, gsub_test.json[, map_vid_vidorID.json] + videos/<id>.mp4 (doc-doc/NExT-GQA)",),
    load=load,
    protocols=(
        Protocol("strict", strict, prompt, "Acc@GQA", official_metrics),
        Protocol(
            "official",
            official,
            prompt,
            "Acc@GQA",
            official_metrics,
            oracle="doc-doc/NExT-GQA 63772e0 code/TempGQA/eval_ground.py, run on spans and options that were noted by hand",
            differences=(
                "Option and span are read from a text; the authors' models give numbers.",
                "Questions without a prediction count as wrong; there they are left out.",
            ),
        ),
    ),
    pitfalls=(
        "IoP rewards short spans: a single instant inside a segment has an IoP of 1 in the official rule.",
        "VideoChat-R1 reports IoU against the union of the segments, which is another number.",
    ),
)
