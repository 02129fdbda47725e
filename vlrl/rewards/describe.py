"""What a reward's docstring says, in parts: for `vlrl show`, `vlrl score --list` and docs/rewards.md.

Range, failure codes and answer keys are not read from it: the registry declares them.
"""

from __future__ import annotations

import inspect
import re

from vlrl.rewards import Reward

_SENTENCE_END = re.compile(r"(?<!e\.g)(?<!i\.e)(?<!et al)(?<!cf)(?<!vs)\.(?=\s|$)")
_SOURCE = re.compile(r"\bSources?: (.*?)\.(?= Range\b| Failures\b| Raises\b| *$)")
_INSPIRED = re.compile(r"\b([Ii]nspired by .*?)\.(?=\s|$)")


def summary(reward: Reward) -> str:
    """The docstring's first sentence: the formula.

    >>> from vlrl.rewards import load
    >>> summary(load("format.think_answer"))
    '1 for one non-empty `<think>` block, then one non-empty `<answer>` block, and nothing else; else 0'
    """
    return _SENTENCE_END.split(_prose(reward), maxsplit=1)[0].rstrip(":")


def source(reward: Reward) -> str:
    """What stands behind `Source:`, up to the range; else a sentence that says by what it is inspired; else nothing.

    >>> from vlrl.rewards import load
    >>> source(load("repetition.items"))[:61]
    'the repetition reward of VLM-R1 (arXiv 2504.07615). Objects a'
    """
    found = _SOURCE.search(_prose(reward)) or _INSPIRED.search(_prose(reward))
    return found[1] if found else ""


def span(reward: Reward) -> str:
    """The range, as in `0..1`."""
    return f"{reward.low:g}..{reward.high:g}"


def _prose(reward: Reward) -> str:
    """The docstring up to its first example, on one line."""
    return " ".join((inspect.getdoc(reward.fn) or "").split(">>>")[0].split())
