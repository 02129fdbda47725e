"""GUI-Odyssey (arXiv 2406.08451): the next step of a task that crosses several apps of a phone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, own_prompt, task_prompt
from vlrl.benchmarks.androidcontrol import episode_success, strict, strict_metrics
from vlrl.benchmarks.rules import android_rows
from vlrl.data.errors import RowError
from vlrl.data.image_size import image_size
from vlrl.data.layout import LayoutError, find_files
from vlrl.data.tables import read_json, read_rows
from vlrl.geometry import Point, answer_pixels, as_box, center, to_pixels
from vlrl.metrics.click import inside, screen_distance
from vlrl.metrics.mean import mean_of_means
from vlrl.metrics.score_table import ScoreTable
from vlrl.metrics.text_match import anls
from vlrl.parsing.actions import OPPOSITE, Action, normal_type
from vlrl.parsing.points import parse_point
from vlrl.rewards.gold_geometry import image_size_of
from vlrl.rewards.gui_gold import MAX_DISTANCE, gold_action
from vlrl.types import Answer, Media, Sample, Score

NAME = "gui-odyssey"
KEYS = {"KEY_HOME": "PRESS_HOME", "KEY_BACK": "PRESS_BACK", "KEY_APPSELECT": "PRESS_RECENT"}
NAMES = {"click": "CLICK", "long_press": "LONG_PRESS", "scroll": "SCROLL", "type": "TYPE", "home": "PRESS_HOME",
         "back": "PRESS_BACK", "recent": "PRESS_RECENT"}  # fmt: skip
SPLITS = ("random", "task", "device", "app")
_STEP = re.compile(r"_[^_]*+$")


def load(folder: Path) -> Iterable[Sample]:
    """The test steps of the authors' annotations, of their converted files, or of GUI-R1's parquet file."""
    converted = [f"test_anno/high_{split}_split.json" for split in SPLITS]
    splits = [f"splits/{split}_split.json" for split in SPLITS]
    found = find_files(folder, *converted, *(f"data/{name}" for name in converted), *splits, "guiodyssey_test.parquet")[0]
    if found.suffix == ".parquet":
        return android_rows.gui_r1_rows([found], NAME)
    return _converted(found) if found.parent.name == "test_anno" else _annotated(found)


def _converted(path: Path) -> Iterator[Sample]:
    """Rows of format_converter.py; a doc_id is the row's id."""
    for index, row in enumerate(read_rows(path, ("id", "image", "question", "answer", "sam2_bbox"))):
        picture = path.parent.parent / "screenshots" / Path(row["image"]).name
        name, _, info = row["answer"].partition(":")
        gold = {"name": name.strip(), "info": info.strip(), "box": row["sam2_bbox"], "category": row.get("category")}
        yield _sample(str(row["id"]), row["question"], picture, gold, f"{path}:{index}")


def _annotated(path: Path) -> Iterator[Sample]:
    """The test episodes of a split; a doc_id is `GUIOdyssey_<split>_<number of the step>`, as in the converted file."""
    listed = read_json(path)
    if not isinstance(listed, dict) or "test" not in listed:
        raise LayoutError(f"{path}: has no list of test episodes; is it GUI-Odyssey's file?")
    root, number = path.parent.parent, 0
    for name in listed["test"]:
        episode = read_json(root / "annotations" / name)
        task = episode["task_info"]
        for step in episode["steps"]:
            action, info = _decoded(step["action"], step["info"])
            gold = {"name": action, "info": info, "box": step.get("sam2_bbox"), "category": task.get("category")}
            source = f"{root / 'annotations' / name}: step {step.get('step', number)}"
            yield _sample(
                f"GUIOdyssey_{path.stem}_{number}", task["instruction"], root / "screenshots" / step["screenshot"], gold, source
            )
            number += 1


def _decoded(action: str, info: Any) -> tuple[str, str]:
    """An annotated action as the converter writes it: name and argument."""
    if action in ("CLICK", "LONG_PRESS"):
        return (KEYS[info], "") if isinstance(info, str) else (action, str(tuple(info[0])))
    if action == "SCROLL":
        (x1, y1), (x2, y2) = info
        across, down = x2 - x1, y2 - y1
        return action, ("LEFT" if across < 0 else "RIGHT") if abs(across) > abs(down) else ("UP" if down < 0 else "DOWN")
    return {"TEXT": "TYPE", "INCOMPLETE": "IMPOSSIBLE"}.get(action, action), str(info) if action == "TEXT" else ""


def _sample(doc_id: str, question: str, picture: Path, gold: Mapping[str, Any], source: str) -> Sample:
    size = image_size(str(picture), source)
    groups = {"action": gold["name"], **({"category": gold["category"]} if gold["category"] else {})}
    answer: Answer = {"action": gold["name"], "image_size": size, "groups": groups, "cluster": _STEP.sub("", picture.stem)}
    answer |= _argument(gold, size, source)
    return Sample(doc_id, NAME, question, answer, (Media("image", str(picture)),), source)


