"""TRL's GRPOTrainer as the benchmarks run it: float32, no dropout, one process, its own prompts, sampling, forward and loss."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from datasets import Dataset
from PIL import Image
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin
from trl import GRPOConfig, GRPOTrainer

Row = dict[str, Any]


def row(question: str, images: Sequence[Image.Image]) -> Row:
    """A prompt in TRL's words; TRL puts the images before the text."""
    return {"prompt": [{"role": "user", "content": question}], "images": list(images)}


class Trainer(GRPOTrainer):
    """GRPOTrainer that can be handed completions, and whose two halves of a step can be called one by one."""

    given: list[list[int]] | None = None
    """The completions of the next step; None samples them."""

    def _generate_single_turn(self, prompt_ids: list[list[int]], *args: Any, **kwargs: Any) -> Any:
        if self.given is None:
            return super()._generate_single_turn(prompt_ids, *args, **kwargs)
        return self.given, None

    def roll_out(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Prompts (every one G times, as TRL's sampler repeats them) to what the loss takes: tokens, pixels, advantages."""
        return self._generate_and_score_completions(list(rows))

    def loss(self, inputs: dict[str, Any]) -> Tensor:
        """Forward and loss over the whole batch, logging included."""
        return self.compute_loss(self.model, inputs)

    def _get_per_token_logps_and_entropies(self, *args: Any, **kwargs: Any) -> Any:
        found = super()._get_per_token_logps_and_entropies(*args, **kwargs)
        self.last_logprobs = found[0].detach()
        return found


def build(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    rows: Sequence[Row],
    reward: Callable[..., list[float | None]],
    folder: str,
    **config: Any,
) -> Trainer:
    """A trainer of a copy of `model` in training mode; `rows` is its data set, `config` overrides fields of `GRPOConfig`."""
    processor = copy.deepcopy(processor)
    processor.tokenizer.padding_side = "left"
    defaults: dict[str, Any] = {
        "learning_rate": 1e-6,
        "shuffle_dataset": False,
        "gradient_checkpointing": False,
        "bf16": False,
        "use_cpu": not torch.cuda.is_available(),
        "dataloader_pin_memory": False,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "loss_type": "dapo",
        "beta": 0.0,
        "temperature": 1.0,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = Trainer(
            model=copy.deepcopy(model),
            args=GRPOConfig(output_dir=folder, **(defaults | config)),
            train_dataset=Dataset.from_list(list(rows)),
            processing_class=processor,
            reward_funcs=reward,
        )
    trainer.model_wrapped.train()
    trainer.current_gradient_accumulation_steps = 1
    return trainer
