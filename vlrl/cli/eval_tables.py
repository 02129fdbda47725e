"""What `vlrl eval --tasks` and `--list` print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vlrl.benchmarks import Benchmark, Protocol


def print_task(benchmark: Benchmark, protocol: Protocol, mode: str, done: dict[str, Any]) -> None:
    """The task's numbers as a table, the headline first, then what failed."""
    results, failures, partial = done["results"], done["failures"], done["configs"]["partial"]
    table = Table("metric", "value", "95 % interval", "rows", box=None, pad_edge=False, padding=(0, 3, 0, 0))
    metrics = [name for name in results if not name.endswith(("_n", "_ci95"))]
    for name in sorted(metrics, key=lambda name: name != protocol.headline):
        low_high = results.get(f"{name}_ci95")
        interval = f"{low_high[0]:.4f} to {low_high[1]:.4f}" if low_high else ""
        value = "undefined" if results[name] is None else f"{results[name]:.4f}"
        table.add_row(Text(name), value, interval, str(results.get(f"{name}_n", "")))
    console = Console()
    console.print(f"{benchmark.title}, protocol {protocol.name}, {mode}", highlight=False, markup=False)
    console.print(table)
    if failures:
        kinds = ", ".join(f"{count} {kind}" for kind, count in failures.items())
        print(f"of {done['rows']} rows: {kinds} (all but bad_gold count in the means)")
    if partial:
        print(f"partial: first {done['rows']} rows; not a score of the whole set")


def print_list(found: Sequence[Benchmark]) -> None:
    for benchmark in found:
        sizes = ", ".join(f"{split} {size:,}" for split, size in benchmark.sizes.items()) or "no published number of"
        print(f"{benchmark.name}  ({benchmark.title}; {sizes} rows; {benchmark.licence})")
        print(f"    protocols  {', '.join(protocol.name for protocol in benchmark.protocols)}")
        for number, layout in enumerate(benchmark.layout):
            print(f"    {'' if number else 'layout':<9}  {layout}")
