"""AndroidControl (arXiv 2406.03679): the next step of a task on a phone. Three published protocols that do not compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down, task_prompt
from vlrl.benchmarks.rules import android_rows, gui_r1, gui_r1_steps, os_atlas, qwen_mobile
from vlrl.data.layout import find_files
from vlrl.metrics.score_table import ScoreTable
from vlrl.rewards import gui
from vlrl.types import Answer, Sample, Score

NAME = "androidcontrol"


def strict(text: str, answer: Answer) -> Score:
    """1 when the first action is of the right type and its argument is right, else 0 (`gui.action`). Part: `type`.

    >>> strict('{"action": "click", "coordinate": [5, 5]}', {"action": "click", "box": [0, 0, 9, 9]}).value
    1.0
    """
    score = gui.action(text, answer)
    if score.value is None:
        return score
    typed = score.extracted is not None and score.failure != "wrong_action"
    return Score(float(bool(score.correct)), {"type": float(typed)}, score.correct, score.extracted, score.failure)


def strict_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Step success overall, by action and split; the share of right types; the share of episodes without a wrong step."""
    return {
        **break_down(table, "step_success"),
        "type_match": table.mean("type"),
        "episode_success": episode_success(table),
    }


def episode_success(table: ScoreTable, scale: float = 1.0) -> float | None:
    """`scale` times the share of episodes whose every step is right; None where the rows name no episodes."""
    right: dict[str, bool] = {}
    for row in table.read():
        episode = row.answer.get("cluster")
        if episode is not None:
            right[episode] = right.get(episode, True) and row.score.value == 1
    return scale * sum(right.values()) / len(right) if right else None


def load(folder: Path) -> Iterable[Sample]:
    """The steps of GUI-R1's parquet files, of OS-Atlas's conversations, or of Qwen's and InfiGUI-R1's episodes."""
    patterns = ("androidcontrol_*_test.parquet", "ac_test*.jsonl", "android_control*.jsonl", "android_control_test.json")
    found = find_files(folder, *patterns)
    if found[0].suffix == ".parquet":
        return android_rows.gui_r1_rows(found, NAME)
    return (android_rows.os_atlas_rows if found[0].suffix == ".jsonl" else android_rows.qwen_rows)(found[0], NAME)


QWEN_HIGH = Protocol(
    "qwen-infigui",
    qwen_mobile.step,
    qwen_mobile.high_prompt,
    "extact_match_acc",
    qwen_mobile.metrics,
    oracle="InfiXAI/InfiGUI-R1 a4fca17 eval/android_control/evaluate_android_control.py, executed",
    differences=qwen_mobile.DIFFERENCES,
    generation={"max_completion_length": 4096, "max_pixels": 6400 * 28 * 28},
)

BENCHMARK = Benchmark(
    name=NAME,
    title="AndroidControl",
    sizes={"gui-r1-high": 7708, "gui-r1-low": 7708, "os-atlas": 7708, "reallm-labs": 8444},
    licence="Apache-2.0",
    layout=(
        "androidcontrol_{high,low}_test.parquet: image, instruction, history, gt_action, gt_bbox, gt_input_text (ritzzai/GUI-R1)",
        "ac_test.jsonl or android_control*.jsonl: id, image, conversations; android_control_test_subsplits.json (OS-Atlas)",
        "android_control_test.json: episode, step_pams, step_check_pams, width, height (Reallm-Labs/android_control_test)",
    ),
    load=load,
    hub=("ritzzai/GUI-R1", "Reallm-Labs/android_control_test"),
    protocols=(
        Protocol("strict", strict, task_prompt("gui_action"), "step_success", strict_metrics),
        Protocol(
            "gui-r1",
            gui_r1_steps.step,
            gui_r1.prompt("wait", "long_press", "click", "press_back", "type", "open_app", "scroll"),
            "ALL Step",
            gui_r1_steps.metrics,
            oracle="ritzz-ai/GUI-R1 d43eea2 guir1/inference/inference_vllm_android.py, guir1/eval/eval_omni.py, executed",
            differences=gui_r1_steps.DIFFERENCES,
            generation={"max_completion_length": 1024},
        ),
        Protocol(
            "os-atlas",
            os_atlas.step,
            os_atlas.PROMPT,
            "Acc",
            os_atlas.metrics,
            oracle="OS-Copilot/OS-Atlas bad0840 eval/eval_scripts/android_control/evaluation_unify.py, executed",
            differences=os_atlas.DIFFERENCES,
        ),
        QWEN_HIGH,
        replace(QWEN_HIGH, name="qwen-infigui-low", prompt=qwen_mobile.low_prompt),
    ),
    references=(
        Reference("Qwen2.5-VL-7B, High / Low", "EM 60.1 / 93.7 (qwen)", "Qwen2.5-VL model card"),
        Reference("InfiGUI-R1-3B, High / Low", "SR 71.1 / 92.1 (os-atlas)", "arXiv 2504.14239"),
        Reference("GUI-R1-3B, High", "type 58.0, grounding 56.2, step 46.6 (gui-r1)", "arXiv 2504.10458"),
    ),
    pitfalls=(
        "Numbers of the three protocols do not compare: three rules for a click, three sizes of the test set (7,708 to 10,161).",
        "gui-r1 never looks at type and argument together, and takes the upper left corner of a box for its target.",
        "os-atlas as published compares one word of what is typed.",
        "Low-level adds the step's instruction to the goal: it is another task (`qwen-infigui-low`, or GUI-R1's low file).",
    ),
)
