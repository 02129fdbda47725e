"""A run with one group of every kind of task, scored by the real rewards, and a run that attacks its reader. No torch."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fabricated import HOSTILE
from PIL import Image, ImageDraw

from vlrl import tasks
from vlrl.logs import RunFolder
from vlrl.types import Completion, Media, Rollout, RolloutGroup, Sample, Score

SIZE = (320, 240)
BARS = """import matplotlib.pyplot as plt
plt.bar(['A', 'B', 'C'], [3, 5, 2], color='steelblue')
plt.title('Stock')
plt.ylabel('Boxes')
"""
THOUGHT = "<think>I look at the image from left to right and compare what I see with the words of the question.</think>"


def fabricate_families(path: Path, seed: int = 0) -> Path:
    """Writes the run and returns its folder: step 1 has all groups."""
    folder = RunFolder(path)
    folder.create({"seed": seed, "rollout": {"max_completion_length": 64}})
    media = path / "media"
    media.mkdir()
    groups = [group(1, item, texts) for item, texts in cases(media)]
    folder.write_groups(1, groups)
    values = [r.score.value or 0.0 for g in groups for r in g.rollouts]
    folder.write_metrics(1, {"reward": statistics.fmean(values), "completions/mean_length": 20.0})
    return path


def cases(media: Path) -> list[tuple[Sample, Sequence[str]]]:
    """Samples of all families with completions: right, nearly right, wrong, unreadable."""
    scene = Media("image", picture(media / "scene.png"))
    other = Media("image", picture(media / "other.png", "#e8e0f0"))
    video = Media("video", film(media / "film.gif"))
    size = list(SIZE)
    box = {"box": [40, 60, 140, 160], "image_size": size}
    return [
        (Sample("d", "detection", "circle, square", {"boxes": BOXES, "image_size": size}, (scene,)), DETECTIONS),
        (Sample("g", "grounding", "the blue square", {**box, "prompt_mode": "think"}, (scene,)), GROUNDINGS),
        (Sample("i", "grounding", "the same thing", {**box, "image_index": 2}, (scene, other)), GROUNDINGS[:3]),
        (
            Sample("a", "gui_action", "open the square", {"action": "click", "point": [90, 110], "image_size": size}, (scene,)),
            ACTIONS,
        ),
        (Sample("s", "gui_action", "see more", {"action": "scroll", "direction": "down", "image_size": size}, (scene,)), SCROLLS),
        (Sample("p", "points", "the things", {"points": [[90, 110], [230, 120]], "image_size": size}, (scene,)), POINTS),
        (Sample("t", "temporal", "the ball is on the right", {"span": [1.0, 2.0]}, (video,)), SPANS),
        (Sample("k", "temporal", "follow the ball", TRACK, (video,)), TRACKS),
        (Sample("c", "chart", "Redraw the chart.", {"code": BARS}, (scene,)), CHARTS),
        (Sample("o", "medical", "What is seen?", {"answer": "left pleural effusion", "kind": "open"}, (scene,)), FINDINGS),
        (Sample("y", "medical", "Is there air?", {"answer": "no", "kind": "closed"}, (scene,)), ["No.", "yes", "no air", ""]),
        (Sample("n", "counting", "How many things?", {"count": 2}, (scene,)), ["2", "two", "3", "many"]),
        (Sample("m", "math", "What is a half and one?", {"answer": r"\frac{3}{2}"}), ["1.5", "$\\frac{3}{2}$", "2", ""]),
    ]


BOXES = [{"box": [40, 60, 140, 160], "label": "square"}, {"box": [190, 80, 270, 160], "label": "circle"}]
DETECTIONS = [
    '[{"bbox_2d": [40, 60, 140, 160], "label": "square"}, {"bbox_2d": [190, 80, 270, 160], "label": "circle"}]',
    '[{"bbox_2d": [50, 66, 150, 166], "label": "square"}]',
    '[{"bbox_2d": [180, 70, 280, 170], "label": "square"}, {"bbox_2d": [10, 10, 30, 30], "label": "circle"}]',
    "I see nothing like that",
]
GROUNDINGS = [
    f"{THOUGHT}<answer>[42, 62, 141, 158]</answer>",
    f"{THOUGHT}<answer>[60, 90, 160, 180]</answer>",
    f"{THOUGHT}<answer>[200, 90, 260, 150]</answer>",
    "<think>It is hard to say where",
]
ACTIONS = [
    '{"action": "click", "coordinate": [92, 108]}',
    '{"action": "click", "coordinate": [120, 130]}',
    '{"action": "click", "coordinate": [250, 60]}',
    '{"action": "type", "text": "square"}',
]
SCROLLS = [
    '{"action": "scroll", "direction": "down"}',
    '{"action": "swipe", "coordinate": [160, 200], "coordinate2": [160, 60]}',
    '{"action": "scroll", "direction": "up"}',
    '{"action": "wait"}',
]
POINTS = ["[[90, 110], [230, 120]]", "[[100, 120]]", "[[10, 10], [300, 200]]", "left and right"]
SPANS = ["1.0 - 2.0", "from 0.8 to 1.6 seconds", "0 - 0.4", "at the end"]
TRACK = {"frames": {"0": [10, 90, 50, 130], "1": [110, 90, 150, 130]}, "image_size": list(SIZE), "reward": "temporal.tracking"}
TRACKS = ['{"0": [10, 90, 50, 130], "1": [112, 92, 152, 132]}', '{"0": [20, 95, 60, 135]}', '{"2": [0, 0, 30, 30]}', "no ball"]
CHARTS = [
    f"```python\n{BARS}```",
    f"```python\n{BARS.replace('Stock', 'Stocks').replace('steelblue', 'tomato')}```",
    "```python\nimport matplotlib.pyplot as plt\nplt.plot([1, 2, 3], [3, 5, 2])\n```",
    "```python\nimport matplotlib.pyplot as plt\nplt.bar(1 / 0)\n```",
]
FINDINGS = ["left pleural effusion", "effusion", "right pleural effusion", ""]


def group(step: int, item: Sample, texts: Sequence[str]) -> RolloutGroup:
    """A group whose completions are scored by the item's task, with advantages of GRPO."""
    rng = random.Random(item.id)
    task = tasks.load(item.task)
    completions = [completion(text, rng) for text in texts]
    scores = [task.grade(c, item.answer, 64) for c in completions]
    values = [score.value or 0.0 for score in scores]
    deviation = statistics.pstdev(values) or 1.0
    rollouts = [
        Rollout(c, score, (value - statistics.fmean(values)) / deviation)
        for c, score, value in zip(completions, scores, values, strict=True)
    ]
    return RolloutGroup(step, item, f"<image>{task.prompt(item.question, 'direct', 'pixels')}", rollouts)


