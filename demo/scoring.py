"""A text scored again by the code that training uses, and the way from the text to its value, step by step."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demo.runs import Run
from vlrl import rewards, tasks
from vlrl.geometry import space_extent
from vlrl.parsing.actions import parse_action
from vlrl.parsing.bare import bare_answer
from vlrl.parsing.boxes import parse_box
from vlrl.parsing.clinical import clinical_words
from vlrl.parsing.code import parse_code
from vlrl.parsing.counts import parse_counts
from vlrl.parsing.detections import parse_detections
from vlrl.parsing.frame_boxes import parse_frame_boxes
from vlrl.parsing.number import parse_quantity
from vlrl.parsing.points import parse_point
from vlrl.parsing.spans import parse_span
from vlrl.parsing.tags import answer_text, thought_text
from vlrl.tasks import Task
from vlrl.types import Answer, Sample, Score, UserError

Parser = Callable[[str], Any]

PARSERS: tuple[tuple[str, str, Parser], ...] = (
    ("grounding.set_iou", "boxes", parse_detections),
    ("grounding.point_in_box", "point", parse_point),
    ("grounding.", "box", parse_box),
    ("detection.", "boxes", parse_detections),
    ("gui.click", "point", parse_point),
    ("gui.", "action", parse_action),
    ("temporal.tracking", "boxes by frame", parse_frame_boxes),
    ("temporal.spatio_temporal", "boxes by frame", parse_frame_boxes),
    ("temporal.", "span", parse_span),
    ("chart.", "program", parse_code),
    ("counting.", "numbers", parse_counts),
    ("math.", "number", parse_quantity),
    ("medical.", "clinical words", lambda text: clinical_words(bare_answer(text))),
    ("vqa.", "bare answer", bare_answer),
)
"""What reads the answer part, by the beginning of the main reward's name."""


@dataclass(frozen=True, slots=True)
class PartScore:
    """One reward of a composite: its name, its weight, what it says."""

    name: str
    weight: float
    score: Score


@dataclass(frozen=True, slots=True)
class Judged:
    """A text's score, the score of each reward in it, and the steps (name, what came out, remark) from the text to the value."""

    score: Score
    parts: list[PartScore]
    path: list[tuple[str, str, str]]


def judge(run: Run, sample: Sample, text: str, tokens: int) -> Judged:
    """Scores a text against a sample's gold. `tokens` is its length, for the rewards that look at it.

    Raises UserError when the task is unknown here, or when the gold is malformed.
    """
    task = load_task(run, sample)
    answer = {**sample.answer, **told_length(run, tokens)}
    try:
        score = task.score(text, answer)
        parts = _parts(task, text, {**answer, "correct": score.correct})
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"this gold answer cannot be scored here: {error}") from error
    return Judged(score, parts, [*_path(task, text, sample.answer), *_last_steps(score, parts)])


def told_length(run: Run, tokens: int) -> dict[str, int]:
    """What the rewards that look at the length are told of a completion."""
    limit = run.config().get("rollout")
    longest = limit.get("max_completion_length") if isinstance(limit, dict) else None
    return {"completion_tokens": tokens, "max_completion_length": longest if isinstance(longest, int) else max(tokens, 1)}


def load_task(run: Run, sample: Sample) -> Task:
    """The sample's task. Code outside vlrl is imported only where the run's configuration names it, never by a record."""
    named = json.dumps(run.config(), default=str)
    own = sample.answer.get("reward")
    for name in (sample.task, *([own] if isinstance(own, str) else own if isinstance(own, dict) else ())):
        if ":" in str(name) and json.dumps(str(name)) not in named:
            raise UserError(f"{name!r} names code outside vlrl that the run's config.yaml does not name, so it is not imported")
    return tasks.load(sample.task)


def _parts(task: Task, text: str, answer: Answer) -> list[PartScore]:
    return [PartScore(name, weight, rewards.load(name)(text, answer)) for name, weight in task.weights_of(answer).items()]


def _path(task: Task, text: str, answer: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The first steps: the answer part, what was read in it, the coordinate space."""
    thought, body = thought_text(text), answer_text(text)
    told = f"after a thought of {len(thought):,} characters" if thought else "no thought"
    steps = [("answer part", body if body is not None else "none", told if body is not None else _why_no_answer(text))]
    main = next(iter(task.weights_of(dict(answer))))
    reader = next(((words, parser) for prefix, words, parser in PARSERS if main.startswith(prefix)), None)
    if body is not None and reader is not None:
        words, parser = reader
        found = parser(body)
        steps.append((f"read as {words}", "nothing" if found in (None, [], {}, ()) else written(found), f"for {main}"))
    space = answer.get("space")
    if isinstance(space, str) and space != "pixels":
        steps.append(("coordinates", space, _extent(space, answer)))
    return steps


def _why_no_answer(text: str) -> str:
    if "<think>" in text and "</think>" not in text:
        return "the thought never closes"
    return "the answer tag never closes" if "<answer>" in text else "the text is empty"


def _extent(space: str, answer: Mapping[str, Any]) -> str:
    try:
        width, height = space_extent(space, answer.get("image_size"), answer.get("processed_size"))
    except (ValueError, TypeError) as error:
        return str(error)
    size = answer.get("image_size")
    return f"the whole image is {width:g} x {height:g} there" + (f", and {size[0]} x {size[1]} in pixels" if size else "")


def _last_steps(score: Score, parts: Sequence[PartScore]) -> list[tuple[str, str, str]]:
    found = "nothing" if score.extracted is None else written(score.extracted)
    total = sum(part.weight for part in parts if part.score.value is not None)
    terms = " + ".join(f"{part.weight:g} x {part.score.value:.4g}" for part in parts if part.score.value is not None)
    value = "none: the gold cannot be scored" if score.value is None else f"{score.value:.6g}"
    return [
        ("extracted", found, score.failure or "no failure"),
        ("value", value, f"({terms}) / {total:g}" if terms and len(parts) > 1 else ""),
    ]


def written(value: Any, most: int = 600) -> str:
    """A parsed value as short text."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= most else text[:most] + "…"
