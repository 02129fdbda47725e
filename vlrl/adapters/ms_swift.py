"""ms-swift: a subclass of `ORM` in a plug-in file, `--external_plugins FILE --reward_funcs NAME`; called with a batch."""

from __future__ import annotations

from vlrl.adapters.trl import values

FILE = '''"""{title}, for ms-swift.

    swift rlhf --rlhf_type grpo --external_plugins {module}.py --reward_funcs {name}

The data set's column `answer` holds each row's gold answer as JSON text.
"""

from swift.rewards import ORM, orms

from vlrl.adapters import ms_swift, scorer

SCORE = scorer({source})


class {class_name}(ORM):
    def __call__(self, completions, answer, response_token_ids=None, **columns):
        return ms_swift.values(SCORE, completions, answer, ms_swift.joined(response_token_ids))


orms["{name}"] = {class_name}
'''

__all__ = ["FILE", "joined", "values"]


def joined(response_token_ids: list[list[int] | list[list[int]]] | None) -> list[list[int]] | None:
    """Each row's token ids in one list: ms-swift keeps one list per turn. None where it does not hand them over.

    >>> joined([[[1, 2], [3]], [4, 5]])
    [[1, 2, 3], [4, 5]]
    """
    if not response_token_ids or not all(response_token_ids):
        return None
    return [[token for turn in row for token in (turn if isinstance(turn, list) else [turn])] for row in response_token_ids]
