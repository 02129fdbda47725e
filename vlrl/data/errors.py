"""What is wrong with a row of data: one sentence that names file, line, key and the mend."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from vlrl.types import UserError


class RowError(UserError):
    """A bad row. `source` is `file:line`, `key` the row's key at fault (empty: the whole line), `mend` what to do about it.

    >>> str(RowError("a.jsonl:3", "question", "is missing", "add the question as a string"))
    'a.jsonl:3: question: is missing; add the question as a string'
    """

    def __init__(self, source: str, key: str, what: str, mend: str) -> None:
        super().__init__(source, key, what, mend)  # all four, so that the error survives pickling between processes
        self.source, self.key, self.what, self.mend = source, key, what, mend

    def __str__(self) -> str:
        place = f"{self.source}: {self.key}" if self.key else self.source
        return f"{place}: {self.what}; {self.mend}"


class MediaError(RowError):
    """An image of a row that cannot be used: missing, corrupt, too large, or not of the declared size."""


def suggest(name: str, names: Iterable[str]) -> str:
    """The mend for an unknown name: the nearest valid one, or all of them.

    >>> suggest("imge", ["image", "question"])
    "did you mean 'image'?"
    >>> suggest("zzz", ["image", "question"])
    'choose one of image, question'
    """
    names = list(names)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"choose one of {', '.join(names)}"
