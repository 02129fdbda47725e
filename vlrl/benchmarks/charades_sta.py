"""Charades-STA (arXiv 1705.02101): when in a video does what a sentence tells happen?"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, own_prompt, task_prompt
from vlrl.data.errors import RowError
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows
from vlrl.metrics.score_table import ScoreTable
from vlrl.metrics.temporal import Span, span_iou
from vlrl.parsing.spans import parse_span
from vlrl.parsing.tags import answer_text
from vlrl.rewards.gold_geometry import gold_span
from vlrl.rewards.temporal import time_iou
from vlrl.types import Answer, Media, Sample, Score, UserError

NAME = "charades-sta"
VIDEOS = "Charades_v1_480"
LINE = re.compile(r"(\S+) (\S+) (\S+)##(.*)")
THRESHOLDS = (0.3, 0.5, 0.7)


def load(folder: Path) -> Iterable[Sample]:
    """The rows of the authors' text file, or of the parquet copy; a doc_id is the row's number, the same in both."""
    found = find_files(folder, "charades_sta_test.txt", "test-*.parquet", "data/test-*.parquet")
    return _parquet(found, folder) if found[0].suffix == ".parquet" else _text(found[0])


def _text(path: Path) -> Iterator[Sample]:
    """Lines `VIDEO start end##sentence.`, seconds."""
    for number, line in enumerate(_lines(path)):
        source = f"{path}:{number + 1}"
        parts = LINE.fullmatch(line.strip())
        if parts is None:
            raise RowError(source, "", "is not `VIDEO start end##sentence`", "get the file anew")
        video, start, end, sentence = parts.groups()
        yield _sample(number, sentence, (start, end), path.parent / VIDEOS / f"{video}.mp4", source)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); get the file anew") from error


def _parquet(paths: list[Path], folder: Path) -> Iterator[Sample]:
    for place, row in numbered_rows(paths, ("video", "caption", "timestamp")):
        yield _sample(place.number, row["caption"], row["timestamp"], folder / VIDEOS / row["video"], place.source)


def _sample(number: int, sentence: str, times: Any, video: Path, source: str) -> Sample:
    try:
        span = list(gold_span({"span": [float(time) for time in times]}))
    except (TypeError, ValueError) as error:
        raise RowError(source, "timestamp", str(error), "get the file anew") from error
    return Sample(str(number), NAME, sentence.strip().removesuffix("."), {"span": span}, (Media("video", str(video)),), source)


def strict(text: str, answer: Answer) -> Score:
    """`temporal.iou` of the answer's first span; parts `r@0.3`, `r@0.5`, `r@0.7`.

    >>> strict("It starts at 5 s and ends at 20 s.", {"span": [0, 10]}).value
    0.25
    """
    return _with_recalls(time_iou(text, answer))


def lmms_eval(text: str, answer: Answer) -> Score:
    """The tIoU of the range that lmms-eval reads; parts as in `strict`, failures `no_answer`, `no_span`.

    >>> lmms_eval("from 0 to 8 seconds", {"span": [0, 8]}).value, lmms_eval("at 0.0 and at 8.0", {"span": [0, 8]}).value
    (1.0, 0.0)
    """
    gold, body = gold_span(answer), answer_text(text)
    span = None if body is None else read_range(body)
    if span is None:
        return _with_recalls(Score(0.0, correct=False, failure="no_answer" if body is None else "no_span"))
    value = span_iou(span, gold)
    return _with_recalls(Score(value, {"iou": value}, value >= 0.5, list(span)))


def _with_recalls(score: Score) -> Score:
    if score.value is None:
        return score
    return replace(score, parts={f"r@{share}": float(score.value >= share) for share in THRESHOLDS})


# ---- lmms-eval's reading -------------------------------------------------------------------------------------------------

EXAMPLE = "a specific example is : 20.8 - 30.0 seconds"
CUES = ("start", "end", "happen")
"""Sentences with one of these are read, all of them where none has one."""
DASH = "[-\u2013\u2014]"
_NUMBER = r"\d++(?:\.\d++)?+"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?"
_SENTENCE = re.compile(r"[!?\n]")
_CLOCKS = re.compile(rf"\b({_CLOCK})\s*+{DASH}\s*+({_CLOCK})\b")
_RANGE = re.compile(rf"(?<!\d)({_NUMBER})\s*+{DASH}\s*+({_NUMBER})")
_LONE_CLOCK = re.compile(rf"\b({_CLOCK})\b")
_LONE_NUMBER = re.compile(r"\b(\d++(?:\.\d++\b)?+)\b")
_WITH_UNIT = re.compile(rf"(?<!\d)({_NUMBER})\s*+s?+\s*+{DASH}\s*+({_NUMBER})")


def read_range(text: str) -> Span | None:
    """The first range of a text in seconds as lmms-eval's script finds it, the earlier time first; see `DIFFERENCES`.

    In this order: two clock times with a dash, two numbers with a dash, the first two clock times, the first numbers of the
    first two sentences, numbers with `s` and a dash. "to" is a dash.

    >>> read_range("Start time: 5.0 seconds\\nEnd time: 12.0 seconds"), read_range("01:05 - 01:20"), read_range("12 to 5")
    ((5.0, 12.0), (65.0, 80.0), (5.0, 12.0))
    >>> read_range("It starts at 0.0 and ends at 8.0.") is None
    True
    """
    lowered = text.lower().replace(EXAMPLE, "").replace("to", "-")
    sentences = _SENTENCE.split(lowered)
    cued = [sentence for sentence in sentences if any(cue in sentence for cue in CUES)] or sentences
    pair = _pair(_CLOCKS, cued) or _pair(_RANGE, cued) or _two(_clocks(cued)) or _two(_first_numbers(cued))
    pair = pair or _pair(_WITH_UNIT, cued)
    if pair is None:
        return parse_span(text) if "[" in text or "{" in text else None
    start, end = sorted(_seconds(time) for time in pair)
    return (start, end) if math.isfinite(end) else None


def _pair(pattern: re.Pattern[str], sentences: list[str]) -> tuple[str, str] | None:
    found = next(filter(None, map(pattern.search, sentences)), None)
    return (found[1], found[2]) if found else None


def _clocks(sentences: list[str]) -> list[str]:
    return [time for sentence in sentences for time in _LONE_CLOCK.findall(sentence)]


def _first_numbers(sentences: list[str]) -> list[str]:
    return [found[1] for found in map(_LONE_NUMBER.search, sentences) if found]


def _two(times: list[str]) -> tuple[str, str] | None:
    return (times[0], times[1]) if len(times) > 1 else None


def _seconds(time: str) -> float:
    total = 0.0
    for part in time.split(":"):
        total = total * 60 + float(part)
    return total


# ---- metrics -------------------------------------------------------------------------------------------------------------


def strict_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """The mean tIoU and the shares of rows with at least each threshold, in 0..1."""
    return {"mean_iou": table.mean(), **{f"recall@{share}": table.mean(f"r@{share}") for share in THRESHOLDS}}


def lmms_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """The same in percent, under the harness's names."""
    recalls = {f"R1@{share}": table.mean(f"r@{share}").percent() for share in THRESHOLDS}
    return {**recalls, "mIOU": table.mean().percent()}


