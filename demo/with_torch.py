"""The only code of the inspector that needs torch, imported when somebody asks for it: advantages, and checkpoints to try."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from vlrl import tasks
from vlrl.types import Rollout, RolloutGroup, Sample, Score

LONGEST_PROMPT = 16_384
SPACE_KEYS = ("image_size", "processed_size", "space", "prompt_mode")
"""Keys of an answer that say how the picture was seen, and nothing of the gold."""
GEOMETRY = ("box", "boxes", "point", "points", "candidate_boxes", "positive_points", "negative_points", "polygons")
"""Keys of an answer whose numbers are pixels."""


def advantages(config: Mapping[str, Any], steps: Sequence[int], rewards: Sequence[Sequence[float | None]]) -> list[list[float]]:
    """The advantages that training would give to groups of rewards (None: cannot be scored), by the run's own algorithm.

    `steps` names each group's step: an algorithm that looks at the whole batch looks at the groups of one step. Raises UserError
    when the configuration names no algorithm, ImportError without torch.
    """
    import torch

    from vlrl.training.config import GrpoConfig  # only now: it needs torch
    from vlrl.training.objective import advantages as of_batch

    given = config.get("grpo")
    known = {field.name for field in fields(GrpoConfig)}
    algorithm = GrpoConfig(**{name: value for name, value in (given or {}).items() if name in known}).resolve()
    found: list[list[float]] = [[] for _ in rewards]
    for step in dict.fromkeys(steps):
        places = [place for place, other in enumerate(steps) if other == step]
        flat = [(place, math.nan if value is None else value) for place in places for value in rewards[place]]
        if flat:
            group_B, rewards_B = torch.tensor([p for p, _ in flat]), torch.tensor([v for _, v in flat], dtype=torch.float64)
            for (place, _), advantage in zip(flat, of_batch(algorithm, rewards_B, group_B).tolist(), strict=True):
                found[place].append(advantage)
    return found


class Checkpoint:
    """A model to try: a checkpoint folder, a hub name, a LoRA adapter, a run folder, or `tiny`."""

    def __init__(self, name: str) -> None:
        import torch

        from vlrl.evaluation.local_model import checkpoint_of
        from vlrl.models import vlm

        self.name = name
        self.vlm = vlm.load(checkpoint_of(name))
        self.vlm.to("cuda" if torch.cuda.is_available() else "cpu")

    def sample(self, sample: Sample, mode: str, count: int, temperature: float, longest: int, seed: int) -> RolloutGroup:
        """`count` completions of a row, scored where it has a gold answer. Raises UserError for a row that cannot be used.

        Without a gold answer the task's example lends its own, so that the answers can be read and drawn; what it says of them
        is dropped.
        """
        from vlrl.evaluation.prepare import prepare
        from vlrl.rollout.transformers_engine import TransformersEngine

        task = tasks.load(sample.task)
        lent = not sample.answer
        asked = replace(sample, answer=self._example_gold(sample)) if lent else sample
        ready = prepare(asked, self.vlm, mode, LONGEST_PROMPT)
        engine = TransformersEngine(self.vlm, longest)
        (completions,) = engine.generate([ready.encoded], count, temperature, [seed])
        scores = [task.grade(completion, ready.sample.answer, longest) for completion in completions]
        answer = {name: ready.sample.answer[name] for name in SPACE_KEYS if name in ready.sample.answer} if lent else {}
        if lent:
            scores = [Score(None, extracted=score.extracted, failure=score.failure) for score in scores]
        rollouts = [Rollout(c, s, math.nan if lent else 0.0) for c, s in zip(completions, scores, strict=True)]
        shown = replace(ready.sample, answer=answer) if lent else ready.sample
        group = RolloutGroup(0, shown, task.prompt(sample.question, mode, self.vlm.space), rollouts)
        return group if lent else _with_advantages(group)

    def _example_gold(self, sample: Sample) -> dict[str, Any]:
        """The gold of the task's example, its geometry brought to the size of this picture."""
        from vlrl.data import load_media

        answer = tasks.load(sample.task).example.answer
        size = load_media(sample, self.vlm.video_limits, self.vlm.frame_factor)[0].answer.get("image_size")
        gold = {name: value for name, value in answer.items() if name not in SPACE_KEYS}
        if size is None or "image_size" not in answer:
            return gold
        zoom = size[0] / answer["image_size"][0], size[1] / answer["image_size"][1]
        return {name: _zoomed(value, zoom) if name in GEOMETRY else value for name, value in gold.items()}


def _zoomed(value: Any, zoom: tuple[float, float]) -> Any:
    """Geometry in a picture of another size: pairs of numbers, in any nesting."""
    if isinstance(value, dict):
        return {name: _zoomed(item, zoom) for name, item in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) in (2, 4) and all(isinstance(item, (int, float)) for item in value):
        return [item * zoom[i % 2] for i, item in enumerate(value)]
    return [_zoomed(item, zoom) for item in value]


def _with_advantages(group: RolloutGroup) -> RolloutGroup:
    (values,) = advantages({}, [0], [[rollout.score.value for rollout in group.rollouts]])
    rollouts = [replace(rollout, advantage=value) for rollout, value in zip(group.rollouts, values, strict=True)]
    return replace(group, rollouts=rollouts)
