"""MVBench (arXiv 2311.17005): twenty temporal tasks over short videos, multiple choice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference
from vlrl.benchmarks.rules.choices import choice_prompt
from vlrl.benchmarks.rules.letters import DIFFERENCES, first_letter, letter_score
from vlrl.data.layout import find_files
from vlrl.data.tables import read_rows
from vlrl.metrics.mean import mean_of_means
from vlrl.metrics.score_table import ScoreTable
from vlrl.rewards.text_gold import ALPHABET, gold_choices
from vlrl.rewards.vqa import choice
from vlrl.tasks import PROMPT_MODES
from vlrl.types import Answer, Media, Sample, Score

NAME = "mvbench"
ROWS = 200
CLEVRER, PERCEPTION, STAR = (
    ("clevrer/video_validation",),
    ("perception/videos",),
    ("star/Charades_segment", "star/Charades_v1_480"),
)
FRAMES = "tvqa/frames_fps3_hq"
FRAMES_PER_SECOND = 3.0
FOLDERS = {
    "action_antonym": ("ssv2_video_mp4", "ssv2_video"),
    "action_count": PERCEPTION,
    "action_localization": ("sta/sta_video_segment", "sta/sta_video"),
    "action_prediction": STAR,
    "action_sequence": STAR,
    "character_order": PERCEPTION,
    "counterfactual_inference": CLEVRER,
    "egocentric_navigation": ("vlnqa",),
    "episodic_reasoning": ("tvqa/video_fps3_hq_segment", FRAMES),
    "fine_grained_action": ("Moments_in_Time_Raw/videos",),
    "fine_grained_pose": ("nturgbd_convert", "nturgbd"),
    "moving_attribute": CLEVRER,
    "moving_count": CLEVRER,
    "moving_direction": CLEVRER,
    "object_existence": CLEVRER,
    "object_interaction": STAR,
    "object_shuffle": PERCEPTION,
    "scene_transition": ("scene_qa/video",),
    "state_change": PERCEPTION,
    "unexpected_action": ("FunQA_test/test",),
}
"""Where each task's videos may be: videos that were cut to the segment first, then whole ones."""


def load(folder: Path) -> Iterable[Sample]:
    """The rows of the authors' `json/<task>.json`, or of a parquet copy by task; a doc_id is `<task>:<index>`."""
    found = find_files(folder, "json/*.json", "*/train-*.parquet", "*/train/*.parquet")
    for path in found:
        below = path.parent if path.parent.name == "train" else path
        yield from _task(path, path.stem if path.suffix == ".json" else below.parent.name, folder)


def _task(path: Path, task: str, folder: Path) -> Iterator[Sample]:
    for index, row in enumerate(read_rows(path, ("video", "question", "candidates", "answer"))):
        answer: Answer = {"answer": _letter(row), "choices": list(row["candidates"]), "groups": {"task": task}}
        yield Sample(f"{task}:{index}", NAME, row["question"], answer, (_video(folder, task, row),), f"{path}:{index}")


def _letter(row: Mapping[str, Any]) -> str:
    """The letter of the right candidate, because candidates may be letters themselves; its text where none is the same."""
    candidates = list(row["candidates"])
    return ALPHABET[candidates.index(row["answer"])] if row["answer"] in candidates else str(row["answer"])


def _video(folder: Path, task: str, row: Mapping[str, Any]) -> Media:
    """The first place where the video is; the first of all where it is missing."""
    parts = FOLDERS.get(task, (task,))
    candidates = [folder / top / part / row["video"] for part in parts for top in ("", "video")]
    path = next((path for path in candidates if path.exists()), candidates[0])
    return Media("video", str(path), fps=FRAMES_PER_SECOND if FRAMES in str(path) else None)


def lmms_eval(text: str, answer: Answer) -> Score:
    """1 when the first letter that stands alone is the right one; see `letter_score` for what else names an option.

    >>> lmms_eval("The answer is B.", {"answer": "no", "choices": ["yes", "no"]}).value
    1.0
    """
    return letter_score(text, answer, first_letter)


def lmms_prompt(sample: Sample, mode: str, space: str) -> str:
    """The harness's prompt: options as `(A) text`, one a line."""
    options = "".join(f"({letter}) {text}\n" for letter, text in (gold_choices(sample.answer) or {}).items())
    return f"{PROMPT_MODES[mode]}Question:{sample.question}\nOption:\n{options}Only give the best option.\n"


def strict_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """The mean of the tasks' accuracies, each task's, and the mean over all rows."""
    tasks = {task: rows.mean() for task, rows in table.by("task").items()}
    by_task = {f"accuracy/task:{task}": mean for task, mean in tasks.items()}
    return {"mean_of_tasks": mean_of_means(tasks.values()), "micro": table.mean(), **by_task}


def lmms_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Each task's accuracy and their mean, in percent."""
    tasks = {task: rows.mean().percent() for task, rows in table.by("task").items()}
    return {**tasks, "mean_of_tasks": mean_of_means(tasks.values())}


BENCHMARK = Benchmark(
    name=NAME,
    title="MVBench",
    sizes={"train": ROWS * len(FOLDERS)},
    licence="MIT (annotations); videos belong to their data sets",
    layout=(
        "json/<task>.json: video, question, candidates, answer[, start, end] + [video/]<source>/ (OpenGVLab/MVBench)",
        "<task>/train-*.parquet or <task>/train/*.parquet: the same columns",
    ),
    load=load,
    hub=("OpenGVLab/MVBench",),
    protocols=(
        Protocol("strict", choice, choice_prompt("vqa"), "mean_of_tasks", strict_metrics),
        Protocol(
            "lmms-eval",
            lmms_eval,
            lmms_prompt,
            "mean_of_tasks",
            lmms_metrics,
            oracle="lmms_eval 0.7.3 tasks/mvbench/utils.py mcq_acc",
            differences=DIFFERENCES,
            generation={"max_completion_length": 16},
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-3B", "67.0", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-7B", "69.6", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-72B", "70.4", "arXiv 2502.13923"),
    ),
    pitfalls=(
        "Rows with `start` and `end` ask about that part: cut the videos beforehand (`star/Charades_segment`, "
        "`sta/sta_video_segment`, `tvqa/video_fps3_hq_segment`); otherwise the whole video is shown.",
        "Under lmms-eval an option's text is never accepted, the article `a` is an answer, and empty answers are left out.",
        "The authors' notebook counts an empty answer as right.",
        "The videos of fine_grained_pose (NTU RGB+D) need a licence of their own.",
    ),
)
