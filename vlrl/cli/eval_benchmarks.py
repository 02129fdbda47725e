"""`vlrl eval --tasks`: published benchmarks, from stored predictions or answered by a model or a server."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from vlrl import benchmarks
from vlrl.benchmarks import Benchmark
from vlrl.cli.eval_answers import Shares, ask, make_answerer, settings_of
from vlrl.cli.eval_tables import print_list, print_task
from vlrl.evaluation.generate import Answerer
from vlrl.evaluation.predictions import Predictions
from vlrl.evaluation.repeats import summarise_repeats
from vlrl.evaluation.results import count_failures, samples_file, summarise, task_config, write_results
from vlrl.evaluation.scoring import Job, Spec, make_job, processes_for, score_to_log
from vlrl.evaluation.source import Source, open_source
from vlrl.types import UserError

DEFAULT_SPACE = "pixels"


@dataclass(frozen=True)
class Pass:
    """One way through a benchmark's rows: its name in the results and files, the prompt mode, the number of the sample."""

    name: str
    mode: str
    index: int

    @property
    def file_name(self) -> str:
        return self.name if self.index == 0 else f"{self.name}.{self.index}"


def run(args: Namespace) -> int:
    """Score the tasks one after another; each is in `results.json` as soon as it is done. 1 when too little could be read."""
    if args.list:
        print_list(list(benchmarks.all_benchmarks()))
        return 0
    chosen = {name: benchmarks.load(name) for name in _names(args.tasks)}
    for benchmark in chosen.values():
        benchmark.protocol(args.protocol)
    answerer = None if args.predictions else make_answerer(args)
    with tempfile.TemporaryDirectory() as nowhere:
        folder = args.output_path or Path(nowhere)
        done: dict[str, dict[str, Any]] = {}
        for name, benchmark in chosen.items():
            for passes in _passes(args, benchmark):
                entry = evaluate(args, name, benchmark, answerer, passes, folder)
                if entry is None:
                    continue
                done[passes[0].name] = entry
                write_results(folder, done, _config(args, answerer))
                print_task(benchmark, benchmark.protocol(args.protocol), passes[0].mode, entry)
    if args.output_path is not None and done:
        print(f"wrote {folder / 'results.json'}")
    return int(_too_little_read(args.fail_on_parse_rate, done))


def _names(tasks: str) -> list[str]:
    names = [name.strip() for name in tasks.split(",") if name.strip()]
    if not names or len(set(names)) < len(names):
        raise UserError(f"tasks: {tasks!r} names no benchmark, or one twice; `vlrl eval --list` shows them")
    return names


def _passes(args: Namespace, benchmark: Benchmark) -> list[list[Pass]]:
    """The passes of each prompt mode; under `both` the thinking one is a task of its own, `<task>,think`."""
    modes = ["direct", "think"] if args.prompt_mode == "both" else [args.prompt_mode]
    if args.predictions and (len(modes) > 1 or args.num_samples > 1 or len(_names(args.tasks)) > 1):
        raise UserError("--predictions holds one answer to each row of one benchmark, in one prompt mode; name just those")
    names = [benchmark.name if mode == modes[0] else f"{benchmark.name},{mode}" for mode in modes]
    return [[Pass(name, mode, i) for i in range(args.num_samples)] for name, mode in zip(names, modes, strict=True)]


def evaluate(
    args: Namespace, name: str, benchmark: Benchmark, answerer: Answerer | None, passes: Sequence[Pass], folder: Path
) -> dict[str, Any] | None:
    """All samples of a benchmark in one prompt mode: the first sample's entry, with pass@k and the like where there are more.

    None in processes that only helped to generate.
    """
    space = args.coord_space or (answerer.space if answerer else None) or DEFAULT_SPACE
    files = [_answered(args, benchmark, answerer, space, one, folder) for one in passes]
    if Shares.of_environment().rank:
        return None
    spec = Spec(name, args.protocol, space, args.log_samples)
    scored = [
        score_task(args, spec, benchmark, Predictions(file), samples_file(folder, one.file_name))
        for one, file in zip(passes, files, strict=True)
        if file is not None
    ]
    entry = scored[0]
    if len(passes) > 1:
        entry["results"] |= summarise_repeats([samples_file(folder, one.file_name) for one in passes], args.bootstrap)
    entry["configs"]["prompt_mode"] = passes[0].mode
    if answerer is not None:
        entry["configs"]["generation"] = vars(settings_of(args, dict(benchmark.protocol(args.protocol).generation)))
    return entry


def _answered(
    args: Namespace, benchmark: Benchmark, answerer: Answerer | None, space: Any, one: Pass, folder: Path
) -> Path | None:
    if answerer is None:
        return Path(args.predictions)
    path = folder / f"predictions_{one.file_name.replace(':', '.')}.jsonl"
    return ask(args, benchmark, answerer, space, one.mode, one.index, path)


def score_task(args: Namespace, spec: Spec, benchmark: Benchmark, predictions: Predictions, log: Path) -> dict[str, Any]:
    """Scores one benchmark into its sample log; what `write_results` needs of it."""
    protocol, source = benchmark.protocol(spec.protocol), open_source(benchmark, args.data_root, args.limit)
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


def _config(args: Namespace, answerer: Answerer | None) -> dict[str, Any]:
    config = {key: getattr(args, key) for key in ("model", "base_url", "model_args", "predictions", "limit", "bootstrap", "seed")}
    return {**config, "num_samples": args.num_samples, "model_fingerprint": answerer.identity if answerer else None}


def _too_little_read(least: float | None, done: dict[str, dict[str, Any]]) -> bool:
    low = {name: task["results"]["parse_rate"] for name, task in done.items() if task["results"]["parse_rate"] < (least or 0)}
    for name, rate in low.items():
        print(f"vlrl: {name}: parse rate {rate:.4f} is below --fail_on_parse_rate {least}", file=sys.stderr)
    return bool(low)
