"""Videos through the wrapper: tokens, positions and times as the models were trained with; every frame reaches the logits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from qwen_vl_utils import vision_process as qwen
from torch import Tensor
from toys import picture, toy_vlm

from vlrl import tasks
from vlrl.data.errors import RowError
from vlrl.data.jsonl import read_samples
from vlrl.evaluation.prepare import prepare
from vlrl.models import families
from vlrl.models.tiny.build import FAMILIES
from vlrl.models.vlm import VLM, EncodedPrompt, load
from vlrl.rollout.transformers_engine import TransformersEngine
from vlrl.types import UserError
from vlrl.video import Video, VideoLimits, count_frames, frame_size

QUESTION = "Find: the red box"
GOLDEN = Path(__file__).parents[1] / "golden" / "mrope" / "qwen_rope2d.jsonl"
"""Positions by QwenLM/Qwen3-VL at 96588727, qwen-vl-finetune/qwenvl/data/rope2d.py (Apache-2.0), for made-up prompts."""


@pytest.fixture(scope="module", params=FAMILIES)
def vlm(request: pytest.FixtureRequest) -> VLM:
    return toy_vlm(request.param)


def film(count: int = 6, width: int = 48, height: int = 32, seed: int = 0, fps: float = 4.0) -> Video:
    """Every second frame of a video of a red box that wanders and a disc that grows."""
    frames = np.stack([np.asarray(picture(width, height, seed + i)) for i in range(count)])
    return Video(frames, tuple(float(2 * i) for i in range(count)), fps, 2 * count, (width, height))


def changed(video: Video, frames: np.ndarray) -> Video:
    return replace(video, frames_FHWC=np.ascontiguousarray(frames))


def logits_of(vlm: VLM, encoded: EncodedPrompt) -> Tensor:
    with torch.no_grad():
        return vlm.model(
            input_ids=encoded.input_ids_P[None],
            position_ids=encoded.position_ids_AP[:, None],
            mm_token_type_ids=encoded.token_types_P[None],
            **vlm.media_batch([encoded]),
        ).logits[0]


def last_logprobs(vlm: VLM, media: Sequence[Image.Image | Video]) -> Tensor:
    return logits_of(vlm, vlm.encode(QUESTION, media))[-1].log_softmax(-1)


# ---- positions and prompts


@pytest.mark.parametrize("case", [json.loads(line) for line in GOLDEN.open()], ids=lambda c: c["family"])
def test_positions_are_those_of_the_models_authors(case: dict[str, Any]) -> None:
    config = SimpleNamespace(vision_config=SimpleNamespace(spatial_merge_size=2, tokens_per_second=2))
    features = {"mm_token_type_ids": torch.tensor([[int(kind) for kind in case["types"]]])}
    keys = ("image_grid_thw", "video_grid_thw", "second_per_grid_ts")
    features |= {key: torch.tensor(case[key]) for key in keys if case.get(key)}
    found = families.load(case["family"]).position_ids(SimpleNamespace(config=config), features)
    assert found.tolist() == case["positions"]


def test_positions_are_transformers_own_where_a_video_is_short(vlm: VLM) -> None:
    """Where no time index exceeds the rows and columns, transformers 5 agrees with the models' authors."""
    media = [picture(), film(4, 64, 64, fps=8.0), picture(33, 70, 1)]
    encoded = vlm.encode(QUESTION, media)
    family = vlm.model.config.model_type
    extra = {"second_per_grid_ts": torch.tensor([0.5])} if family == "qwen2_5_vl" else {}
    grids = {key: encoded.media[key] for key in ("image_grid_thw", "video_grid_thw")}
    positions, _ = vlm.base.model.get_rope_index(encoded.input_ids_P[None], encoded.token_types_P[None], **grids, **extra)
    assert torch.equal(encoded.position_ids_AP, positions[:, 0])


def test_text_after_a_long_video_comes_after_its_last_moment(vlm: VLM) -> None:
    encoded = vlm.encode(QUESTION, [film(40)])
    last = int((encoded.token_types_P == 2).nonzero().max())
    assert encoded.position_ids_AP[:, last + 1].min() == encoded.position_ids_AP[:, : last + 1].max() + 1


def test_qwen3_reads_the_time_before_each_frame_pair() -> None:
    vlm = toy_vlm("qwen3_vl")
    video = replace(film(6), indices=(0.0, 2.0, 4.0, 6.0, 8.4, 10.4))
    encoded = vlm.encode("hello", [video])
    frame = "<|vision_start|>" + 6 * "<|video_pad|>" + "<|vision_end|>"
    times = ("<0.2 seconds>", "<1.2 seconds>", "<2.4 seconds>")
    expected = "<|user|>" + "".join(time + frame for time in times) + "hello<|assistant|>"
    assert vlm.processor.tokenizer.decode(encoded.input_ids_P) == expected


