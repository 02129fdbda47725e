"""One GRPO update on the same model, prompts and completions: shared prefix, one row per completion, and TRL's GRPOTrainer.

    python scripts/bench_update.py --json out.json                 # the table of docs/packed-update.md
    python scripts/bench_update.py --frozen_vision --json out.json
    python scripts/bench_update.py --sweep sweep.json --plot docs/img/packed_sweep.png

An update here is forward, loss and backward; encoding the prompts, sampling and the optimiser are left out on all sides.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import bench_model
import bench_trl
import matplotlib.pyplot as plt
import numpy as np
import torch
from bench_count import cost, peak_bytes
from bench_theory import Sizes, Work, packed, rows, sizes, trl
from matplotlib.axes import Axes
from torch import Tensor, nn

from vlrl.algorithms.table import ALGORITHMS
from vlrl.models import shared_prefix
from vlrl.models.tiny.build import ToyShape
from vlrl.models.vision import VisionEncoder
from vlrl.models.vlm import VLM
from vlrl.training.objective import Row, count, loss_share
from vlrl.training.packing import pack
from vlrl.training.policy import Policy, collate

Found = tuple[list[Tensor], dict[str, Tensor]]
"""Each row's log-probabilities, and the gradients by parameter."""


class Way(NamedTuple):
    """One way to do an update of `model`: `run` does forward and backward."""

    model: Any
    run: Callable[[], Found]


@dataclass(frozen=True)
class Size:
    """G completions of C tokens on a prompt of a picture of `side` pixels and a question of `words` tokens."""

    group: int = 8
    completion: int = 64
    words: int = 40
    side: int = bench_model.SIDE
    frozen_vision: bool = False
    shape: ToyShape = bench_model.SHAPE


QUICK = Size(4, 12, 10, 112, shape=bench_model.QUICK)


def paths(size: Size, folder: str) -> tuple[Work, dict[str, Way]]:
    """A model and the three ways to do the same update on it or, for TRL, on a copy.

    Placeholder tokens are not masked in the log-probabilities here, because TRL does not mask them.
    """
    vlm = bench_model.build(size.shape)
    vlm.banned_ids = []
    if size.frozen_vision:
        vlm.freeze_vision_tower()
    question, image = bench_model.question(size.words), bench_model.picture(0, size.side)
    prompt = vlm.encode(question, [image])
    completions = bench_model.completions(vlm, size.group, size.completion)
    rows = [Row(prompt, ids, [0.0] * len(ids), i - (size.group - 1) / 2) for i, ids in enumerate(completions)]
    trl = _trl(vlm, bench_trl.row(question, [image]), rows, folder)
    shared_prefix.enable(vlm.base)
    vlm.model.train()
    work = Work(size.group, len(prompt), size.completion, int((prompt.token_types_P == 1).sum()), size.frozen_vision)
    return work, {"packed": ours(vlm, rows, pack), "naive": ours(vlm, rows, collate), "trl": trl}


def ours(vlm: VLM, rows: list[Row], lay_out: Callable[..., Any]) -> Way:
    """The update in one of our two layouts: `pack` or `collate`."""
    denominators = count(rows, max(len(row.token_ids) for row in rows), lambda totals: totals)

    def update() -> Found:
        batch = lay_out(vlm, [row.prompt for row in rows], [row.token_ids for row in rows])
        stats = Policy(vlm, 1.0, VisionEncoder(vlm))(batch)
        loss, _ = loss_share(ALGORITHMS["dapo"], True, rows, stats, batch.mask_BT, denominators)
        loss.backward()
        return list(stats.logprobs_BT.detach()), _take_gradients(vlm.base)

    return Way(vlm.base, update)


