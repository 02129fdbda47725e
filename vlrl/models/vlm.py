"""A vision-language model with everything the loop needs of it: load, encode a prompt, freeze, adapt, score tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from PIL import Image
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor, PreTrainedModel, ProcessorMixin
from transformers.utils import logging

from vlrl.geometry import CoordSpace
from vlrl.models import families
from vlrl.models.families import Family
from vlrl.types import UserError

TINY = Path(__file__).parent / "tiny" / "weights"


@dataclass(frozen=True)
class EncodedPrompt:
    """One prompt as the model reads it; shared by all of its completions.

    `input_ids_P` [P] and `position_ids_AP` [axes, P] include the images' placeholder tokens, `token_types_P` tells them from
    text; `media` holds the pixel tensors of this prompt's images, `processed_sizes` their (width, height) in pixels after
    resizing.
    """

    text: str
    input_ids_P: Tensor
    position_ids_AP: Tensor
    token_types_P: Tensor
    media: dict[str, Tensor]
    processed_sizes: list[tuple[int, int]]

    def __len__(self) -> int:
        return len(self.input_ids_P)


class VLM:
    """A checkpoint, its processor and its family. `banned_ids` are the placeholder tokens, never to be sampled."""

    def __init__(self, model: PreTrainedModel, processor: ProcessorMixin, family: Family) -> None:
        self.model, self.processor, self.family = model, processor, family
        tokenizer = processor.tokenizer
        self.banned_ids: list[int] = [tokenizer.convert_tokens_to_ids(token) for token in family.placeholders]
        eos = model.generation_config.eos_token_id
        self.eos_ids: list[int] = eos if isinstance(eos, list) else [tokenizer.eos_token_id if eos is None else eos]
        self.pad_id: int = self.eos_ids[0] if tokenizer.pad_token_id is None else tokenizer.pad_token_id

    @property
    def space(self) -> CoordSpace:
        """The coordinate space that the model answers in."""
        return self.family.space

    @property
    def device(self) -> torch.device:
        return self.model.device

    def to(self, device: torch.device | str) -> None:
        """Move the weights."""
        nn.Module.to(self.model, device)

    @property
    def base(self) -> PreTrainedModel:
        """The checkpoint's own model, without a LoRA wrapper."""
        return self.model.get_base_model() if isinstance(self.model, PeftModel) else self.model

    def encode(self, text: str, images: Sequence[Image.Image]) -> EncodedPrompt:
        """The user turn `images` then `text`, in the model's chat template, up to where the assistant begins.

        Raises UserError when the text holds a placeholder token, or the processor refuses an image (Qwen: aspect ratio above
        200).
        """
        for token in self.family.placeholders:
            if token in text:
                raise UserError(f"the text holds {token}, which stands for pixels; take it out")
        content: list[Any] = [*({"type": "image"} for _ in images), {"type": "text", "text": text}]
        messages: list[Any] = [{"role": "user", "content": content}]
        prompt = self.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        try:
            inputs = self.processor(text=[prompt], images=list(images) or None, return_tensors="pt")
        except ValueError as error:
            raise UserError(f"the processor refuses the image: {error}; resize the image, or leave the row out") from error
        features = {"mm_token_type_ids": torch.zeros_like(inputs["input_ids"]), **inputs}
        return EncodedPrompt(
            text=prompt,
            input_ids_P=features["input_ids"][0],
            position_ids_AP=self.family.position_ids(self.base, features),
            token_types_P=features["mm_token_type_ids"][0],
            media={key: features[key] for key in self.family.media_keys if key in features},
            processed_sizes=self.family.processed_sizes(self.processor, features),
        )

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of sampled tokens without the end; box and point tokens stay, because they are the answer."""
        hidden = {*self.eos_ids, self.pad_id}
        return self.processor.tokenizer.decode([t for t in token_ids if t not in hidden], skip_special_tokens=False)

    def media_batch(self, prompts: Sequence[EncodedPrompt]) -> dict[str, Tensor]:
        """The pixel tensors of several prompts as one batch on the model's device; empty when none has an image."""
        keys = [key for key in self.family.media_keys if any(key in prompt.media for prompt in prompts)]
        return {key: torch.cat([p.media[key] for p in prompts if key in p.media]).to(self.device) for key in keys}

    def freeze_vision_tower(self) -> None:
        """Stop the gradients of the family's vision modules. Raises UserError when the model lacks one of them."""
        for name in self.family.vision_modules:
            try:
                self.base.get_submodule(name).requires_grad_(False)
            except AttributeError as error:
                raise UserError(f"freeze_vision_tower: {type(self.model).__name__} has no module {name!r}") from error

    def save(self, folder: Path) -> None:
        """Write an ordinary checkpoint that `from_pretrained` and `AutoProcessor` load."""
        logging.disable_progress_bar()
        self.model.save_pretrained(folder)
        logging.enable_progress_bar()
        self.processor.save_pretrained(folder)


