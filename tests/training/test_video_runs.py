"""Video from a file on disk to the gradient: a run whose rows hold films, pictures, both, and neither."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from torch import Tensor
from toy_runs import picture, record_gradients, save_toy, toy_config, worst_relative

from vlrl.logs import RunFolder
from vlrl.models.tiny.build import FAMILIES
from vlrl.training import grpo, setup
from vlrl.training.config import DatasetConfig, EvaluationConfig
from vlrl.video import VideoLimits


@pytest.fixture(scope="module", params=FAMILIES)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_toy(tmp_path_factory.mktemp(request.param), request.param)


def write_rows(folder: Path) -> Path:
    """Rows with an mp4 file, a folder of frames, a list of them, a GIF, two films, a picture and a film, a picture, nothing."""
    folder.mkdir(exist_ok=True)
    frames = [np.asarray(picture(48, 32, seed)) for seed in range(8)]
    writer = cv2.VideoWriter(str(folder / "a.mp4"), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 8, (48, 32))
    for frame in frames:
        writer.write(frame)
    writer.release()
    (folder / "frames").mkdir(exist_ok=True)
    images = [Image.fromarray(frame) for frame in frames]
    for i, image in enumerate(images):
        image.save(folder / "frames" / f"{i}.png")
    images[0].save(folder / "a.gif", save_all=True, append_images=images[1:], duration=500)
    media: list[dict[str, Any]] = [
        {"video": "a.mp4"},
        {"video": "frames", "video_fps": 4},
        {"video": ["frames/0.png", "frames/5.png", "frames/3.png"], "video_fps": 1},
        {"video": "a.gif"},
        {"videos": ["a.mp4", "a.gif"]},
        {"images": ["frames/7.png"], "video": "a.mp4"},
        {"image": "frames/2.png"},
        {},
    ]
    rows = [{"id": str(i), "question": f"now {i}", "answer": {"count": i}, **keys} for i, keys in enumerate(media)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "rows.jsonl"


def overrides(folder: Path, shared: bool) -> dict[str, Any]:
    data = [DatasetConfig(str(write_rows(folder)), "toy_task:TASK")]
    return {
        "data": data,
        "evaluation": EvaluationConfig(data, every=2),
        "model.video": VideoLimits(fps=2, min_pixels=256, max_pixels=1024),
        "rollout.generation_batch_size": 32,
        "optim.shared_prefix": shared,
        "optim.per_device_train_batch_size": 32,
    }


def first_step(
    folder: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> tuple[dict[str, float], list[dict[str, Tensor]]]:
    run = setup.build(toy_config(folder, checkpoint, overrides(folder, shared)))
    gradients = record_gradients(run, monkeypatch)
    run.step = 1
    metrics, _ = grpo.grpo_step(run)
    return {name: value for name, value in metrics.items() if not name.startswith("time/")}, gradients


def test_both_paths_take_the_same_step(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight prompts, all the rows: one row per completion, and prefixes shared."""
    naive, gradients = first_step(tmp_path / "naive", checkpoint, monkeypatch, shared=False)
    shared, other = first_step(tmp_path / "shared", checkpoint, monkeypatch, shared=True)
    assert naive["sampling/logp_difference"] < 1e-4
    assert naive["grad_norm"] > 0
    assert {k: shared[k] for k in naive} == pytest.approx(naive, rel=1e-3, abs=1e-5)
    assert worst_relative(other[0], gradients[0]) < 1e-4


def test_a_run_logs_and_evaluates_films(checkpoint: Path, tmp_path: Path) -> None:
    config = toy_config(tmp_path, checkpoint, overrides(tmp_path, shared=False))
    grpo.train(config)
    folder = RunFolder(config.output_dir)
    groups = folder.groups(1)
    assert {group.sample.id for group in groups} == {str(i) for i in range(8)}
    assert {len(group.sample.media) for group in groups} == {0, 1, 2}
    listed = next(group.sample for group in groups if group.sample.id == "2")
    (film,) = listed.media
    assert (film.kind, film.fps, len(film.frames)) == ("video", 1.0, 3)
    assert all(Path(path).is_absolute() for path in film.frames)
    assert listed.answer["image_size"] == [48, 32]
    summary = folder.summary() or {}
    assert summary["metrics"]["toy/digits"]["n"] == 8
