"""`vlrl validate`: names every row of a data set that would not train."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from jsonargparse import ArgumentParser, Namespace
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from vlrl.data.jsonl import count_rows
from vlrl.evaluation.validate import check_rows

T = TypeVar("T")


def add_arguments(parser: ArgumentParser) -> None:
    """`vlrl validate DATA [--task TASK]`."""
    parser.add_argument("data", type=str, help="JSONL file of rows")
    parser.add_argument("--task", type=str, help="the task of rows that name none")


def run(args: Namespace) -> int:
    """Print each bad row as one line, then the count. Exit code 1 when any row is bad."""
    total = bad = 0
    for error in _with_progress(check_rows(args.data, args.task), args.data):
        total += 1
        if error is not None:
            bad += 1
            print(error)
    print(f"{args.data}: {total} rows, {f'{bad} bad' if bad else 'all good'}")
    return 1 if bad else 0


def _with_progress(items: Iterable[T], path: str) -> Iterator[T]:
    """The same items, with a progress bar on standard error when that is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield from items
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty()) as progress:
        yield from progress.track(items, total=count_rows(path))
