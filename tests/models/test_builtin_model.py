"""The model that comes with the package: small, of the real classes, and loadable by name."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor, Qwen3VLForConditionalGeneration, Qwen3VLProcessor

from data_recipes.quickstart import OUT_DIR as DATA
from vlrl.data import read_samples
from vlrl.evaluation.runner import evaluate
from vlrl.models.vlm import TINY, VLM, load
from vlrl.rollout.transformers_engine import TransformersEngine

pytestmark = pytest.mark.skipif(
    not (TINY / "config.json").is_file(), reason="the built-in model is not built: run scripts/build_tiny_model.py"
)

MAX_PARAMETERS = 4_000_000
MAX_BYTES = 10_000_000


@pytest.fixture(scope="module")
def vlm() -> VLM:
    return load("tiny")


def test_it_is_small(vlm: VLM) -> None:
    assert sum(p.numel() for p in vlm.model.parameters()) <= MAX_PARAMETERS
    assert sum(path.stat().st_size for path in TINY.rglob("*")) <= MAX_BYTES


def test_it_is_a_real_qwen3_vl(vlm: VLM) -> None:
    assert type(vlm.model) is type(AutoModelForImageTextToText.from_pretrained(TINY)) is Qwen3VLForConditionalGeneration
    assert type(vlm.processor) is type(AutoProcessor.from_pretrained(TINY)) is Qwen3VLProcessor
    assert vlm.space == "thousandths"
    assert all(torch.isfinite(p).all() for p in vlm.model.parameters())


@pytest.mark.parametrize("name", ["gui", "grounding"])
def test_it_answers_the_quickstart_rows(vlm: VLM, name: str) -> None:
    """Well-formed answers are what the warm start has taught; how good they are is the quickstart's matter."""
    samples = read_samples(DATA / f"{name}_heldout.jsonl")[:8]
    rows = evaluate(samples, vlm, TransformersEngine(vlm, 16), "direct", max_prompt_length=256, batch_size=8)
    assert [row["score"]["failure"] for row in rows] == [None] * 8
    assert [row["finish_reason"] for row in rows] == ["stop"] * 8
