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
from vlrl.benchmarks import Benchmark, Protocol
from vlrl.cli.eval_answers import LENGTH_KEYS, Asking, Shares, ask, make_answerer, pairs, settings_of
from vlrl.cli.eval_report import write_reports
from vlrl.cli.eval_tables import print_comparison, print_list, print_task
from vlrl.evaluation.compare import Comparison, compare_logs, write_comparison
from vlrl.evaluation.generate import Answerer, Question, Request
from vlrl.evaluation.predictions import Predictions
from vlrl.evaluation.repeats import summarise_repeats
from vlrl.evaluation.results import RESULTS_FILE, Timing, count_failures, samples_file, summarise, task_config, write_results
from vlrl.evaluation.scoring import Job, Spec, make_job, processes_for, score_to_log
from vlrl.evaluation.source import Source, open_source
from vlrl.geometry import CoordSpace
from vlrl.types import UserError

DEFAULT_SPACE: CoordSpace = "pixels"


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
    _refuse_contradictions(args)
    for benchmark in chosen.values():  # mistakes show now, not after the model is loaded
        settings_of(args, benchmark.protocol(args.protocol).generation)
        open_source(benchmark, args.data_root)
    answerer = None if args.predictions or _needs_no_model(args) else make_answerer(args)
    if args.dry_run:
        for benchmark in chosen.values():
            print(dry_run(args, benchmark, answerer))
        return 0
    with tempfile.TemporaryDirectory() as nowhere:
        done = _evaluate_all(args, chosen, answerer, args.output_path or Path(nowhere))
    return int(_too_little_read(args.fail_on_parse_rate, done))


def _evaluate_all(
    args: Namespace, chosen: dict[str, Benchmark], answerer: Answerer | None, folder: Path
) -> dict[str, dict[str, Any]]:
    done: dict[str, dict[str, Any]] = {}
    timing = Timing()
    for name, benchmark in chosen.items():
        for passes in _passes(args, benchmark):
            entry = evaluate(args, name, benchmark, answerer, passes, folder)
            if entry is None:
                continue
            told = {warning for other in done.values() for warning in other["warnings"]}  # of the same rows, in another mode
            for warning in sorted(set(entry["warnings"]) - told):
                print(f"vlrl: warning: {warning}", file=sys.stderr)
            done[passes[0].name] = entry
            timing.note(passes[0].name)
            write_results(folder, done, _config(args, answerer))
            print_task(benchmark, benchmark.protocol(args.protocol), passes[0].mode, entry)
    if done:
        found = _compare(args, done, folder)
        if args.output_path is not None:
            timing.write(folder)
            write_reports(folder, done, found)
            print(f"wrote {folder / 'results.json'}, report.md and report.html")
    return done


def _refuse_contradictions(args: Namespace) -> None:
    if args.predictions and (args.prompt_mode == "both" or args.num_samples > 1 or len(_names(args.tasks)) > 1):
        raise UserError("--predictions holds one answer to each row of one benchmark, in one prompt mode; name just those")
    if Shares.of_environment().world > 1 and (args.output_path is None or args.predictions):
        raise UserError("several processes meet in --output_path, to ask a model; stored predictions are scored by one")
    if args.compare is not None and not (args.compare / RESULTS_FILE).is_file():
        raise UserError(f"compare: {args.compare} holds no {RESULTS_FILE}; name the --output_path of another run")


def _needs_no_model(args: Namespace) -> bool:
    return args.dry_run and args.model is None and args.base_url is None


def _names(tasks: str) -> list[str]:
    names = [name.strip() for name in tasks.split(",") if name.strip()]
    if not names or len(set(names)) < len(names):
        raise UserError(f"tasks: {tasks!r} names no benchmark, or one twice; `vlrl eval --list` shows them")
    return names


def _passes(args: Namespace, benchmark: Benchmark) -> list[list[Pass]]:
    """The passes of each prompt mode; under `both` the thinking one is a task of its own, `<task>,think`."""
    modes = ["direct", "think"] if args.prompt_mode == "both" else [args.prompt_mode]
    names = [benchmark.name if mode == modes[0] else f"{benchmark.name},{mode}" for mode in modes]
    return [[Pass(name, mode, i) for i in range(args.num_samples)] for name, mode in zip(names, modes, strict=True)]


def _asking(args: Namespace, benchmark: Benchmark, answerer: Answerer, one: Pass, folder: Path) -> Asking:
    protocol = benchmark.protocol(args.protocol)
    question = Question(protocol.prompt, one.mode, _space(args, answerer), one.index)
    path = folder / f"predictions_{one.file_name.replace(':', '.')}.jsonl"
    return Asking(benchmark, answerer, question, settings_of(args, protocol.generation), path)


def _space(args: Namespace, answerer: Answerer | None) -> CoordSpace:
    return args.coord_space or (answerer.space if answerer else None) or DEFAULT_SPACE


