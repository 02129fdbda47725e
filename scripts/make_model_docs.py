"""Writes the table of docs/models.md: each family's toy model is measured, the shared-prefix update against the naive one.

    .venv/bin/python scripts/make_model_docs.py

Everything below the table is written by hand and stays as it is. tests/test_model_docs.py checks that the file is up to date.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from vlrl.models import families, shared_prefix
from vlrl.models.tiny import build, toys_1d
from vlrl.models.vision import VisionEncoder
from vlrl.models.vlm import VLM
from vlrl.training.packing import pack
from vlrl.training.policy import Policy, collate
from vlrl.video import Video

PAGE = Path(__file__).parents[1] / "docs" / "models.md"
MARKER = "<!-- by hand from here on -->"
SHAPE = build.ToyShape(
    hidden_size=32, text_layers=2, vision_layers=2, num_heads=2, patch_size=8, spatial_merge_size=2, image_side=64, deepstack=(0,)
)
LENGTHS = (5, 1, 9, 0, 3)
"""Tokens of each prompt's completions."""

HEADER = """# Models

What each family of models can do, measured by `scripts/make_model_docs.py` on toy models of the real classes (random weights,
float32, CPU, {count} completions per prompt). The number in a cell is the largest difference, in nats, between a token's
log-probability in the shared-prefix update and in a row of its own; below 1e-5 the update counts as exact. Gradients are compared
in `tests/training/test_packed_exact.py`.

| model type | coordinates | position axes | one image | several images | video | text only | mixture | frozen tower |
|---|---|---|---|---|---|---|---|---|
"""


def toy(model_type: str) -> VLM:
    """A toy model that can share prefixes."""
    one_axis = model_type in toys_1d.FAMILIES
    model, processor = toys_1d.build_toy(model_type) if one_axis else build.build_toy(model_type, shape=SHAPE)
    shared_prefix.enable(model)
    return VLM(model, processor, families.load(model_type))


def noise(seed: int, *shape: int) -> np.ndarray:
    """Bytes of which no two patches are alike."""
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def inputs() -> dict[str, list[tuple[str, list[Any]]]]:
    """Prompts by column of the table."""
    first, second, third = (Image.fromarray(noise(seed, *size)) for seed, size in enumerate([(64, 64), (32, 64), (80, 48)]))
    video = Video(noise(3, 4, 32, 48), (0, 12, 24, 36), 24.0, 48, (48, 32))
    return {
        "one image": [("Find it.", [first]), ("Where is the red cat?", [third])],
        "several images": [("Which one?", [second, third]), ("What is new?", [first, second, third])],
        "video": [("What moves?", [video])],
        "text only": [("Say yes.", []), ("How many legs has a spider?", [])],
        "mixture": [("Say yes.", []), ("Find it.", [third]), ("Which one?", [second, third])],
    }


@torch.no_grad()
def difference(vlm: VLM, turns: Sequence[tuple[str, list[Any]]]) -> float:
    """The largest difference of a log-probability between the packed and the naive path, nats."""
    generator = torch.Generator().manual_seed(0)
    encoded = [vlm.encode(text, media) for text, media in turns]
    prompts = [prompt for prompt in encoded for _ in LENGTHS]
    completions = [torch.randint(0, 256, (length,), generator=generator).tolist() for _ in encoded for length in LENGTHS]
    policy = Policy(vlm, 1.0)
    naive, packed = policy(collate(vlm, prompts, completions)), policy(pack(vlm, prompts, completions))
    return float((naive.logprobs_BT - packed.logprobs_BT).abs().max())


def keeps_features(vlm: VLM) -> bool:
    """Whether a second pass takes a frozen tower's features from the first."""
    vlm.freeze_vision_tower()
    vision = VisionEncoder(vlm, 1 << 30)
    prompt = vlm.encode(*inputs()["one image"][0])
    first, second = (vision.features([prompt])["image"]["pooler_output"] for _ in range(2))
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True)) and len(vision._kept) == 1


def row(model_type: str) -> str:
    """One line of the table."""
    vlm = toy(model_type)
    cells = [f"`{model_type}`", vlm.space, str(len(vlm.encode("Hi", []).position_ids_AP))]
    for kind, turns in inputs().items():
        cells.append(_cell(difference(vlm, turns)) if kind != "video" or vlm.family.reads_video else "refused")
    return f"| {' | '.join([*cells, 'encoded once' if keeps_features(vlm) else 'encoded every pass'])} |"


def _cell(value: float) -> str:
    return f"{'exact' if value < 1e-5 else 'not exact'}, {value:.0e}"


def page(old: str) -> str:
    """The page, measured anew; what follows the marker is taken over."""
    table = "\n".join(row(model_type) for model_type in sorted((*build.FAMILIES, *toys_1d.FAMILIES)))
    return f"{HEADER.format(count=len(LENGTHS))}{table}\n\n{MARKER}{old.partition(MARKER)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""), encoding="utf-8")
