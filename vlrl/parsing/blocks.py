"""Named blocks of a completion, `<name>...</name>` (stdlib only). Plain string searches."""

from __future__ import annotations

from collections.abc import Sequence


def block_text(text: str, name: str) -> str | None:
    """The stripped inside of the last closed block of that name, or None when there is none or it is empty.

    >>> block_text("<bbox>[1]</bbox> <bbox> [2] </bbox>", "bbox"), block_text("<bbox>[1]", "bbox")
    ('[2]', None)
    """
    before, closed, _ = text.rpartition(f"</{name}>")
    _, opened, inside = before.rpartition(f"<{name}>")
    return (inside.strip() or None) if closed and opened else None


def is_block_sequence(text: str, names: Sequence[str]) -> bool:
    """True when the text is exactly one non-empty block of each name, in that order, with only white space between.

    >>> is_block_sequence("<a>1</a> <b>2</b>", ["a", "b"]), is_block_sequence("<b>2</b><a>1</a>", ["a", "b"])
    (True, False)
    """
    rest = text.strip()
    for name in names:
        opening, closing = f"<{name}>", f"</{name}>"
        if text.count(opening) != 1 or text.count(closing) != 1 or not rest.startswith(opening):
            return False
        inside, _, rest = rest.removeprefix(opening).partition(closing)
        if not inside.strip():
            return False
        rest = rest.strip()
    return not rest
