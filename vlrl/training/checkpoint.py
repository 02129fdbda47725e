"""Checkpoints: everything a killed run needs to go on to the same numbers, and an ordinary model folder inside."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import nn

from vlrl.logs import CHECKPOINT_MARKER
from vlrl.models.vlm import VLM
from vlrl.training.sharding import split_by
from vlrl.types import UserError

STATE = "trainer_state.json"


def save(folder: Path, accelerator: Accelerator, vlm: VLM, state: dict[str, Any], cursor: int) -> None:
    """Write accelerate's state (weights, optimiser, schedule, random numbers), `model/`, `trainer_state.json`, and the marker."""
    cursors = gather_object([cursor])
    if accelerator.is_main_process and folder.exists():
        shutil.rmtree(folder)
    accelerator.wait_for_everyone()
    accelerator.save_state(str(folder / "state"), safe_serialization=False)  # safetensors warns of every pair of tied weights
    if accelerator.is_main_process:
        vlm.save(folder / "model")
        told = {"architecture": architecture(vlm), "cursors": cursors, "split_by": split_by(accelerator)}
        (folder / STATE).write_text(json.dumps({**state, **told}, indent=2))
        (folder / CHECKPOINT_MARKER).touch()
    accelerator.wait_for_everyone()


def load(folder: Path, accelerator: Accelerator, vlm: VLM) -> dict[str, Any]:
    """Restore what `save` wrote.

    Raises UserError when the checkpoint is of another model, of another number of processes, or split in another way.
    """
    state = json.loads((folder / STATE).read_text())
    found, wanted = state["architecture"], architecture(vlm)
    if found != wanted:
        raise UserError(
            f"{folder}: is a checkpoint of {_describe(found)}, but model.name_or_path gives {_describe(wanted)}; "
            "resume with the model and the LoRA settings it was trained with, or choose another output_dir"
        )
    processes = len(state["cursors"])
    if processes != accelerator.num_processes:
        mend = f"launch as many now, not {accelerator.num_processes}"
        raise UserError(f"{folder}: was written by {processes} processes, each with its own place in the data; {mend}")
    if state.get("split_by") != split_by(accelerator):
        ways = [f"split by {way}" if way else "whole" for way in (state.get("split_by"), split_by(accelerator))]
        raise UserError(f"{folder}: its weights are {ways[0]}, those of this launch are {ways[1]}; launch as it was written")
    accelerator.load_state(str(folder / "state"))
    return state


def prune(folder: Path, keep: int) -> None:
    """Delete all but the newest `keep` complete checkpoints of a run's `checkpoints/` folder."""
    complete = sorted(path.parent for path in folder.glob(f"*/{CHECKPOINT_MARKER}"))
    for old in complete[: max(0, len(complete) - keep)]:
        (old / CHECKPOINT_MARKER).unlink()  # first: a kill on the way leaves a folder that does not count
        shutil.rmtree(old)


def architecture(vlm: VLM) -> dict[str, Any]:
    """What must agree between a checkpoint and the model it is loaded into."""
    parameters = list(vlm.model.parameters())
    return {
        "class": type(vlm.base).__name__,
        "parameters": sum(map(_size, parameters)),
        "trainable": sum(_size(p) for p in parameters if p.requires_grad),
    }


def _size(parameter: nn.Parameter) -> int:
    """Numbers in the whole of it; ZeRO-3 leaves a parameter of size 0."""
    return getattr(parameter, "ds_numel", parameter.numel())


def _describe(architecture: dict[str, Any]) -> str:
    return f"{architecture['class']} ({architecture['parameters']:,} parameters, {architecture['trainable']:,} trainable)"