DIFFERENCES = (
    "Tags: only the answer behind a closed thought is read; an unclosed thought has none.",
    "A long dash is a dash; a pair in brackets and JSON with start and end are read where nothing else is.",
    "Rows with the same video, sentence and times count each; there they are one.",
)

PROMPT = (
    "Please find the visual event described by a sentence in the video, determining its starting and ending times. The format "
    "should be: 'The event happens in the start time - end time'. For example, The event 'person turn a light on' happens in the "
    "24.3 - 30.4 seonds. Now I will give you the textual sentence: {question}. Please return its start time and end time."
)

BENCHMARK = Benchmark(
    name=NAME,
    title="Charades-STA",
    sizes={"test": 3720},
    licence="Charades: non-commercial use (Allen Institute for AI)",
    layout=(
        "charades_sta_test.txt: `VIDEO start end##sentence` + Charades_v1_480/",
        "[data/]test-*.parquet: video, caption, timestamp (lmms-lab/charades_sta) + Charades_v1_480/",
    ),
    load=load,
    hub=("lmms-lab/charades_sta", "lmms-eval/charades_sta"),
    protocols=(
        Protocol("strict", strict, task_prompt("temporal"), "mean_iou", strict_metrics),
        Protocol(
            "lmms-eval",
            lmms_eval,
            own_prompt(PROMPT),
            "mIOU",
            lmms_metrics,
            oracle="lmms_eval 0.7.3 tasks/charades_sta/utils.py extract_time, iou",
            differences=DIFFERENCES,
            generation={"max_completion_length": 50},
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-3B", "mIoU 38.8", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-7B", "mIoU 43.6", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-72B", "mIoU 50.9", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-7B", "mIoU 29.5 (lmms-eval's default prompt)", "EvolvingLMMs-Lab/lmms-eval#857"),
    ),
    pitfalls=(
        "Prompt and frames per second move the result by more than ten points; vendors state neither.",
        "561 gold ends lie behind the end of the video; they are kept.",
        "The parquet copy holds times in half precision: 24.3 is 24.296875 there.",
    ),
)
