"""Evaluation: greedy completions of held-out rows, scored by the rewards that train, with 95 % bootstrap intervals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from vlrl import tasks
from vlrl.data import RowError
from vlrl.evaluation.prepare import PreparedPrompt, prepare
from vlrl.metrics.bootstrap import mean_interval, paired_difference_interval
from vlrl.models.vlm import VLM
from vlrl.rollout.transformers_engine import TransformersEngine
from vlrl.types import Completion, Sample, Score, to_json

MetricRow = dict[str, Any]
"""One evaluated row: `sample`, `prompt_mode`, `text`, `finish_reason`, `score`."""


def evaluate(
    samples: Sequence[Sample],
    vlm: VLM,
    engine: TransformersEngine,
    prompt_mode: str,
    max_prompt_length: int,
    batch_size: int,
    on_batch: Callable[[int], None] = lambda rows: None,
) -> list[MetricRow]:
    """Greedy completions of `samples`, in their order. A row that cannot be used stays, with `score.failure` = `bad_row`."""
    rows: list[MetricRow] = []
    for start in range(0, len(samples), batch_size):
        batch = samples[start : start + batch_size]
        rows += _evaluate_batch(batch, vlm, engine, prompt_mode, max_prompt_length)
        on_batch(len(batch))
    return rows


def _evaluate_batch(
    samples: Sequence[Sample], vlm: VLM, engine: TransformersEngine, prompt_mode: str, max_prompt_length: int
) -> list[MetricRow]:
    prepared = [_prepare_or_error(sample, vlm, prompt_mode, max_prompt_length) for sample in samples]
    usable = [p.encoded for p in prepared if isinstance(p, PreparedPrompt)]
    completions = iter(engine.generate(usable, 1, 0.0, [0] * len(usable)) if usable else [])
    rows = []
    for sample, item in zip(samples, prepared, strict=True):
        if isinstance(item, RowError):
            rows.append(_row(sample, prompt_mode, None, Score(None, failure="bad_row", extracted=str(item))))
        else:
            completion = next(completions)[0]
            rows.append(_row(item.sample, prompt_mode, completion, item.task.score(completion.text, item.sample.answer)))
    return rows


def _prepare_or_error(sample: Sample, vlm: VLM, prompt_mode: str, max_prompt_length: int) -> PreparedPrompt | RowError:
    try:
        return prepare(sample, vlm, prompt_mode, max_prompt_length)
    except RowError as error:
        return error


def _row(sample: Sample, prompt_mode: str, completion: Completion | None, score: Score) -> MetricRow:
    return {
        "sample": to_json(sample),
        "prompt_mode": prompt_mode,
        "text": completion.text if completion else None,
        "finish_reason": completion.finish_reason if completion else None,
        "score": to_json(score),
    }


def metric_values(rows: Sequence[MetricRow]) -> dict[str, dict[str, float]]:
    """Every metric's value per row: `{"gui/click_accuracy": {row id: 1.0}}`. Rows whose gold cannot be scored have none."""
    values: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        task = tasks.load(row["sample"]["task"])
        for metric, value in task.measure(Score.from_json(row["score"])).items():
            values[f"{task.name}/{metric}"][row["sample"]["id"]] = value
    return dict(values)


def _cluster_of(rows: Sequence[MetricRow]) -> dict[str, str]:
    """Rows that share their media are not independent: the interval resamples media, not rows."""
    return {row["sample"]["id"]: str(row["sample"]["media"]) for row in rows}


def summarise(rows: Sequence[MetricRow]) -> dict[str, dict[str, Any]]:
    """Mean, 95 % interval (resampled by media) and count of every metric."""
    clusters = _cluster_of(rows)
    summary = {}
    for metric, by_id in metric_values(rows).items():
        mean, low, high = mean_interval(list(by_id.values()), clusters=[clusters[i] for i in by_id])
        summary[metric] = {"mean": mean, "ci95": [low, high], "n": len(by_id)}
    return summary


def compare(before: Sequence[MetricRow], after: Sequence[MetricRow]) -> dict[str, dict[str, Any]]:
    """Per metric: means before and after with their intervals, and the paired difference's interval over the rows both have."""
    clusters = _cluster_of(before)
    old, new = metric_values(before), metric_values(after)
    table = {}
    for metric in old.keys() & new.keys():
        ids = [i for i in old[metric] if i in new[metric]]
        groups = [clusters[i] for i in ids]
        a, b = [old[metric][i] for i in ids], [new[metric][i] for i in ids]
        mean_a, *interval_a = mean_interval(a, clusters=groups)
        mean_b, *interval_b = mean_interval(b, clusters=groups)
        difference, *interval = paired_difference_interval(a, b, clusters=groups)
        table[metric] = {
            "before": mean_a,
            "after": mean_b,
            "before_ci95": interval_a,
            "after_ci95": interval_b,
            "diff": difference,
            "diff_ci95": interval,
            "n": len(ids),
        }
    return dict(sorted(table.items()))
