"""A video as a model reads it: frames with their times, and how many of them and how large.

The words and the arithmetic are those of qwen-vl-utils (QwenLM, Apache-2.0, version 0.0.14): `smart_nframes`, `smart_resize` and
the pixel budget of `fetch_video`. tests/data/test_video.py holds them equal to that package.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlrl.types import UserError

if TYPE_CHECKING:
    import numpy as np

FRAME_FACTOR = 2
"""Frames that the vision tower merges into one: their number is a multiple of it."""

MAX_RATIO = 200
"""The longest side over the shortest, at most."""


@dataclass(frozen=True)
class VideoLimits:
    """How many frames are taken of a video, and how many pixels they have."""

    fps: float = 2.0
    """Frames per second that are taken."""
    num_frames: int | None = None
    """Frames that are taken whatever the length, in place of `fps`, `min_frames` and `max_frames` (qwen-vl-utils' `nframes`)."""
    min_frames: int = 4
    max_frames: int = 768
    min_pixels: int | None = None
    """Smallest area of a frame after resizing; None: 128 tokens."""
    max_pixels: int | None = None
    """Largest area of a frame after resizing; None: 768 tokens. Never more than its share of `total_pixels`."""
    total_pixels: int | None = None
    """Pixels of all frames together, counted at two frames to a token; None: 115,200 tokens (90 % of 128,000)."""

    def check(self) -> None:
        """Raises UserError, naming the key and the mend, for a number with which no video works."""
        for key, value in vars(self).items():
            if key == "fps" and not 0 < value < math.inf:
                raise UserError(f"video.fps is {value}; set it above 0 (2.0 is usual)")
            if key != "fps" and value is not None and value < 1:
                raise UserError(f"video.{key} is {value}; set it to 1 or more")


@dataclass(frozen=True, slots=True)
class Video:
    """The frames that a model sees of a video.

    `frames_FHWC` [F, H, W, 3] holds RGB bytes. The video has `total` frames at `fps` a second, of which `indices` were taken;
    an index has a fraction where the file gives a frame another time than index / fps. `original_size` is the (width, height)
    in pixels before resizing.
    """

    frames_FHWC: np.ndarray
    indices: tuple[float, ...]
    fps: float
    total: int
    original_size: tuple[int, int]

    @property
    def seconds(self) -> list[float]:
        """The time of each frame from the video's start."""
        return [index / self.fps for index in self.indices]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the frames in pixels."""
        return self.frames_FHWC.shape[2], self.frames_FHWC.shape[1]


def count_frames(total: int, fps: float, limits: VideoLimits) -> int:
    """How many frames are taken of a video of `total` frames at `fps`: an even number.

    `total` / `fps` * `limits.fps`, at least `min_frames`, at most `max_frames` and `total`, rounded down to even; or
    `num_frames` rounded to even. Raises UserError, with the mend, where that is not between 2 and `total`.

    >>> count_frames(300, 30.0, VideoLimits()), count_frames(300, 30.0, VideoLimits(num_frames=7))
    (20, 8)
    """
    if limits.num_frames is not None:
        count = round(limits.num_frames / FRAME_FACTOR) * FRAME_FACTOR
        if not FRAME_FACTOR <= count <= total:
            raise UserError(f"num_frames asks for {count} frames, but it has {total}; lower num_frames or leave it out")
        return count
    lowest = math.ceil(limits.min_frames / FRAME_FACTOR) * FRAME_FACTOR
    highest = math.floor(min(limits.max_frames, total) / FRAME_FACTOR) * FRAME_FACTOR
    count = math.floor(min(max(total / fps * limits.fps, lowest), highest) / FRAME_FACTOR) * FRAME_FACTOR
    if count < FRAME_FACTOR:
        raise UserError("it has fewer than 2 frames; give it as an image, or drop the row")
    return count


def frame_size(width: int, height: int, count: int, factor: int, limits: VideoLimits) -> tuple[int, int]:
    """(width, height) to which each of `count` frames of `width` x `height` is resized: multiples of `factor`.

    The area lies between `min_pixels` and `max_pixels`, the latter bounded by an even share of `total_pixels`; the aspect ratio
    stays as near as that allows. `factor` is patch size times merge size, 28 for Qwen2.5-VL: one token is `factor` x `factor`
    pixels of two frames. Raises UserError, with the mend, for an aspect ratio above 200 or a `min_pixels` above the largest
    area.

    >>> frame_size(1280, 720, 20, 28, VideoLimits()), frame_size(1280, 720, 768, 28, VideoLimits())
    ((1008, 560), (644, 336))
    """
    token = factor * factor
    low = 128 * token if limits.min_pixels is None else limits.min_pixels
    total = 128_000 * token * 0.9 if limits.total_pixels is None else limits.total_pixels
    high = max(min(768 * token, total / count * FRAME_FACTOR), int(low * 1.05))
    high = high if limits.max_pixels is None else min(high, limits.max_pixels)
    if low > high:
        raise UserError(f"min_pixels of a frame is {low}, more than max_pixels, which is {high:.0f}; lower min_pixels")
    return smart_resize(width, height, factor, low, high)


def smart_resize(width: int, height: int, factor: int, low: float, high: float) -> tuple[int, int]:
    """The (width, height) in multiples of `factor` nearest to this shape whose area lies between `low` and `high`.

    >>> smart_resize(640, 480, 28, 100352, 602112)
    (644, 476)
    """
    if max(width, height) / min(width, height) > MAX_RATIO:
        raise UserError(f"its sides are {width} and {height}, a ratio above {MAX_RATIO}; crop it or drop the row")
    sides = [max(factor, round(side / factor) * factor) for side in (width, height)]
    if sides[0] * sides[1] > high:
        scale = math.sqrt(width * height / high)
        sides = [max(factor, math.floor(side / scale / factor) * factor) for side in (width, height)]
    elif sides[0] * sides[1] < low:
        scale = math.sqrt(low / (width * height))
        sides = [math.ceil(side * scale / factor) * factor for side in (width, height)]
    return sides[0], sides[1]
