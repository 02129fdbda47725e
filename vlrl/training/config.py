"""The configuration of a GRPO run: one YAML file, dotted overrides on the command line; TRL's words where TRL has the word."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Literal

from vlrl.algorithms.table import ALGORITHMS, Algorithm
from vlrl.types import UserError
from vlrl.video import VideoLimits


@dataclass
class LoraConfig:
    """Low-rank adapters on the language model's linear layers (LoRA, 2106.09685)."""

    r: int = 16
    """Rank."""
    alpha: int = 32
    """Scale: the update is multiplied by alpha / r."""
    dropout: float = 0.0
    target_modules: list[str] | str = r".*\.(language|text)_model\..*\.(q|k|v|o|gate|up|down)_proj"
    """Module names, or a regular expression over them."""


@dataclass
class ModelConfig:
    """Which checkpoint is trained, and how it is loaded."""

    name_or_path: str = "tiny"
    """A checkpoint folder, a hub name, or `tiny`: the model that comes with the package."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the weights; `auto` takes the checkpoint's. Mixed precision is accelerate's (`--mixed_precision bf16`)."""
    attn_implementation: str = "sdpa"
    freeze_vision_tower: bool = False
    gradient_checkpointing: bool = False
    lora: LoraConfig | None = None
    """None trains all weights."""
    min_pixels: int | None = None
    """Smallest image area in pixels after resizing; None keeps the processor's."""
    max_pixels: int | None = None
    """Largest image area in pixels after resizing; None keeps the processor's."""
    video: VideoLimits | None = None
    """How many frames are taken of a video, and how large (docs/video.md). None: as the checkpoint was trained, else as
    qwen-vl-utils does."""


@dataclass
class DatasetConfig:
    """One JSONL file of rows (docs/architecture.md, "Data set rows")."""

    path: str
    task: str | None = None
    """The task of rows that name none."""
    weight: float = 1.0
    """Share of the training draws, relative to the other data sets."""


@dataclass
class RolloutConfig:
    """How completions are sampled."""

    num_generations: int = 8
    """Completions per prompt (G)."""
    generation_batch_size: int = 64
    """Completions per step, over all processes: prompts per step times `num_generations`."""
    max_prompt_length: int = 4096
    """Tokens, images included; a longer row is skipped and counted."""
    max_completion_length: int = 512
    """Tokens."""
    temperature: float = 1.0
    log_entropies: bool = False
    """Write the entropy of every token's distribution into the rollout log, for the inspector."""


@dataclass
class GrpoConfig:
    """The objective. `algorithm` names a row of `vlrl/algorithms/table.py`; what is set beside it overrides that row."""

    algorithm: str = "grpo"
    scale_rewards: Literal["group", "batch", "none"] | None = None
    aggregation: Literal["sequence_mean", "token_mean", "constant_length"] | None = None
    epsilon: float | None = None
    epsilon_high: float | None = None
    beta: float | None = None
    """Weight of the KL term; 0 loads no reference model."""
    use_bias_correction_kl: bool = True
    """Multiply the KL estimate by the importance ratio, as TRL does (DeepSeek-V3.2, 2512.02556)."""
    num_iterations: int = 1
    """Passes over each batch of rollouts."""
    steps_per_generation: int = 1
    """Optimiser steps per pass: the batch is cut into this many minibatches."""

    def resolve(self) -> Algorithm:
        """The algorithm's row with the overrides applied. Raises UserError for an unknown name."""
        if self.algorithm not in ALGORITHMS:
            raise UserError(f"grpo.algorithm: there is no {self.algorithm!r}; choose one of {', '.join(ALGORITHMS)}")
        row = ALGORITHMS[self.algorithm]
        overrides = {
            "scale": self.scale_rewards,
            "aggregation": self.aggregation,
            "epsilon": self.epsilon,
            "epsilon_high": self.epsilon_high if self.epsilon_high is not None else self.epsilon,
            "beta": self.beta,
        }
        return Algorithm(**{**vars(row), **{key: value for key, value in overrides.items() if value is not None}})