def completion(text: str, rng: random.Random) -> Completion:
    """About one token per four characters."""
    count = max(len(text) // 4, 1)
    return Completion(text, [rng.randrange(1000) for _ in range(count)], [-rng.expovariate(2) for _ in range(count)], "stop")


def picture(path: Path, ground: str = "#dfe6d8") -> str:
    """A square and a circle."""
    image = Image.new("RGB", SIZE, ground)
    draw = ImageDraw.Draw(image)
    draw.rectangle((40, 60, 140, 160), fill="#3f6fd8")
    draw.ellipse((190, 80, 270, 160), fill="#d64545")
    image.save(path)
    return str(path)


def film(path: Path) -> str:
    """Two and a half seconds of a ball that rolls to the right."""
    frames = []
    for i in range(25):
        image = Image.new("RGB", SIZE, "#eef2f6")
        ImageDraw.Draw(image).ellipse((10 + 10 * i, 90, 50 + 10 * i, 130), fill="#e08a2e")
        frames.append(image)
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, loop=0)
    return str(path)


def hostile_samples(run: Path, outside: Path) -> list[Sample]:
    """References to what must not be shown: files outside, by any way to them, and files that are no pictures."""
    media = run / "media"
    media.mkdir(exist_ok=True)
    secret = outside / "secret.png"
    Image.new("RGB", (64, 64), "#ff00ff").save(secret)
    (media / "link.png").symlink_to(secret)
    (media / "folder").symlink_to(outside, target_is_directory=True)
    (media / "bomb.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" onload="window.pwned=9"><script>window.pwned=9</script></svg>'
    )
    (media / "bomb.png").write_text('<svg xmlns="http://www.w3.org/2000/svg" onload="window.pwned=9"/>')
    paths = [
        str(secret),
        str(media / "link.png"),
        str(media / "folder" / "secret.png"),
        f"{media}/../../{outside.name}/secret.png",
        "/etc/passwd",
        "http://example.com/a.png",
        str(media / "bomb.svg"),
        str(media / "bomb.png"),
        "/dev/zero",
        "a\0b",
    ]
    kinds: list[Any] = ["image", "video"]
    return [
        Sample(f"h{i}-{kind}", "gui", f"picture {i} as {kind}", {"box": [1, 2, 3, 4]}, (Media(kind, path),))
        for i, path in enumerate(paths)
        for kind in kinds
    ]


def hostile_groups(step: int, samples: Sequence[Sample]) -> list[RolloutGroup]:
    """One group per sample, with two attacking completions each."""
    return [
        RolloutGroup(
            step,
            sample,
            HOSTILE[1],
            [
                Rollout(Completion(text, [1, 2], [-0.1, -1.0], "stop"), Score(i / 2, {}, None, [1e999, 2], text[:50]), 0.5)
                for i, text in enumerate(HOSTILE[:2])
            ],
        )
        for sample in samples
    ]
