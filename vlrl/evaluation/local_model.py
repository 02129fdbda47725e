"""A checkpoint in this process answers benchmark rows."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch
import transformers

from vlrl.data import RowError, load_media
from vlrl.evaluation.generate import BAD_ROW, Reply, Request, Settings
from vlrl.evaluation.prepare import processed_size
from vlrl.geometry import CoordSpace
from vlrl.logs import CONFIG_FILE, RunFolder
from vlrl.models import vlm as models
from vlrl.models.vlm import VLM, EncodedPrompt
from vlrl.rollout.transformers_engine import TransformersEngine
from vlrl.types import UserError

REPEATED = re.compile(r"(<[a-zA-Z_|]+>)\1+")


class LocalModel:
    """The model of a checkpoint folder, hub name, LoRA adapter, run folder, or `tiny`; `options` go to `models.load`."""

    def __init__(self, name: str, **options: Any) -> None:
        self.vlm = models.load(checkpoint_of(name), **options)
        self.vlm.to("cuda" if torch.cuda.is_available() else "cpu")
        self.identity = _fingerprint(self.vlm)

    @property
    def space(self) -> CoordSpace:
        return self.vlm.space

    @property
    def details(self) -> dict[str, Any]:
        """`pixel_limits` are [least, most] pixels of an image's area, None where the processor has another rule."""
        size = dict(getattr(self.vlm.processor.image_processor, "size", None) or {})
        limits = [size.get("shortest_edge"), size.get("longest_edge")]
        return {
            "model_type": self.vlm.model.config.model_type,
            "dtype": str(next(self.vlm.model.parameters()).dtype).removeprefix("torch."),
            "device": self.vlm.device.type,
            "pixel_limits": limits if all(limits) else None,
            "video_limits": asdict(self.vlm.video_limits),
            "packages": {"torch": torch.__version__, "transformers": transformers.__version__},
        }

    def render(self, request: Request) -> str:
        """The prompt as the model reads it, special tokens and all; a run of the same one is written once, with its number."""
        _, media = load_media(request.sample, self.vlm.video_limits, self.vlm.frame_factor)
        text = self.vlm.processor.tokenizer.decode(self.vlm.encode(request.prompt, media).input_ids_P)
        return REPEATED.sub(lambda run: f"{run[1]} (x {len(run[0]) // len(run[1])})", text)

    def answer(self, requests: Sequence[Request], settings: Settings) -> list[Reply]:
        """Rows whose media are broken or whose prompt is too long get a reply that says so."""
        encoded = [self._encode(request, settings) for request in requests]
        usable = [(item, request.seed) for item, request in zip(encoded, requests, strict=True) if not isinstance(item, Reply)]
        engine = TransformersEngine(self.vlm, settings.max_completion_length)
        prompts, seeds = [prompt for (prompt, _), _ in usable], [seed for _, seed in usable]
        completions = iter(engine.generate(prompts, 1, settings.temperature, seeds) if usable else [])
        replies = []
        for item in encoded:
            if isinstance(item, Reply):
                replies.append(item)
            else:
                completion = next(completions)[0]
                replies.append(Reply(completion.text, completion.finish_reason, item[1]))
        return replies

    def _encode(self, request: Request, settings: Settings) -> tuple[EncodedPrompt, list[int] | None] | Reply:
        """The prompt, and the size as the model sees it of the medium that holds the gold."""
        try:
            sample, media = load_media(request.sample, self.vlm.video_limits, self.vlm.frame_factor)
            encoded = self.vlm.encode(request.prompt, media)
        except (RowError, UserError) as error:
            return Reply(None, failure=BAD_ROW, error=str(error))
        if len(encoded) > settings.max_prompt_length:
            what = f"the prompt has {len(encoded)} tokens, more than max_prompt_length {settings.max_prompt_length}"
            return Reply(None, failure=BAD_ROW, error=what)
        return encoded, list(processed_size(sample, media, encoded)) if media else None


def checkpoint_of(model: str) -> str:
    """A run folder stands for the model in its newest checkpoint."""
    folder = RunFolder(model)
    if not (folder.path / CONFIG_FILE).is_file():
        return model
    newest = folder.latest_checkpoint()
    if newest is None:
        raise UserError(f"{model}: is a run folder without a complete checkpoint; wait for one, or name a checkpoint folder")
    return str(newest / "model")


def _fingerprint(vlm: VLM) -> str:
    """Of the weights' names, types, shapes and first and last numbers, and of how media are prepared."""
    processor = vlm.processor
    prepared = [processor.image_processor.to_dict(), processor.chat_template, asdict(vlm.video_limits)]
    digest = hashlib.sha256(json.dumps(prepared, sort_keys=True, default=str).encode())
    for name, tensor in sorted(vlm.model.state_dict().items()):
        ends = torch.cat([tensor.flatten()[:64], tensor.flatten()[-64:]]).float().cpu() if tensor.numel() else torch.zeros(0)
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode() + ends.numpy().tobytes())
    return digest.hexdigest()[:16]
