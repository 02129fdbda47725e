"""`vlrl eval --data`: greedy scores of a model on rows of one's own, with 95 % intervals.

`--output_path` gets `results.json` (`results.<task>.<metric>`) and `samples_<task>.jsonl` (one evaluated row a line).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from jsonargparse import Namespace
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from vlrl import tasks
from vlrl.data import read_samples
from vlrl.evaluation.source import row_count
from vlrl.logs import finite
from vlrl.rewards.composite import row_reward
from vlrl.types import Sample, UserError

DEFAULT_LENGTH = 512
"""Tokens of an answer, where the command line names no limit."""
MAX_SHOWN = 5
"""Rows that cannot be scored are named up to this number."""


def run(args: Namespace) -> int:
    """Evaluate, print the table, write the files."""
    if args.model is None:
        raise UserError("vlrl eval --data wants --model; give a checkpoint folder, a hub name, a run folder, or `tiny`")
    samples = read_samples(args.data, args.task, tasks.load, row_reward)
    limited = samples[: row_count(args.limit, lambda: len(samples))]
    modes = ["direct", "think"] if args.prompt_mode == "both" else [args.prompt_mode]
    rows = _evaluate(args, limited, modes)
    from vlrl.evaluation.runner import refuse_all_bad, summarise, unscorable

    refuse_all_bad([row for found in rows.values() for row in found])
    summaries = {mode: summarise(found) for mode, found in rows.items()}
    _print(summaries, cut=f"first {len(limited)} of {len(samples)} rows" if len(limited) < len(samples) else "")
    for mode, found in rows.items():
        _print_left_out(unscorable(found), mode)
    if args.output_path is not None:
        _write(args.output_path, args, summaries, rows, len(samples))
    return 0


def _evaluate(args: Namespace, samples: Sequence[Sample], modes: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    import torch

    from vlrl.evaluation.local_model import checkpoint_of
    from vlrl.evaluation.runner import evaluate
    from vlrl.models import vlm as models
    from vlrl.rollout.transformers_engine import TransformersEngine

    vlm = models.load(checkpoint_of(args.model))
    vlm.to("cuda" if torch.cuda.is_available() else "cpu")
    engine = TransformersEngine(vlm, args.max_completion_length or DEFAULT_LENGTH)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("evaluating", total=len(samples) * len(modes))
        advance = partial(progress.advance, bar)
        return {mode: evaluate(samples, vlm, engine, mode, args.max_prompt_length, args.batch_size, advance) for mode in modes}


def _print(summaries: dict[str, dict[str, Any]], cut: str) -> None:
    table = Table("metric", "prompt", "mean", "95 % interval", "rows", box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for mode, metrics in summaries.items():
        for name, m in metrics.items():
            low, high = m["ci95"]
            table.add_row(name, mode, f"{m['mean']:.4f}", f"{low:.4f} to {high:.4f}", str(m["n"]))
    Console().print(table)
    if cut:
        print(f"partial: {cut}; not a score of the whole set")


def _print_left_out(sentences: Sequence[str], mode: str) -> None:
    if sentences:
        print(f"{len(sentences)} rows ({mode}) cannot be scored and are in no mean:")
        print("\n".join(f"  {sentence}" for sentence in sentences[:MAX_SHOWN]))
    if len(sentences) > MAX_SHOWN:
        print(f"  and {len(sentences) - MAX_SHOWN} more (`failure` in samples_<task>.jsonl; `vlrl validate` lists bad rows)")


def _write(folder: Path, args: Namespace, summaries: dict[str, Any], rows: dict[str, list[dict[str, Any]]], total: int) -> None:
    results: dict[str, dict[str, Any]] = {}
    for mode, metrics in summaries.items():
        suffix = "" if len(summaries) == 1 else f",{mode}"
        for name, m in metrics.items():
            task, metric = name.rsplit("/", 1)
            values = {
                metric: m["mean"],
                f"{metric}_ci95": m["ci95"],
                f"{metric}_n": m["n"],
                f"{metric}_unscorable": m["unscorable"],
            }
            results.setdefault(task, {}).update({f"{key}{suffix}": finite(value) for key, value in values.items()})
    config = {"model": args.model, "data": args.data, "prompt_mode": args.prompt_mode, "limit": args.limit, "rows": total}
    (folder / "results.json").write_text(json.dumps({"results": results, "config": config}, indent=2) + "\n")
    for task, lines in _samples(rows).items():
        (folder / f"samples_{task}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    print(f"wrote {folder / 'results.json'}")


def _samples(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Every evaluated row by its task's name, with what readers look for first in front."""
    by_task: dict[str, list[dict[str, Any]]] = {}
    for row in chain(*rows.values()):
        head = {"doc_id": row["sample"]["id"], "value": row["score"]["value"], "failure": row["score"]["failure"]}
        by_task.setdefault(tasks.load(row["sample"]["task"]).name, []).append({**head, **row})
    return by_task
