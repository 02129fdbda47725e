"""Videos -> frames: as many and as large as by qwen-vl-utils, the right ones, with their times; every bad file one sentence."""

from __future__ import annotations

import math
import random
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from qwen_vl_utils import vision_process as qwen

from vlrl.data.errors import MediaError
from vlrl.data.video import frame_indices, load_video
from vlrl.types import Media, UserError
from vlrl.video import Video, VideoLimits, count_frames, frame_size

SMALL = VideoLimits(min_pixels=1024)
CODECS = {"mp4": "mp4v", "webm": "VP80", "avi": "MJPG"}


def colours(count: int) -> list[np.ndarray]:
    """Frames [48, 64, 3] of one grey each: frame i has brightness 20 * i."""
    return [np.full((48, 64, 3), 20 * i, np.uint8) for i in range(count)]


def numbers(video: Video) -> list[int]:
    """Which of `colours` the frames are."""
    return [round(float(frame.mean()) / 20) for frame in video.frames_FHWC]


def write_video(path: Path, frames: Sequence[np.ndarray], fps: float = 8.0) -> Path:
    height, width, _ = frames[0].shape
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*CODECS[path.suffix[1:]]), fps, (width, height))
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def write_animation(path: Path, frames: Sequence[np.ndarray], milliseconds: int | list[int]) -> Path:
    first, *rest = map(Image.fromarray, frames)
    first.save(path, save_all=True, append_images=rest, duration=milliseconds)
    return path


def write_frames(folder: Path, frames: Sequence[np.ndarray]) -> list[str]:
    folder.mkdir(exist_ok=True)
    paths = [folder / f"frame{i + 1}.png" for i in range(len(frames))]
    for path, frame in zip(paths, frames, strict=True):
        Image.fromarray(frame).save(path)
    return [str(path) for path in paths]


def load(path: Path | str, limits: VideoLimits = SMALL, fps: float | None = None, frames: Sequence[str] = ()) -> Video:
    return load_video(Media("video", str(path), tuple(frames), fps), "rows.jsonl:7", limits, 16)


# ---- the arithmetic, against qwen-vl-utils


def element(limits: VideoLimits) -> dict[str, Any]:
    """The limits in qwen-vl-utils' words."""
    names = {"min_pixels": "min_pixels", "max_pixels": "max_pixels", "total_pixels": "total_pixels"}
    if limits.num_frames is not None:
        names |= {"num_frames": "nframes"}
    else:
        names |= {"fps": "fps", "min_frames": "min_frames", "max_frames": "max_frames"}
    return {theirs: getattr(limits, ours) for ours, theirs in names.items() if getattr(limits, ours) is not None}


@settings(max_examples=500)
@given(
    total=st.integers(1, 20_000),
    fps=st.sampled_from([0.5, 1, 8, 10, 23.976, 24, 25, 29.97, 30, 59.94, 120]) | st.floats(0.1, 240),
    wanted=st.sampled_from([0.25, 0.5, 1, 2, 4, 30]) | st.floats(0.01, 60),
    lowest=st.integers(1, 40),
    highest=st.integers(1, 1000),
    fixed=st.none() | st.integers(1, 100),
)
def test_as_many_frames_as_qwen_takes(
    total: int, fps: float, wanted: float, lowest: int, highest: int, fixed: int | None
) -> None:
    limits = VideoLimits(wanted, fixed, lowest, highest)
    try:
        expected = qwen.smart_nframes(element(limits), total, fps)
    except ValueError:
        with pytest.raises(UserError, match="; "):
            count_frames(total, fps, limits)
    else:
        assert count_frames(total, fps, limits) == expected


def test_defaults_are_those_of_qwen() -> None:
    limits = VideoLimits()
    assert (limits.fps, limits.min_frames, limits.max_frames) == (qwen.FPS, qwen.FPS_MIN_FRAMES, qwen.FPS_MAX_FRAMES)
    for total in range(2, 3000, 7):
        assert count_frames(total, 25.0, limits) == qwen.smart_nframes({}, total, 25.0)


