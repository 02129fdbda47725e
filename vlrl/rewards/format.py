"""Is the completion in the form that was asked for? The tag rewards of DeepSeek-R1 (arXiv 2501.12948), matched in full."""

from __future__ import annotations

from vlrl.parsing.json_value import parse_json
from vlrl.parsing.tags import ANSWER, ANSWER_END, THINK, THINK_END, answer_text, has_block, is_answer_only, is_think_answer
from vlrl.rewards import Example, Reward
from vlrl.types import Answer, Score


def think_answer(text: str, answer: Answer) -> Score:
    """1 for one non-empty `<think>` block, then one non-empty `<answer>` block, and nothing else; else 0.

    Source: the format reward of DeepSeek-R1 (arXiv 2501.12948), as VLM-R1 (2504.07615) carries it over to images. Unlike the
    latter's box variant, text around the blocks and empty blocks earn nothing. Range 0..1. Failures: `no_think_tag`,
    `no_answer_tag` (no such block), `bad_format` (both are there, with something else). Raises nothing.

    >>> think_answer("<think>left</think><answer>[1, 2]</answer>", {}).value
    1.0
    >>> think_answer("<think>left</think>[1, 2]", {}).failure
    'no_answer_tag'
    """
    if is_think_answer(text):
        return Score(1.0)
    if not has_block(text, THINK, THINK_END):
        return Score(0.0, failure="no_think_tag")
    if not has_block(text, ANSWER, ANSWER_END):
        return Score(0.0, failure="no_answer_tag")
    return Score(0.0, failure="bad_format")


def answer_only(text: str, answer: Answer) -> Score:
    """1 for an answer without thinking: bare text, or one non-empty `<answer>` block and nothing else; else 0.

    Source: the direct-answer setting of UI-R1-E (arXiv 2503.21620), where no thinking is the better form for clicks.
    Range 0..1. Failures: `no_answer` (nothing but white space), `bad_format`. Raises nothing.

    >>> answer_only("[1, 2]", {}).value
    1.0
    >>> answer_only("<think>left</think>[1, 2]", {}).failure
    'bad_format'
    """
    if is_answer_only(text):
        return Score(1.0)
    return Score(0.0, failure="bad_format" if text.strip() else "no_answer")


def prompted(text: str, answer: Answer) -> Score:
    """`think_answer` or `answer_only`, by the answer's `prompt_mode` (`think` or `direct`); without one, either form earns 1.

    Source: the two of them. Range 0..1. Failures: those of the two. Raises ValueError for another `prompt_mode`.

    >>> prompted("[1, 2]", {"prompt_mode": "direct"}).value, prompted("[1, 2]", {"prompt_mode": "think"}).value
    (1.0, 0.0)
    """
    mode = answer.get("prompt_mode")
    if mode is None:
        return Score(1.0) if is_think_answer(text) else answer_only(text, answer)
    if mode not in ("think", "direct"):
        raise ValueError(f"answer 'prompt_mode' is 'think' or 'direct', not {mode!r}")
    return think_answer(text, answer) if mode == "think" else answer_only(text, answer)


def json(text: str, answer: Answer) -> Score:
    """1 when the answer is one JSON object or list and nothing else, and every object of it has the keys `json_keys`; else 0.

    A Markdown fence around it is allowed. `json_keys` (optional) lists the keys; they are looked for in the object, or in
    every item of the list. Source: the output forms of Qwen's cookbooks and VLM-R1 (arXiv 2504.07615), read strictly: nothing
    is repaired. Range 0..1. Failures: `no_answer` (no closed answer), `bad_json`, `missing_key`. Raises ValueError for
    `json_keys` that are no list of strings.

    >>> json('[{"label": "cup"}]', {"json_keys": ["label"]}).value
    1.0
    >>> json('[{"label": "cup"}, 5]', {"json_keys": ["label"]}).failure
    'missing_key'
    """
    keys = answer.get("json_keys", [])
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ValueError(f"answer 'json_keys' is a list of strings, not {keys!r}")
    body = answer_text(text)
    if body is None:
        return Score(0.0, failure="no_answer")
    value = parse_json(body)
    if value is None:
        return Score(0.0, failure="bad_json")
    objects = value if isinstance(value, list) else [value]
    if keys and not all(isinstance(item, dict) and item.keys() >= set(keys) for item in objects):
        return Score(0.0, failure="missing_key")
    return Score(1.0)


THINK_FAILURES = ("no_think_tag", "no_answer_tag", "bad_format")
DIRECT_FAILURES = ("no_answer", "bad_format")

THOUGHT = Example("<think>It is a cup.</think><answer>yes</answer>", {})

REWARDS = {
    "think_answer": Reward(think_answer, failures=THINK_FAILURES, example=THOUGHT),
    "answer_only": Reward(answer_only, failures=DIRECT_FAILURES, example=Example("yes", {})),
    "json": Reward(
        json,
        failures=("no_answer", "bad_json", "missing_key"),
        example=Example('[{"bbox_2d": [1, 2, 3, 4], "label": "cup"}]', {"json_keys": ["bbox_2d", "label"]}),
    ),
    "prompted": Reward(prompted, failures=("no_answer", *THINK_FAILURES), example=THOUGHT),
}