@pytest.mark.parametrize("family", ["qwen2_vl", "qwen2_5_vl"])
def test_the_others_read_all_frames_in_one_piece(family: str) -> None:
    vlm = toy_vlm(family)
    expected = "<|user|><|vision_start|>" + 18 * "<|video_pad|>" + "<|vision_end|>hello<|assistant|>"
    assert vlm.processor.tokenizer.decode(vlm.encode("hello", [film(6)]).input_ids_P) == expected


def test_qwen2_5_spaces_positions_by_seconds() -> None:
    vlm = toy_vlm("qwen2_5_vl")
    rate = vlm.model.config.vision_config.tokens_per_second
    for fps, seconds_per_pair in ((4.0, 1.0), (1.0, 4.0), (16.0, 0.25)):  # every second frame is taken
        encoded = vlm.encode(QUESTION, [film(6, fps=fps)])
        times = encoded.position_ids_AP[0][encoded.token_types_P == 2].unique()
        assert (times - times[0]).tolist() == [int(i * seconds_per_pair * rate) for i in range(3)]


# ---- tokens


@pytest.mark.parametrize(
    ("total", "fps", "width", "height", "limits"),
    [
        (30, 29.97, 64, 48, VideoLimits()),
        (250, 25.0, 320, 180, VideoLimits(min_pixels=1024, max_pixels=5000)),
        (600, 30.0, 100, 700, VideoLimits(fps=0.5, min_pixels=1024, total_pixels=40_000)),
        (77, 12.0, 333, 111, VideoLimits(fps=4, max_frames=14, min_pixels=512, max_pixels=4096)),
        (16, 8.0, 64, 64, VideoLimits(num_frames=8, min_pixels=1024)),
    ],
)
def test_token_counts_are_those_of_qwen_vl_utils(
    vlm: VLM, monkeypatch: pytest.MonkeyPatch, total: int, fps: float, width: int, height: int, limits: VideoLimits
) -> None:
    """The whole way: fetch_video, then the checkpoint's processor as the models' README calls it."""
    rates = {"nframes": limits.num_frames} if limits.num_frames else {"fps": limits.fps, "max_frames": limits.max_frames}
    budget = {key: getattr(limits, key) for key in ("min_pixels", "max_pixels", "total_pixels") if getattr(limits, key)}

    def read(ele: dict[str, Any]) -> tuple[Tensor, dict[str, Any], float]:
        frames = torch.zeros(qwen.smart_nframes(ele, total, fps), 3, height, width, dtype=torch.uint8)
        return frames, {"fps": fps, "total_num_frames": total, "frames_indices": list(range(len(frames)))}, 1.0

    monkeypatch.setattr(qwen, "get_video_reader_backend", lambda: "fake")
    monkeypatch.setitem(qwen.VIDEO_READER_BACKENDS, "fake", read)
    ele = {"video": "a.mp4", **rates, **budget}
    theirs, metadata = qwen.fetch_video(ele, image_patch_size=vlm.frame_factor // 2, return_video_metadata=True)
    inputs = vlm.processor(
        text=["<|vision_start|><|video_pad|><|vision_end|>"],
        videos=[theirs],
        videos_kwargs={"do_resize": False, "do_sample_frames": False, "video_metadata": [metadata]},
        return_tensors="pt",
    )
    count = count_frames(total, fps, limits)
    size = frame_size(width, height, count, vlm.frame_factor, limits)
    frames = np.zeros((count, size[1], size[0], 3), np.uint8)
    ours = vlm.encode(QUESTION, [Video(frames, tuple(map(float, range(count))), fps, total, (width, height))])
    assert torch.equal(ours.media["video_grid_thw"], inputs["video_grid_thw"])
    assert (ours.token_types_P == 2).sum() == (inputs["mm_token_type_ids"] == 2).sum() > 0


def test_frames_are_taken_as_they_are(vlm: VLM) -> None:
    """The processor neither drops nor resizes: its patches hold the frames' own pixels."""
    video = film(6, 48, 32)
    pixels = vlm.encode(QUESTION, [video]).media["pixel_values_videos"]
    processor = vlm.processor.video_processor
    patch, merge = processor.patch_size, processor.merge_size
    grid = (3, 2, 3, 32 // (patch * merge), merge, patch, 48 // (patch * merge), merge, patch)
    frames_FCHW = torch.from_numpy(video.frames_FHWC).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(values)[:, None, None] for values in (processor.image_mean, processor.image_std))
    expected = ((frames_FCHW - mean) / std).reshape(grid).permute(0, 3, 6, 4, 7, 2, 1, 5, 8).reshape(len(pixels), -1)
    torch.testing.assert_close(pixels, expected, atol=1e-5, rtol=0)


def test_media_keep_their_order(vlm: VLM) -> None:
    types = vlm.encode(QUESTION, [film(2), picture(), film(4), picture()]).token_types_P
    runs = [int(kind) for i, kind in enumerate(types) if kind and (i == 0 or types[i - 1] != kind)]
    pairs = 2 if vlm.model.config.model_type.startswith("qwen3_vl") else 1  # of the second video; each with its time before it
    assert runs == [2, 1, *[2] * pairs, 1]


# ---- what reaches the model


def test_shuffled_blanked_and_swapped_frames_change_the_logprobs(vlm: VLM) -> None:
    video = film(6)
    plain = last_logprobs(vlm, [video])
    assert torch.equal(plain, last_logprobs(vlm, [changed(video, video.frames_FHWC.copy())]))
    others = [video.frames_FHWC[::-1], video.frames_FHWC[[2, 3, 0, 1, 4, 5]], np.zeros_like(video.frames_FHWC)]
    others += [np.where(np.arange(6)[:, None, None, None] == i, 0, video.frames_FHWC) for i in range(6)]
    for frames in others:
        assert (last_logprobs(vlm, [changed(video, frames)]) - plain).abs().max() > 1e-4


def test_time_reaches_the_models_that_read_it(vlm: VLM) -> None:
    slow, fast = (last_logprobs(vlm, [film(6, fps=fps)]) for fps in (1.0, 8.0))
    difference = (slow - fast).abs().max()
    if vlm.model.config.model_type == "qwen2_vl":  # it counts frame pairs and knows no seconds
        assert difference == 0
    else:
        assert difference > 1e-4


def mixture(vlm: VLM) -> list[EncodedPrompt]:
    return [
        vlm.encode(QUESTION, [picture(), film(6), picture(40, 90, 1)]),
        vlm.encode("Say a number.", []),
        vlm.encode(QUESTION, [film(4, 64, 64, 2)]),
        vlm.encode(QUESTION, [film(2, 32, 32, 1), film(8, 32, 48, 3, 1.0)]),
        vlm.encode(QUESTION, [picture(33, 17, 2)]),
    ]


def test_images_videos_and_text_in_one_batch(vlm: VLM) -> None:
    prompts = mixture(vlm)
    media = vlm.media_batch(prompts)
    counts = [3 * 6, 2 * 16, 1 * 4, 4 * 6]
    assert len(media["pixel_values_videos"]) == 4 * sum(counts)
    assert media["video_grid_thw"].tolist() == [[3, 4, 6], [2, 8, 8], [1, 4, 4], [4, 6, 4]]
    engine = TransformersEngine(vlm, max_completion_length=6)
    together = engine.generate(prompts, 2, 1.0, list(range(len(prompts))))
    for index, prompt in enumerate(prompts):
        (alone,) = engine.generate([prompt], 2, 1.0, [index])
        for one, other in zip(together[index], alone, strict=True):
            assert one.token_ids == other.token_ids
            assert one.logprobs == pytest.approx(other.logprobs, abs=1e-5)


def test_placeholders_are_never_sampled(vlm: VLM) -> None:
    engine = TransformersEngine(vlm, max_completion_length=20)
    (group,) = engine.generate([vlm.encode(QUESTION, [film(2)])], 16, 5.0, [0])
    assert vlm.processor.tokenizer.convert_tokens_to_ids("<|video_pad|>") in vlm.banned_ids
    assert not {token for completion in group for token in completion.token_ids} & set(vlm.banned_ids)


# ---- what must not go unnoticed


def test_pixels_that_do_not_fill_the_placeholders_are_refused(vlm: VLM) -> None:
    encoded = vlm.encode(QUESTION, [picture(), film(6)])
    lost = {key: value for key, value in encoded.media.items() if "video" not in key}
    short = {**encoded.media, "video_grid_thw": encoded.media["video_grid_thw"] - torch.tensor([[1, 0, 0]])}
    missing = {key: value for key, value in encoded.media.items() if key != "pixel_values_videos"}
    for media in ({}, lost, short, missing):
        with pytest.raises(ValueError, match="placeholder tokens"):
            vlm.media_batch([vlm.encode("fine", []), replace(encoded, media=media)])
    with pytest.raises(ValueError, match="placeholder tokens"):
        vlm.media_batch([replace(encoded, token_types_P=torch.zeros_like(encoded.token_types_P))])


def test_a_family_without_video_says_so(vlm: VLM, tmp_path: Path) -> None:
    blind = VLM(vlm.model, vlm.processor, replace(vlm.family, media_keys=("pixel_values", "image_grid_thw")))
    assert blind.encode(QUESTION, [picture()]).processed_sizes == [(64, 64)]
    with pytest.raises(UserError, match=r"vlrl knows no video for .* models; leave the row out, or train a model of"):
        blind.encode(QUESTION, [film()])
    (sample,) = read_samples(write_row(tmp_path, {"video": write_folder(tmp_path), "video_fps": 4}))
    with pytest.raises(RowError, match=r"rows.jsonl:1: vlrl knows no video for .* models; leave the row out"):
        prepare(sample, blind, "direct", 4096)


def write_folder(folder: Path, count: int = 8) -> str:
    (folder / "frames").mkdir()
    for i in range(count):
        picture(48, 32, i).save(folder / "frames" / f"{i}.png")
    return "frames"


def write_row(folder: Path, media: dict[str, Any]) -> Path:
    row = {"task": "temporal", "question": "the box", "answer": {"span": [0.5, 1.5]}, **media}
    (folder / "rows.jsonl").write_text(json.dumps(row))
    return folder / "rows.jsonl"


def test_frames_of_odd_sizes_are_refused(vlm: VLM) -> None:
    with pytest.raises(UserError, match=r"the frames of a video are 40 x 32 pixels, no multiples of 16; let load_video resize"):
        vlm.encode(QUESTION, [film(4, 40, 32)])


def test_a_checkpoint_remembers_how_it_was_shown_videos(vlm: VLM, tmp_path: Path) -> None:
    limits = VideoLimits(fps=0.5, max_frames=12, min_pixels=1024)
    VLM(vlm.model, vlm.processor, vlm.family, limits).save(tmp_path)
    assert load(str(tmp_path)).video_limits == limits
    assert load(str(tmp_path), video_limits=VideoLimits()).video_limits == VideoLimits()
    (tmp_path / "video_limits.json").unlink()
    assert load(str(tmp_path)).video_limits == VideoLimits()
    with pytest.raises(UserError, match=r"video.max_frames is 0; set it to 1 or more"):
        load(str(tmp_path), video_limits=VideoLimits(max_frames=0))


def test_a_row_becomes_a_prompt(vlm: VLM, tmp_path: Path) -> None:
    limited = VLM(vlm.model, vlm.processor, vlm.family, VideoLimits(fps=2, min_pixels=256, max_pixels=1024))
    (sample,) = read_samples(write_row(tmp_path, {"video": write_folder(tmp_path), "video_fps": 4}))
    prepared = prepare(sample, limited, "direct", 4096)
    assert prepared.encoded.media["video_grid_thw"].tolist() == [[2, 2, 4]]
    expected = {"span": [0.5, 1.5], "image_size": [48, 32], "processed_size": [32, 16]}
    assert prepared.sample.answer == {**expected, "space": vlm.space, "prompt_mode": "direct"}
    with pytest.raises(RowError, match=r"more than 10; raise max_prompt_length, lower model.video.total_pixels"):
        prepare(sample, limited, "direct", 10)


@pytest.mark.parametrize("kind", ["folder", "list", "gif"])
def test_the_same_frames_from_any_container_are_the_same_prompt(tmp_path: Path, kind: str) -> None:
    vlm = toy_vlm("qwen2_5_vl")
    vlm.video_limits = VideoLimits(fps=4, min_pixels=256)
    name = write_folder(tmp_path)
    paths = [f"{name}/{i}.png" for i in range(8)]
    first, *rest = (Image.open(tmp_path / path).quantize() for path in paths)
    first.save(tmp_path / "a.gif", save_all=True, append_images=rest, duration=250)
    media = {"folder": {"video": name, "video_fps": 4}, "list": {"video": paths, "video_fps": 4}, "gif": {"video": "a.gif"}}
    (sample,) = read_samples(write_row(tmp_path, media[kind]))
    found = prepare(sample, vlm, "direct", 4096).encoded
    frames = np.stack([np.asarray(Image.open(tmp_path / path).convert("RGB")) for path in paths])
    expected = vlm.encode(
        tasks.load("temporal").prompt("the box", "direct", vlm.space),
        [Video(frames, tuple(map(float, range(8))), 4.0, 8, (48, 32))],
    )
    assert torch.equal(found.input_ids_P, expected.input_ids_P)
    assert torch.equal(found.position_ids_AP, expected.position_ids_AP)
    torch.testing.assert_close(found.media["pixel_values_videos"], expected.media["pixel_values_videos"], atol=0.1, rtol=0)
