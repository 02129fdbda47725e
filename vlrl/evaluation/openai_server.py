"""An OpenAI-compatible server answers benchmark rows: vLLM, SGLang, `transformers serve`, or a vendor's API.

Pictures travel as PNG in data URIs, so nothing is lost on the way; a video as its frames. The key is read from OPENAI_API_KEY.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
from PIL import Image

from vlrl.data import RowError, load_media
from vlrl.evaluation.generate import BAD_ROW, Reply, Request, Settings
from vlrl.geometry import CoordSpace
from vlrl.types import UserError
from vlrl.video import Video, VideoLimits

TIMEOUT_SECONDS = 600.0
RETRIES = 4
"""Of a request that timed out or met a busy server, with waits that grow (the openai package's)."""
FRAME_FACTOR = 28
"""Frames are resized to multiples of this, the grid of Qwen's models."""


class OpenAIServer:
    """`model` is the name the server knows; None asks the server, which must then serve just one."""

    space: CoordSpace | None = None

    def __init__(self, base_url: str, model: str | None, concurrency: int) -> None:
        key = os.environ.get("OPENAI_API_KEY", "none")
        self.client = openai.OpenAI(base_url=base_url, api_key=key, timeout=TIMEOUT_SECONDS, max_retries=RETRIES)
        self.base_url, self.concurrency = base_url, concurrency
        self.model = self._only_model() if model is None else model

    @property
    def identity(self) -> str:
        """The served name: a server tells no more about its weights."""
        return f"openai:{self.model}"

    @property
    def details(self) -> dict[str, Any]:
        return {"base_url": self.base_url, "packages": {"openai": openai.__version__}}

    def render(self, request: Request) -> str:
        """The messages as they are sent, of each picture only the beginning."""
        return re.sub(r"(base64,.{12})[^\"]+", r"\1...", json.dumps(_messages(request), indent=2, ensure_ascii=False))

    def answer(self, requests: Sequence[Request], settings: Settings) -> list[Reply]:
        with ThreadPoolExecutor(self.concurrency) as threads:
            return list(threads.map(lambda request: self._ask(request, settings), requests))

    def _ask(self, request: Request, settings: Settings) -> Reply:
        try:
            messages: list[Any] = _messages(request)
        except RowError as error:
            return Reply(None, failure=BAD_ROW, error=str(error))
        options: dict[str, Any] = {"max_tokens": settings.max_completion_length, "temperature": settings.temperature}
        if settings.temperature:
            options["seed"] = request.seed % 2**31
        try:
            found = self.client.chat.completions.create(model=self.model, messages=messages, **options, extra_body=settings.extra)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:  # of this row: too long, a picture refused
            return Reply(None, failure=BAD_ROW, error=f"the server refuses the row: {error.message}")
        except openai.OpenAIError as error:
            raise self._gone(error) from error
        choice = found.choices[0]
        return Reply(choice.message.content or "", choice.finish_reason)

    def _only_model(self) -> str:
        try:
            names = [model.id for model in self.client.models.list()]
        except openai.OpenAIError as error:
            raise self._gone(error) from error
        if len(names) != 1:
            raise UserError(f"{self.base_url} serves {len(names)} models; name one with --model: {', '.join(names[:10])}")
        return names[0]

    def _gone(self, error: openai.OpenAIError) -> UserError:
        reason = " ".join(str(error).split())
        mend = "see to the server, then give the same command with --resume: answers that are there are kept"
        return UserError(f"the server at {self.base_url} does not answer ({type(error).__name__}: {reason}); {mend}")


def _messages(request: Request) -> list[dict[str, Any]]:
    _, media = load_media(request.sample, VideoLimits(), FRAME_FACTOR)
    content = [_picture(image) for medium in media for image in _images(medium)]
    return [{"role": "user", "content": [*content, {"type": "text", "text": request.prompt}]}]


def _images(medium: Image.Image | Video) -> Sequence[Image.Image]:
    return [Image.fromarray(frame) for frame in medium.frames_FHWC] if isinstance(medium, Video) else [medium]


def _picture(image: Image.Image) -> dict[str, Any]:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    uri = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    return {"type": "image_url", "image_url": {"url": uri}}
