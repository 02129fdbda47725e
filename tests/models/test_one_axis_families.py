"""The families that count positions on one axis: what the wrapper gives is what transformers' own classes give."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tokenizers.processors import TemplateProcessing
from torch import Tensor
from toys import WORDS, picture
from transformers import AutoProcessor

from vlrl.models.tiny.toys_1d import FAMILIES, PATCH, TILE, build_toy
from vlrl.models.vlm import VLM, EncodedPrompt, load
from vlrl.rollout.transformers_engine import TransformersEngine
from vlrl.training.policy import Policy, collate
from vlrl.types import UserError
from vlrl.video import Video

QUESTION = "Give the box of the red cat"
SIZES: list[list[tuple[int, int]]] = [[(64, 64)], [(31, 90)], [(64, 48), (17, 33)], [(32, 32), (96, 32), (40, 80)], []]
SPACES = {"gemma3": "thousandths", "idefics3": "unit", "internvl": "thousandths", "llava_next": "unit"}
SPACES |= {"llava_onevision": "unit", "mistral3": "thousandths", "smolvlm": "unit"}


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    for part in build_toy(request.param, WORDS):
        part.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def vlm(folder: Path) -> VLM:
    return load(str(folder), "float32")


def pictures(sizes: list[tuple[int, int]]) -> list[Image.Image]:
    return [picture(*size, seed=seed) for seed, size in enumerate(sizes)]


def processor_inputs(folder: Path, images: list[Image.Image]) -> dict[str, Tensor]:
    """What the checkpoint's own processor makes of the same turn."""
    content: list[dict[str, Any]] = [*({"type": "image", "image": image} for image in images), {"type": "text", "text": QUESTION}]
    return AutoProcessor.from_pretrained(folder).apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )


@torch.no_grad()
def logits_of(vlm: VLM, encoded: EncodedPrompt) -> Tensor:
    inputs = vlm.text_inputs(encoded.input_ids_P[None], encoded.position_ids_AP[:, None], encoded.token_types_P[None])
    return vlm.model(**inputs, **vlm.media_batch([encoded])).logits


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_tokens_pixels_and_logits_are_the_models_own(folder: Path, vlm: VLM, sizes: list[tuple[int, int]]) -> None:
    images = pictures(sizes)
    encoded, expected = vlm.encode(QUESTION, images), processor_inputs(folder, images)
    assert encoded.input_ids_P.tolist() == expected["input_ids"][0].tolist()
    assert encoded.position_ids_AP.tolist() == [list(range(len(encoded)))]
    assert all(torch.equal(encoded.media[key], expected[key]) for key in encoded.media)
    assert bool(encoded.media) == bool(sizes) == bool(encoded.token_types_P.any())
    with torch.no_grad():
        torch.testing.assert_close(logits_of(vlm, encoded), vlm.model(**expected).logits, atol=1e-5, rtol=0)


@pytest.mark.parametrize("in_template", [True, False])
def test_a_token_of_the_beginning_stands_once(folder: Path, tmp_path: Path, in_template: bool) -> None:
    """Llama's, Mistral's and Gemma's tokenizers put one before every text, and their chat templates too."""
    shutil.copytree(folder, tmp_path / "copy")
    processor = AutoProcessor.from_pretrained(folder)
    start = "<|user|>" if in_template else "<think>"  # how the toy's template begins, or not
    single, ids = f"{start} $A", processor.tokenizer.convert_tokens_to_ids(start)
    processor.tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single=single, special_tokens=[(start, ids)])
    processor.tokenizer.bos_token = start
    processor.save_pretrained(tmp_path / "copy")
    encoded = load(str(tmp_path / "copy")).encode(QUESTION, [picture()])
    assert encoded.input_ids_P.tolist() == processor_inputs(tmp_path / "copy", [picture()])["input_ids"][0].tolist()
    assert encoded.input_ids_P.tolist().count(ids) == 1


def test_the_toy_is_small_and_its_space_is_declared(vlm: VLM) -> None:
    assert vlm.space == SPACES[vlm.model.config.model_type]
    assert sum(p.numel() for p in vlm.model.parameters()) < 200_000


def test_every_image_reaches_the_logits_in_its_place(vlm: VLM) -> None:
    sizes = [(64, 48), (17, 33)]
    first, second = pictures(sizes)
    logits = logits_of(vlm, vlm.encode(QUESTION, [first, second]))[0, -1]
    for others in ([picture(64, 48, 6), second], [first, picture(17, 33, 8)]):
        assert (logits_of(vlm, vlm.encode(QUESTION, others))[0, -1] - logits).abs().max() > 1e-4
    assert not torch.equal(logits_of(vlm, vlm.encode(QUESTION, [second, first]))[0, -1], logits)


def test_ragged_media_of_several_prompts_share_a_batch(vlm: VLM) -> None:
    """Each row of one batch equals the row alone: one image, three of different sizes, none, two."""
    prompts = [vlm.encode(QUESTION, pictures(sizes)) for sizes in (SIZES[0], SIZES[3], [], SIZES[2])]
    completions = [[3, 4, 5], [6], [7, 8], [9, 10, 11, 12]]
    policy = Policy(vlm, 0.9)
    with torch.no_grad():
        together = policy(collate(vlm, prompts, completions)).logprobs_BT
        for b, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
            alone = policy(collate(vlm, [prompt], [completion])).logprobs_BT[0]
            torch.testing.assert_close(together[b, : len(completion)], alone, atol=1e-5, rtol=0)


