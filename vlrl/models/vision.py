"""Images and videos through the vision tower: once per prompt and pass, and only once at all while the tower is frozen.

A prompt's features are what the model's own `get_image_features` / `get_video_features` return (Qwen3-VL: with the deepstack
levels). Several prompts' features are joined in the prompts' order and handed to the model's forward as `mm_encoder_outputs`; the
model itself raises when the number of features differs from the number of placeholder tokens.
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.utils import ModelOutput

from vlrl.models.vlm import VLM, EncodedPrompt

Features = dict[str, ModelOutput]
"""By kind, `image` and `video`: what the model's `get_<kind>_features` returned."""

PIXELS = {"image": "pixel_values", "video": "pixel_values_videos"}


class VisionEncoder:
    """The vision tower of `vlm` as the passes of a step call it.

    While no weight of the tower (projector included) is trained, the features of a prompt are kept until `forget` and shared by
    every pass; `max_bytes` bounds what is kept, the longest unused go first. Otherwise every call computes them anew: also where
    the tower's weights are split over processes (`together`), which then have to call it equally often.
    """

    def __init__(self, vlm: VLM, max_bytes: int = 0, together: bool = False) -> None:
        self.vlm, self.max_bytes, self.together = vlm, max_bytes, together
        self._kept: OrderedDict[int, tuple[EncodedPrompt, Features]] = OrderedDict()
        self._bytes = 0

    def features(self, prompts: Sequence[EncodedPrompt]) -> Features:
        """The joined features of `prompts`, one entry per kind of media that they hold; a prompt without media adds nothing."""
        with_media = [prompt for prompt in prompts if prompt.media]
        if not with_media:
            return {}
        if self.together or self.vlm.vision_is_trained():
            return join([self._compute(with_media)])
        return join([self._look_up(prompt) for prompt in with_media])

    def forget(self) -> None:
        """Drop all that is kept."""
        self._kept.clear()
        self._bytes = 0

    def _look_up(self, prompt: EncodedPrompt) -> Features:
        if id(prompt) not in self._kept:
            with torch.no_grad():
                found = join([self._compute([prompt])])
            self._kept[id(prompt)] = (prompt, found)
            self._bytes += _bytes(found)
            while self._bytes > self.max_bytes:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._bytes -= _bytes(dropped)
            return found
        self._kept.move_to_end(id(prompt))
        return self._kept[id(prompt)][1]

    def _compute(self, prompts: Sequence[EncodedPrompt]) -> Features:
        """One call of the tower for each kind of media, over all prompts."""
        core, media = self.vlm.base.model, self.vlm.media_batch(prompts)
        return {kind: _call(getattr(core, f"get_{kind}_features"), media) for kind, key in PIXELS.items() if key in media}


def _call(encode: Callable[..., Any], media: dict[str, Tensor]) -> ModelOutput:
    accepted = inspect.signature(encode).parameters
    return encode(**{key: value for key, value in media.items() if key in accepted}, return_dict=True)


def join(features: Sequence[Features]) -> Features:
    """Features of several prompts as of one: sequences are concatenated, tensors along dimension 0, deepstack level by level."""
    joined = {}
    for kind in PIXELS:
        outputs = [found[kind] for found in features if kind in found]
        if outputs:
            joined[kind] = ModelOutput({key: _join([o[key] for o in outputs]) for key in KEYS if key in outputs[0]})
    return joined


KEYS = ("pooler_output", "deepstack_features")
"""What the models read of a tower's output; hidden states of its layers are not kept."""


def _join(values: Sequence[Any]) -> Any:
    if isinstance(values[0], Tensor):
        return torch.cat(list(values))
    if len(values[0]) and not isinstance(values[0][0], Tensor):
        return [_join(level) for level in zip(*values, strict=True)]
    return [item for value in values for item in value]


def _bytes(features: Features) -> int:
    return sum(tensor.nbytes for output in features.values() for tensor in _tensors(list(output.values())))


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    else:
        for item in value:
            yield from _tensors(item)
