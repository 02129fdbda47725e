"""OpenRLHF: a function of one completion in lists of one, from a file: `--reward.remote_url FILE`, called `reward_func`.

It hands over the whole text, prompt and completion, with special tokens, and logs an exception without stopping, so a wrong
label shows as missing rewards: run `vlrl validate` first. `scores` has to lie in 0..1 (its filter compares them): it is the
value's place in the reward's range. Gold that cannot be scored gets 0 and is counted in `unscorable`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from vlrl.adapters import metrics, read_answer
from vlrl.rewards import Reward

FILE = '''"""{title}, for OpenRLHF.

    --reward.remote_url {module}.py --data.label_key answer

The label column holds each row's gold answer as JSON text.
"""

from vlrl.adapters import openrlhf, scorer

SCORE = scorer({source})


def reward_func(queries, prompts, labels, **kwargs):
    return openrlhf.result(SCORE, queries, prompts, labels)
'''

TURN_ENDS = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<end_of_turn>", "<|user|>", "<eos>", "</s>")
"""Tokens that end a turn: they are no part of the answer. Tokens around boxes are, and stay."""

MIN_TAIL = 8
"""Characters of the prompt's end that the query must hold."""


def result(score: Reward, queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any]) -> dict[str, Any]:
    """`rewards`, `scores` and `extra_logs` of the one completion.

    >>> from vlrl.adapters import scorer
    >>> result(scorer(reward="gui.click"), ["Click it. [5, 5]<|im_end|>"], ["Click it. "], ['{"box": [0, 0, 10, 10]}'])
    {'rewards': 1.0, 'scores': 1.0, 'extra_logs': {'correct': 1.0, 'failed': 0.0, 'unscorable': 0.0}}
    """
    (query,), (prompt,), (label,) = queries, prompts, labels
    scored = score(response_text(query, prompt), read_answer(label))
    value = scored.value or 0.0
    place = (value - score.low) / (score.high - score.low)
    return {"rewards": value, "scores": min(max(place, 0.0), 1.0), "extra_logs": metrics(scored)}


def response_text(query: str, prompt: str) -> str:
    """What the query holds after the prompt, without the tokens that end a turn.

    Where an image's placeholder is expanded, the query does not begin with the prompt: then the response is what follows the
    longest end of the prompt that the query holds. Raises ValueError when it holds none of `MIN_TAIL` characters.

    >>> response_text("<|image_pad|><|image_pad|><|image_pad|>Where is it? yes<|im_end|>", "<|image_pad|>Where is it? ")
    'yes'
    """
    response = query[_prompt_end(query, prompt) :]
    while ended := next((token for token in TURN_ENDS if response.rstrip().endswith(token)), None):
        response = response.rstrip().removesuffix(ended)
    return response


def _prompt_end(query: str, prompt: str) -> int:
    if query.startswith(prompt):
        return len(prompt)
    tail = bisect_left(range(len(prompt) + 1), True, key=lambda length: prompt[len(prompt) - length :] not in query) - 1
    if tail < MIN_TAIL:
        raise ValueError(f"the query does not hold the end of its prompt: {query[:80]!r} and {prompt[-80:]!r}")
    return query.index(prompt[len(prompt) - tail :]) + tail
