"""TRL's GRPOTrainer as an oracle: its own numbers for given completions and rewards.

Everything runs through TRL's code but the sampling, which is replaced by the given completions. float32 on the CPU, plain SGD,
no gradient clipping, no dropout in the checkpoints we test with. Row i is completion i % G of prompt i // G, in and out.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel, TrainerCallback
from trl import GRPOConfig, GRPOTrainer


@dataclass(frozen=True)
class TrlStep:
    """One optimiser step. Lists have one entry per row, without padding; `metrics` is the line TRL logs.

    `old_logprobs` is None where TRL takes the current log-probabilities instead, `ref_logprobs` where beta is 0.
    `micro_batches` holds the rows of each micro-batch (TRL shuffles them); `gradients` is keyed by parameter.
    """

    metrics: dict[str, float]
    gradients: dict[str, Tensor]
    micro_batches: list[list[int]]
    advantages: list[float]
    prompt_ids: list[list[int]]
    logprobs: list[Tensor]
    entropies: list[Tensor]
    old_logprobs: list[Tensor] | None
    ref_logprobs: list[Tensor] | None


def run_trl(
    policy: Path,
    prompts: list[dict[str, Any]],
    completion_ids: list[list[int]],
    rewards: list[float | None],
    *,
    reference: Path | None = None,
    old_logprobs: list[list[float]] | None = None,
    **config: Any,
) -> list[TrlStep]:
    """The optimiser steps that TRL takes on one batch of P prompts: one, or `num_iterations` of them.

    `policy` and `reference` (default: the policy) are checkpoint folders. A prompt is {"prompt": [{"role", "content": str}],
    "images": [PIL image]}; TRL puts the images before the text. `completion_ids` and `rewards` have P*G rows; a reward of None is
    unscorable. `old_logprobs` replaces those TRL would compute (or skip). `config` are fields of `GRPOConfig`.
    """
    if len(completion_ids) % len(prompts) or len(rewards) != len(completion_ids):
        raise ValueError(f"{len(prompts)} prompts, {len(completion_ids)} completions and {len(rewards)} rewards do not match")
    processor = AutoProcessor.from_pretrained(policy)
    processor.tokenizer.padding_side = "left"
    model = AutoModelForImageTextToText.from_pretrained(policy, dtype=torch.float32)
    model.config._name_or_path = str(reference or policy)  # where GRPOTrainer loads the reference from
    with tempfile.TemporaryDirectory() as folder:
        trainer = _OracleTrainer(
            model=model,
            args=_grpo_config(folder, len(prompts), len(completion_ids), config),
            train_dataset=Dataset.from_list(prompts),
            processing_class=processor,
            reward_funcs=_given_rewards(rewards),
        )
        trainer.given_completions = completion_ids
        trainer.given_old_logprobs = old_logprobs
        recorder = _StepRecorder()
        trainer.add_callback(recorder)
        trainer.train()
    return _steps(trainer, recorder)


def save_perturbed(source: Path, target: Path, scale: float, seed: int = 0) -> Path:
    """Write a copy of a checkpoint whose every weight got normal noise of `scale`: a policy that has left its reference."""
    model = AutoModelForImageTextToText.from_pretrained(source, dtype=torch.float32)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += scale * torch.randn(parameter.shape, generator=generator)
    model.save_pretrained(target)
    AutoProcessor.from_pretrained(source).save_pretrained(target)
    return target


def _grpo_config(folder: str, prompts: int, rows: int, config: dict[str, Any]) -> GRPOConfig:
    defaults = {
        "max_steps": config.get("num_iterations", 1),
        "num_generations": rows // prompts,
        "per_device_train_batch_size": rows // config.get("gradient_accumulation_steps", 1),
        "optim": "sgd",
        "learning_rate": 0.0,
        "lr_scheduler_type": "constant",
        "max_grad_norm": 0.0,  # no clipping; the norm is logged all the same
        "shuffle_dataset": False,
        "gradient_checkpointing": False,
        "bf16": False,
        "use_cpu": True,
        "dataloader_pin_memory": False,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }
    return GRPOConfig(output_dir=folder, **(defaults | config))


def _given_rewards(rewards: list[float | None]) -> Any:
    def given(completions: list[Any], **_: Any) -> list[float | None]:
        assert len(completions) == len(rewards)
        return rewards

    return given


class _OracleTrainer(GRPOTrainer):
    """GRPOTrainer with given completions, which keeps what each micro-batch computed."""

    given_completions: list[list[int]]
    given_old_logprobs: list[list[float]] | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.micro_batches: list[dict[str, Any]] = []

    def _generate_single_turn(self, prompt_ids: list[list[int]], *_: Any, **__: Any) -> tuple[list[list[int]], None]:
        assert len(prompt_ids) == len(self.given_completions)
        return self.given_completions, None

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        batch = super()._generate_and_score_completions(inputs)
        batch["row"] = torch.arange(len(inputs))
        if self.given_old_logprobs is not None:
            old = [torch.tensor(row, dtype=torch.float32) for row in self.given_old_logprobs]
            batch["old_per_token_logps"] = pad_sequence(old, batch_first=True)
        return batch

    def _get_per_token_logps_and_entropies(self, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None, Tensor | None]:
        self.last_forward = super()._get_per_token_logps_and_entropies(*args, **kwargs)
        return self.last_forward

    def _compute_loss(self, model: PreTrainedModel, inputs: dict[str, Any]) -> Tensor:
        loss = super()._compute_loss(model, inputs)
        logprobs_BT, entropies_BT, _ = self.last_forward
        prompts = zip(inputs["prompt_ids"], inputs["prompt_mask"].bool(), strict=True)
        self.micro_batches.append(
            {
                "row": inputs["row"].tolist(),
                "advantages": inputs["advantages"].tolist(),
                "prompt_ids": [ids[mask].tolist() for ids, mask in prompts],
                "logprobs": list(logprobs_BT.detach()),
                "entropies": list(entropies_BT.detach()),
                "old_logprobs": inputs.get("old_per_token_logps"),
                "ref_logprobs": inputs.get("ref_per_token_logps"),
            }
        )
        return loss


class _StepRecorder(TrainerCallback):
    """Keeps the gradients of every optimiser step (they are zeroed right after it)."""

    def __init__(self) -> None:
        self.gradients: list[dict[str, Tensor]] = []

    def on_pre_optimizer_step(self, *_: Any, model: PreTrainedModel, **__: Any) -> None:
        named = model.named_parameters()
        self.gradients.append({name: parameter.grad.clone() for name, parameter in named if parameter.grad is not None})


def _steps(trainer: _OracleTrainer, recorder: _StepRecorder) -> list[TrlStep]:
    lines = [line for line in trainer.state.log_history if "loss" in line]
    per_step = trainer.args.gradient_accumulation_steps
    steps = []
    for i, (metrics, gradients) in enumerate(zip(lines, recorder.gradients, strict=True)):
        micro_batches = trainer.micro_batches[i * per_step : (i + 1) * per_step]
        steps.append(TrlStep(metrics, gradients, [m["row"] for m in micro_batches], **_by_row(trainer, micro_batches)))
    return steps


def _by_row(trainer: _OracleTrainer, micro_batches: list[dict[str, Any]]) -> dict[str, list[Any] | None]:
    """What the micro-batches computed, in the order of the rows and cut to each row's completion."""
    fields: dict[str, list[Any] | None] = {}
    for name in ("advantages", "prompt_ids", "logprobs", "entropies", "old_logprobs", "ref_logprobs"):
        if micro_batches[0][name] is None:
            fields[name] = None
            continue
        of_row = {row: value for batch in micro_batches for row, value in zip(batch["row"], batch[name], strict=True)}
        values = [of_row[row] for row in range(len(of_row))]
        if name.endswith(("logprobs", "entropies")):
            values = [value[: len(ids)] for value, ids in zip(values, trainer.given_completions, strict=True)]
        fields[name] = values
    return fields
