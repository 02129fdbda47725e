"""Evaluation: greedy completions of held-out rows, scored by the rewards that train, with 95 % bootstrap intervals."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from vlrl import tasks
from vlrl.data import RowError
from vlrl.evaluation.prepare import PreparedPrompt, prepare
from vlrl.metrics.bootstrap import mean_interval, paired_difference_interval
from vlrl.models.vlm import VLM
from vlrl.rollout.transformers_engine import TransformersEngine
from vlrl.types import Completion, Sample, Score, UserError, to_json

MetricRow = dict[str, Any]
"""One evaluated row: `sample`, `prompt_mode`, `text`, `finish_reason`, `score`."""

BAD_ROW = "bad_row"
"""The failure of a row that could not be used; `score.extracted` says why."""


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
            rows.append(_row(sample, prompt_mode, None, Score(None, failure=BAD_ROW, extracted=str(item))))
        else:
            completion = next(completions)[0]
            score = item.task.grade(completion, item.sample.answer, engine.max_completion_length)
            rows.append(_row(item.sample, prompt_mode, completion, score))
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


RowKey = tuple[str, str]
"""Source (`file.jsonl:12`) and id: ids are unique within their file only."""


def metric_values(rows: Sequence[MetricRow]) -> dict[str, dict[RowKey, float | None]]:
    """Every metric's value per row: `{"gui/click_accuracy": {("rows.jsonl:1", "a"): 1.0}}`; None where it cannot be scored.

    A row with rewards of its own is in the metrics of those only.
    """
    values: dict[str, dict[RowKey, float | None]] = defaultdict(dict)
    for row in rows:
        task = tasks.load(row["sample"]["task"])
        measured = task.measure(Score.from_json(row["score"]))
        looked_at = {tasks.CORRECT, *task.weights_of(row["sample"]["answer"])}
        for metric, part in task.metrics.items():
            if part in looked_at:
                values[f"{task.name}/{metric}"][_key(row)] = measured.get(metric)
    return dict(sorted(values.items()))


def unscorable(rows: Sequence[MetricRow]) -> list[str]:
    """One sentence for each row that has no score: a row that could not be used, or a gold answer that cannot be scored."""
    found = [row for row in rows if row["score"]["value"] is None]
    return [row["score"]["extracted"] if _is_bad(row) else f"{row['sample']['source']}: its gold has no score" for row in found]


def refuse_all_bad(rows: Sequence[MetricRow]) -> None:
    """Raises UserError when not one row could be used: there is nothing to evaluate."""
    if rows and all(map(_is_bad, rows)):
        raise UserError(f"none of the {len(rows)} rows can be evaluated, the first one: {rows[0]['score']['extracted']}")


def summarise(rows: Sequence[MetricRow]) -> dict[str, dict[str, Any]]:
    """Mean, 95 % interval (resampled by media) and count `n` of every metric over the rows that can be scored.

    `unscorable` counts the rows of its task that cannot: they are in no mean. Mean and interval are NaN when n is 0.
    """
    clusters = _clusters(rows)
    summary = {}
    for metric, values in metric_values(rows).items():
        scored = {key: value for key, value in values.items() if value is not None}
        mean, *interval = _mean_interval(list(scored.values()), [clusters[key] for key in scored])
        summary[metric] = {"mean": mean, "ci95": interval, "n": len(scored), "unscorable": len(values) - len(scored)}
    return summary


def compare(before: Sequence[MetricRow], after: Sequence[MetricRow]) -> dict[str, dict[str, Any]]:
    """Per metric: means before and after with their intervals, and the paired difference's interval.

    All over the `n` rows that both could score; `unscorable` counts those of either that are left out.
    """
    clusters = _clusters([*before, *after])
    old, new = metric_values(before), metric_values(after)
    table = {}
    for metric in sorted(old.keys() & new.keys()):
        pairs = [(key, value, new[metric].get(key)) for key, value in old[metric].items()]
        complete = [(clusters[key], a, b) for key, a, b in pairs if a is not None and b is not None]
        groups, a_values, b_values = [g for g, _, _ in complete], [a for _, a, _ in complete], [b for _, _, b in complete]
        mean_a, *interval_a = _mean_interval(a_values, groups)
        mean_b, *interval_b = _mean_interval(b_values, groups)
        difference, *interval = paired_difference_interval(a_values, b_values, groups) if complete else NO_INTERVAL
        table[metric] = {
            "before": mean_a,
            "after": mean_b,
            "before_ci95": interval_a,
            "after_ci95": interval_b,
            "diff": difference,
            "diff_ci95": interval,
            "n": len(complete),
            "unscorable": len(old[metric].keys() | new[metric].keys()) - len(complete),
        }
    return table


NO_INTERVAL = (math.nan, math.nan, math.nan)


def _mean_interval(values: Sequence[float], clusters: Sequence[Hashable]) -> tuple[float, float, float]:
    return mean_interval(values, clusters) if values else NO_INTERVAL


def _clusters(rows: Sequence[MetricRow]) -> dict[RowKey, Hashable]:
    """Rows that share their media are not independent: the interval resamples media, not rows. A row without media is its own."""
    return {_key(row): str(row["sample"]["media"]) if row["sample"]["media"] else _key(row) for row in rows}


def _key(row: MetricRow) -> RowKey:
    return row["sample"]["source"], row["sample"]["id"]


def _is_bad(row: MetricRow) -> bool:
    return row["score"]["failure"] == BAD_ROW
