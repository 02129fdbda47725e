"""A video as a strip of frames with their times, and spans of time on a line below it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from PIL import Image

from demo.drawing import Prediction, colours, frame_of, gold_of_frame, overlay
from demo.media import Picture, Roots, encode_picture
from demo.text import number, safe
from vlrl.data.errors import MediaError
from vlrl.report.marks import gold_marks, gold_span
from vlrl.types import Media

STRIP_FRAMES = 12
NAMED_FRAMES = 64
"""Frames that are read where a gold or an answer names frames, so that the strip has one near each of them."""
FRAME_PIXELS = 320 * 240
FRAME_FACTOR = 4
SHOWN_WIDTH = 150


@dataclass(frozen=True, slots=True)
class Strip:
    """Some frames of a video with their times in seconds, its length, or why there are none. `named_by_place` tells what the name
    of a frame counts: the places in a list of frames, or else seconds.
    """

    frames: tuple[tuple[float, Picture], ...] = ()
    named_by_place: bool = False
    seconds: float = 0.0
    problem: str = ""


def load_strip(media: Media, roots: Roots, count: int) -> Strip:
    """`count` evenly spread frames of a video, through the loader that training uses. Never raises for a bad file."""
    files = media.frames or (media.path,)
    real = [roots.file_of(path) for path in files]
    if any(path is None for path in real):
        return Strip(
            problem=f"not shown, because it lies outside the run and its data folders (--media_root adds one): {media.path}"
        )
    known = [path for path in real if path is not None]
    try:
        stamps = tuple(os.stat(path).st_mtime_ns for path in known[:1])
    except OSError:
        return Strip(problem=f"the video is missing: {media.path}")
    return _load(replace(media, path=known[0], frames=tuple(known) if media.frames else ()), count, stamps)


@lru_cache(maxsize=32)
def _load(media: Media, count: int, stamps: tuple[int, ...]) -> Strip:
    try:
        from vlrl.data.video import load_video  # OpenCV takes a while to import
        from vlrl.video import VideoLimits

        limits = VideoLimits(fps=1000.0, max_frames=count, max_pixels=FRAME_PIXELS, min_pixels=FRAME_FACTOR**2)
        video = load_video(media, "inspector", limits, FRAME_FACTOR)
    except MediaError as error:
        return Strip(problem=f"the video cannot be shown: {error.what}")
    except Exception as error:  # hostile bytes make decoders raise nearly anything; OpenCV may be missing
        return Strip(problem=f"the video cannot be shown: {error}")
    shown = tuple(
        (seconds, replace(encode_picture(Image.fromarray(frame_HWC), 2 * SHOWN_WIDTH), size=video.original_size))
        for seconds, frame_HWC in zip(video.seconds, video.frames_FHWC, strict=True)
    )
    return Strip(shown, bool(media.frames), video.total / video.fps)


def draw_video(
    media: Media,
    answer: dict[str, Any],
    spans: Sequence[tuple[int, tuple[float, float]]],
    predictions: Sequence[Prediction],
    roots: Roots,
) -> str:
    """The strip, with boxes on the frames that they name, and below it the gold's and the completions' spans (rank, span)."""
    marks = [*gold_marks(answer), *(mark for p in predictions for mark in p.marks)]
    names = sorted({mark.frame for mark in marks if mark.frame is not None}, key=float)
    strip = load_strip(media, roots, NAMED_FRAMES if names else STRIP_FRAMES)
    if strip.problem:
        return f'<p class="warn">{safe(strip.problem)}</p>' + _timeline(answer, spans, 0.0)
    named = {name: _nearest(strip, float(name)) for name in names}
    shown = _chosen(len(strip.frames), sorted(set(named.values())))
    cells = "".join(_cell(strip, place, [n for n in names if named[n] == place], answer, predictions) for place in shown)
    return f'<div class="strip-of-frames">{cells}</div>{_timeline(answer, spans, strip.seconds)}'


def _nearest(strip: Strip, name: float) -> int:
    """The place in the strip of the frame that a name means."""
    positions = range(len(strip.frames)) if strip.named_by_place else [seconds for seconds, _ in strip.frames]
    return min(range(len(strip.frames)), key=lambda place: abs(positions[place] - name))


def _chosen(total: int, named: Sequence[int]) -> list[int]:
    """Places to show: the named ones, and evenly spread ones as far as there is room.

    >>> _chosen(64, [5])[:3], len(_chosen(64, [5])), _chosen(3, [])
    ([0, 5, 7], 12, [0, 1, 2])
    """
    room = STRIP_FRAMES - len(named[:STRIP_FRAMES])
    others = [place for place in range(total) if place not in named]
    spread = [others[i * (len(others) - 1) // max(room - 1, 1)] for i in range(room)] if others else []
    return sorted({*named[:STRIP_FRAMES], *spread})


def _cell(strip: Strip, place: int, names: Sequence[str], answer: dict[str, Any], predictions: Sequence[Prediction]) -> str:
    """One frame with the marks that belong to it."""
    seconds, picture = strip.frames[place]
    frame = frame_of(picture, SHOWN_WIDTH)
    gold = "".join(gold_of_frame(answer, name, frame) for name in names)
    here = [replace(p, marks=tuple(mark for mark in p.marks if mark.frame in names)) for p in predictions]
    called = f" · “{', '.join(names)}”" if names else ""
    return overlay(picture, frame, gold, [p for p in here if p.marks], SHOWN_WIDTH, f"{seconds:.1f} s{called}", tags=False)


def _timeline(answer: dict[str, Any], spans: Sequence[tuple[int, tuple[float, float]]], seconds: float) -> str:
    """Bars of time: the gold's above, then one per completion that gives a span."""
    gold = gold_span(answer)
    ends = [seconds, *(end for _, (_, end) in spans if end < 1e6), gold[1] if gold else 0.0]
    longest = max(ends) or 1.0
    bars = [_bar("gold", "gold", gold, longest, "")] if gold else []
    bars += [_bar(f"{rank}", "geo", span, longest, f'data-i="{rank}" style="{colours(rank)}"') for rank, span in spans]
    if not bars:
        return ""
    return f'<div class="timeline">{"".join(bars)}<p class="ends"><span>0 s</span><span>{number(longest)} s</span></p></div>'


def _bar(name: str, css: str, span: tuple[float, float], longest: float, attributes: str) -> str:
    start, end = (min(max(value / longest, 0.0), 1.0) for value in span)
    words = f"{number(span[0])} to {number(span[1])} s"
    return (
        f'<div class="span {css}" {attributes}><b>{name}</b><div class="track">'
        f'<i style="left:{100 * start:.2f}%;width:{max(100 * (end - start), 0.6):.2f}%" title="{safe(words)}"></i></div>'
        f"<span>{safe(words)}</span></div>"
    )
