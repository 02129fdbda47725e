"""What a run's numbers say is wrong, in sentences. Each rule reads the metrics, or the newest rollouts through the index."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from demo.index.read import Filter, RolloutRow, StepRow
from demo.runs import Run
from demo.text import percent

RECENT_STEPS = 10
"""A rule speaks of the mean of so many steps, so that one odd step raises no alarm."""
MOST_ROWS = 4000


@dataclass(frozen=True, slots=True)
class Alarm:
    """A sentence, what to do about it, and the values of a link to rollouts that show it."""

    text: str
    advice: str
    link: dict[str, str]


def alarms(run: Run) -> list[Alarm]:
    """All that is wrong, the gravest first."""
    metrics, steps = run.metrics(), run.index.steps()
    recent = steps[-RECENT_STEPS:]
    rows = run.index.rollouts(Filter(steps=(recent[0].step, None)), limit=MOST_ROWS) if recent else []
    found = [
        *(rule(metrics) for rule in METRIC_RULES),
        *(rule(recent) for rule in STEP_RULES),
        *(rule(rows) for rule in ROW_RULES),
    ]
    return [alarm for alarm in found if alarm is not None]


def _recent(metrics: Sequence[dict[str, float]], name: str, steps: int = RECENT_STEPS) -> float | None:
    """The mean of a metric's newest values."""
    values = list(islice((row[name] for row in reversed(metrics) if isinstance(row.get(name), (int, float))), steps))
    return statistics.fmean(values) if values else None


