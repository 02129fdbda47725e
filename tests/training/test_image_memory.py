"""What a step holds of images does not grow with the group: G = 4 and G = 32 decode, keep and encode the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image
from torch import Tensor
from toy_runs import save_toy, toy_run

from vlrl.models.vlm import VLM, EncodedPrompt
from vlrl.training.grpo import grpo_step


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_toy(tmp_path_factory.mktemp("toy"))


def images_of_a_step(checkpoint: Path, folder: Path, group: int, frozen: bool) -> dict[str, int]:
    """Files decoded, bytes of pixels that the prompts hold, and bytes handed to the vision tower, in the second step.

    In the first one the loop checks two rows against the naive path.
    """
    run = toy_run(
        folder,
        checkpoint,
        {
            "rollout.num_generations": group,
            "rollout.generation_batch_size": 4 * group,
            "model.freeze_vision_tower": frozen,
            "grpo.num_iterations": 2,
            "grpo.beta": 0.04,
        },
    )
    run.step += 1
    grpo_step(run)
    seen = {"decoded": 0, "held": 0, "encoded": 0}
    held: dict[int, EncodedPrompt] = {}
    opened, media_batch = Image.open, VLM.media_batch

    def on_open(*args: object, **kwargs: object) -> Image.Image:
        seen["decoded"] += 1
        return opened(*args, **kwargs)  # type: ignore[arg-type]

    def on_media(vlm: VLM, prompts: Sequence[EncodedPrompt]) -> dict[str, Tensor]:
        batch = media_batch(vlm, prompts)
        held.update({id(prompt): prompt for prompt in prompts})
        seen["encoded"] += sum(tensor.nbytes for tensor in batch.values())
        return batch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Image, "open", on_open)
        patch.setattr(VLM, "media_batch", on_media)
        run.step += 1
        grpo_step(run)
    seen["held"] = sum(tensor.nbytes for prompt in held.values() for tensor in prompt.media.values())
    return seen


@pytest.mark.parametrize("frozen", [False, True])
def test_images_of_a_step_do_not_grow_with_the_group(checkpoint: Path, tmp_path: Path, frozen: bool) -> None:
    few, many = (images_of_a_step(checkpoint, tmp_path / str(group), group, frozen) for group in (4, 32))
    assert few == many
    assert few["held"] > 0
    assert few["decoded"] <= 4
    passes = 1 if frozen else 1 + 1 + 1 + 2  # rollout, old, reference, two updates
    assert few["encoded"] == passes * few["held"]
