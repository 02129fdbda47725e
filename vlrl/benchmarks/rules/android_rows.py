"""Steps of GUI tasks as three groups of authors prepared them, in one form: what is done in the next step of a task.

`action` is the gold action's name as the file has it (`vlrl.parsing.actions` knows them all), with `point`, `box`,
`candidate_boxes`, `text` and `direction` where it has them; `history` is what was done before; `cluster` is the episode.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vlrl.data.errors import RowError
from vlrl.data.image_size import image_size
from vlrl.data.tables import numbered_rows, read_json, read_rows
from vlrl.geometry import Box, as_box, to_pixels
from vlrl.metrics.click import inside
from vlrl.parsing.actions import NO_TEXT, normal_type
from vlrl.parsing.points import parse_point
from vlrl.types import Answer, Media, Sample

_EPISODE = re.compile(r"[^_]*+_([0-9]++)")
OS_ATLAS_NAMES = {"CLICK", "LONG_PRESS"}


def gui_r1_rows(paths: Iterable[Path], name: str) -> Iterator[Sample]:
    """Rows of GUI-R1's parquet files (`androidcontrol_high_test.parquet`); a doc_id is the row's number over all files.

    `gt_bbox` is a point, a box, or [-100, -100] for an action without either, in pixels.
    """
    for place, row in numbered_rows(paths, ("instruction", "gt_action", "gt_bbox", "gt_input_text", "group"), skip=("image",)):
        media = place.image("image")
        groups = {"platform": row["group"], "action": row["gt_action"], "split": _split(place.path)}
        answer: Answer = {"image_size": image_size(media.path, place.source), "groups": groups}
        answer |= _named(row["gt_action"]) | _target(row["gt_bbox"], place.source)
        if row["gt_input_text"] != NO_TEXT:
            answer["direction" if row["gt_action"] == "scroll" else "text"] = row["gt_input_text"]
        if row.get("history"):
            answer["history"] = row["history"]
        yield Sample(str(place.number), name, row["instruction"], answer, (media,), place.source)


def _named(name: str) -> Answer:
    """The action; `press_tab` is a press of `tab`, where the name as it stands is no action of its own."""
    key = name.startswith("press_") and normal_type(name) is None
    return {"action": "press", "text": name.removeprefix("press_")} if key else {"action": name}


def _split(path: Path) -> str:
    """`gui-r1-high` of `androidcontrol_high_test.parquet`; the files of one level are one split."""
    return "gui-r1" + "".join(f"-{level}" for level in ("high", "low", "web", "desktop") if f"_{level}_" in path.name)


def _target(values: Sequence[float], source: str) -> Answer:
    """`box`, `point` or nothing: a first number below 0 says that there is none."""
    if not values or values[0] < 0:
        return {}
    try:
        return {"point": list(as_box([*values, *values])[:2])} if len(values) == 2 else {"box": list(as_box(list(values)))}
    except ValueError as error:
        raise RowError(source, "gt_bbox", str(error), "get the file anew") from error


def os_atlas_rows(path: Path, name: str) -> Iterator[Sample]:
    """Rows of OS-Atlas's JSONL (LLaVA's conversations); a doc_id is the row's id, points are thousandths.

    `android_control_test_subsplits.json` beside it says which episodes belong to which split.
    """
    splits = _splits(path.parent / "android_control_test_subsplits.json")
    for index, row in enumerate(read_rows(path, ("id", "image", "conversations"))):
        source, picture = f"{path}:{index}", _screenshot(path.parent, row["image"])
        said = [turn["value"] for turn in row["conversations"]]
        size = image_size(str(picture), source)
        gold = said[1].rpartition("actions:\n")[2].strip()
        episode = _EPISODE.match(picture.name)
        groups = {
            "action": gold.split()[0] if gold else "",
            "sub_split": splits.get(episode[1] if episode else "", "none"),
            "split": "os-atlas",
        }
        answer: Answer = {**_os_atlas_gold(gold, size, source), "image_size": size, "groups": groups}
        answer["cluster"] = f"episode {episode[1]}" if episode else row["image"]
        question = said[0].rpartition("Task:")[2].strip()
        yield Sample(str(row["id"]), name, question, answer, (Media("image", str(picture)),), source)


def _screenshot(folder: Path, name: str) -> Path:
    """The published file names pictures by a path of its authors' machine: then the picture is in `screenshots/`."""
    named, here = folder / name, folder / "screenshots" / Path(name).name
    return here if here.is_file() and not named.is_file() else named


def _splits(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    return {str(episode): split for split, episodes in read_json(path).items() for episode in episodes}


def _os_atlas_gold(gold: str, size: list[int], source: str) -> Answer:
    """`CLICK <point>[[500,500]]</point>`, `TYPE [words]`, `SCROLL [DOWN]`, `WAIT` as gold."""
    name, _, argument = gold.partition(" ")
    argument = argument.strip().removeprefix("[").removesuffix("]")
    if name == "SCROLL":
        return {"action": name, "direction": argument.lower()}
    if name not in OS_ATLAS_NAMES:
        return {"action": name, "text": argument} if argument else {"action": name}
    point = parse_point(gold)
    if point is None:
        raise RowError(source, "conversations", f"has no point in {gold!r}", "get the file anew")
    return {"action": name, "point": list(to_pixels(point, "thousandths", (size[0], size[1])))}


def qwen_rows(path: Path, name: str) -> Iterator[Sample]:
    """Steps of the episodes in `android_control_test.json` (Reallm-Labs); a doc_id is the step's number over all episodes.

    The question is the episode's goal; `step_instruction` is what the low-level task adds to it.
    """
    number = 0
    for index, line in enumerate(read_rows(path, ("episode", "step_pams", "step_check_pams", "width", "height"))):
        episode, done = line["episode"], list[str]()
        for step, gold in enumerate(line["step_check_pams"]):
            source = f"{path}:{index} step {step}"
            groups = {"action": gold["action"], "split": "reallm-labs"}
            answer = {**_qwen_gold(gold, source), "image_size": [line["width"], line["height"]], "groups": groups}
            answer |= {"step_instruction": episode["step_instructions"][step], "history": "".join(done)}
            answer["cluster"] = f"episode {episode['episode_id']}"
            picture = str(path.parent / episode["screenshot_paths"][step])
            yield Sample(str(number), name, episode["goal"], answer, (Media("image", picture),), source)
            done.append(f"Step {step + 1}: {json.dumps(line['step_pams'][step], ensure_ascii=False)}; ")
            number += 1


def _qwen_gold(gold: Mapping[str, Any], source: str) -> Answer:
    answer: Answer = {"action": gold["action"]}
    try:
        boxes = [as_box(list(box)) for box in gold.get("candidate_bbox") or []]
        if gold.get("coordinate"):
            x, y = gold["coordinate"]
            answer["point"] = list(as_box([x, y, x, y])[:2])
    except ValueError as error:
        raise RowError(source, "step_check_pams", str(error), "get the file anew") from error
    answer["candidate_boxes"] = [list(box) for box in boxes]
    if normal_type(gold["action"]) in ("click", "long_press") and (smallest := _around(answer.get("point"), boxes)):
        answer["box"] = list(smallest)
    if gold.get("direction"):
        answer["direction"] = gold["direction"]
    if text := gold.get("text") or gold.get("button"):
        answer["text"] = text
    return answer


def _around(point: Sequence[float] | None, boxes: Sequence[Box]) -> Box | None:
    """The smallest box that holds the point, or None."""
    holding = [box for box in boxes if point is not None and inside((point[0], point[1]), box)]
    return min(holding, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]), default=None)