def dry_run(args: Namespace, benchmark: Benchmark, answerer: Answerer | None) -> str:
    """What the first row is asked, and its gold answer."""
    protocol, first = benchmark.protocol(args.protocol), next(iter(open_source(benchmark, args.data_root)))
    prompt = protocol.prompt(first, _passes(args, benchmark)[0][0].mode, _space(args, answerer))
    said = prompt if answerer is None else answerer.render(Request(first, prompt, 0, ""))
    media = ", ".join(media.path for media in first.media) or "none"
    return f"{benchmark.name}, protocol {protocol.name}, row {first.id}\nmedia: {media}\ngold: {first.answer}\n\n{said}\n"


def evaluate(
    args: Namespace, name: str, benchmark: Benchmark, answerer: Answerer | None, passes: Sequence[Pass], folder: Path
) -> dict[str, Any] | None:
    """All samples of a benchmark in one prompt mode: the first sample's entry, with pass@k and the like where there are more.

    None in processes that only helped to generate.
    """
    spec = Spec(name, args.protocol, _space(args, answerer), args.log_samples)
    logs = [samples_file(folder, one.file_name) for one in passes]
    if answerer is None:
        entries = [score_task(args, spec, benchmark, Predictions(args.predictions), logs[0])]
        asked: dict[str, Any] = {}
    else:
        askings = [_asking(args, benchmark, answerer, one, folder) for one in passes]
        hashes = [ask(args, asking) for asking in askings]
        if Shares.of_environment().rank:
            return None
        files = [Predictions(asking.path) for asking in askings]
        entries = [score_task(args, spec, benchmark, file, log) for file, log in zip(files, logs, strict=True)]
        entries[0]["warnings"] += _not_asked(args, name, benchmark.protocol(args.protocol))
        asked = {"prompt_hash": hashes[0], "generation": vars(askings[0].settings), "model": answerer.details}
    entry = entries[0]
    if len(passes) > 1:
        entry["results"] |= summarise_repeats(logs, args.bootstrap)
    entry["configs"] |= {"prompt_mode": passes[0].mode, **asked}
    return entry


def _not_asked(args: Namespace, task: str, protocol: Protocol) -> list[str]:
    """What the protocol wants of the model's media and the command line does not give."""
    wanted = {key: value for key, value in protocol.generation.items() if key not in LENGTH_KEYS}
    missing = wanted.keys() - pairs(args.model_args, "model_args").keys()
    return [f"{task}: protocol {protocol.name} asks for {key}={wanted[key]}; give it in --model_args" for key in sorted(missing)]


def score_task(args: Namespace, spec: Spec, benchmark: Benchmark, predictions: Predictions, log: Path) -> dict[str, Any]:
    """Scores one benchmark into its sample log; what `write_results` needs of it."""
    protocol, source = benchmark.protocol(spec.protocol), open_source(benchmark, args.data_root, args.limit)
    score_to_log(log, _jobs(spec, source, predictions), args.resume, processes_for(len(predictions)))
    if args.limit is None:
        predictions.refuse_unknown(source.ids)
    return {
        "results": summarise(protocol, log, args.bootstrap),
        "failures": count_failures(log),
        "configs": task_config(spec, protocol, source),
        "rows": len(source.ids),
        "warnings": source.size_warnings(),
        "log": log,
    }


def _jobs(spec: Spec, source: Source, predictions: Predictions) -> Iterator[Job]:
    return (make_job(spec, sample, predictions.get(sample.id)) for sample in source)


def _config(args: Namespace, answerer: Answerer | None) -> dict[str, Any]:
    keys = (
        "model",
        "base_url",
        "model_args",
        "gen_kwargs",
        "predictions",
        "limit",
        "bootstrap",
        "seed",
        "num_samples",
        "batch_size",
    )
    return {**{key: getattr(args, key) for key in keys}, "model_fingerprint": answerer.identity if answerer else None}


def _compare(args: Namespace, done: dict[str, dict[str, Any]], folder: Path) -> dict[str, Comparison]:
    """The tasks that both runs have, compared, printed and written to comparison.json."""
    if args.compare is None:
        return {}
    found = {}
    for name, entry in done.items():
        theirs = samples_file(args.compare, name)
        if theirs.is_file():
            found[name] = compare_logs(theirs, entry["log"], args.bootstrap)
            print_comparison(name, found[name])
        else:
            print(f"vlrl: warning: {args.compare} has no {theirs.name}; {name} is not compared", file=sys.stderr)
    write_comparison(folder, str(args.compare), found)
    return found


def _too_little_read(least: float | None, done: dict[str, dict[str, Any]]) -> bool:
    low = {name: task["results"]["parse_rate"] for name, task in done.items() if task["results"]["parse_rate"] < (least or 0)}
    for name, rate in low.items():
        print(f"vlrl: {name}: parse rate {rate:.4f} is below --fail_on_parse_rate {least}", file=sys.stderr)
    return bool(low)
