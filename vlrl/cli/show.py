"""`vlrl show`: what there is, and one task in full: prompts, rewards with their formulas, metrics, a scored example."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Sequence

from jsonargparse import ArgumentParser, Namespace
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vlrl import rewards, tasks
from vlrl.rewards import Reward
from vlrl.tasks import PROMPT_MODES, Task
from vlrl.types import to_json

PIPED_WIDTH = 160
SHOWN_SPACE = "thousandths"


def add_arguments(parser: ArgumentParser) -> None:
    """`vlrl show [TASK]`."""
    parser.add_argument("task", type=str, nargs="?", help="explain this task; all tasks and rewards are listed when left out")


def run(args: Namespace) -> int:
    """Print the list, or the task."""
    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)
    if args.task is None:
        _show_all(console)
    else:
        _show_task(console, tasks.load(args.task))
    return 0


def _show_all(console: Console) -> None:
    loaded = [tasks.load(name) for name in tasks.names()]
    _table(console, ("task", "headline metric", "what is asked"), [(t.name, t.headline, t.description) for t in loaded])
    console.print()
    named = [(name, rewards.load(name)) for name in rewards.names()]
    _table(console, ("reward", "range", "what it pays for"), [(name, _range(r), _summary(r)) for name, r in named])
    console.print("\n`vlrl show TASK` explains a task.")


def _show_task(console: Console, task: Task) -> None:
    _heading(console, f"task {task.name}")
    _text(console, task.description)
    for mode in PROMPT_MODES:
        _heading(console, f"prompt, {mode} (coordinate space {SHOWN_SPACE})")
        _text(console, task.prompt(task.example.question, mode, SHOWN_SPACE))
    for name, weight in task.rewards.items():
        _show_reward(console, name, weight, rewards.load(name))
    _heading(console, "metrics")
    shown = [(f"{task.name}/{name}", of, "headline" if name == task.headline else "") for name, of in task.metrics.items()]
    _table(console, ("metric", "mean of", ""), shown)
    _show_example(console, task)


def _show_reward(console: Console, name: str, weight: float, reward: Reward) -> None:
    _heading(console, f"reward {name}, weight {weight:g}")
    _text(console, inspect.getdoc(reward.fn) or "(no docstring)")
    facts = [("range", _range(reward)), ("failures", ", ".join(reward.failures) or "-")]
    facts.append(("answer keys", ", ".join(reward.needs) or "-"))
    console.print()
    _table(console, None, facts)


def _show_example(console: Console, task: Task) -> None:
    sample = task.example
    gold = task.gold_completion(sample.answer)
    _heading(console, "example row")
    _text(console, json.dumps({"task": sample.task, "question": sample.question, "answer": sample.answer}))
    _heading(console, "its gold completion, scored")
    _text(console, f"{gold}\n{json.dumps(to_json(task.score(gold, sample.answer)))}")


def _summary(reward: Reward) -> str:
    """The first paragraph of the docstring up to its first full stop."""
    words = " ".join((inspect.getdoc(reward.fn) or "").split("\n\n")[0].split())
    return words.split(". ")[0].removesuffix(".")


def _range(reward: Reward) -> str:
    return f"{reward.low:g}..{reward.high:g}"


def _heading(console: Console, words: str) -> None:
    console.print(Text(f"\n{words}", style="bold"))


def _text(console: Console, words: str) -> None:
    console.print(words, markup=False, soft_wrap=True)


def _table(console: Console, header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> None:
    table = Table(*(header or ()), box=None, pad_edge=False, padding=(0, 3, 0, 0), show_header=header is not None)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
