"""A group's picture in the trackers that training writes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vlrl.report import draw_group
from vlrl.types import RolloutGroup

KEY = "rollouts/group"


def log_group(trackers: Sequence[Any], group: RolloutGroup, step: int) -> None:
    """Draws a group and hands it to accelerate's `tensorboard`, `wandb` and `trackio` trackers, each in its own way."""
    image = draw_group(group)
    for tracker in trackers:
        if tracker.name == "tensorboard":
            tracker.log_images({KEY: np.asarray(image)[None]}, step=step, dataformats="NHWC")
        elif tracker.name == "wandb":
            tracker.log_images({KEY: [image]}, step=step)
        elif tracker.name == "trackio":
            import trackio

            tracker.log({KEY: trackio.Image(image)}, step=step)
