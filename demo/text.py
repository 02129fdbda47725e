"""Any value as text that HTML shows and never runs. Every string of a run is hostile and passes `safe`."""

from __future__ import annotations

import html
from typing import Any

from vlrl.report.look import number as number
from vlrl.report.look import visible


def safe(value: Any) -> str:
    """Any value as text for HTML, inside elements and inside quoted attributes.

    >>> safe("<img onerror=x>")
    '&lt;img onerror=x&gt;'
    """
    return html.escape(visible(str(value)))


def short(value: Any, most: int) -> str:
    """`safe` text of at most `most` characters.

    >>> short("abcdef", 4)
    'abc…'
    """
    text = str(value)
    return safe(text if len(text) <= most else text[: most - 1] + "…")


def text_block(text: str, first: int = 500, most: int = 20_000) -> str:
    """A model's text as a block: the first part, the rest behind a fold, and a note where it had to be cut."""
    if not text:
        return '<pre class="text empty">empty text</pre>'
    if len(text) <= first:
        return f'<pre class="text">{safe(text)}</pre>'
    note = f", up to the first {most:,}" if len(text) > most else ""
    rest = f'<pre class="text">{safe(text[first:most])}</pre>'
    return (
        f'<pre class="text">{safe(text[:first])}</pre>'
        f"<details><summary>show the rest of {len(text):,} characters{note}</summary>{rest}</details>"
    )


def percent(share: float) -> str:
    """A share as whole per cent; what is neither none nor all never reads 0 or 100.

    >>> percent(0.256), percent(0.999), percent(0.0)
    ('26 %', '99 %', '0 %')
    """
    whole = round(100 * share)
    return f"{min(max(whole, 1), 99) if 0 < share < 1 else whole} %"


def plural(count: int, word: str) -> str:
    """A count with its noun.

    >>> plural(1, "token"), plural(1200, "token")
    ('1 token', '1,200 tokens')
    """
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def notice(text: str, todo: str = "") -> str:
    """An empty state: what is missing, and what to do about it."""
    return f'<div class="notice"><p>{safe(text)}</p><p class="note">{safe(todo)}</p></div>'


def table(head: list[str], rows: list[list[str]], css: str = "") -> str:
    """A table of cells that are HTML already."""
    names = "".join(f"<th>{name}</th>" for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table class="{css}"><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>'