@dataclass
class OptimConfig:
    """AdamW and its schedule."""

    learning_rate: float = 1e-6
    lr_scheduler_type: Literal["constant", "constant_with_warmup", "linear", "cosine", "cosine_with_restarts", "inverse_sqrt"] = (
        "constant_with_warmup"
    )
    """transformers' schedules."""
    warmup_steps: int = 10
    """Optimiser steps."""
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    shared_prefix: bool = True
    """Compute each group's prompt and media once (docs/packed-update.md); false gives every completion a row of its own."""
    max_tokens_per_micro_batch: int = 16384
    """Tokens per forward and backward on each process when prefixes are shared; gradients accumulate over the rest."""
    per_device_train_batch_size: int = 8
    """Completions per forward and backward on each process when prefixes are not shared."""
    vision_cache_bytes: int = 2**31
    """Bound of the features of a frozen vision tower that are kept for the passes of one step, on each process."""


@dataclass
class EvaluationConfig:
    """Greedy evaluation on held-out rows, before training, every `every` steps, and after."""

    data: list[DatasetConfig] = field(default_factory=list)
    every: int = 50
    """Steps between evaluations."""
    batch_size: int = 64
    """Rows decoded together on each process."""
    prompt_modes: list[Literal["direct", "think"]] | None = None
    """None: the mode that is trained. Name both to see the base model under both."""


@dataclass
class TrainConfig:
    """A whole GRPO run."""

    data: list[DatasetConfig]
    output_dir: str = "runs/grpo"
    """The run folder. A finished or broken run that is there is moved aside unless `resume` is set."""
    max_steps: int = 500
    """Batches of rollouts."""
    save_every: int = 100
    """Steps between checkpoints."""
    keep_checkpoints: int = 2
    """Older ones are deleted."""
    resume: bool = False
    """Go on from the newest checkpoint in `output_dir`."""
    seed: int = 0
    prompt_mode: Literal["direct", "think"] = "direct"
    model: ModelConfig = field(default_factory=ModelConfig)
    rollout: RolloutConfig = field(default_factory=RolloutConfig)
    grpo: GrpoConfig = field(default_factory=GrpoConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    trackers: list[Literal["tensorboard", "wandb", "trackio"]] = field(default_factory=list)
    """accelerate trackers that get the metrics too."""

    def check(self) -> None:
        """Raises UserError, naming the key and the mend, for a number with which no run works."""
        for keys, fits, mend in RANGES:
            for key in keys.split():
                value = attrgetter(key)(self)
                if value is not None and not fits(value):
                    raise UserError(f"{key} is {value}; {mend}")

    def prompts_per_process(self, num_processes: int) -> int:
        """Distinct prompts that each process draws per step.

        Raises UserError, naming the key and the mend, where the sizes do not fit.
        """
        group, batch = self.rollout.num_generations, self.rollout.generation_batch_size
        if not self.data:
            raise UserError("data is empty; name at least one JSONL file (- path: my.jsonl)")
        if group < 2:
            mend = "set it to 2 or more (8 is usual)"
            raise UserError(f"rollout.num_generations is {group}: a group of fewer than 2 has no baseline; {mend}")
        if batch < 1 or batch % (group * num_processes):
            what = f"is not a multiple of num_generations x processes = {group} x {num_processes}"
            mend = f"set it to a multiple of {group * num_processes}"
            raise UserError(f"rollout.generation_batch_size is {batch}, which {what}; {mend}")
        prompts, parts = batch // (group * num_processes), self.grpo.steps_per_generation
        if prompts % parts:
            what = f"which does not divide the {prompts} prompts of each process"
            raise UserError(f"grpo.steps_per_generation is {parts}, {what}; set it to a divisor of {prompts}")
        return prompts


_COUNTS = (
    "max_steps save_every keep_checkpoints evaluation.every evaluation.batch_size optim.per_device_train_batch_size "
    "optim.max_tokens_per_micro_batch "
    "rollout.max_prompt_length rollout.max_completion_length grpo.num_iterations grpo.steps_per_generation"
)
RANGES: list[tuple[str, Callable[[float], bool], str]] = [
    (_COUNTS, lambda value: value >= 1, "set it to 1 or more"),
    ("rollout.temperature", lambda value: 0 < value < math.inf, "set it above 0 (1.0 samples from the model as it is)"),
    ("optim.max_grad_norm", lambda value: value > 0, "set it above 0 (.inf never clips)"),
    (
        "optim.learning_rate optim.weight_decay optim.warmup_steps grpo.beta grpo.epsilon grpo.epsilon_high",
        lambda value: 0 <= value < math.inf,
        "set it to 0 or more",
    ),
]
"""Keys, what their values must fulfil (None: not set, always good), and the mend."""
