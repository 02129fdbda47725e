"""Videos -> frames: RGB, resized, with their times. Files by OpenCV, animated pictures and folders of frames by Pillow.

Frames are decoded one after the other and resized at once, so that memory holds the frames that the model sees, not the video.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import numpy as np
from PIL import Image, ImageSequence

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # what is wrong with a file is told by a MediaError, not on stderr
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
import cv2

from vlrl.data.errors import MediaError
from vlrl.data.media import MAX_PIXELS, as_rgb, load_image
from vlrl.types import Media, UserError
from vlrl.video import FRAME_FACTOR, Video, VideoLimits, count_frames, frame_size

ANIMATIONS = (".gif", ".webp", ".png", ".apng")
FRAME_FILES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
LOST_SHARE = 0.02
"""The share of its frames by which a file may fall short of what it states; containers estimate it. More: it is truncated."""
GIF_PAUSE = 0.1
"""Seconds that a frame of an animation stays when the file says 0, as in browsers and FFmpeg."""
MAX_FRAMES, MAX_FPS = 100_000_000, 100_000
"""What a container states beyond these is no length and no rate."""
SAME_TIME = 1e-3
"""Seconds by which a container's time may differ from index / fps and still mean that: some count in milliseconds."""


@dataclass(frozen=True)
class _Reel:
    """A video that can be read: `read(indices)` yields, for ascending indices, the frame and its time in seconds.

    Where `whole` is set the frames were chosen already, and all of them are taken.
    """

    total: int
    fps: float
    read: Callable[[list[int]], Iterator[tuple[Image.Image, float]]]
    whole: bool = False


class _EndedError(Exception):
    """The file ended before the frame that was asked for; `seen` frames came."""

    def __init__(self, seen: int) -> None:
        super().__init__(seen)
        self.seen = seen


def load_video(media: Media, source: str, limits: VideoLimits, factor: int) -> Video:
    """The frames of a video, as many and as large as `limits` says for a model of that `factor` (`vlrl.video.frame_size`).

    `media.path` is a file that OpenCV decodes (mp4, webm, avi, ...), an animated picture (gif, webp, png) or a folder of frames,
    which are taken in the natural order of their names. Of `media.frames` every one is taken, the last twice where their number
    is odd. `media.fps` replaces the rate that a file states.
    Raises MediaError, naming `source`, the file and the mend, when it is missing, corrupt, truncated, or fits no limits.
    """
    try:
        reel = _open(media)
        try:
            return _sample(reel, limits, factor, timed=media.fps is None)
        except _EndedError as ended:
            if reel.total - ended.seen > max(2, LOST_SHARE * reel.total) or not ended.seen:
                reason = f"ends after {ended.seen} of its {reel.total} frames"
                raise UserError(f"{reason}, so it is truncated or corrupt; replace the file or drop the row") from ended
            return _sample(replace(reel, total=ended.seen), limits, factor, timed=media.fps is None)
    except MediaError as error:
        raise MediaError(source, "video", error.what, error.mend) from error
    except UserError as error:
        what, _, mend = str(error).rpartition("; ")
        raise MediaError(source, "video", f"{media.path}: {what}", mend) from error
    except Exception as error:  # arbitrary bytes make decoders raise nearly anything
        reason = " ".join(str(error).split()) or type(error).__name__
        mend = "replace the file or drop the row"
        raise MediaError(source, "video", f"{media.path} cannot be decoded ({reason})", mend) from error


