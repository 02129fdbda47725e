"""A stored run scored again with other rewards: no new generation, the same texts, new values, new advantages.

What scores is what the user of the app has typed: the name of a reward, an object of names and weights, or a dotted path. Nothing
that a log or an address holds is ever imported.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from demo import with_torch
from demo.index.build import group_kind
from demo.index.read import GroupRow
from demo.runs import Run
from demo.scoring import told_length
from vlrl import rewards
from vlrl.rewards import Reward
from vlrl.rewards.composite import combine
from vlrl.types import Rollout, RolloutGroup, Sample, Score, UserError

MOST_SECONDS = 30.0
CHANGED = 1e-6


@dataclass(frozen=True, slots=True)
class Again:
    """A group and its new scores."""

    row: GroupRow
    group: RolloutGroup
    scores: list[Score]


@dataclass(frozen=True, slots=True)
class Rescored:
    """A rollout with its new score and its new advantage (None without torch, which computes it)."""

    row: GroupRow
    place: int
    sample: Sample
    rollout: Rollout
    score: Score
    advantage: float | None

    @property
    def flips(self) -> bool:
        """Whether what was encouraged is now discouraged, or the other way round."""
        return self.advantage is not None and self.rollout.advantage * self.advantage < 0

    @property
    def shift(self) -> float:
        """How far the advantage moved, or without one the reward."""
        if self.advantage is not None:
            return self.advantage - self.rollout.advantage
        return (self.score.value or 0.0) - (self.rollout.score.value or 0.0)


@dataclass(frozen=True, slots=True)
class Result:
    """All rollouts that were scored again. `left` groups were not reached in time, `unscorable` have gold that this reward cannot
    use (`reason` says why); `problem` tells why there are no advantages.
    """

    found: list[Rescored]
    groups: int
    flat_before: int
    flat_after: int
    left: int
    unscorable: int
    reason: str
    problem: str


def read_reward(text: str) -> Reward:
    """The reward that somebody typed. Raises UserError, with the mend, for anything else.

    >>> read_reward('{"gui.click": 0.9, "format.prompted": 0.1}').high
    1.0
    """
    text = text.strip()
    if not text.startswith("{"):
        return rewards.load(text)
    try:
        weights = json.loads(text)
    except ValueError as error:
        what = f"this is no object of names and weights ({error})"
        raise UserError(f'{what}; write {{"gui.click": 0.9, "format.prompted": 0.1}}') from error
    if any(isinstance(weight, bool) or not isinstance(weight, (int, float)) for weight in weights.values()):
        raise UserError("every reward wants a number as its weight")
    return combine(weights)


def rescore(run: Run, groups: Sequence[GroupRow], reward: Reward) -> Result:
    """Scores groups again, in their order, for as long as `MOST_SECONDS`. Raises UserError when the reward itself fails."""
    end, scored, reasons, reached = time.monotonic() + MOST_SECONDS, [], [], 0
    for row in groups:
        if time.monotonic() > end:
            break
        reached += 1
        group = run.group(row).group
        try:
            scored.append(Again(row, group, [_score(run, reward, group.sample, rollout) for rollout in group.rollouts]))
        except (ValueError, KeyError) as error:  # malformed gold, or gold for another kind of reward
            reasons.append(str(error))
        except Exception as error:
            raise UserError(f"the reward raised {type(error).__name__}: {error} (step {row.step}, group {row.line})") from error
    new, problem = _advantages(run, scored)
    found = [
        Rescored(again.row, place, again.group.sample, rollout, score, advantage)
        for again, group in zip(scored, new, strict=True)
        for place, (rollout, score, advantage) in enumerate(zip(again.group.rollouts, again.scores, group, strict=True))
    ]
    before = sum(_is_flat([rollout.score for rollout in again.group.rollouts]) for again in scored)
    after = sum(_is_flat(again.scores) for again in scored)
    return Result(found, len(scored), before, after, len(groups) - reached, len(reasons), (reasons or [""])[0], problem)


def _advantages(run: Run, scored: Sequence[Again]) -> tuple[Sequence[Sequence[float | None]], str]:
    """The new advantages of each group, or none and the reason why."""
    values = [[score.value for score in again.scores] for again in scored]
    try:
        return with_torch.advantages(run.config(), [again.row.step for again in scored], values), ""
    except (ImportError, UserError, TypeError) as error:
        return [[None] * len(group) for group in values], str(error)


def _score(run: Run, reward: Reward, sample: Sample, rollout: Rollout) -> Score:
    answer = {**sample.answer, **told_length(run, len(rollout.completion.token_ids)), "correct": rollout.score.correct}
    score = reward(rollout.completion.text, answer)
    if not isinstance(score, Score):
        raise TypeError(f"it returned {type(score).__name__}, no Score")
    return score


def _is_flat(scores: Sequence[Score]) -> bool:
    values = [score.value for score in scores if score.value is not None]
    return group_kind(values, [None]) == "equal"
