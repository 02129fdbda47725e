"""`vlrl score`: a filter from completions to scores.

In: `{"text": ..., "answer": {...}}` per line. Out: `{"value", "parts", "correct", "extracted", "failure"}` per line, in order and
at once, so that it works inside a pipe. Other keys of a row are ignored, blank lines too. The first bad row ends it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from vlrl.adapters import scorer
from vlrl.data.errors import RowError
from vlrl.data.jsonl import numbered_lines, open_rows, parse_object
from vlrl.rewards import Reward
from vlrl.types import Score, UserError, to_json


def add_arguments(parser: ArgumentParser) -> None:
    """`vlrl score [ROWS] (--task TASK | --reward REWARD | --list)`."""
    parser.add_argument("rows", type=str, nargs="?", help="JSONL file of completions; standard input when left out")
    parser.add_argument("--task", type=str, help="score with all rewards of this task")
    parser.add_argument("--reward", type=str, help="score with this reward alone, such as grounding.iou")
    parser.add_argument("--list", action="store_true", help="list the rewards, score nothing")


def run(args: Namespace) -> int:
    """Score every row and print its score, or list the rewards."""
    if args.list:
        from vlrl.cli.show import print_rewards  # only now: scoring needs no tables

        print_rewards()
        return 0
    if (args.task is None) == (args.reward is None):
        raise UserError("vlrl score wants either --task or --reward; `vlrl show` lists both")
    score = scorer(args.task, args.reward)
    if args.rows is None:
        _score_rows(sys.stdin.buffer, "<stdin>", score)
        return 0
    with open_rows(args.rows) as file:
        _score_rows(file, args.rows, score)
    return 0


def _score_rows(file: Iterable[bytes], name: str, score: Reward) -> None:
    for number, line in numbered_lines(file):
        scored = _score_row(parse_object(line, f"{name}:{number}"), f"{name}:{number}", score)
        print(json.dumps(to_json(scored)), flush=True)


def _score_row(row: dict[str, Any], source: str, score: Reward) -> Score:
    if not isinstance(row.get("text"), str):
        raise RowError(source, "text", "is missing or no string", "add the completion's text as a string")
    if not isinstance(row.get("answer"), dict):
        raise RowError(source, "answer", "is missing or no object", "add the gold answer as an object")
    try:
        return score(row["text"], row["answer"])
    except ValueError as error:
        raise RowError(source, "answer", str(error).removeprefix("answer "), "mend the gold answer") from error