def frame_indices(total: int, count: int) -> list[int]:
    """`count` frames spread evenly from the first to the last of `total`, in float32 as qwen-vl-utils' `torch.linspace` does.

    >>> frame_indices(10, 4)
    [0, 3, 6, 9]
    """
    last, order_F = np.float32(total - 1), np.arange(count, dtype=np.float32)
    step = last / np.float32(count - 1)
    from_start_F, from_end_F = step * order_F, last - step * order_F[::-1]
    return np.where(order_F < count // 2, from_start_F, from_end_F).round().astype(int).tolist()


def _sample(reel: _Reel, limits: VideoLimits, factor: int, timed: bool) -> Video:
    """`timed`: the times are the file's own; otherwise index / fps."""
    wanted = list(range(reel.total)) if reel.whole else frame_indices(reel.total, count_frames(reel.total, reel.fps, limits))
    count = math.ceil(len(wanted) / FRAME_FACTOR) * FRAME_FACTOR
    frames: list[np.ndarray] = []
    times: list[float] = []
    size = original = (0, 0)
    for frame, seconds in reel.read(wanted):
        if not frames:
            original = frame.size
            size = frame_size(*original, count, factor, limits)
        frames.append(np.asarray(frame.resize(size, Image.Resampling.BICUBIC)))
        times.append(seconds)
    indices = _places(wanted, times, reel.fps) if timed else [float(index) for index in wanted]
    for _ in range(count - len(frames)):
        frames.append(frames[-1])
        indices.append(indices[-1] + 1)
    return Video(np.stack(frames), tuple(indices), reel.fps, max(reel.total, count), original)


def _places(indices: list[int], times: list[float], fps: float) -> list[float]:
    """Where each frame stands in the video, in frames: its index, or its time x fps where the file has other times of its own."""
    if any(later <= sooner for sooner, later in pairwise(times)):  # it has none
        times = [index / fps for index in indices]
    pairs = zip(indices, times, strict=True)
    return [float(index) if abs(time - index / fps) <= SAME_TIME else time * fps for index, time in pairs]


def _open(media: Media) -> _Reel:
    if media.frames:
        return _frame_files(list(media.frames), media.fps, whole=True)
    if os.path.isdir(media.path):
        names = [name for name in os.listdir(media.path) if name.lower().endswith(FRAME_FILES)]
        return _frame_files([os.path.join(media.path, name) for name in sorted(names, key=_natural)], media.fps, whole=False)
    if not os.path.isfile(media.path):
        raise UserError("does not exist; mend the path (it is relative to the data file) or add the file")
    opened = _animation(media.path) if media.path.lower().endswith(ANIMATIONS) else _video_file(media.path)
    reel = opened if media.fps is None else replace(opened, fps=media.fps)
    if not 0 < reel.fps < MAX_FPS:
        raise UserError(f"states {reel.fps:g} frames per second; add video_fps, the frames per second, to the row")
    return reel


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts `frame2` before `frame10`."""
    return [(int(part), "") if part.isdecimal() and part.isascii() else (-1, part) for part in re.split(r"([0-9]{1,18})", name)]


def _frame_files(paths: list[str], fps: float | None, whole: bool) -> _Reel:
    if not paths:
        raise UserError(f"holds no frames; put the frames there as {', '.join(FRAME_FILES)}")
    if fps is None:
        raise UserError("are frames without times; add video_fps, the frames per second, to the row")

    def read(indices: list[int]) -> Iterator[tuple[Image.Image, float]]:
        first: tuple[int, int] | None = None
        for index in indices:
            frame = load_image(Media("image", paths[index]), "")
            first = first or frame.size
            if frame.size != first:
                raise UserError(f"has a frame {paths[index]} of {frame.size}, the first has {first}; give all frames one size")
            yield frame, index / fps

    return _Reel(len(paths), fps, read, whole)


def _pause(frame: Image.Image) -> float:
    """Seconds that a frame stays."""
    frame.load()  # a webp tells its times no earlier
    return frame.info.get("duration", 0) / 1000 or GIF_PAUSE


def _animation(path: str) -> _Reel:
    with Image.open(path) as image:
        if image.width * image.height > MAX_PIXELS:
            raise UserError(f"has frames of more than {MAX_PIXELS:,} pixels; scale it down")
        pauses = [_pause(frame) for frame in ImageSequence.Iterator(image)]
    starts = [0.0, *accumulate(pauses)]

    def read(indices: list[int]) -> Iterator[tuple[Image.Image, float]]:
        with Image.open(path) as image:
            for index in indices:
                image.seek(index)
                yield as_rgb(image), starts[index]

    return _Reel(len(pauses), len(pauses) / starts[-1], read)


@contextmanager
def _capture(path: str) -> Iterator[cv2.VideoCapture]:
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise UserError("is no video that can be decoded, or is truncated; replace the file or drop the row")
        yield capture
    finally:
        capture.release()


def _video_file(path: str) -> _Reel:
    with _capture(path) as capture:
        fps, total = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
        if capture.get(cv2.CAP_PROP_FRAME_WIDTH) * capture.get(cv2.CAP_PROP_FRAME_HEIGHT) > MAX_PIXELS:
            raise UserError(f"has frames of more than {MAX_PIXELS:,} pixels; scale it down")
        if not 0 < total < MAX_FRAMES:  # a stream without a length
            total = sum(1 for _ in iter(capture.grab, False))

    def read(indices: list[int]) -> Iterator[tuple[Image.Image, float]]:
        with _capture(path) as capture:
            at = -1
            for index in indices:
                while at < index:
                    if not capture.grab():
                        raise _EndedError(at + 1)
                    at += 1
                found, frame_HWC = capture.retrieve()
                if not found:
                    raise _EndedError(at)
                yield Image.fromarray(cv2.cvtColor(frame_HWC, cv2.COLOR_BGR2RGB)), capture.get(cv2.CAP_PROP_POS_MSEC) / 1000

    return _Reel(int(total), fps, read)
