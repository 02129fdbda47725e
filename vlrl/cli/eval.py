"""`vlrl eval`: greedy scores of a model on local rows, with 95 % intervals.

`--output_path` gets `results.json` (`results.<task>.<metric>`) and `samples_<task>.jsonl` (one evaluated row a line).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from jsonargparse import ArgumentParser, Namespace
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from vlrl import tasks
from vlrl.data import read_samples
from vlrl.logs import RunFolder
from vlrl.types import Sample, UserError


def add_arguments(parser: ArgumentParser) -> None:
    """`vlrl eval --model MODEL --data ROWS [--task TASK] ...`."""
    parser.add_argument("--model", type=str, required=True, help="checkpoint folder, hub name, run folder, or `tiny`")
    parser.add_argument("--data", type=str, required=True, help="JSONL file of rows")
    parser.add_argument("--task", type=str, help="the task of rows that name none")
    parser.add_argument("--prompt_mode", type=Literal["direct", "think", "both"], default="direct")
    parser.add_argument("--limit", type=int, help="evaluate the first LIMIT rows only")
    parser.add_argument("--batch_size", type=int, default=32, help="rows decoded together")
    parser.add_argument("--max_prompt_length", type=int, default=8192, help="tokens; a longer row counts as unusable")
    parser.add_argument("--max_completion_length", type=int, default=512, help="tokens")
    parser.add_argument("--output_path", type=Path, help="folder for results.json and samples_<task>.jsonl")


def run(args: Namespace) -> int:
    """Evaluate, print the table, write the files."""
    samples = read_samples(args.data, args.task, tasks.load)
    limited = samples[: args.limit]
    modes = ["direct", "think"] if args.prompt_mode == "both" else [args.prompt_mode]
    rows = {mode: _evaluate(args, limited, mode) for mode in modes}
    from vlrl.evaluation.runner import summarise

    summaries = {mode: summarise(found) for mode, found in rows.items()}
    _print(summaries, partial=f"first {len(limited)} of {len(samples)} rows" if len(limited) < len(samples) else "")
    if args.output_path is not None:
        _write(args.output_path, args, summaries, [row for found in rows.values() for row in found], len(samples))
    return 0


def _evaluate(args: Namespace, samples: Sequence[Sample], mode: str) -> list[dict[str, Any]]:
    import torch

    from vlrl.evaluation.runner import evaluate
    from vlrl.models import vlm as models
    from vlrl.rollout.transformers_engine import TransformersEngine

    vlm = models.load(_checkpoint_of(args.model))
    vlm.to("cuda" if torch.cuda.is_available() else "cpu")
    engine = TransformersEngine(vlm, args.max_completion_length)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(f"evaluating ({mode})", total=len(samples))
        return evaluate(
            samples, vlm, engine, mode, args.max_prompt_length, args.batch_size, lambda done: progress.advance(bar, done)
        )


def _checkpoint_of(model: str) -> str:
    """A run folder stands for the model in its newest checkpoint."""
    folder = RunFolder(model)
    if not (folder.path / "config.yaml").is_file():
        return model
    newest = folder.latest_checkpoint()
    if newest is None:
        raise UserError(f"{model}: is a run folder without a complete checkpoint; wait for one, or name a checkpoint folder")
    return str(newest / "model")


def _print(summaries: dict[str, dict[str, Any]], partial: str) -> None:
    table = Table("metric", "prompt", "mean", "95 % interval", "rows", box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for mode, metrics in summaries.items():
        for name, m in metrics.items():
            low, high = m["ci95"]
            table.add_row(name, mode, f"{m['mean']:.4f}", f"{low:.4f} to {high:.4f}", str(m["n"]))
    Console().print(table)
    if partial:
        print(f"partial: {partial}; not a score of the whole set")


def _write(folder: Path, args: Namespace, summaries: dict[str, Any], rows: list[dict[str, Any]], total: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    results: dict[str, dict[str, Any]] = {}
    for mode, metrics in summaries.items():
        for name, m in metrics.items():
            task, metric = name.split("/", 1)
            suffix = "" if len(summaries) == 1 else f",{mode}"
            results.setdefault(task, {}).update({f"{metric}{suffix}": m["mean"], f"{metric}_ci95{suffix}": m["ci95"]})
            results[task]["samples"] = m["n"]
    config = {"model": args.model, "data": args.data, "prompt_mode": args.prompt_mode, "limit": args.limit, "rows": total}
    (folder / "results.json").write_text(json.dumps({"results": results, "config": config}, indent=2) + "\n")
    for task in results:
        lines = [json.dumps({"doc_id": r["sample"]["id"], **_flat(r)}) for r in rows if r["sample"]["task"] == task]
        (folder / f"samples_{task}.jsonl").write_text("\n".join(lines) + "\n")
    print(f"wrote {folder / 'results.json'}")


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    return {"value": row["score"]["value"], "failure": row["score"]["failure"], **row}
