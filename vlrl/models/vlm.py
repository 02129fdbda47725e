"""A vision-language model with everything the loop needs of it: load, encode a prompt, freeze, adapt, score tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
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
from vlrl.video import Video, VideoLimits

TINY = Path(__file__).parent / "tiny" / "weights"
BUILT_IN = {"tiny": TINY, "tiny-video": TINY.parent / "video_weights"}
"""The models that come with the package, by name."""
VIDEO_LIMITS = "video_limits.json"
"""The file of a checkpoint folder that says how its model was shown videos."""


@dataclass(frozen=True)
class EncodedPrompt:
    """One prompt as the model reads it; shared by all of its completions.

    `input_ids_P` [P] and `position_ids_AP` [axes, P] include the placeholder tokens of images and videos, `token_types_P` tells
    them (1 and 2) from text (0); `media` holds the pixel tensors, `processed_sizes` the images' (width, height) in pixels after
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

    def __init__(
        self, model: PreTrainedModel, processor: ProcessorMixin, family: Family, video_limits: VideoLimits | None = None
    ) -> None:
        self.model, self.processor, self.family = model, processor, family
        self.video_limits = video_limits or VideoLimits()
        if family.reads_video:
            processor.video_processor.cap_pixels_per_frame = (
                True  # what qwen-vl-utils means, for others who load a saved checkpoint
            )
        tokenizer = processor.tokenizer
        known = tokenizer.get_vocab()
        self.banned_ids: list[int] = [known[token] for token in family.placeholders if token in known]
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

    @property
    def frame_factor(self) -> int:
        """Sides of a video's frames in pixels are multiples of this: `factor` of `vlrl.video.frame_size`."""
        if not self.family.reads_video:
            return 1
        video = self.processor.video_processor
        return video.patch_size * video.merge_size

    def encode(self, text: str, media: Sequence[Image.Image | Video]) -> EncodedPrompt:
        """The user turn `media` then `text`, in the model's chat template, up to where the assistant begins.

        The frames of a video are taken as they are (`vlrl.data.video.load_video` made them fit `video_limits`), with their times.
        Raises UserError when the text holds a placeholder token, the family reads no video, or the processor refuses an image
        (Qwen: aspect ratio above 200).
        """
        for token in self.family.placeholders:
            if token in text:
                raise UserError(f"the text holds {token}, which stands for pixels; take it out")
        videos = [item for item in media if isinstance(item, Video)]
        self._check_videos(videos)
        images = [item for item in media if not isinstance(item, Video)]
        prompt = self._prompt(text, media)
        bos = self.processor.tokenizer.bos_token
        begun = bos is not None and prompt.startswith(bos)  # by the chat template; the tokenizer would write it again
        try:
            inputs = self.processor(
                text=[prompt],
                images=[images] if images else None,
                videos=[torch.from_numpy(video.frames_FHWC).permute(0, 3, 1, 2) for video in videos] or None,
                videos_kwargs=self._video_options(videos) if videos else {},
                add_special_tokens=not begun,
                return_tensors="pt",
            )
        except ValueError as error:
            raise UserError(f"the processor refuses the image: {error}; resize the image, or leave the row out") from error
        features = {**inputs, "mm_token_type_ids": self._token_types(inputs["input_ids"])}
        return EncodedPrompt(
            text=prompt,
            input_ids_P=features["input_ids"][0],
            position_ids_AP=self.family.position_ids(self.base, features),
            token_types_P=features["mm_token_type_ids"][0],
            media={key: features[key] for key in self.family.media_keys if key in features},
            processed_sizes=self.family.processed_sizes(self.processor, features, [image.size for image in images]),
        )

    def _token_types(self, input_ids: Tensor) -> Tensor:
        """1 for placeholders that an image's features replace, 2 for a video's, 0 for text."""
        config = self.base.config
        types = (input_ids == config.image_token_id).long()
        video_id = getattr(config, "video_token_id", None)
        return types if video_id is None else types + 2 * (input_ids == video_id)

    def _check_videos(self, videos: Sequence[Video]) -> None:
        if videos and not self.family.reads_video:
            what = f"vlrl knows no video for {self.base.config.model_type} models"
            raise UserError(f"{what}; leave the row out, or train a model of the Qwen-VL families")
        for video in videos:
            if any(side % self.frame_factor for side in video.size):
                what = f"the frames of a video are {video.size[0]} x {video.size[1]} pixels, no multiples of {self.frame_factor}"
                raise UserError(f"{what}; let load_video resize them")

    def _prompt(self, text: str, media: Sequence[Image.Image | Video]) -> str:
        parts: list[Any] = [{"type": "video" if isinstance(item, Video) else "image"} for item in media]
        messages: list[Any] = [{"role": "user", "content": [*parts, {"type": "text", "text": text}]}]
        prompt = self.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        return prompt.replace(*self.family.video_markup) if self.family.video_markup else prompt

    def _video_options(self, videos: Sequence[Video]) -> dict[str, Any]:
        """The processor neither samples nor resizes: both have been done. The times reach it as places in the source."""
        times = [{"fps": video.fps, "total_num_frames": video.total, "frames_indices": list(video.indices)} for video in videos]
        return {"do_sample_frames": False, "do_resize": False, "video_metadata": times}

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of sampled tokens without the end; box and point tokens stay, because they are the answer."""
        hidden = {*self.eos_ids, self.pad_id}
        return self.processor.tokenizer.decode([t for t in token_ids if t not in hidden], skip_special_tokens=False)

    def media_batch(self, prompts: Sequence[EncodedPrompt]) -> dict[str, Tensor]:
        """The pixel tensors of several prompts as one batch on the model's device; empty when none has an image or a video.

        Raises ValueError when a prompt's pixels do not fill its placeholder tokens: what they stand for would be lost silently.
        """
        for prompt in prompts:
            self._check_placeholders(prompt)
        keys = [key for key in self.family.media_keys if any(key in prompt.media for prompt in prompts)]
        return {key: _concatenate([p.media[key] for p in prompts if key in p.media]).to(self.device) for key in keys}

    def text_inputs(
        self, input_ids_BL: Tensor, position_ids_ABL: Tensor, token_types_BL: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The arguments of the model's forward that say what stands where, in its own words: one axis of positions is [B, L]."""
        position_ids = position_ids_ABL[0] if len(position_ids_ABL) == 1 else position_ids_ABL
        inputs = {"input_ids": input_ids_BL, "position_ids": position_ids}
        if token_types_BL is not None and self.family.token_types_key:
            inputs[self.family.token_types_key] = token_types_BL
        return inputs

    def _check_placeholders(self, prompt: EncodedPrompt) -> None:
        found = tuple(int((prompt.token_types_P == kind).sum()) for kind in (1, 2))
        if self.family.feature_counts is not None:
            expected = self.family.feature_counts(self.processor, prompt.media)
            if found != expected:
                raise ValueError(f"{found} placeholder tokens of images and videos, but pixels for {expected}")
        for count, key in zip(found, ("pixel_values", "pixel_values_videos"), strict=True):
            if bool(count) != (key in prompt.media):
                raise ValueError(f"{count} placeholder tokens for {key}, which the prompt {'lacks' if count else 'has'}")

    def freeze_vision_tower(self) -> None:
        """Stop the gradients of the family's vision modules. Raises UserError when the model lacks one of them."""
        for module in self.family.vision_modules:
            found = [p for name, p in self.base.named_parameters() if name == module or name.startswith(f"{module}.")]
            if not found:
                raise UserError(f"freeze_vision_tower: {type(self.model).__name__} has no module {module!r}")
            for parameter in found:
                parameter.requires_grad_(False)

    def vision_parameters(self) -> list[nn.Parameter]:
        """The weights that the features of images and videos depend on."""
        parts = tuple(f"{name}." for name in self.family.vision_modules)
        return [p for name, p in self.base.named_parameters() if f"{name}.".startswith(parts)]

    def vision_is_trained(self) -> bool:
        """Whether any of the `vision_parameters` is trainable."""
        return any(p.requires_grad for p in self.vision_parameters())

    def save(self, folder: Path) -> None:
        """Write an ordinary checkpoint that `from_pretrained` and `AutoProcessor` load."""
        logging.disable_progress_bar()
        self.model.save_pretrained(folder)
        logging.enable_progress_bar()
        self.processor.save_pretrained(folder)
        if self.family.reads_video:
            (folder / VIDEO_LIMITS).write_text(json.dumps(asdict(self.video_limits), indent=2) + "\n")


