"""Parts of forms whose fields become the address."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from demo.text import safe
from demo.view import View


def hidden(view: View, but: Collection[str]) -> str:
    """The view's values as hidden fields, all but some."""
    return "".join(f'<input type="hidden" name="{safe(n)}" value="{safe(v)}">' for n, v in view.values.items() if n not in but)


def field(name: str, view: View, hint: str, size: int) -> str:
    """A text field with the view's value."""
    return f'<input name="{name}" value="{safe(view.get(name))}" placeholder="{safe(hint)}" size="{size}" aria-label="{name}">'


def select(name: str, options: Mapping[str, str], chosen: str, label: str) -> str:
    """A choice that submits its form when it changes."""
    items = "".join(
        f'<option value="{safe(value)}"{" selected" if value == chosen else ""}>{safe(words)}</option>'
        for value, words in options.items()
    )
    return f'<select name="{name}" aria-label="{safe(label)}" data-auto>{items}</select>'