def test_the_frames_that_qwen_takes() -> None:
    rng = random.Random(0)
    for total in [*range(2, 120), 299, 300, 1799, 1800, 5400, 54_000, 107_892]:
        for count in {2, total // 2 * 2, min(total, 768) // 2 * 2, 2 * rng.randint(1, max(1, min(total, 768) // 2))}:
            assert frame_indices(total, count) == torch.linspace(0, total - 1, count).round().long().tolist()


def qwen_size(monkeypatch: pytest.MonkeyPatch, limits: VideoLimits, width: int, height: int, count: int, patch: int) -> Any:
    """(width, height) that `fetch_video` resizes `count` frames to, or its error; no pixel is touched."""
    sizes: list[list[int]] = []

    def resize(video: torch.Tensor, size: list[int], **_: object) -> torch.Tensor:
        sizes.append(size)
        return torch.zeros(1)

    frames = torch.zeros(1, dtype=torch.uint8).expand(count, 3, height, width)
    monkeypatch.setattr(qwen, "get_video_reader_backend", lambda: "fake")
    monkeypatch.setitem(qwen.VIDEO_READER_BACKENDS, "fake", lambda ele: (frames, {}, 2.0))
    monkeypatch.setitem(qwen.VIDEO_READER_BACKENDS, "torchvision", lambda ele: (frames, {}, 2.0))
    monkeypatch.setattr(qwen.transforms.functional, "resize", resize)
    try:
        qwen.fetch_video({"video": "a.mp4", **element(limits)}, image_patch_size=patch)
    except (ValueError, AssertionError) as error:
        return error
    return sizes[0][1], sizes[0][0]


BUDGETS = [
    VideoLimits(),
    VideoLimits(max_pixels=360 * 420),
    VideoLimits(max_pixels=10_000_000),
    VideoLimits(min_pixels=4 * 28 * 28, max_pixels=256 * 28 * 28),
    VideoLimits(total_pixels=20_480 * 28 * 28),
    VideoLimits(total_pixels=2_000_000, min_pixels=16 * 28 * 28),
    VideoLimits(min_pixels=600_000, max_pixels=300_000),
    VideoLimits(min_pixels=50_000, total_pixels=10_000),
]


@pytest.mark.parametrize("limits", BUDGETS, ids=range(len(BUDGETS)))
def test_frames_as_large_as_qwen_makes_them(monkeypatch: pytest.MonkeyPatch, limits: VideoLimits) -> None:
    rng = random.Random(0)
    shapes = [(1280, 720), (1920, 1080), (640, 360), (320, 240), (64, 64), (28, 28), (17, 900), (3840, 2160)]
    shapes += [(rng.randint(8, 2500), rng.randint(8, 2500)) for _ in range(60)]
    checked = 0
    for width, height in shapes:
        for patch in (14, 16):
            count = rng.choice([2, 4, 8, 16, 32, 64, 120, 256, 400, 768])
            expected = qwen_size(monkeypatch, limits, width, height, count, patch)
            if isinstance(expected, Exception):
                with pytest.raises(UserError, match="; "):
                    frame_size(width, height, count, 2 * patch, limits)
            elif 0 not in expected:  # qwen-vl-utils rounds the short side of a strip to nothing
                assert frame_size(width, height, count, 2 * patch, limits) == expected
                checked += 1
    assert checked > 100 or limits is BUDGETS[6]


def test_pixels_are_those_of_qwen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same frames, resized by qwen-vl-utils with torchvision and by us with Pillow, differ by rounding."""
    y, x = np.mgrid[0:90, 0:160]
    frames = [np.stack([(x + 9 * i) % 256, (y * 2) % 256, (x + y) % 256], -1).astype(np.uint8) for i in range(8)]
    frames = [cv2.GaussianBlur(frame, (5, 5), 0) for frame in frames]
    path = tmp_path / "v"
    write_frames(path, frames)
    ours = load_video(Media("video", str(path), (), 4.0), "", VideoLimits(), 28)
    tensor = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)

    def read(ele: dict[str, Any]) -> tuple[torch.Tensor, dict[str, Any], float]:
        count = qwen.smart_nframes(ele, len(tensor), 4.0)
        return tensor[torch.linspace(0, len(tensor) - 1, count).round().long()], {}, 2.0

    monkeypatch.setattr(qwen, "get_video_reader_backend", lambda: "fake")
    monkeypatch.setitem(qwen.VIDEO_READER_BACKENDS, "fake", read)
    theirs = qwen.fetch_video({"video": "a.mp4"}).permute(0, 2, 3, 1).numpy()
    assert ours.frames_FHWC.shape == theirs.shape
    assert np.abs(ours.frames_FHWC - theirs).max() <= 4
    assert np.abs(ours.frames_FHWC - theirs).mean() < 0.3


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_a_list_of_frames_is_taken_whole_as_by_qwen(tmp_path: Path, count: int) -> None:
    """qwen-vl-utils 0.0.14 first rounds the frames of a list to multiples of 56, so the sides here are such."""
    frames = [cv2.resize(frame, (448, 336)) for frame in colours(count)]
    paths = write_frames(tmp_path / "v", frames)
    theirs, metadata = qwen.fetch_video({"video": paths, "sample_fps": 1.0}, return_video_metadata=True)
    ours = load_video(Media("video", paths[0], tuple(paths), 1.0), "", VideoLimits(), 28)
    assert ours.frames_FHWC.shape == tuple(theirs.permute(0, 2, 3, 1).shape)
    assert (list(ours.indices), ours.total, ours.fps) == (
        metadata["frames_indices"],
        metadata["total_num_frames"],
        metadata["fps"],
    )
    assert numbers(ours) == [*range(count), *[count - 1] * (count % 2)]


# ---- decoding


@pytest.mark.parametrize("suffix", list(CODECS))
def test_video_files(tmp_path: Path, suffix: str) -> None:
    video = load(write_video(tmp_path / f"a.{suffix}", colours(12)), VideoLimits(fps=4, min_pixels=1024))
    assert (video.total, video.fps, video.original_size, video.size) == (12, 8.0, (64, 48), (64, 48))
    assert numbers(video) == frame_indices(12, 6) == list(video.indices)
    assert video.seconds == [index / 8 for index in video.indices]


def test_colours_are_in_rgb_order(tmp_path: Path) -> None:
    red = [np.full((48, 64, 3), (250, 0, 0), np.uint8)] * 8
    for path in (write_video(tmp_path / "a.mp4", red), write_animation(tmp_path / "a.gif", red[:1] + colours(4), 250)):
        assert np.abs(load(path).frames_FHWC[0].mean((0, 1)) - (250, 0, 0)).max() < 10


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_animations(tmp_path: Path, name: str) -> None:
    video = load(write_animation(tmp_path / name, colours(8), 250))
    assert (video.total, video.fps, numbers(video), video.seconds) == (8, 4.0, [0, 2, 5, 7], [0, 0.5, 1.25, 1.75])


def test_times_of_uneven_frames_are_real(tmp_path: Path) -> None:
    video = load(write_animation(tmp_path / "a.gif", colours(4), [100, 1000, 500, 400]))
    assert (numbers(video), video.fps) == ([0, 1, 2, 3], 2.0)
    assert video.seconds == pytest.approx([0, 0.1, 1.1, 1.6])


def test_frames_of_a_gif_that_says_no_time_last_a_tenth_of_a_second(tmp_path: Path) -> None:
    assert load(write_animation(tmp_path / "a.gif", colours(4), 0)).seconds == pytest.approx([0, 0.1, 0.2, 0.3])


def test_a_folder_is_sampled_in_the_natural_order_of_its_names(tmp_path: Path) -> None:
    write_frames(tmp_path / "v", colours(12))
    (tmp_path / "v" / "notes.txt").write_text("no frame")
    video = load(tmp_path / "v", VideoLimits(fps=1, min_pixels=1024), fps=2.0)
    assert (numbers(video), video.seconds, video.total) == (frame_indices(12, 6), [i / 2 for i in frame_indices(12, 6)], 12)


def test_a_declared_rate_replaces_the_files(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", colours(12))
    assert (len(load(path).indices), len(load(path, fps=2.0).indices)) == (4, 12)
    assert load(path, fps=2.0).seconds == [i / 2 for i in range(12)]
    uneven = write_animation(tmp_path / "a.gif", colours(4), [100, 1000, 500, 400])
    assert load(uneven, fps=1.0).seconds == [0, 1, 2, 3]


def state(monkeypatch: pytest.MonkeyPatch, stated: dict[int, float]) -> None:
    """Containers that state these properties, whatever is true."""
    real = cv2.VideoCapture

    class Capture:
        def __init__(self, *args: Any) -> None:
            self.capture = real(*args)

        def get(self, key: int) -> float:
            return stated.get(key, self.capture.get(key))

        def __getattr__(self, name: str) -> Any:
            return getattr(self.capture, name)

    monkeypatch.setattr(cv2, "VideoCapture", Capture)


@pytest.mark.parametrize("stated", [13, 0, -9.2e18, math.nan])
def test_a_stated_length_may_be_wrong_or_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stated: float) -> None:
    path = write_video(tmp_path / "a.mp4", colours(12))
    state(monkeypatch, {cv2.CAP_PROP_FRAME_COUNT: stated})
    assert numbers(load(path, VideoLimits(fps=8, min_pixels=1024))) == list(range(12))


@pytest.mark.parametrize("stated", [0, -1, math.nan, 1e6])
def test_a_file_without_a_rate_needs_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stated: float) -> None:
    path = write_video(tmp_path / "a.mp4", colours(12))
    state(monkeypatch, {cv2.CAP_PROP_FPS: stated})
    with pytest.raises(MediaError, match=r"a.mp4: states .* frames per second; add video_fps, the frames per second, to the row"):
        load(path)
    assert load(path, fps=2.0).seconds == [i / 2 for i in range(12)]


def test_a_file_without_times_counts_its_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "a.mp4", colours(12))
    state(monkeypatch, {cv2.CAP_PROP_POS_MSEC: 0})
    assert load(path, VideoLimits(fps=8, min_pixels=1024)).seconds == [i / 8 for i in range(12)]


def test_memory_holds_the_frames_that_are_seen(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [np.zeros((480, 640, 3), np.uint8)] * 120)
    whole = 120 * 480 * 640 * 3
    tracemalloc.start()
    video = load(path, VideoLimits(fps=8, min_pixels=1024, max_pixels=64 * 48))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(video.indices) == 120
    assert peak < whole / 10


# ---- bad files


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.mark.parametrize(
    ("name", "share", "words"),
    [
        ("a.mp4", 0.5, "is no video that can be decoded, or is truncated; replace"),
        ("a.webm", 0.5, r"ends after \d+ of its 100 frames, so it is truncated or corrupt; replace"),
        ("a.avi", 0.5, r"ends after \d+ of its 100 frames, so it is truncated or corrupt; replace"),
        ("a.mp4", 0.0, "is no video that can be decoded, or is truncated; replace"),
    ],
)
def test_truncated_videos(tmp_path: Path, name: str, share: float, words: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (100, 48, 64, 3), dtype=np.uint8)
    path = cut(write_video(tmp_path / name, list(noise)), share)
    with pytest.raises(MediaError, match=f"^rows.jsonl:7: video: {path}: {words}"):
        load(path, VideoLimits(fps=8, min_pixels=1024))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_truncated_animations(tmp_path: Path, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (10, 48, 64, 3), dtype=np.uint8)
    path = cut(write_animation(tmp_path / "a.gif", list(noise), 100), share)
    with pytest.raises(MediaError, match=r"a.gif cannot be decoded \(.*\); replace the file or drop the row"):
        load(path)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_damaged_files_are_a_video_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    name = data.draw(st.sampled_from(["a.mp4", "a.webm", "a.gif"]))
    frames = colours(8)
    path = write_animation(folder / name, frames, 100) if name == "a.gif" else write_video(folder / name, frames)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 20))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    found = attempt(path)
    if isinstance(found, MediaError):
        assert str(found).startswith("rows.jsonl:7: video: ")
        assert "; " in str(found)
    else:
        assert all(math.isfinite(second) for second in found.seconds)
        assert len(found.frames_FHWC) == len(found.indices)


def attempt(path: Path) -> Video | MediaError:
    try:
        return load(path)
    except MediaError as error:
        return error


def test_other_bad_videos(tmp_path: Path) -> None:
    paths = write_frames(tmp_path / "v", colours(3))
    Image.new("RGB", (10, 10)).save(paths[1])
    (tmp_path / "empty").mkdir()
    (tmp_path / "playlist.mp4").write_text("#EXTM3U\n#EXTINF:1,\nhttp://example.com/a.ts\n")
    one = write_animation(tmp_path / "one.gif", colours(1), 100)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"path": tmp_path / "none.mp4"}, r"none.mp4: does not exist; mend the path \(it is relative to the data file\)"),
        ({"path": "http://example.com/a.mp4"}, "does not exist; mend the path"),
        ({"path": tmp_path / "playlist.mp4"}, "is no video that can be decoded"),
        ({"path": tmp_path / "empty", "fps": 2.0}, "holds no frames; put the frames there"),
        ({"path": tmp_path / "v"}, "are frames without times; add video_fps, the frames per second"),
        (
            {"path": paths[0], "frames": paths, "fps": 2.0},
            r"frame2.png of \(10, 10\), the first has \(64, 48\); give all frames one size",
        ),
        ({"path": paths[0], "frames": [paths[0], "gone.png"], "fps": 2.0}, "gone.png does not exist; mend the path"),
        ({"path": one}, "it has fewer than 2 frames; give it as an image, or drop the row"),
        ({"path": tmp_path / "v", "fps": 2.0, "limits": VideoLimits(num_frames=8)}, "asks for 8 frames, but it has 3; lower"),
    ]
    for arguments, words in cases:
        with pytest.raises(MediaError, match=f"^rows.jsonl:7: video: .*{words}"):
            load(**arguments)


def test_huge_frames_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [write_video(tmp_path / "a.mp4", colours(4)), write_animation(tmp_path / "a.gif", colours(4), 100)]
    monkeypatch.setattr("vlrl.data.video.MAX_PIXELS", 64 * 48 - 1)
    for path in paths:
        with pytest.raises(MediaError, match="has frames of more than 3,071 pixels; scale it down"):
            load(path)
