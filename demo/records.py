"""A line of a rollout file -> records that can be drawn: what is of a wrong type is replaced, unknown keys are left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

from vlrl.types import Completion, Media, Rollout, RolloutGroup, Sample, Score, UserError

TOKEN_FACTS = ("logprobs", "entropies", "ref_logprobs", "train_logprobs", "token_advantages", "token_weights")
"""Numbers per token that a completion or a rollout of the log may hold; `logprobs` is always there."""


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """A group, and for each rollout the numbers per token that the log holds, by name."""

    group: RolloutGroup
    tokens: list[dict[str, list[float]]]


def read_group(data: Any) -> GroupRecord:
    """A group from the JSON of its line. Raises UserError when it is no group."""
    if not isinstance(data, dict) or not isinstance(data.get("sample"), dict) or not isinstance(data.get("rollouts"), list):
        raise UserError("this line of the rollout file is no group of rollouts; was the file edited by hand?")
    rollouts = [item for item in data["rollouts"] if isinstance(item, dict)]
    group = RolloutGroup(
        _as(int, data.get("step"), 0), read_sample(data["sample"]), _text(data.get("prompt")), [read_rollout(r) for r in rollouts]
    )
    return GroupRecord(group, [_token_facts(rollout) for rollout in rollouts])


def read_sample(data: Mapping[str, Any]) -> Sample:
    """A sample whose fields have their types."""
    media = [item for item in _as(list, data.get("media"), []) if isinstance(item, dict)]
    known = [_media(item) for item in media]
    words = {name: _text(data.get(name)) for name in ("id", "task", "question", "source")}
    return Sample(answer=_as(dict, data.get("answer"), {}), media=tuple(known), **words)


def _media(data: Mapping[str, Any]) -> Media:
    frames = tuple(frame for frame in _as(list, data.get("frames"), []) if isinstance(frame, str))
    fps = data.get("fps")
    kind: Literal["image", "video"] = "video" if data.get("kind") == "video" else "image"
    return Media(kind, _text(data.get("path")), frames, float(fps) if _is_number(fps) else None)


def read_score(data: Any) -> Score:
    """A score whose fields have their types."""
    data = _as(dict, data, {})
    parts = {str(name): float(value) for name, value in _as(dict, data.get("parts"), {}).items() if _is_number(value)}
    value, correct, failure = data.get("value"), data.get("correct"), data.get("failure")
    return Score(
        float(value) if _is_number(value) else None,
        parts,
        correct if isinstance(correct, bool) else None,
        data.get("extracted"),
        None if failure is None else str(failure),
    )


def read_rollout(data: Mapping[str, Any]) -> Rollout:
    """A rollout whose fields have their types."""
    completion = _as(dict, data.get("completion"), {})
    ids = [value for value in _as(list, completion.get("token_ids"), []) if isinstance(value, int)]
    finish = completion.get("finish_reason")
    read = Completion(_text(completion.get("text")), ids, _numbers(completion.get("logprobs")), _text(finish))  # type: ignore[arg-type]
    advantage = data.get("advantage")
    return Rollout(read, read_score(data.get("score")), float(advantage) if _is_number(advantage) else float("nan"))


def read_eval_row(data: Any, task: str) -> dict[str, Any] | None:
    """A line of a sample log as the row of an evaluation: `sample`, `prompt_mode`, `text`, `score`. The lines of benchmarks spell
    it otherwise (`doc_id`, `doc`, `target`, `resps`); None for what is neither.
    """
    if not isinstance(data, dict):
        return None
    if isinstance(data.get("sample"), dict):
        return data
    if "doc_id" not in data:
        return None
    doc, texts = _as(dict, data.get("doc"), {}), _as(list, data.get("resps"), [])
    words = {"id": _text(data["doc_id"]), "task": task, "question": _text(doc.get("question")), "source": ""}
    score = {name: data.get(name) for name in ("value", "parts", "correct", "extracted", "failure")}
    sample = {**words, "answer": _as(dict, data.get("target"), {}), "media": _as(list, doc.get("media"), [])}
    return {"sample": sample, "prompt_mode": "", "text": _text(texts[0]) if texts else "", "score": score}


def _token_facts(data: Mapping[str, Any]) -> dict[str, list[float]]:
    found = {**data, **_as(dict, data.get("completion"), {})}
    facts = {name: _numbers(found.get(name)) for name in TOKEN_FACTS}
    return {name: values for name, values in facts.items() if values}


def _numbers(values: Any) -> list[float]:
    return [float(value) if _is_number(value) else float("nan") for value in _as(list, values, [])]


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e308


def _as(kind: Callable[..., Any], value: Any, otherwise: Any) -> Any:
    return value if isinstance(value, kind) and not isinstance(value, bool) else otherwise  # type: ignore[arg-type]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
