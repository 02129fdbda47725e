"""Published benchmarks: where their rows are, and by which named protocols they are scored. One file each, holding `BENCHMARK`.

The folder is the registry: `benchmarks/screenspot_v2.py` is the benchmark `screenspot-v2`. One of your own is a dotted path,
`my_pkg.bench:BENCHMARK`. A rule of somebody else's scorer that is not ours lives in the benchmark's file, or in `rules/` where
several share it. Nothing in here imports torch.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from vlrl import tasks
from vlrl.metrics.mean import Mean
from vlrl.metrics.score_table import ScoreTable
from vlrl.rewards import import_object, unknown_name
from vlrl.types import Answer, Sample, Score, UserError

Metric = Mean | float | None
"""A number of a result: a `Mean` tells its interval too; None where it is undefined."""
Prompt = Callable[[Sample, str, str], str]
"""(sample, prompt mode, coordinate space) -> the text that the model reads after the media."""

DEFAULT_PROTOCOL = "strict"


@dataclass(frozen=True)
class Protocol:
    """One way to score a benchmark.

    | field | meaning |
    |---|---|
    | `score` | `(text, answer) -> Score`, pure; never raises for any text, ValueError for a gold that cannot be scored |
    | `prompt` | what the model is asked (`task_prompt` for a task's own words) |
    | `headline` | the metric that reports show first; without `aggregate`, the name of the mean value |
    | `aggregate` | the table of scores -> the protocol's metrics; default: mean of the values, also by each group of labels |
    | `oracle` | whose code it was checked against, with version; how |
    | `differences` | sentences: where and why we depart from the oracle |
    | `generation` | what the protocol asks of generation: `max_completion_length`, `fps`, ... |
    | `low`, `high` | the range of the values; a row without a prediction gets `low` |
    | `concurrent` | scoring mostly waits for other processes (the sandbox): rows are scored in threads |
    """

    name: str
    score: Callable[[str, Answer], Score]
    prompt: Prompt
    headline: str = "accuracy"
    aggregate: Callable[[ScoreTable], Mapping[str, Metric]] | None = None
    oracle: str = ""
    differences: tuple[str, ...] = ()
    generation: Mapping[str, Any] = field(default_factory=dict)
    low: float = 0.0
    high: float = 1.0
    concurrent: bool = False

    def metrics(self, table: ScoreTable) -> dict[str, Metric]:
        """The protocol's metrics of scored rows."""
        return break_down(table, self.headline) if self.aggregate is None else dict(self.aggregate(table))


@dataclass(frozen=True)
class Reference:
    """A published number: of which model, what, and where it stands."""

    model: str
    value: str
    source: str


@dataclass(frozen=True)
class Benchmark:
    """A benchmark's rows and protocols.

    | field | meaning |
    |---|---|
    | `sizes` | published rows by split, {} if unknown; of several splits a row names its own in `answer["groups"]["split"]` |
    | `layout` | the files it is read from, one layout a line; shown by `--list` |
    | `load` | a folder -> its rows, in published order; raises LayoutError (`vlrl.data.layout`) where the files are not there |
    | `protocols` | the first is `strict`, the default |
    | `hub` | ids of the data sets whose offline hub snapshots `load` understands |
    | `references`, `pitfalls` | for docs/benchmarks.md |

    A row is a `Sample`: `id` is the doc_id, `answer` the gold as plain JSON, with `groups` (`{"platform": "mobile"}`, labels for
    break-downs) and, where rows that share no media belong together, `cluster`.
    """

    name: str
    title: str
    sizes: Mapping[str, int]
    licence: str
    layout: tuple[str, ...]
    load: Callable[[Path], Iterable[Sample]]
    protocols: tuple[Protocol, ...]
    hub: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    pitfalls: tuple[str, ...] = ()

    def protocol(self, name: str = DEFAULT_PROTOCOL) -> Protocol:
        """The protocol of that name. Raises UserError, with the nearest valid name, when there is none."""
        by_name = {protocol.name: protocol for protocol in self.protocols}
        if name not in by_name:
            raise unknown_name(f"protocol of {self.name}", name, by_name)
        return by_name[name]


def task_prompt(task: str) -> Prompt:
    """The prompt of a task of `vlrl.tasks`, around the row's question.

    >>> task_prompt("gui")(Sample("0", "screenspot", "the red button", {}), "direct", "thousandths")
    'Give the click point as [x, y] in 0-1000 coordinates. Do: the red button'
    """
    return lambda sample, mode, space: tasks.load(task).prompt(sample.question, mode, space)


def own_prompt(template: str) -> Prompt:
    """A protocol's own prompt; `{question}` stands for the row's question. Thinking is asked for in front of it.

    >>> own_prompt("{question} Answer with a word.")(Sample("0", "chartqa", "Which bar is red?", {}), "direct", "pixels")
    'Which bar is red? Answer with a word.'
    """
    return lambda sample, mode, space: tasks.PROMPT_MODES[mode] + template.replace("{question}", sample.question)


def break_down(table: ScoreTable, name: str, part: str | None = None) -> dict[str, Metric]:
    """The mean of the values (or of a part) as `name`, and as `name/group:label` for each label of each group."""
    metrics: dict[str, Metric] = {name: table.mean(part)}
    for group in table.labels:
        metrics |= {f"{name}/{group}:{label}": rows.mean(part) for label, rows in table.by(group).items()}
    return metrics


@cache
def _builtin() -> tuple[str, ...]:
    return tuple(sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__) if not module.ispkg))


def names() -> list[str]:
    """The built-in benchmarks.

    >>> "screenspot" in names()
    True
    """
    return list(_builtin())


def all_benchmarks() -> Iterator[Benchmark]:
    """Every built-in benchmark, by name."""
    return map(load, names())


def load(name: str) -> Benchmark:
    """The benchmark of that name, or of a dotted path `package.module:BENCHMARK`.

    Raises UserError, with the nearest valid name, when there is none.

    >>> load("screenspot").protocol().name
    'strict'
    """
    if ":" not in name and name not in _builtin():
        raise unknown_name("benchmark", name, _builtin())
    module = f"{__name__}.{name.replace('-', '_')}"
    benchmark = import_object(name) if ":" in name else importlib.import_module(module).BENCHMARK
    if not isinstance(benchmark, Benchmark):
        raise UserError(f"{name!r} is not a vlrl.benchmarks.Benchmark but {type(benchmark).__name__}")
    return benchmark
