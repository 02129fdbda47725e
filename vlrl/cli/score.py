"""`vlrl score`: a filter from completions to scores.

In: `{"text": ..., "answer": {...}}` per line. Out: `{"value", "parts", "correct", "extracted", "failure"}` per line, in order and
at once, so that it works inside a pipe. Other keys of a row are ignored, blank lines too. The first bad row ends it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from vlrl import rewards, tasks
from vlrl.data.errors import RowError
from vlrl.data.jsonl import numbered_lines, open_rows, parse_object
from vlrl.types import Answer, Score, UserError, to_json

Scorer = Callable[[str, Answer], Score]


def add_arguments(parser: ArgumentParser) -> None:
    """`vlrl score [ROWS] (--task TASK | --reward REWARD)`."""
    parser.add_argument("rows", type=str, nargs="?", help="JSONL file of completions; standard input when left out")
    parser.add_argument("--task", type=str, help="score with all rewards of this task")
    parser.add_argument("--reward", type=str, help="score with this reward alone, such as grounding.iou")


def run(args: Namespace) -> int:
    """Score every row and print its score."""
    score = _scorer(args.task, args.reward)
    if args.rows is None:
        _score_rows(sys.stdin.buffer, "<stdin>", score)
        return 0
    with open_rows(args.rows) as file:
        _score_rows(file, args.rows, score)
    return 0


def _scorer(task: str | None, reward: str | None) -> Scorer:
    if (task is None) == (reward is None):
        raise UserError("vlrl score wants either --task or --reward; `vlrl show` lists both")
    return tasks.load(task).score if task is not None else rewards.load(str(reward))


def _score_rows(file: Iterable[bytes], name: str, score: Scorer) -> None:
    for number, line in numbered_lines(file):
        scored = _score_row(parse_object(line, f"{name}:{number}"), f"{name}:{number}", score)
        print(json.dumps(to_json(scored)), flush=True)


def _score_row(row: dict[str, Any], source: str, score: Scorer) -> Score:
    if not isinstance(row.get("text"), str):
        raise RowError(source, "text", "is missing or no string", "add the completion's text as a string")
    if not isinstance(row.get("answer"), dict):
        raise RowError(source, "answer", "is missing or no object", "add the gold answer as an object")
    try:
        return score(row["text"], row["answer"])
    except ValueError as error:
        raise RowError(source, "answer", str(error).removeprefix("answer "), "mend the gold answer") from error
