"""A fabricated run: twenty steps of two tasks whose predictions close in on the gold, written through `vlrl.logs`."""

from __future__ import annotations

import random
import statistics
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from vlrl.logs import RunFolder
from vlrl.types import Answer, Completion, Media, Rollout, RolloutGroup, Sample, Score, to_json

STEPS, GROUP_SIZE, SIDE = 20, 8, 128
COLOURS = {"red": "#d64545", "blue": "#3f6fd8", "green": "#3f9d5a", "orange": "#e08a2e"}
HOSTILE = (
    "<script>window.pwned = 1</script>",
    "<img src=x onerror=\"window.pwned = 2\"> </pre></article><iframe src='http://example.com'>",
    "${window.pwned = 3} ${7*7} {{7*7}} {% 7*7 %} {{value}}",
    "\x1b[31mred\x1b[0m \u202egnp.exe \x00",
    "lone \ud800 surrogate \udfff",
    "<answer>[1, 2]" + "A" * 1_000_000,
    "",
    "<svg/onload=window.pwned=4><style>body{display:none}</style>",
)


def fabricate(path: Path, steps: int = STEPS) -> Path:
    """Writes the whole run and returns its folder."""
    folder = RunFolder(path)
    folder.create({"seed": 0, "model": "tiny"})
    samples = [sample(path / "media", i) for i in range(10)]
    for step in range(steps + 1):
        if step:
            write_step(folder, step, samples[:6])
        if step % 10 == 0:
            write_evaluation(folder, step, samples)
    change = {"before": 0.31, "after": 0.72, "diff_ci95": [0.28, 0.55]}
    unsure = {"before": 0.52, "after": 0.55, "diff_ci95": [-0.04, 0.1]}
    folder.write_summary({"metrics": {"grounding/acc@0.5": change, "gui/click_accuracy": unsure}, "seconds": 431.7, "seed": 0})
    return path


def write_step(folder: RunFolder, step: int, samples: list[Sample]) -> None:
    """Rollouts and metrics of one step."""
    groups = [group(step, item) for item in samples]
    folder.write_groups(step, groups)
    folder.write_metrics(step, metrics(step, groups))


def sample(media: Path, index: int) -> Sample:
    """A picture drawn here with its gold box: a screen with buttons, or shapes on a plain ground."""
    media.mkdir(parents=True, exist_ok=True)
    rng = random.Random(index)
    picture = Image.new("RGB", (SIDE, SIDE), "#f2f4f7" if index % 2 else "#dfe6d8")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, SIDE, 14), fill="#c9d1dc" if index % 2 else "#c5d2b8")
    boxes: dict[str, list[int]] = {}
    for row, name in enumerate(rng.sample(list(COLOURS), 3)):
        x, y = rng.randint(6, 60), 22 + 35 * row
        boxes[name] = [x, y, x + rng.randint(24, 54), y + rng.randint(16, 28)]
        (draw.rounded_rectangle if index % 2 else draw.ellipse)(boxes[name], fill=COLOURS[name])
    picture.save(media / f"{index}.png")
    name, box = next(iter(boxes.items()))
    task, thing = ("gui", "button") if index % 2 else ("grounding", "ellipse")
    answer = {"box": box, "image_size": [SIDE, SIDE], "processed_size": [SIDE, SIDE], "space": "pixels"}
    file = Media("image", str(media / f"{index}.png"))
    return Sample(f"test-{index:04d}", task, f"the {name} {thing}", answer, (file,), f"test.jsonl:{index}")


def group(step: int, item: Sample) -> RolloutGroup:
    """Eight answers whose error shrinks with the step."""
    rng = random.Random(f"{step}-{item.id}")
    answers = [answer_text(rng, item, step) for _ in range(GROUP_SIZE)]
    scores = [score(item, text, values) for text, values in answers]
    rewards = [s.value or 0.0 for s in scores]
    deviation = statistics.pstdev(rewards) or 1.0
    advantages = [(reward - statistics.fmean(rewards)) / deviation for reward in rewards]
    rollouts = [
        Rollout(Completion(text, [1] * (6 + rng.randint(0, 9)), [-0.5] * 6, "length" if s.failure else "stop"), s, advantage)
        for (text, _), s, advantage in zip(answers, scores, advantages, strict=True)
    ]
    return RolloutGroup(step, item, f"<image>\nFind {item.question}. Answer with its place inside <answer></answer>.", rollouts)


def answer_text(rng: random.Random, item: Sample, step: int) -> tuple[str, list[float] | None]:
    """A completion and what a parser would find in it."""
    if rng.random() < 0.3 / max(step, 1) ** 0.5:
        return f"I think that {item.question} is somewhere near the top, maybe a little to the", None
    noise = 26 / (1 + 0.25 * step)
    box = [v + rng.gauss(0, noise) for v in item.answer["box"]]
    corners = [*map(min, box[:2], box[2:]), *map(max, box[:2], box[2:])]
    values = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] if item.task == "gui" else corners
    values = [round(min(max(v, 0), SIDE), 1) for v in values]
    return f"<think>{item.question} stands out from the others.</think><answer>{values}</answer>", values


