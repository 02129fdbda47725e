"""The Try page: a checkpoint, a picture and a question; G completions, scored and drawn. Its form is native Gradio, below."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import gradio as gr

from demo import families
from demo.cards import card
from demo.media import Roots
from demo.pages import Page
from demo.records import GroupRecord
from demo.runs import Runs
from demo.text import notice, safe, text_block
from demo.view import View
from demo.with_torch import Checkpoint
from vlrl import tasks
from vlrl.report.look import best_first, largest_advantage
from vlrl.types import Media, RolloutGroup, Sample, UserError

ELEMENT = "try-page"
VIDEOS = (".mp4", ".webm", ".mov", ".avi", ".mkv", ".gif")
IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
MOST_COMPLETIONS, LONGEST = 64, 4096


class Trier:
    """Holds the one checkpoint that was loaded last; one request at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._checkpoint: Checkpoint | None = None

    def answer(self, name: str, file: str | None, task: str, question: str, gold: str, *numbers: Any) -> str:
        """What the button does: HTML. A mistake of the user's is a sentence."""
        try:
            with self._lock:
                return self._answer(name.strip(), file, task, question, gold, *numbers)
        except ModuleNotFoundError as error:
            return wrapped(notice(f"A checkpoint needs {error.name}.", "Install it with pip install 'vlrl[train]'."))
        except UserError as error:
            return wrapped(notice(str(error)))

    def _answer(
        self, name: str, file: str | None, task: str, question: str, gold: str, mode: str, count: float, temperature: float,
        longest: float, seed: float,
    ) -> str:  # fmt: skip
        sample = read_sample(file, task, question, gold)
        if not name:
            raise UserError("name a checkpoint: a folder, a run, a name on the hub, or tiny")
        if self._checkpoint is None or self._checkpoint.name != name:
            self._checkpoint = None  # two models need not fit
            self._checkpoint = Checkpoint(name)
        limits = min(max(int(count), 1), MOST_COMPLETIONS), float(temperature), min(max(int(longest), 1), LONGEST), int(seed)
        return drawn(self._checkpoint.sample(sample, mode, *limits))


def read_sample(file: str | None, task: str, question: str, gold: str) -> Sample:
    """What was typed, as a row. Raises UserError, with the mend, for gold that is no JSON object."""
    try:
        answer = json.loads(gold) if gold.strip() else {}
    except ValueError as error:
        raise UserError(f'the gold answer is no JSON ({error}); write {{"box": [8, 40, 60, 56]}}, or leave it empty') from error
    if not isinstance(answer, dict):
        raise UserError(f"the gold answer is an object such as {json.dumps(tasks.load(task).example.answer)}, or empty")
    media = () if not file else (Media("video" if file.lower().endswith(VIDEOS) else "image", file),)
    return Sample("try", task, question, answer, media, "the Try page")


def drawn(group: RolloutGroup) -> str:
    """The group as the Groups page shows one."""
    roots = Roots([Path(media.path).parent for media in group.sample.media])
    largest = largest_advantage(group)
    cards = "".join(card(rank, place, rollout, largest, "") for rank, (place, rollout) in enumerate(best_first(group), 1))
    media = families.media(GroupRecord(group, [{} for _ in group.rollouts]), roots)
    prompt = f"<details open><summary>prompt</summary>{text_block(group.prompt, first=600)}</details>"
    return wrapped(
        f'<div class="group"><header><h3>{safe(group.sample.question)}</h3></header><div class="split">'
        f'<div class="left">{media}{prompt}</div><div class="cards">{cards}</div></div></div>'
    )


def wrapped(html: str) -> str:
    """HTML in the inspector's looks."""
    return f'<div class="vl">{html}</div>'


def build(runs: Runs) -> None:
    """Adds the page's form to the app that is being built. The rule for #try-page in inspector.css hides it on other pages."""
    first = next(iter(runs.values()), None)
    trier = Trier()
    with gr.Column(elem_id=ELEMENT):
        with gr.Row():
            with gr.Column(scale=1):
                file = gr.File(label="image or video", file_types=[*IMAGES, *VIDEOS], type="filepath", height=130)
                task = gr.Dropdown(tasks.names(), value="grounding", label="task")
                mode = gr.Radio(list(tasks.PROMPT_MODES), value="direct", label="prompt mode")
            with gr.Column(scale=2):
                name = gr.Textbox(
                    str(first.path) if first else "", label="checkpoint: a folder, a run, a name on the hub, or tiny"
                )
                question = gr.Textbox(label="question", placeholder="the red cup")
                gold = gr.Textbox(label="gold answer, as JSON (optional)", placeholder='{"box": [8, 40, 60, 56]}')
                with gr.Row():
                    count = gr.Number(8, label="completions", precision=0, minimum=1, maximum=MOST_COMPLETIONS)
                    temperature = gr.Number(1.0, label="temperature", minimum=0)
                    longest = gr.Number(256, label="most tokens", precision=0, minimum=1, maximum=LONGEST)
                    seed = gr.Number(0, label="seed", precision=0)
                go = gr.Button("Sample", variant="primary")
        out = gr.HTML(wrapped('<p class="note">The first answer takes as long as the checkpoint needs to load.</p>'))
        inputs = [name, file, task, question, gold, mode, count, temperature, longest, seed]
        go.click(trier.answer, inputs, out, api_visibility="private", concurrency_limit=1)


def render(runs: Runs, view: View) -> str:
    """Nothing but a title: the form stands below the frame."""
    return '<header><h2>Try</h2><span class="note">a checkpoint answers here; nothing is written</span></header>'


PAGE = Page("try", "Try", render)
