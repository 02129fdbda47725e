"""`vlrl show`: what there is; one task in full: prompts, rewards with their formulas, metrics, a scored example; one reward."""

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
from vlrl.rewards.describe import span, summary
from vlrl.tasks import PROMPT_MODES, Task
from vlrl.types import to_json

PIPED_WIDTH = 160
SHOWN_SPACE = "thousandths"


def add_arguments(parser: ArgumentParser) -> None:
    """`vlrl show [NAME]`."""
    parser.add_argument("name", type=str, nargs="?", help="a task or a reward to explain; all are listed when left out")


def run(args: Namespace) -> int:
    """Print the lists, the task or the reward."""
    console = _console()
    if args.name is None:
        _show_all(console)
        return 0
    found = _load(args.name)
    if isinstance(found, Task):
        _show_task(console, found)
    else:
        _show_reward(console, f"reward {args.name}", found)
        _show_reward_example(console, found)
    return 0


def print_rewards() -> None:
    """The built-in rewards as a table: name, range, formula."""
    _show_rewards(_console())


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)


def _load(name: str) -> Task | Reward:
    """A name with a dot is a reward's, one without a task's; a dotted path of one's own may be either."""
    if ":" in name and not isinstance(rewards.import_object(name), Task):
        return rewards.load(name)
    return rewards.load(name) if "." in name and ":" not in name else tasks.load(name)


def _show_all(console: Console) -> None:
    loaded = [tasks.load(name) for name in tasks.names()]
    _table(console, ("task", "headline metric", "what is asked"), [(t.name, t.headline, t.description) for t in loaded])
    console.print()
    _show_rewards(console)
    console.print("\n`vlrl show NAME` explains a task or a reward.")


def _show_rewards(console: Console) -> None:
    named = [(name, rewards.load(name)) for name in rewards.names()]
    _table(console, ("reward", "range", "what it pays for"), [(name, span(r), summary(r)) for name, r in named])


def _show_task(console: Console, task: Task) -> None:
    _heading(console, f"task {task.name}")
    _text(console, task.description)
    for mode in PROMPT_MODES:
        _heading(console, f"prompt, {mode} (coordinate space {SHOWN_SPACE})")
        _text(console, task.prompt(task.example.question, mode, SHOWN_SPACE))
    for name, weight in task.rewards.items():
        gate = f", counts from {task.gates[name].on} {task.gates[name].least:g} on" if name in task.gates else ""
        _show_reward(console, f"reward {name}, weight {weight:g}{gate}", rewards.load(name))
    _heading(console, "metrics")
    shown = [(f"{task.name}/{name}", of, "headline" if name == task.headline else "") for name, of in task.metrics.items()]
    _table(console, ("metric", "mean of", ""), shown)
    _show_example(console, task)


def _show_reward(console: Console, heading: str, reward: Reward) -> None:
    _heading(console, heading)
    _text(console, inspect.getdoc(reward.fn) or "(no docstring)")
    facts = [("range", span(reward)), ("failures", ", ".join(reward.failures) or "-")]
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


def _show_reward_example(console: Console, reward: Reward) -> None:
    if reward.example is None:
        return
    _heading(console, "example answer")
    _text(console, json.dumps(reward.example.answer))
    _heading(console, "a completion that earns the maximum, scored")
    score = reward(reward.example.text, reward.example.answer)
    _text(console, f"{reward.example.text}\n{json.dumps(to_json(score))}")


def _heading(console: Console, words: str) -> None:
    console.print(Text(f"\n{words}", style="bold"))


def _text(console: Console, words: str) -> None:
    console.print(words, markup=False, soft_wrap=True)


def _table(console: Console, header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> None:
    table = Table(*(header or ()), box=None, pad_edge=False, padding=(0, 3, 0, 0), show_header=header is not None)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