def score(item: Sample, text: str, values: list[float] | None) -> Score:
    """IoU for grounding, click in box for gui."""
    part = "gui.click" if item.task == "gui" else "grounding.iou"
    if values is None:
        return Score(0.0, {part: 0.0, "format.tags": 0.0}, False, None, "no_box")
    value = hit(item.answer, values) if item.task == "gui" else iou(item.answer["box"], values)
    total = round(0.9 * value + 0.1, 4)
    return Score(total, {part: round(value, 4), "format.tags": 1.0}, value >= 0.5, values, None)


def hit(answer: Answer, point: list[float]) -> float:
    """1 when the point lies in the box."""
    x1, y1, x2, y2 = answer["box"]
    return float(x1 <= point[0] <= x2 and y1 <= point[1] <= y2)


def iou(a: list[float], b: list[float]) -> float:
    """Overlap of two boxes."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(wide, 0.0) * max(high, 0.0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def metrics(step: int, groups: list[RolloutGroup]) -> dict[str, float]:
    """TRL's names, partly computed from the rollouts."""
    rollouts = [r for g in groups for r in g.rollouts]
    spreads = [statistics.pstdev(r.score.value or 0.0 for r in g.rollouts) for g in groups]
    names = ("grounding.iou", "gui.click", "format.tags")
    parts = {name: [r.score.parts[name] for r in rollouts if name in r.score.parts] for name in names}
    return {
        "loss": 0.02 - 0.001 * step,
        "reward": statistics.fmean(r.score.value or 0.0 for r in rollouts),
        "reward_std": statistics.pstdev(r.score.value or 0.0 for r in rollouts),
        "reward_group_std": statistics.fmean(spreads),
        **{f"rewards/{name}/mean": statistics.fmean(values) for name, values in parts.items() if values},
        "frac_reward_zero_std": statistics.fmean(s == 0 for s in spreads),
        "completions/mean_length": statistics.fmean(len(r.completion.token_ids) for r in rollouts),
        "kl": float("nan") if step == 1 else 0.0004 * step**1.5,
        "entropy": 1.9 - 0.05 * step,
        "clip_ratio/low_mean": 0.01,
        "clip_ratio/high_mean": 0.02 + 0.001 * step,
        "failures/no_box": statistics.fmean(r.score.failure == "no_box" for r in rollouts),
        "completions/clipped_ratio": 0.1 / step,
        **({"failures/bad_json": 0.05 / step} if step < 10 else {}),
        "grad_norm": 0.8,
        "learning_rate": 1e-5 * (1 - step / 40),
    }


def write_evaluation(folder: RunFolder, step: int, samples: list[Sample]) -> None:
    """Two prompt modes over all samples, and the means with an interval."""
    rows, modes = [], {}
    for mode in ("direct", "think"):
        first = [group(step, item).rollouts[len(mode) % 3] for item in samples]
        rows += [eval_row(item, mode, r) for item, r in zip(samples, first, strict=True)]
        mean = min(0.95, 0.3 + 0.02 * step + (0.05 if mode == "think" else 0))
        value = {"mean": mean, "ci95": [max(mean - 0.12, 0.0), min(mean + 0.1, 1.0)], "n": len(samples)}
        modes[mode] = {"grounding/acc@0.5": value, "gui/click_accuracy": {**value, "mean": mean * 0.95}}
    folder.write_eval(step, rows, {"prompt_modes": modes})


def eval_row(item: Sample, mode: str, rollout: Rollout) -> dict[str, Any]:
    """A line of `eval/<step>.jsonl`."""
    completion = rollout.completion
    judged = {"text": completion.text, "finish_reason": completion.finish_reason, "score": to_json(rollout.score)}
    return {"sample": to_json(item), "prompt_mode": mode, **judged}


def hostile_group(step: int, item: Sample) -> RolloutGroup:
    """A group whose completions, question, codes and names all attack the page."""
    rollouts = [
        Rollout(Completion(text, [1], [-0.1], "stop"), Score(i / 8, {HOSTILE[0]: 1.0}, None, [HOSTILE[1]], HOSTILE[1]), 0.0)
        for i, text in enumerate(HOSTILE)
    ]
    wicked = Sample(HOSTILE[1], HOSTILE[0], HOSTILE[2], {**item.answer, "note": HOSTILE[1]}, item.media, HOSTILE[7])
    return RolloutGroup(step, wicked, HOSTILE[1] + HOSTILE[2], rollouts)