def load(
    name_or_path: str,
    dtype: str = "auto",
    attn_implementation: str = "sdpa",
    min_pixels: int | None = None,
    max_pixels: int | None = None,
) -> VLM:
    """Load a checkpoint folder, hub name or LoRA adapter folder; `tiny` is the model that comes with the package.

    `min_pixels` / `max_pixels` bound the area in pixels that an image is resized to. Raises UserError, naming the mend, when
    there is no such checkpoint or its model type has no family.
    """
    path = Path(TINY if name_or_path == "tiny" else name_or_path)
    _check_folder(path, name_or_path)
    adapter = path / "adapter_config.json"
    base = json.loads(adapter.read_text())["base_model_name_or_path"] if adapter.is_file() else str(path)
    family = families.load(_model_type(base, name_or_path))
    try:
        model: Any = AutoModelForImageTextToText.from_pretrained(base, dtype=dtype, attn_implementation=attn_implementation)
        processor = AutoProcessor.from_pretrained(base)
        if adapter.is_file():
            model = PeftModel.from_pretrained(model, str(path))
    except (OSError, ValueError, RuntimeError, ImportError, SafetensorError) as error:
        raise UserError(f"the checkpoint {name_or_path!r} cannot be loaded: {_first_line(error)}; is it complete?") from error
    _limit_pixels(processor, min_pixels, max_pixels)
    return VLM(model.eval(), processor, family)


def _check_folder(path: Path, name: str) -> None:
    """A name that no hub repository can have must be a folder: the hub is not asked for it."""
    local = path.is_absolute() or name.startswith((".", "~")) or len(path.parts) > 2
    if local and not path.is_dir():
        raise UserError(f"no checkpoint at {name!r}: there is no such folder; give a checkpoint folder, a hub name, or `tiny`")


def _model_type(base: str, name: str) -> str:
    mend = "give a checkpoint folder, a hub name, or `tiny`"
    try:
        return AutoConfig.from_pretrained(base).model_type
    except (OSError, ValueError) as error:
        raise UserError(f"no checkpoint at {name!r}: {_first_line(error)}; {mend}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".:;")


def _limit_pixels(processor: Any, min_pixels: int | None, max_pixels: int | None) -> None:
    size = processor.image_processor.size
    low, high = min_pixels or size["shortest_edge"], max_pixels or size["longest_edge"]
    if low > high:
        raise UserError(f"min_pixels is {low}, more than max_pixels, which is {high}; set both, in pixels of image area")
    size["shortest_edge"], size["longest_edge"] = low, high


def token_logprobs(
    hidden_NH: Tensor, head: nn.Module, targets_N: Tensor, temperature: float, banned: list[int]
) -> tuple[Tensor, Tensor]:
    """Log-probability of each target token and entropy of its distribution (no gradient), both [N] in float32, nats.

    logits / temperature, the `banned` tokens at -inf, as in sampling, so that sampling and training agree.
    """
    logits_NV = head(hidden_NH).float() / temperature
    logits_NV[:, banned] = float("-inf")
    logprobs_NV = logits_NV.log_softmax(-1)
    target_logprobs_N = logprobs_NV.gather(1, targets_N[:, None])[:, 0]
    entropies_N = torch.special.entr(logprobs_NV.detach().exp()).sum(-1)
    return target_logprobs_N, entropies_N
