"""Jigsaws (Jigsaw-R1, arXiv 2505.23590): put patches in order, or tell where one belongs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, break_down, own_prompt
from vlrl.data.errors import RowError
from vlrl.data.layout import find_files
from vlrl.data.tables import read_rows
from vlrl.metrics.score_table import ScoreTable
from vlrl.parsing.tags import first_answer
from vlrl.rewards import puzzle
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import gold_kind
from vlrl.types import Answer, Media, Sample, Score

NAME = "jigsaw"
KINDS = ("grid", "letter", "digit")

_CAPITAL = re.compile(r"[A-Z]")
_DIGITS = re.compile(r"\d++")
MAX_DIGITS = 9


def load(folder: Path) -> Iterator[Sample]:
    """The rows of `jigsaw*.jsonl`; a doc_id is `image_id`, or the row's index where there is none."""
    index = 0
    for path in find_files(folder, "jigsaw*.jsonl", "data/jigsaw*.jsonl"):
        for number, row in enumerate(read_rows(path, ("image", "prompt", "solution", "answer_type"))):
            source = f"{path}:{number}"
            media = Media("image", str(path.parent / row["image"]))
            yield Sample(str(row.get("image_id", index)), NAME, row["prompt"], _gold(row, source), (media,), source)
            index += 1


def _gold(row: Mapping[str, Any], source: str) -> Answer:
    kind, solution = row["answer_type"], row["solution"]
    if kind not in KINDS:
        raise RowError(source, "answer_type", f"is {kind!r}", f"give one of {', '.join(KINDS)}")
    answer: Answer = {"kind": kind, "groups": {"question_type": str(row.get("question_type") or kind)}}
    if kind == "grid":
        answer |= {"order": solution, "grid": [row["m"], row["n"]]}
    else:
        answer["answer"] = str(solution)
    return answer


def strict(text: str, answer: Answer) -> Score:
    """The share of places with the right patch, each patch used once; or the letter or number that is answered.

    >>> strict("3 1 4 2", {"kind": "grid", "order": [3, 1, 2, 4]}).value, strict("B", {"kind": "letter", "answer": "B"}).value
    (0.5, 1.0)
    """
    return (puzzle.order if gold_kind(answer, KINDS) == "grid" else puzzle.relation)(text, answer)


def published(text: str, answer: Answer) -> Score:
    """The authors' reading of the first answer tag, or of the whole response: the order, the first number, the last capital.

    >>> published("<answer>So B.</answer>", {"kind": "letter", "answer": "B"}).value
    1.0
    """
    tagged = first_answer(text)
    body = text.strip() if tagged is None else tagged
    kind = gold_kind(answer, KINDS)
    if kind == "grid":
        return puzzle.patches(f"<answer>{body}</answer>", answer)
    if kind == "digit":
        digits = _DIGITS.search(body)
        if not digits or len(digits[0]) > MAX_DIGITS:
            return failed("no_number")
        return right_or_wrong(int(digits[0]) == int(answer["answer"]), digits[0])
    letter = (_CAPITAL.findall(body) or [body if len(body) == 1 else ""])[-1]
    return right_or_wrong(letter.lower() == str(answer["answer"]).lower(), letter) if letter else failed("no_letter")


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """The mean score, also by kind of question."""
    return break_down(table, "score")


BENCHMARK = Benchmark(
    name=NAME,
    title="Jigsaw-R1 puzzles",
    sizes={},
    licence="of the pictures: COCO under Flickr terms",
    layout=("[data/]jigsaw*.jsonl: image, prompt, solution, answer_type (grid, letter, digit), m, n + the pictures it names",),
    load=load,
    protocols=(
        Protocol("strict", strict, own_prompt("{question}"), "score", metrics),
        Protocol(
            "jigsaw-r1",
            published,
            own_prompt("{question}"),
            "score",
            metrics,
            oracle="zifuwanggg/Jigsaw-R1 781ebd4 utils/reward.py extract_answer, accuracy_reward_helper, executed",
            differences=("The box questions are not covered: no rows of them are published.",),
            generation={"max_completion_length": 512},
        ),
    ),
    pitfalls=(
        "The authors draw the puzzles anew at each run from COCO pictures and publish no rows: write your own draw.",
        "Orders of four patches stay near chance without training.",
    ),
)
