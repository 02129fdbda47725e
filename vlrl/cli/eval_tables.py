"""What `vlrl eval --tasks` and `--list` print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vlrl.benchmarks import Benchmark, Protocol
from vlrl.cli.eval_report import DIFFERENCE_HEAD, METRIC_HEAD, difference_rows, metric_rows
from vlrl.evaluation.compare import Comparison


def print_task(benchmark: Benchmark, protocol: Protocol, mode: str, done: dict[str, Any]) -> None:
    """The task's numbers as a table, the headline first, then what failed."""
    results, failures, partial = done["results"], done["failures"], done["configs"]["partial"]
    table = _table(METRIC_HEAD, metric_rows(results, protocol.headline))
    console = Console()
    console.print(f"{benchmark.title}, protocol {protocol.name}, {mode}", highlight=False, markup=False)
    console.print(table)
    if failures:
        kinds = ", ".join(f"{count} {kind}" for kind, count in failures.items())
        print(f"of {done['rows']} rows: {kinds} (all but bad_gold count in the means)")
    if partial:
        print(f"partial: first {done['rows']} rows; not a score of the whole set")


def print_comparison(task: str, found: Comparison) -> None:
    """The paired differences as a table, then how many rows flipped each way."""
    table = _table(DIFFERENCE_HEAD, difference_rows(found))
    console = Console()
    console.print(f"{task}, compared row by row", highlight=False, markup=False)
    console.print(table)
    print(f"right in this run only: {len(found.gained)} rows; in the other one only: {len(found.lost)} rows")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def print_list(found: Sequence[Benchmark]) -> None:
    for benchmark in found:
        sizes = ", ".join(f"{split} {size:,}" for split, size in benchmark.sizes.items()) or "no published number of"
        print(f"{benchmark.name}  ({benchmark.title}; {sizes} rows; {benchmark.licence})")
        print(f"    protocols  {', '.join(protocol.name for protocol in benchmark.protocols)}")
        for number, layout in enumerate(benchmark.layout):
            print(f"    {'' if number else 'layout':<9}  {layout}")
