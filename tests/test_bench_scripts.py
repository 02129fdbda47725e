"""The speed benchmarks run, and what they say that is no time is right: FLOPs by the cost model, images, tokens, exactness."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

SCRIPTS = str(Path(__file__).parents[1] / "scripts")
PATHS = {"packed", "naive", "trl"}


@pytest.fixture(scope="module")
def scripts() -> Iterator[dict[str, ModuleType]]:
    """The benchmarks as modules; beside each other they import each other by name."""
    sys.path.insert(0, SCRIPTS)
    try:
        names = ("bench_count", "bench_real", "bench_rollout", "bench_step", "bench_update")
        yield {name: __import__(name) for name in names}
    finally:
        sys.path.remove(SCRIPTS)


def run(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> dict[str, Any]:
    """What `--quick` writes as JSON."""
    monkeypatch.setattr(sys, "argv", [script.__name__, "--quick", "--json", str(tmp_path / "out.json"), *arguments])
    script.main()
    return json.loads((tmp_path / "out.json").read_text())


@pytest.mark.parametrize("arguments", [(), ("--frozen_vision",)])
def test_update(
    scripts: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    found = run(scripts["bench_update"], tmp_path, monkeypatch, *arguments)
    for other in ("trl", "naive"):
        assert found[f"flops_ratio_{other}"] == pytest.approx(found[f"flops_ratio_{other}_theory"], rel=0.1)
        assert found[f"wall_ratio_{other}"] > 0
    for suffix in ("", "_trl"):
        assert found[f"max_logprob_diff{suffix}"] < 1e-5
        assert found[f"grad_rel_diff{suffix}"] < 1e-4
    group, prompt, completion = (found["settings"][key] for key in ("group", "prompt", "completion"))
    assert found["images"] == {"packed": 1, "naive": group, "trl": group}
    each = group * (prompt + completion)
    assert found["tokens"] == {"packed": prompt + group * (completion - 1), "naive": each, "trl": each}
    assert found["peak_mb"].keys() == PATHS
    assert found["peak_mb"]["packed"] < found["peak_mb"]["naive"] < found["peak_mb"]["trl"]


def test_sweep(scripts: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sys, "argv", ["bench_update", "--quick", "--sweep", str(tmp_path / "s.json"), "--plot", str(tmp_path / "s.png")]
    )
    scripts["bench_update"].main()
    points = json.loads((tmp_path / "s.json").read_text())["points"]
    assert len({(point["group"], point["completion"]) for point in points}) == len(points) == 4
    for point in points:
        for other in ("trl", "naive"):
            assert point[f"flops_ratio_{other}"] == pytest.approx(point[f"flops_ratio_{other}_theory"], rel=0.1)
    assert (tmp_path / "s.png").stat().st_size > 10_000


def test_rollout(scripts: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = run(scripts["bench_rollout"], tmp_path, monkeypatch)
    group, prompt, completion = (found["settings"][key] for key in ("group", "prompt", "completion"))
    whole = found["whole"]["traffic"]
    assert {name: seen["images"] for name, seen in whole.items()} == {"ours": 1, "repeated": group, "num_return_sequences": 1}
    assert {seen["sampled"] for seen in whole.values()} == {group * completion}
    decoded = group * (completion - 1)
    assert whole["ours"]["tokens"] == prompt + decoded
    assert whole["repeated"]["tokens"] == group * prompt + decoded
    assert found["ragged"]["traffic"]["ours"]["sampled"] <= group * completion


def test_step(scripts: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = run(scripts["bench_step"], tmp_path, monkeypatch)
    assert found["wall_ratio_trl"] == pytest.approx(found["seconds"]["trl"] / found["seconds"]["ours"])


def test_real(scripts: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = run(scripts["bench_real"], tmp_path, monkeypatch)
    assert found["float32"]["max_logprob_diff"] < 1e-5
    assert found["bfloat16"]["from_float32"].keys() == {"packed", "naive"}


def test_peak_memory_counts_what_lives_at_once(scripts: dict[str, ModuleType]) -> None:
    weight = torch.ones(100, 100, requires_grad=True)

    def one_after_the_other() -> None:
        for _ in range(5):
            torch.zeros(1000)

    def two_views_and_a_copy() -> torch.Tensor:
        made = torch.zeros(1000)
        return made.view(10, 100)[0] + made[:100] + weight.detach().view(-1)[:100]

    def gradient() -> None:
        (weight * 2).exp().sum().backward()

    peak = scripts["bench_count"].peak_bytes
    assert peak(one_after_the_other) == 4000
    assert 4000 < peak(two_views_and_a_copy) <= 4000 + 3 * 400
    assert 80_000 <= peak(gradient) <= 81_000
