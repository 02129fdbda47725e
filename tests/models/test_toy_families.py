"""Every family at toy size, from its files to its tokens: what the wrapper gives is what transformers' own classes give."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor
from toys import SHAPE, picture, save_toy
from transformers import AutoModelForImageTextToText, AutoProcessor

from vlrl.models import families
from vlrl.models.tiny.build import FAMILIES, build_toy
from vlrl.models.vlm import VLM, EncodedPrompt, load
from vlrl.types import UserError

SPACES = {"qwen2_vl": "thousandths", "qwen2_5_vl": "processed", "qwen3_vl": "thousandths", "qwen3_vl_moe": "thousandths"}
QUESTION = "Give the box of the red cat"
ODD_SIZES = [(64, 64), (31, 17), (100, 7), (3, 5), (1, 1), (199, 1), (45, 90)]
PATCH = SHAPE.patch_size * SHAPE.spatial_merge_size
"""Side in pixels of the square that becomes one token."""


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_toy(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def vlm(folder: Path) -> VLM:
    return load(str(folder))


def processor_inputs(folder: Path, images: list[Image.Image], text: str = QUESTION) -> dict[str, Tensor]:
    """What the checkpoint's own processor makes of the same turn."""
    content: list[dict[str, Any]] = [*({"type": "image", "image": image} for image in images), {"type": "text", "text": text}]
    return AutoProcessor.from_pretrained(folder).apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )


def logits_of(vlm: VLM, encoded: EncodedPrompt) -> Tensor:
    with torch.no_grad():
        return vlm.model(
            input_ids=encoded.input_ids_P[None],
            position_ids=encoded.position_ids_AP[:, None],
            mm_token_type_ids=encoded.token_types_P[None],
            **vlm.media_batch([encoded]),
        ).logits


def test_a_saved_checkpoint_gives_identical_logits(folder: Path, vlm: VLM) -> None:
    built, _ = build_toy(vlm.model.config.model_type, ["Give the click point", "Give the box"], shape=SHAPE)
    assert type(built) is type(AutoModelForImageTextToText.from_pretrained(folder)) is type(vlm.model)
    inputs = processor_inputs(folder, [picture()])
    again = AutoModelForImageTextToText.from_pretrained(folder)
    vlm.save(folder / "again")
    third = load(str(folder / "again"))
    with torch.no_grad():
        expected = vlm.model(**inputs).logits
        assert torch.equal(again(**inputs).logits, expected)
        assert torch.equal(third.model(**inputs).logits, expected)


def test_built_and_loaded_are_the_same_model(tmp_path: Path, folder: Path) -> None:
    family = json.loads((folder / "config.json").read_text())["model_type"]
    model, processor = build_toy(family, [QUESTION], shape=SHAPE, seed=3)
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    inputs = processor_inputs(tmp_path, [picture(70, 50)])
    with torch.no_grad():
        assert torch.equal(AutoModelForImageTextToText.from_pretrained(tmp_path)(**inputs).logits, model(**inputs).logits)


def test_the_family_declares_its_space(vlm: VLM) -> None:
    assert vlm.space == SPACES[vlm.model.config.model_type]
    assert set(SPACES) == set(FAMILIES)


@pytest.mark.parametrize("sizes", [[(64, 64)], [(31, 90)], [(64, 48), (17, 33)], []], ids=str)
def test_tokens_and_positions_are_the_models_own(folder: Path, vlm: VLM, sizes: list[tuple[int, int]]) -> None:
    images = [picture(*size) for size in sizes]
    encoded, expected = vlm.encode(QUESTION, images), processor_inputs(folder, images)
    assert encoded.input_ids_P.tolist() == expected["input_ids"][0].tolist()
    assert encoded.text.count("<|image_pad|>") == len(sizes)
    if sizes:
        assert encoded.token_types_P.tolist() == expected["mm_token_type_ids"][0].tolist()
        assert all(torch.equal(encoded.media[key], expected[key]) for key in ("pixel_values", "image_grid_thw"))
        positions, _ = vlm.model.model.get_rope_index(
            expected["input_ids"], expected["mm_token_type_ids"], image_grid_thw=expected["image_grid_thw"]
        )
        assert torch.equal(encoded.position_ids_AP, positions[:, 0])
    else:
        assert encoded.media == {}
    with torch.no_grad():  # here the model works out its positions by itself
        torch.testing.assert_close(logits_of(vlm, encoded), vlm.model(**expected).logits, atol=1e-6, rtol=0)


def test_the_image_reaches_the_logits(vlm: VLM) -> None:
    one, other = (logits_of(vlm, vlm.encode(QUESTION, [picture(seed=seed)])) for seed in (0, 3))
    assert (one[0, -1] - other[0, -1]).abs().max() > 1e-4


