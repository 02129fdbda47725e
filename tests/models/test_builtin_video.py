"""The film model that comes with the package: small, of the real classes, loadable by name, and it looks at its films."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor, Qwen3VLForConditionalGeneration, Qwen3VLProcessor

from data_recipes.films import write_films
from vlrl import tasks
from vlrl.data import load_media, read_samples
from vlrl.evaluation.runner import evaluate
from vlrl.models.vlm import BUILT_IN, VLM, load
from vlrl.rollout.transformers_engine import TransformersEngine
from vlrl.types import Sample
from vlrl.video import Video, VideoLimits

FOLDER = BUILT_IN["tiny-video"]
MAX_BYTES = 2_500_000


@pytest.fixture(scope="module")
def vlm() -> VLM:
    return load("tiny-video")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    folder = tmp_path_factory.mktemp("films")
    rows = write_films(12, 5, folder / "few")
    (folder / "few.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_samples(folder / "few.jsonl")


def test_it_is_small_and_a_real_qwen3_vl(vlm: VLM) -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= MAX_BYTES
    assert type(vlm.model) is type(AutoModelForImageTextToText.from_pretrained(FOLDER)) is Qwen3VLForConditionalGeneration
    assert type(vlm.processor) is type(AutoProcessor.from_pretrained(FOLDER)) is Qwen3VLProcessor
    assert all(torch.isfinite(p).all() for p in vlm.model.parameters())


def test_it_knows_how_it_was_shown_films(vlm: VLM, samples: list[Sample]) -> None:
    assert vlm.video_limits == VideoLimits(fps=2, min_pixels=64 * 64, max_pixels=64 * 64)
    _, (film,) = load_media(samples[0], vlm.video_limits, vlm.frame_factor)
    assert isinstance(film, Video)
    assert film.frames_FHWC.shape == (16, 64, 64, 3)
    assert len(vlm.encode("", [film])) == 8 * (4 + 3) + 2  # eight pairs of frames, each with its time and two marks


def test_it_answers_in_form(vlm: VLM, samples: list[Sample]) -> None:
    """Well-formed answers are what the warm start has taught; how good they are is the study's matter (docs/video.md)."""
    rows = evaluate(samples, vlm, TransformersEngine(vlm, 8), "direct", max_prompt_length=256, batch_size=24)
    assert [row["score"]["failure"] for row in rows] == [None] * len(samples)
    assert [row["finish_reason"] for row in rows] == ["stop"] * len(samples)


def test_its_answers_come_from_the_frames(vlm: VLM, samples: list[Sample]) -> None:
    """The warm start's own convention, the last colour, holds for most films; for grey ones there is nothing to see."""
    task, engine = tasks.load("vqa"), TransformersEngine(vlm, 8)
    plain, blank = [], []
    for sample in samples[::2]:
        _, (film,) = load_media(sample, vlm.video_limits, vlm.frame_factor)
        assert isinstance(film, Video)
        question = task.prompt(sample.question, "direct", vlm.space)
        grey = replace(film, frames_FHWC=np.full_like(film.frames_FHWC, 128))
        plain.append(vlm.encode(question, [film]))
        blank.append(vlm.encode(question, [grey]))
    said, in_the_dark = (
        [completion.text for (completion,) in engine.generate(prompts, 1, 0.0, [0] * len(prompts))] for prompts in (plain, blank)
    )
    assert len(set(said)) >= 4
    assert len(set(in_the_dark)) <= 2
