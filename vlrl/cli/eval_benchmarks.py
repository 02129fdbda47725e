"""`vlrl eval --tasks`: stored predictions on published benchmarks, and `--list`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jsonargparse import Namespace
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vlrl import benchmarks
from vlrl.benchmarks import Benchmark, Protocol
from vlrl.evaluation.predictions import Predictions
from vlrl.evaluation.results import count_failures, samples_file, summarise, task_config, write_results
from vlrl.evaluation.scoring import Job, Spec, make_job, processes_for, score_to_log
from vlrl.evaluation.source import Source, open_source
from vlrl.types import UserError

DEFAULT_SPACE = "pixels"


def run(args: Namespace) -> int:
    """Score the tasks one after another; each is in `results.json` as soon as it is done. 1 when too little could be read."""
    if args.list:
        _print_list(list(benchmarks.all_benchmarks()))
        return 0
    chosen = {name: benchmarks.load(name) for name in _names(args.tasks)}
    protocols = {name: benchmark.protocol(args.protocol) for name, benchmark in chosen.items()}
    predictions = _predictions(args)
    with tempfile.TemporaryDirectory() as nowhere:
        folder = args.output_path or Path(nowhere)
        done: dict[str, dict[str, Any]] = {}
        for name, benchmark in chosen.items():
            done[benchmark.name] = score_task(args, name, benchmark, predictions, folder)
            write_results(folder, done, _config(args))
            print_task(benchmark, protocols[name], done[benchmark.name])
    if args.output_path is not None:
        print(f"wrote {folder / 'results.json'}")
    return int(_too_little_read(args.fail_on_parse_rate, done))


def _names(tasks: str) -> list[str]:
    names = [name.strip() for name in tasks.split(",") if name.strip()]
    if not names or len(set(names)) < len(names):
        raise UserError(f"tasks: {tasks!r} names no benchmark, or one twice; `vlrl eval --list` shows them")
    return names


def _predictions(args: Namespace) -> Predictions:
    if args.predictions is None:
        raise UserError("vlrl eval --tasks wants --predictions, a JSONL file with doc_id and response")
    if len(_names(args.tasks)) > 1:
        raise UserError("--predictions holds the answers to one benchmark; give one name in --tasks")
    return Predictions(args.predictions)


def score_task(args: Namespace, name: str, benchmark: Benchmark, predictions: Predictions, folder: Path) -> dict[str, Any]:
    """Scores one benchmark into its sample log; what `write_results` needs of it. `name` is the one it was loaded by."""
    protocol, source = benchmark.protocol(args.protocol), open_source(benchmark, args.data_root, args.limit)
    spec = Spec(name, protocol.name, args.coord_space or DEFAULT_SPACE, args.log_samples)
    log = samples_file(folder, benchmark.name)
    score_to_log(log, _jobs(spec, source, predictions), args.resume, processes_for(len(predictions)))
    if args.limit is None:
        predictions.refuse_unknown(source.ids)
    for warning in source.size_warnings():
        print(f"vlrl: warning: {warning}", file=sys.stderr)
    return {
        "results": summarise(protocol, log, args.bootstrap),
        "failures": count_failures(log),
        "configs": task_config(spec, protocol, source),
        "rows": len(source.ids),
    }


def _jobs(spec: Spec, source: Source, predictions: Predictions) -> Iterator[Job]:
    return (make_job(spec, sample, predictions.get(sample.id)) for sample in source)


def _config(args: Namespace) -> dict[str, Any]:
    return {key: getattr(args, key) for key in ("model", "predictions", "limit", "bootstrap")}


def print_task(benchmark: Benchmark, protocol: Protocol, done: dict[str, Any]) -> None:
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
    console.print(f"{benchmark.title}, protocol {protocol.name}", highlight=False, markup=False)
    console.print(table)
    if failures:
        kinds = ", ".join(f"{count} {kind}" for kind, count in failures.items())
        print(f"of {done['rows']} rows: {kinds} (all but bad_gold count in the means)")
    if partial:
        print(f"partial: first {done['rows']} rows; not a score of the whole set")


def _too_little_read(least: float | None, done: dict[str, dict[str, Any]]) -> bool:
    low = {name: task["results"]["parse_rate"] for name, task in done.items() if task["results"]["parse_rate"] < (least or 0)}
    for name, rate in low.items():
        print(f"vlrl: {name}: parse rate {rate:.4f} is below --fail_on_parse_rate {least}", file=sys.stderr)
    return bool(low)


def _print_list(found: Sequence[Benchmark]) -> None:
    for benchmark in found:
        sizes = ", ".join(f"{split} {size:,}" for split, size in benchmark.sizes.items())
        print(f"{benchmark.name}  ({benchmark.title}; {sizes} rows; {benchmark.licence})")
        print(f"    protocols  {', '.join(protocol.name for protocol in benchmark.protocols)}")
        for number, layout in enumerate(benchmark.layout):
            print(f"    {'' if number else 'layout':<9}  {layout}")