def _trl(vlm: VLM, row: bench_trl.Row, rows: list[Row], folder: str) -> Way:
    """TRL computes everything up to the loss by itself, from the given completions; the advantages are set to ours."""
    length = max(len(r.token_ids) for r in rows)
    sizes = {"num_generations": len(rows), "per_device_train_batch_size": len(rows), "max_completion_length": length}
    trainer = bench_trl.build(vlm.base, vlm.processor, [row], _no_reward, folder, **sizes)
    trainer.given = [r.token_ids for r in rows]
    inputs = trainer.roll_out([row] * len(rows))
    inputs["advantages"] = torch.tensor([r.advantage for r in rows])
    if inputs["prompt_ids"][0].tolist() != rows[0].prompt.input_ids_P.tolist():
        raise ValueError("TRL made another prompt than we")

    def update() -> Found:
        trainer.loss(inputs).backward()
        return list(trainer.last_logprobs), _take_gradients(trainer.model_wrapped)

    return Way(trainer.model_wrapped, update)


def _no_reward(completions: list[Any], **_: Any) -> list[float | None]:
    return [0.0] * len(completions)


def _take_gradients(model: nn.Module) -> dict[str, Tensor]:
    found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad(set_to_none=True)
    return found


def compare(size: Size, repeats: int) -> dict[str, Any]:
    """The result of one size, with the keys that docs/packed-update.md explains."""
    with tempfile.TemporaryDirectory() as folder:
        work, ways = paths(size, folder)
        costs = {name: cost(way.model, way.run) for name, way in ways.items()}
        peaks = {name: peak_bytes(way.run) for name, way in ways.items()}
        found = {name: way.run() for name, way in ways.items()}
        seconds = bench_model.interleaved({name: way.run for name, way in ways.items()}, repeats)
    model = ways["packed"].model
    theory = predictions(sizes(model), work)
    prompt_head = trl(sizes(model), work, True) - trl(sizes(model), work, False)
    result: dict[str, Any] = {}
    for other in ("trl", "naive"):
        result[f"flops_ratio_{other}"] = costs[other].flops / costs["packed"].flops
        result[f"flops_ratio_{other}_theory"] = theory[other] / theory["packed"]
        result[f"wall_ratio_{other}"] = seconds[other] / seconds["packed"]
    result["flops_ratio_trl_without_prompts_in_head"] = (costs["trl"].flops - prompt_head) / costs["packed"].flops
    result["max_logprob_diff"], result["grad_rel_diff"] = differences(found["packed"], found["naive"])
    result["max_logprob_diff_trl"], result["grad_rel_diff_trl"] = differences(found["packed"], found["trl"])
    result |= {
        "gflops": {name: c.flops / 1e9 for name, c in costs.items()},
        "seconds": seconds,
        "peak_mb": {name: peak / 1e6 for name, peak in peaks.items()},
        "images": {name: c.images for name, c in costs.items()},
        "tokens": {name: c.tokens for name, c in costs.items()},
    }
    settings = {**asdict(work), "parameters": sum(p.numel() for p in model.parameters()), "repeats": repeats}
    return {**result, "settings": settings, **bench_model.circumstances()}


def predictions(size: Sizes, work: Work) -> dict[str, int]:
    """The cost model of the three paths; without Triton TRL sends prompts through the head too."""
    return {"packed": packed(size, work), "naive": rows(size, work), "trl": trl(size, work, not torch.cuda.is_available())}


SWEEP = [
    *(Size(group, 64, words, side) for side, words in ((224, 28), (448, 40), (896, 68)) for group in (2, 4, 8, 16)),
    *(Size(4, 64, words, side) for side, words in ((1344, 88), (1680, 392))),
    *(Size(8, completion) for completion in (16, 256, 512)),
]
"""G over prompts of about 100, 300 and 1100 tokens; prompts of 2400 and 4000; C."""
QUICK_SWEEP = [replace(QUICK, group=group, completion=completion) for group in (2, 4) for completion in (4, 12)]


def sweep(points: Sequence[Size]) -> list[dict[str, Any]]:
    """FLOP ratios of the points, measured and by the cost model; nothing is timed."""
    return [_point(size) for size in points]


def _point(size: Size) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        work, ways = paths(size, folder)
        flops = {name: cost(way.model, way.run).flops for name, way in ways.items()}
    theory = predictions(sizes(ways["packed"].model), work)
    ratios = {
        f"flops_ratio_{other}{suffix}": found[other] / found["packed"]
        for other in ("trl", "naive")
        for suffix, found in (("", flops), ("_theory", theory))
    }
    return {**asdict(work), **ratios}


