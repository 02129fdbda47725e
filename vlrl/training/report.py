"""What a run tells: metrics per step, rollouts, evaluations, progress on the terminal, and the closing table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from accelerate.utils import gather_object
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from torch import Tensor

from vlrl.algorithms.advantages import group_stats
from vlrl.evaluation.runner import MetricRow, compare, evaluate, refuse_all_bad, summarise, unscorable
from vlrl.report import most_spread
from vlrl.report.trackers import log_group
from vlrl.types import Completion, RolloutGroup, Score

if TYPE_CHECKING:
    from vlrl.training.setup import Run

PICTURE_EVERY = 10
"""Steps between two pictures of a group in the trackers."""
Sums = dict[str, tuple[float, float]]
"""name -> (sum, count)"""


def means(run: Run, sums: Sums) -> dict[str, float]:
    """The means over all processes."""
    totals: dict[str, list[float]] = {}
    for local in gather_object([sums]):
        for name, (value, count) in local.items():
            total = totals.setdefault(name, [0.0, 0.0])
            total[0], total[1] = total[0] + value, total[1] + count
    return {name: value / count for name, (value, count) in sorted(totals.items()) if count}


def total(run: Run, value: float) -> float:
    """The sum over all processes."""
    return sum(gather_object([value]))


def reward_metrics(rewards_B: Tensor, group_B: Tensor) -> dict[str, float]:
    """Metrics of the rewards of all processes (NaN: gold that cannot be scored)."""
    scorable = rewards_B[~rewards_B.isnan()]
    stats = group_stats(rewards_B, group_B)
    return {
        "reward": float(scorable.mean()) if len(scorable) else float("nan"),
        "reward_std": float(scorable.std()) if len(scorable) > 1 else 0.0,
        "reward_group_std": float(stats.std_P.mean()),
        "frac_reward_zero_std": float(stats.zero_std_P.double().mean()),
        "rewards_unscorable": float(rewards_B.isnan().sum()),
    }


def completion_metrics(
    run: Run, completions: Sequence[Sequence[Completion]], scores: Sequence[Sequence[Score]]
) -> dict[str, float]:
    """Lengths, ends and reward parts of the step's completions, over all processes."""
    flat = [c for group in completions for c in group]
    rows = float(len(flat))
    sums: Sums = {
        "completions/mean_length": (float(sum(len(c.token_ids) for c in flat)), rows),
        "completions/clipped_ratio": (float(sum(c.finish_reason == "length" for c in flat)), rows),
    }
    parts = [part for group in scores for score in group for part in score.parts.items()]
    for name in {name for name, _ in parts}:
        values = [value for part, value in parts if part == name]
        sums[f"rewards/{name}/mean"] = (sum(values), len(values))
    return {**means(run, sums), **failure_shares(run, [score for group in scores for score in group])}


def failure_shares(run: Run, scores: Sequence[Score]) -> dict[str, float]:
    """The share of all processes' completions that failed in each way."""
    codes = Counter(gather_object([score.failure for score in scores]))
    rows = codes.total()
    return {f"failures/{code}": count / rows for code, count in sorted(codes.items(), key=str) if code}


def token_means(run: Run, sums: dict[str, float]) -> dict[str, float]:
    """The update's metrics over all processes: loss summed over processes, grad_norm per update, the rest per token."""
    updates, tokens = sums["updates"], sums["tokens"]
    per_token = {n: (v, tokens) for n, v in sums.items() if n not in ("updates", "tokens", "loss", "grad_norm")}
    return {
        "loss": total(run, sums["loss"]) / updates,
        "grad_norm": sums["grad_norm"] / updates,
        "learning_rate": float(run.scheduler.get_last_lr()[0]),
        **means(run, per_token),
    }


def warn_skipped(run: Run, messages: Sequence[str]) -> None:
    """One line per row that was skipped, on the process that met it."""
    for message in messages:
        print(f"step {run.step}: skipped a row: {message}", flush=True)