def _change(metrics: Sequence[dict[str, float]], name: str) -> float | None:
    """The mean of a metric's last fifth less that of its first fifth; None with fewer than ten values."""
    values = [row[name] for row in metrics if isinstance(row.get(name), (int, float))]
    part = max(len(values) // 5, 2)
    return statistics.fmean(values[-part:]) - statistics.fmean(values[:part]) if len(values) >= RECENT_STEPS else None


# rules on metrics


def _not_finite(metrics: Sequence[dict[str, float]]) -> Alarm | None:
    steps = [row["step"] for row in metrics if "loss" in row and row["loss"] is None]
    if not steps:
        return None
    text = f"The loss was not a number at {len(steps)} of {len(metrics)} steps, first at step {steps[0]}."
    return Alarm(
        text, "The weights may be spoilt from there on: resume before it, with a lower learning rate.", {"step": str(steps[0])}
    )


def _lost_pixels(metrics: Sequence[dict[str, float]]) -> Alarm | None:
    gap = _recent(metrics, "sampling/logp_difference")
    if gap is None or gap < 0.1:
        return None
    text = f"Sampling and training disagree about the same tokens by {gap:.2g} nats on average."
    advice = (
        "They do not see the same input: lost pixels, other positions or old weights. Rewards mean little until this is mended."
    )
    return Alarm(text, advice, {})


def _form_over_content(metrics: Sequence[dict[str, float]]) -> Alarm | None:
    names = {name for row in metrics for name in row if name.startswith("rewards/") and name.endswith("/mean")}
    changes = {name: change for name in sorted(names) if (change := _change(metrics, name)) is not None}
    up = {name: change for name, change in changes.items() if "format" in name and change > 0.03}
    down = {name: change for name, change in changes.items() if "format" not in name and change < -0.03}
    if not up or not down:
        return None
    rising, falling = max(up, key=lambda n: up[n]), min(down, key=lambda n: down[n])
    text = (
        f"{_part(rising)} rises ({up[rising]:+.2f}) while {_part(falling)} falls ({down[falling]:+.2f}): "
        "the model learns the form and forgets the task."
    )
    return Alarm(text, "Lower the weight of the form, or gate it on a right answer.", {})


def _part(name: str) -> str:
    return name.removeprefix("rewards/").removesuffix("/mean")


def _sudden_certainty(metrics: Sequence[dict[str, float]]) -> Alarm | None:
    values = [row["entropy"] for row in metrics if isinstance(row.get("entropy"), (int, float))]
    if len(values) < 2 * RECENT_STEPS:
        return None
    first, last = statistics.fmean(values[:RECENT_STEPS]), statistics.fmean(values[-RECENT_STEPS:])
    if first <= 0 or last > 0.1 * first:
        return None
    text = f"Entropy fell from {first:.2g} to {last:.2g} nats: the completions of a group become copies of each other."
    return Alarm(text, "Raise the temperature or the upper clip range, or lower the learning rate.", {})


def _far_from_reference(metrics: Sequence[dict[str, float]]) -> Alarm | None:
    kl = _recent(metrics, "kl")
    if kl is None or kl < 1.0:
        return None
    return Alarm(
        f"The policy is {kl:.2g} nats per token away from the reference.", "Read some completions: is it still language?", {}
    )


def _skipped(metrics: Sequence[dict[str, float]]) -> Alarm | None:
    unscorable = _recent(metrics, "rewards_unscorable")
    if not unscorable:
        return None
    text = f"On average {unscorable:.1f} completions a step have a gold answer that cannot be scored."
    return Alarm(text, "`vlrl validate` names the rows.", {})


# rules on steps of the index


def _no_spread(steps: Sequence[StepRow]) -> Alarm | None:
    groups = sum(step.groups for step in steps)
    counts = {name: sum(getattr(step, name) for step in steps) for name in ("right", "wrong", "equal")}
    share = sum(counts.values()) / groups if groups else 0.0
    if share < 0.5:
        return None
    most = max(counts, key=lambda name: counts[name])
    what = {"right": "most are all right: the prompts are too easy", "wrong": "most are all wrong: the prompts are too hard"}
    told = what.get(most, "most are neither all right nor all wrong: the reward does not tell them apart")
    text = f"{percent(share)} of groups have equal rewards: nothing is learned there; {told}."
    return Alarm(text, "Filter such prompts, or sample more completions for each.", {"view": "groups", "show": most})


def _cut(steps: Sequence[StepRow]) -> Alarm | None:
    total = sum(step.rollouts for step in steps)
    share = sum(step.cut for step in steps) / total if total else 0.0
    if share < 0.2:
        return None
    text = f"Length hits the limit in {percent(share)} of completions: their answers are cut off."
    return Alarm(text, "Raise rollout.max_completion_length, or reward shorter answers.", {"view": "groups", "sort": "low"})


def _failing(steps: Sequence[StepRow]) -> Alarm | None:
    total = sum(step.rollouts for step in steps)
    codes = {code for step in steps for code in step.failures}
    counts = {code: sum(step.failures.get(code, 0) for step in steps) for code in codes}
    worst = max(counts, key=lambda code: counts[code], default=None)
    if worst is None or counts[worst] < 0.3 * total:
        return None
    text = f"{percent(counts[worst] / total)} of completions fail with {worst}."
    return Alarm(
        text,
        "Read the lowest group: if the answer is there, the prompt and the parser do not fit.",
        {"view": "groups", "sort": "low"},
    )


# rules on rollouts


def _flood(rows: Sequence[RolloutRow]) -> Alarm | None:
    scored = sorted((row for row in rows if row.reward is not None), key=lambda row: -(row.reward or 0.0))
    if len(scored) < 100:
        return None
    top = scored[: math.ceil(len(scored) / 20)]
    usual = statistics.median(row.items for row in scored)
    many = statistics.median(row.items for row in top)
    if many < 10 or many < 4 * max(usual, 1):
        return None
    text = f"A flood of boxes earns the top 5 %: {many:.0f} things in the median answer there, {usual:.0f} elsewhere."
    return Alarm(text, "Choose a reward in which every extra box costs.", {"view": "groups", "sort": "high"})


def _one_answer(rows: Sequence[RolloutRow]) -> Alarm | None:
    prompts = {(row.step, row.line) for row in rows}
    if len(prompts) < 20:
        return None
    seen: dict[int, set[tuple[int, int]]] = {}
    for row in rows:
        seen.setdefault(row.digest, set()).add((row.step, row.line))
    share = max(map(len, seen.values())) / len(prompts)
    if share < 0.5:
        return None
    text = f"The same text answers {percent(share)} of the prompts."
    return Alarm(text, "Does the model see the image? Compare with a blank one.", {"view": "groups"})


Metrics = Sequence[dict[str, float]]
METRIC_RULES: tuple[Callable[[Metrics], Alarm | None], ...] = (
    _not_finite, _lost_pixels, _form_over_content, _sudden_certainty, _far_from_reference, _skipped,
)  # fmt: skip
STEP_RULES: tuple[Callable[[Sequence[StepRow]], Alarm | None], ...] = (_no_spread, _cut, _failing)
ROW_RULES: tuple[Callable[[Sequence[RolloutRow]], Alarm | None], ...] = (_flood, _one_answer)