@pytest.mark.parametrize(
    "bounds", [{}, {"max_pixels": 1024}, {"min_pixels": 9000}, {"min_pixels": 2000, "max_pixels": 3000}], ids=str
)
def test_processed_sizes_are_what_the_processor_made(folder: Path, bounds: dict[str, int]) -> None:
    vlm = load(str(folder), **bounds)
    for size in ODD_SIZES:
        encoded = vlm.encode(QUESTION, [picture(*size)])
        ((width, height),) = encoded.processed_sizes
        grid = encoded.media["image_grid_thw"][0]
        assert (width, height) == (int(grid[2]) * SHAPE.patch_size, int(grid[1]) * SHAPE.patch_size)
        assert width % PATCH == height % PATCH == 0
        assert int((encoded.token_types_P == 1).sum()) == (width // PATCH) * (height // PATCH)
        assert len(encoded.media["pixel_values"]) == (width // SHAPE.patch_size) * (height // SHAPE.patch_size)
        slack = PATCH * max(width, height)  # sides are rounded to whole tokens
        assert width * height <= bounds.get("max_pixels", 1 << 30) + slack
        assert width * height >= bounds.get("min_pixels", 0)


def test_pixel_bounds_that_exclude_each_other(folder: Path) -> None:
    with pytest.raises(UserError, match="min_pixels is 9000, more than max_pixels, which is 1000; set both"):
        load(str(folder), min_pixels=9000, max_pixels=1000)


def test_two_images_keep_their_order(vlm: VLM) -> None:
    sizes = [(64, 32), (32, 48)]
    encoded = vlm.encode(QUESTION, [picture(*size) for size in sizes])
    assert encoded.processed_sizes == sizes
    assert torch.equal(encoded.media["pixel_values"][: 8 * 4], vlm.encode(QUESTION, [picture(64, 32)]).media["pixel_values"])


def test_freezing_stops_the_vision_modules_and_nothing_else(folder: Path) -> None:
    vlm = load(str(folder))
    assert all(p.requires_grad for p in vlm.model.parameters())
    vlm.freeze_vision_tower()
    frozen = {name for name, p in vlm.model.named_parameters() if not p.requires_grad}
    assert frozen == {name for name, _ in vlm.model.named_parameters() if name.startswith("model.visual.")}
    assert len(frozen) > 5
    inputs = processor_inputs(folder, [picture()])
    vlm.model(**inputs).logits.sum().backward()
    assert {name for name, p in vlm.model.named_parameters() if p.grad is None} == frozen


def test_extreme_aspect_ratios_are_refused(vlm: VLM) -> None:
    assert vlm.encode(QUESTION, [picture(199, 1)]).processed_sizes
    with pytest.raises(UserError, match=r"the processor refuses the image: .*aspect ratio .*201.*; resize the image, or leave"):
        vlm.encode(QUESTION, [picture(201, 1)])


@pytest.mark.parametrize("images", [0, 1])
def test_text_cannot_smuggle_in_placeholders(vlm: VLM, images: int) -> None:
    for token in vlm.family.placeholders:
        with pytest.raises(UserError, match=r"the text holds <\|\w+\|>, which stands for pixels; take it out"):
            vlm.encode(f"what is {token}?", [picture()] * images)


def test_every_placeholder_is_a_token_of_the_checkpoint(vlm: VLM) -> None:
    config = vlm.model.config
    assert {config.image_token_id, config.video_token_id} <= set(vlm.banned_ids)
    assert None not in vlm.banned_ids
    assert len(set(vlm.banned_ids)) == len(vlm.family.placeholders)
    assert not set(vlm.banned_ids) & {*vlm.eos_ids, vlm.pad_id}


# checkpoints that do not load


@pytest.fixture
def copy(tmp_path: Path, folder: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def change_config(folder: Path, **keys: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | keys))


@pytest.mark.parametrize("name", ["/nowhere/at/all", "./nowhere", "runs/x/checkpoints/000100/model"])
def test_a_missing_folder_is_named_and_the_hub_is_not_asked(name: str) -> None:
    with pytest.raises(UserError, match=f"no checkpoint at '{name}': there is no such folder; give a checkpoint folder"):
        load(name)


def test_a_folder_without_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no checkpoint at .*config\.json; give a checkpoint folder"):
        load(str(tmp_path))


@pytest.mark.parametrize("model_type", ["llama", "llava"])
def test_a_model_type_without_a_family(copy: Path, model_type: str) -> None:
    change_config(copy, model_type=model_type)
    with pytest.raises(UserError, match=rf"'{model_type}' has no family in vlrl/models/families \(known: .*qwen3_vl.*\)"):
        load(str(copy))
    with pytest.raises(UserError, match="add a file there"):
        families.load("nonsense")


def test_a_model_type_that_transformers_does_not_know(copy: Path) -> None:
    change_config(copy, model_type="nonsense")
    with pytest.raises(UserError, match="model type `nonsense`"):
        load(str(copy))


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "processor_config.json"])
def test_an_incomplete_checkpoint(copy: Path, file: str) -> None:
    (copy / file).unlink()
    with pytest.raises(UserError, match=rf"the checkpoint '{copy}' cannot be loaded: .*; is it complete\?"):
        load(str(copy))


def test_weights_that_were_cut_off(copy: Path) -> None:
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(UserError, match=r"cannot be loaded: .*; is it complete\?"):
        load(str(copy))