class Reporter:
    """Writes the run folder (main process only) and shows progress; a context manager."""

    def __init__(self, run: Run) -> None:
        self.run, self.main = run, run.accelerator.is_main_process
        self.console = Console(soft_wrap=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        live = self.main and self.console.is_terminal
        self.progress = Progress(*columns, console=self.console, disable=not live)
        self.bar = self.progress.add_task("training", total=run.config.max_steps, completed=run.step)

    def __enter__(self) -> Reporter:
        self.run.accelerator.init_trackers("vlrl")
        self.progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.progress.stop()
        for tracker in self.run.accelerator.trackers:
            tracker.finish()

    def log(self, metrics: dict[str, float], groups: list[RolloutGroup]) -> None:
        """The step's metrics and every process's groups."""
        run = self.run
        everywhere = _in_draw_order(gather_object(groups), run.accelerator.num_processes)
        if self.main:
            run.folder.write_groups(run.step, everywhere)
            run.folder.write_metrics(run.step, metrics)
        run.accelerator.log(metrics, step=run.step)
        trackers = run.accelerator.trackers
        if self.main and trackers and run.step % PICTURE_EVERY == 0 and (group := most_spread(everywhere)):
            log_group(trackers, group, run.step)
        self.progress.update(self.bar, completed=run.step, description=f"training  reward {metrics['reward']:.3f}")
        if self.main and not self.console.is_terminal and run.step % max(1, run.config.max_steps // 20) == 0:
            print(f"step {run.step}/{run.config.max_steps}  reward {metrics['reward']:.3f}  {run.seconds():.0f} s", flush=True)

    def evaluate(self, step: int) -> None:
        """Evaluate the held-out rows in every prompt mode, sharded over processes, and write and show the result."""
        run, config = self.run, self.run.config
        if not run.held_out:
            return
        shard = run.held_out[run.accelerator.process_index :: run.accelerator.num_processes]
        modes = config.evaluation.prompt_modes or [config.prompt_mode]
        bar = self.progress.add_task("evaluating", total=len(shard) * len(modes))
        rows: list[MetricRow] = []
        run.vlm.model.eval()
        with run.whole_weights(), run.accelerator.autocast():
            for mode in modes:
                rows += evaluate(
                    shard,
                    run.vlm,
                    run.engine,
                    mode,
                    config.rollout.max_prompt_length,
                    config.evaluation.batch_size,
                    lambda done: self.progress.advance(bar, done),
                )
        self.progress.remove_task(bar)
        everywhere = gather_object(rows)
        if step == 0:
            refuse_all_bad(everywhere)
        if self.main:
            self._write_evaluation(step, everywhere, modes)

    def _write_evaluation(self, step: int, rows: list[MetricRow], modes: Sequence[str]) -> None:
        order = {(sample.id, sample.source): i for i, sample in enumerate(self.run.held_out)}
        rows = sorted(rows, key=lambda r: (modes.index(r["prompt_mode"]), order[r["sample"]["id"], r["sample"]["source"]]))
        by_mode = {mode: summarise([row for row in rows if row["prompt_mode"] == mode]) for mode in modes}
        self.run.folder.write_eval(step, rows, {"prompt_modes": by_mode})
        for mode, metrics in by_mode.items():
            parts = [f"{name} {m['mean']:.3f} [{m['ci95'][0]:.3f}, {m['ci95'][1]:.3f}]" for name, m in metrics.items()]
            self.console.print(f"step {step}  held-out ({mode})  " + "  ".join(parts), highlight=False)
        if left_out := unscorable(rows):
            count = f"{len(left_out)} of {len(rows)} held-out rows cannot be scored and are in no mean"
            self.console.print(f"step {step}  {count}, the first one: {left_out[0]}", highlight=False, markup=False)

    def conclude(self) -> None:
        """Write `summary.json` and print the table: held-out scores before and after, and their paired difference.

        A run that had its summary when it was resumed shows that one.
        """
        run = self.run
        if not self.main:
            return
        self.progress.stop()
        summary = run.folder.summary()
        if summary is None and run.held_out:
            run.folder.write_summary({"metrics": self._compare_ends(), "seconds": run.seconds(), "seed": run.config.seed})
            summary = run.folder.summary()
        if summary is not None:
            self.console.print(_result_table(summary["metrics"]))
        seconds = run.seconds() if summary is None else summary["seconds"]
        self.console.print(f"run folder: {run.folder.path}   ({seconds:.0f} s)", highlight=False)
        self.console.print(f"open it:    .venv/bin/vlrl inspect {run.folder.path}", highlight=False)

    def _compare_ends(self) -> dict[str, dict[str, Any]]:
        run = self.run
        mode = (run.config.evaluation.prompt_modes or [run.config.prompt_mode])[0]
        first, last = ([r for r in run.folder.eval_rows(step) if r["prompt_mode"] == mode] for step in (0, run.config.max_steps))
        return compare(first, last)


def _in_draw_order(groups: list[RolloutGroup], world: int) -> list[RolloutGroup]:
    """From process after process to the order of the draws, of which process r takes every world-th."""
    size = len(groups) // world
    return [groups[rank * size + place] for place in range(size) for rank in range(world)]


def _result_table(metrics: dict[str, dict[str, Any]]) -> Table:
    rows = sorted({m["n"] for m in metrics.values()})
    left_out = max((m.get("unscorable", 0) for m in metrics.values()), default=0)
    title = f"held-out, mean [95 % interval], {' or '.join(map(str, rows))} rows"
    title += f" ({left_out} left out: they cannot be scored)" if left_out else ""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("metric", "before", "after", "difference"):
        table.add_column(column, justify="left" if column == "metric" else "right", no_wrap=True)
    for name, m in metrics.items():
        before, after = _interval(m["before"], m["before_ci95"]), _interval(m["after"], m["after_ci95"])
        table.add_row(name, before, after, _interval(m["diff"], m["diff_ci95"], "+"))
    return table


def _interval(mean: float | None, ends: Sequence[float], sign: str = "") -> str:
    if mean is None:  # no row was scored
        return "-"
    return f"{mean:{sign}.2f} [{ends[0]:{sign}.2f}, {ends[1]:{sign}.2f}]"