def _concatenate(tensors: Sequence[Tensor]) -> Tensor:
    """Along dimension 0, with zeros behind the ends of tensors that are shorter in another one."""
    largest = [max(sizes) for sizes in zip(*(tensor.shape[1:] for tensor in tensors), strict=True)]
    padded = []
    for tensor in tensors:
        missing = [size - own for size, own in zip(largest, tensor.shape[1:], strict=True)]
        padded.append(F.pad(tensor, [n for size in reversed(missing) for n in (0, size)]) if any(missing) else tensor)
    return torch.cat(padded)


def load(
    name_or_path: str,
    dtype: str = "auto",
    attn_implementation: str = "sdpa",
    min_pixels: int | None = None,
    max_pixels: int | None = None,
    video_limits: VideoLimits | None = None,
) -> VLM:
    """Load a checkpoint folder, hub name or LoRA adapter folder; `tiny` and `tiny-video` come with the package.

    `min_pixels` / `max_pixels` bound the area in pixels that an image is resized to, `video_limits` the frames of a video; None
    takes what the checkpoint was trained with (`video_limits.json` in its folder), else the defaults of `VideoLimits`.
    Raises UserError, naming the mend, when there is no such checkpoint or its model type has no family.
    """
    path = BUILT_IN.get(name_or_path, Path(name_or_path))
    if video_limits is not None:
        video_limits.check()
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
    return VLM(model.eval(), processor, family, video_limits or _saved_limits(path))


def _saved_limits(folder: Path) -> VideoLimits:
    file = folder / VIDEO_LIMITS
    return VideoLimits(**json.loads(file.read_text())) if file.is_file() else VideoLimits()


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
    if min_pixels is None and max_pixels is None:
        return
    size = processor.image_processor.size
    if not {"shortest_edge", "longest_edge"} <= {key for key, value in dict(size).items() if value}:
        what = f"{type(processor.image_processor).__name__} does not size images by their area"
        raise UserError(f"min_pixels and max_pixels: {what}; leave them out")
    low, high = min_pixels or size["shortest_edge"], max_pixels or size["longest_edge"]
    if low > high:
        raise UserError(f"min_pixels is {low}, more than max_pixels, which is {high}; set both, in pixels of image area")
    size["shortest_edge"], size["longest_edge"] = low, high