def _argument(gold: Mapping[str, Any], size: Sequence[int], source: str) -> Answer:
    """Point and box (thousandths in the file), direction or text. A finger's direction there is a swipe's."""
    extent = size[0], size[1]
    kind = normal_type(gold["name"])
    if kind == "scroll":
        return {"action": "SWIPE", "direction": gold["info"].lower()}
    if kind not in ("click", "long_press"):
        return {"text": gold["info"]} if gold["info"] else {}
    point = parse_point(gold["info"])
    try:
        if point is None:
            raise ValueError(f"has no point in {gold['info']!r}")
        box = {"box": list(to_pixels(as_box(list(gold["box"])), "thousandths", extent))} if gold["box"] else {}
    except ValueError as error:
        raise RowError(source, "sam2_bbox and answer", str(error), "get the file anew") from error
    return {"point": list(to_pixels(point, "thousandths", extent)), **box}


def official(text: str, answer: Answer) -> Score:
    """The authors' matching of a command such as `CLICK: (500, 300)`. Part: `type`.

    CLICK, LONG_PRESS: in the element's box, or at most .14 from the gold point, where the screen is 1 by 1. TYPE: one text holds
    the other, or at most half of the letters differ. SCROLL: the finger's direction. Others: the name. Failures: `no_action`,
    `no_argument`.

    >>> gold = {"action": "CLICK", "point": [50, 50], "image_size": [100, 100], "space": "thousandths"}
    >>> official("CLICK: (500, 640)", gold).value, official("TYPE: Oslo", {"action": "TYPE", "text": "oslo"}).value
    (1.0, 1.0)
    """
    gold = gold_action(answer)
    name, _, info = (part.strip() for part in text.partition(":"))
    if not name:
        return Score(0.0, {"type": 0.0}, False, failure="no_action")
    typed = name == _name(gold)
    right = _right(name, info, gold, answer) if typed else False
    failure = "no_argument" if right is None else None
    return Score(float(bool(right)), {"type": float(typed)}, bool(right), [name, info], failure)


def _name(gold: Action) -> str:
    if gold.type == "terminate":
        return "IMPOSSIBLE" if gold.text == "failure" else "COMPLETE"
    return NAMES.get(gold.type, gold.type.upper())


def _right(name: str, info: str, gold: Action, answer: Answer) -> bool | None:
    """Whether the argument is right; None when it is not there."""
    if name in ("CLICK", "LONG_PRESS"):
        written = parse_point(info)
        if written is None:
            return None
        x, y = answer_pixels(written, answer)
        return _hits((x, y), answer)
    if name == "SCROLL":
        return info.lower() == OPPOSITE[gold.direction or "up"] if info else None
    if name != "TYPE":
        return True
    wanted = (gold.text or "").strip()
    return (info in wanted or wanted in info or anls(info, wanted) > 0) if info else None


def _hits(point: Point, answer: Answer) -> bool:
    if "box" in answer:
        x1, y1, x2, y2 = answer["box"]
        if inside(point, (x1, y1, x2, y2)):
            return True
    target = answer["point"] if "point" in answer else center(answer["box"])
    return screen_distance(point, (target[0], target[1]), image_size_of(answer)) <= MAX_DISTANCE


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`AMS`, the mean over steps, that over task categories, `SR`, the share of episodes without a wrong step; in percent."""
    categories = {label: rows.mean().percent() for label, rows in table.by("category").items()}
    return {
        "AMS": table.mean().percent(),
        "AMS_mean_of_categories": mean_of_means(categories.values()),
        "SR": episode_success(table, 100.0),
        "action_type": table.mean("type").percent(),
        **{f"AMS/{label}": mean for label, mean in categories.items()},
    }


BENCHMARK = Benchmark(
    name=NAME,
    title="GUI-Odyssey",
    sizes={},
    licence="see the card of hflqf88888/GUIOdyssey",
    layout=(
        "splits/random_split.json (or task, device, app), annotations/*.json + screenshots/ (hflqf88888/GUIOdyssey)",
        "[data/]test_anno/high_random_split.json + screenshots/, as the authors' format_converter.py writes it",
        "guiodyssey_test.parquet: image, instruction, gt_action, gt_bbox, gt_input_text, group (ritzzai/GUI-R1)",
    ),
    load=load,
    hub=("hflqf88888/GUIOdyssey", "ritzzai/GUI-R1"),
    protocols=(
        Protocol("strict", strict, task_prompt("gui_action"), "step_success", strict_metrics),
        Protocol(
            "official",
            official,
            own_prompt("I'm looking for guidance on how to {question}\nProvide the command-style action directly."),
            "AMS",
            metrics,
            oracle="OpenGVLab/GUI-Odyssey fefcbe9 src/eval_mm/GUIOdyssey_action_matching.py and simple_decode, executed",
            differences=(
                "A text with a colon is compared whole; there what follows the second colon is lost.",
                "An empty text is no text; there it is contained in every text.",
                "A point is read as two numbers; there the answer is run as Python.",
                "A distance of exactly .14 is near; there rounding decides.",
                "Episodes with missing steps count as failed; there they are left out.",
            ),
            generation={"max_completion_length": 30},
        ),
    ),
    pitfalls=(
        "What the authors' code calls macro is the mean over steps, micro the mean over the six task categories.",
        "Their own agent also sees earlier screenshots; here one is shown.",
    ),
)