def test_rollouts_carry_the_probabilities_of_the_policy(vlm: VLM) -> None:
    """Prompts of different lengths in one batch, completions longer than Gemma's window."""
    prompts = [vlm.encode(QUESTION, pictures(sizes)) for sizes in SIZES]
    groups = TransformersEngine(vlm, 9).generate(prompts, 3, 1.0, range(len(prompts)))
    rows = [(prompt, completion) for prompt, group in zip(prompts, groups, strict=True) for completion in group]
    with torch.no_grad():
        stats = Policy(vlm, 1.0)(collate(vlm, [p for p, _ in rows], [c.token_ids for _, c in rows]))
    for row_T, (_, completion) in zip(stats.logprobs_BT, rows, strict=True):
        assert not {*vlm.banned_ids} & {*completion.token_ids}
        torch.testing.assert_close(row_T[: len(completion.logprobs)], torch.tensor(completion.logprobs), atol=1e-5, rtol=0)


def tokens(encoded: EncodedPrompt) -> int:
    return int((encoded.token_types_P == 1).sum())


@pytest.mark.parametrize("size", [(64, 64), (31, 90), (64, 48), (200, 20), (7, 9), (33, 31)], ids=str)
def test_processed_sizes_fit_the_tokens(vlm: VLM, size: tuple[int, int]) -> None:
    """The grid of tiles, or of patches, that the size implies has as many tokens as the prompt."""
    family = vlm.model.config.model_type
    encoded = vlm.encode(QUESTION, [picture(*size)])
    ((width, height),) = encoded.processed_sizes
    tiles = (width // TILE) * (height // TILE)
    if family in ("internvl", "idefics3", "smolvlm"):
        assert tokens(encoded) == 4 * (tiles + (tiles > 1))
        assert (width % TILE, height % TILE) == (0, 0)
    elif family == "mistral3":
        assert tokens(encoded) == (width // (2 * PATCH)) * (height // (2 * PATCH))
    elif family == "gemma3":
        assert (width, height, tokens(encoded)) == (TILE, TILE, 4)
    else:
        assert abs(width / height - size[0] / size[1]) <= size[0] / size[1] / min(width, height)
        assert max(width, height) <= 2 * TILE
        assert TILE in (width, height) or 2 * TILE in (width, height)


def test_each_image_has_its_size(vlm: VLM) -> None:
    sizes = SIZES[3]
    encoded = vlm.encode(QUESTION, pictures(sizes))
    assert len(encoded.processed_sizes) == len(sizes)
    if vlm.model.config.model_type != "llava_onevision":  # which cuts single images only
        assert encoded.processed_sizes == [vlm.encode(QUESTION, [image]).processed_sizes[0] for image in pictures(sizes)]
    else:
        assert encoded.processed_sizes == [(TILE, TILE), (TILE, 11), (16, TILE)]


def test_freezing_stops_the_vision_parts_and_nothing_else(folder: Path) -> None:
    vlm = load(str(folder), "float32")
    assert vlm.vision_is_trained()
    vlm.freeze_vision_tower()
    assert not vlm.vision_is_trained()
    parts = {name.split(".")[1] for name, p in vlm.model.named_parameters() if p.requires_grad}
    assert parts in ({"language_model"}, {"text_model"}, {"language_model", "weight"}, {"text_model", "weight"})


def test_placeholders_in_the_text_are_refused(vlm: VLM) -> None:
    assert len(vlm.banned_ids) >= 1
    assert vlm.model.config.image_token_id in vlm.banned_ids
    assert not {*vlm.banned_ids} & {*vlm.eos_ids, vlm.pad_id}
    for token in vlm.family.placeholders:
        with pytest.raises(UserError, match="which stands for pixels; take it out"):
            vlm.encode(f"what is {token}?", [picture()])


def test_pixels_and_placeholders_that_differ_are_told(vlm: VLM) -> None:
    one, two, none = (vlm.encode(QUESTION, pictures(sizes)) for sizes in (SIZES[0], SIZES[2], []))
    for broken in (replace(one, media={}), replace(none, media=one.media)):
        with pytest.raises(ValueError, match="placeholder tokens for pixel_values"):
            vlm.media_batch([broken])
    with pytest.raises(ValueError, match="do not match"):
        logits_of(vlm, replace(two, media=one.media))


def test_bounds_of_areas_are_refused(folder: Path) -> None:
    with pytest.raises(UserError, match=r"min_pixels and max_pixels: \w+ does not size images by their area; leave them out"):
        load(str(folder), max_pixels=1000)


def test_videos_are_refused(vlm: VLM) -> None:
    video = Video(np.zeros((2, 32, 32, 3), dtype=np.uint8), (0, 12), 24.0, 24, (32, 32))
    with pytest.raises(UserError, match=f"vlrl knows no video for {vlm.model.config.model_type} models; leave the row out"):
        vlm.encode(QUESTION, [video])
