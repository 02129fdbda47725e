"""What a page is. Each is a file of this folder that holds `PAGE` and stands in `demo.pages.table`; recipe: docs/inspector.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from demo.runs import Run, Runs
from demo.text import notice
from demo.view import View

Render = Callable[[Runs, View], str]
"""(runs, view) -> HTML, built from escaped strings. What may change by itself stands in `<div data-part="name">`."""

Action = Callable[[Runs, View, Mapping[str, str]], "str | Download"]
"""(runs, view, fields of the form) -> HTML that goes where the form says, or a file for the user."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that the browser saves."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its name in the address, its title, what draws it, and what its forms and slow parts ask for."""

    name: str
    title: str
    render: Render
    actions: Mapping[str, Action] = field(default_factory=dict)


def chosen_run(runs: Runs, view: View) -> Run:
    """The run that the address names, else the first."""
    return runs.get(view.get("run")) or next(iter(runs.values()))


def chosen_step(run: Run, view: View) -> int | None:
    """The step that the address names, else the newest one with rollouts; None when there are none."""
    steps = run.steps()
    wanted = view.number("step")
    if wanted is not None and steps and wanted not in steps:
        return min(steps, key=lambda step: abs(step - wanted))
    return wanted if wanted in steps else steps[-1] if steps else None


def no_rollouts() -> str:
    """The empty state of all pages about rollouts."""
    return notice("No rollouts yet.", "Training writes them step by step; this page follows by itself.")
