"""OmniAct (arXiv 2402.17553): the next action on a desktop or a web page, as GUI-R1 prepared it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vlrl.benchmarks import Benchmark, Protocol, androidcontrol, task_prompt
from vlrl.benchmarks.androidcontrol import strict_metrics
from vlrl.benchmarks.rules import android_rows, gui_r1, gui_r1_steps
from vlrl.data.layout import find_files
from vlrl.types import Answer, Sample, Score

NAME = "omniact"
ACTIONS = (
    "press_tab", "moveto", "rightclick", "press_enter", "scroll", "click", "press_down", "hotkey", "press_space", "doubleclick",
)  # fmt: skip


def load(folder: Path) -> Iterable[Sample]:
    """The rows of GUI-R1's files, desktop first; a doc_id is the row's number over both."""
    return android_rows.gui_r1_rows(find_files(folder, "omniact_*_test.parquet"), NAME)


def strict(text: str, answer: Answer) -> Score:
    """`androidcontrol.strict`; None for a `hotkey`, whose keys the files do not tell.

    >>> strict("", {"action": "hotkey"}).value is None
    True
    """
    return Score(None) if answer["action"] == "hotkey" else androidcontrol.strict(text, answer)


BENCHMARK = Benchmark(
    name=NAME,
    title="OmniAct",
    sizes={},
    licence="see the card of Writer/omniact",
    layout=("omniact_{desktop,web}_test.parquet: image, instruction, gt_action, gt_bbox, gt_input_text, group (ritzzai/GUI-R1)",),
    load=load,
    hub=("ritzzai/GUI-R1",),
    protocols=(
        Protocol("strict", strict, task_prompt("gui_action"), "step_success", strict_metrics),
        Protocol(
            "gui-r1",
            gui_r1_steps.step,
            gui_r1.prompt(*ACTIONS),
            "ALL Step",
            gui_r1_steps.metrics,
            oracle="ritzz-ai/GUI-R1 d43eea2 guir1/inference/inference_vllm_omniact_web.py, guir1/eval/eval_omni.py, executed",
            differences=gui_r1_steps.DIFFERENCES,
            generation={"max_completion_length": 1024},
        ),
    ),
    pitfalls=(
        "OS-Atlas's script goes over the predicted steps only: what was not said does not count as wrong.",
        "The authors' own sequence score compares whole pyautogui scripts; it is not here.",
    ),
)
