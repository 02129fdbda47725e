"""A view's address -> which rollouts are wanted and in what order, and their records, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from demo.index.build import parse, step_file
from demo.index.read import ROLLOUT_ORDERS, Filter, RolloutRow
from demo.records import read_rollout, read_sample
from demo.runs import Run
from demo.view import View
from vlrl.types import Rollout, Sample, UserError

YES_NO = {"": None, "yes": True, "no": False}
ORDER_WORDS = {"reward": "reward", "advantage": "advantage", "tokens": "length", "items": "things named", "step": "step"}
DIRECTIONS = {"down": "highest first", "up": "lowest first"}


@dataclass(frozen=True, slots=True)
class Found:
    """A selected rollout with its prompt's sample."""

    row: RolloutRow
    sample: Sample
    prompt: str
    rollout: Rollout


def filter_of(view: View) -> Filter:
    """The selection that an address asks for. What is no number, or no known word, asks for nothing."""
    part, limits = view.get("part"), (view.decimal("part_least"), view.decimal("part_most"))
    return Filter(
        steps=(view.number("first"), view.number("last")),
        reward=(view.decimal("least"), view.decimal("most")),
        tokens=(view.number("shortest"), view.number("longest")),
        parts={part: limits} if part and limits != (None, None) else {},
        task=view.get("task") or None,
        failure={"": None, "none": ""}.get(view.get("failure"), view.get("failure")),
        correct=YES_NO.get(view.get("correct")),
        flat=YES_NO.get(view.get("flat")),
        text=view.get("text"),
        gap=view.decimal("gap"),
    )


def orders(run: Run) -> dict[str, str]:
    """What a run's rollouts can be sorted by: name in the address -> words."""
    return {name: ORDER_WORDS[name] for name in ("reward", *ROLLOUT_ORDERS)} | {name: name for name in run.index.part_names()}


def page_of(run: Run, view: View, limit: int, start: int = 0) -> tuple[int, list[RolloutRow]]:
    """How many rollouts an address selects, and some of them in the order that it asks for."""
    order, descending = view.choice("sort", orders(run)), view.choice("order", DIRECTIONS) == "down"
    return run.index.page(filter_of(view), order, descending, limit, start)


def found(run: Run, rows: list[RolloutRow]) -> Iterator[Found]:
    """The records of rows, in their order; a group that stands behind several neighbours is read once. Rows whose file has gone
    or changed since it was indexed are left out.
    """
    last: tuple[tuple[int, int], Mapping[str, Any]] | None = None
    for row in rows:
        key = (row.step, row.line)
        if last is None or last[0] != key:
            last = (key, _raw_group(run, row))
        rollouts = last[1].get("rollouts")
        if isinstance(rollouts, list) and row.place < len(rollouts) and isinstance(rollouts[row.place], dict):
            sample = last[1].get("sample")
            prompt = last[1].get("prompt")
            yield Found(
                row,
                read_sample(sample if isinstance(sample, dict) else {}),
                prompt if isinstance(prompt, str) else "",
                read_rollout(rollouts[row.place]),
            )


def _raw_group(run: Run, row: RolloutRow) -> Mapping[str, Any]:
    place = run.index.group(row.step, row.line)
    if place is None:
        return {}
    try:
        with step_file(run.path, row.step).open("rb") as file:
            file.seek(place.offset)
            data = parse(file.read(place.length))
    except OSError as error:
        raise UserError(f"the rollouts of step {row.step} cannot be read ({error.strerror})") from error
    return data if isinstance(data, dict) else {}