def draw(points: Sequence[dict[str, Any]], size: Sizes, path: Path) -> None:
    """Ratios over P by G, at the first point's C, and over C, at the last one's P and G: dots counted, lines the cost model."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharey=True)
    first, last = points[0], points[-1]
    common = [point for point in points if point["completion"] == first["completion"]]
    for group in sorted({point["group"] for point in common}):
        _curve(axes[0], [{**point, "group": group} for point in common], size, "prompt", f"G = {group}")
        _dots(axes[0], [point for point in common if point["group"] == group], "prompt")
    alike = [point for point in points if (point["group"], point["prompt"]) == (last["group"], last["prompt"])]
    _curve(axes[1], alike, size, "completion", f"G = {last['group']}, P = {last['prompt']}")
    _dots(axes[1], alike, "completion")
    for axis, name in zip(axes, (f"prompt tokens P (C = {first['completion']})", "completion tokens C"), strict=True):
        axis.set_xlabel(name)
        axis.grid(alpha=0.3)
        axis.legend()
    axes[0].set_ylabel("FLOPs of one row each / shared prefix")
    figure.savefig(path, dpi=120)


def _curve(axis: Axes, points: Sequence[dict[str, Any]], size: Sizes, key: str, label: str) -> None:
    """The cost model between the points; a prompt's share of image tokens is interpolated too."""
    images = {point[key]: point["image"] for point in points}
    at = sorted(images)
    xs = np.geomspace(at[0], at[-1], 60)
    works = [
        Work(**{name: points[0][name] for name in ("group", "prompt", "completion", "image")} | {key: x, "image": image})
        for x, image in zip(xs, np.interp(xs, at, [images[x] for x in at]), strict=True)
    ]
    axis.plot(xs, [rows(size, work) / packed(size, work) for work in works], label=label)
    axis.set_xscale("log")
    axis.set_xticks(at, [str(x) for x in at])
    axis.minorticks_off()


def _dots(axis: Axes, points: Sequence[dict[str, Any]], key: str) -> None:
    color = axis.lines[-1].get_color()
    axis.plot([point[key] for point in points], [point["flops_ratio_naive"] for point in points], "o", color=color)


def differences(
    one: tuple[list[Tensor], dict[str, Tensor]], other: tuple[list[Tensor], dict[str, Tensor]]
) -> tuple[float, float]:
    """Largest difference of a log-probability in nats; norm of all gradients' difference over that of the second's."""
    logprobs = max(float((a - b).abs().max()) for a, b in zip(one[0], other[0], strict=True))
    apart = sum(float((one[1][name] - gradient).double().square().sum()) for name, gradient in other[1].items())
    whole = sum(float(gradient.double().square().sum()) for gradient in other[1].values())
    return logprobs, (apart / whole) ** 0.5


def main() -> None:
    """Parse the command line and run."""
    parser = bench_model.parser(__doc__, 7)
    parser.add_argument("--group", type=int, default=Size.group, help="completions of the prompt (G)")
    parser.add_argument("--completion", type=int, default=Size.completion, help="tokens of a completion (C)")
    parser.add_argument("--frozen_vision", action="store_true", help="do not train the vision tower")
    parser.add_argument("--sweep", type=Path, help="instead: FLOPs of many sizes beside the cost model, as JSON")
    parser.add_argument("--plot", type=Path, help="the sweep's picture")
    args = parser.parse_args()
    if args.sweep:
        points = sweep(QUICK_SWEEP if args.quick else SWEEP)
        bench_model.report({"points": points, **bench_model.circumstances()}, args.sweep)
        if args.plot:
            draw(points, sizes(bench_model.build((QUICK if args.quick else Size()).shape).base), args.plot)
        return
    size = QUICK if args.quick else Size(args.group, args.completion)
    result = compare(replace(size, frozen_vision=args.frozen_vision), 1 if args.quick else args.repeats)
    bench_model.report(result, args.json)


if __name__ == "__main__":
    main()
