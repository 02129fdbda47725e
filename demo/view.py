"""The address of what is being looked at: all state of the inspector is the query string, so that every view is a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from demo.text import safe

MOST_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class View:
    """The parsed query string. Values are hostile text: a number that is none reads as absent."""

    values: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, query: str) -> View:
        """From `?view=groups&step=12`. Of a name that comes twice the last value counts.

        >>> View.parse("?view=groups&step=12").number("step")
        12
        """
        return cls(dict(parse_qsl(query[:MOST_CHARACTERS].lstrip("?"), errors="replace")))

    def get(self, name: str, default: str = "") -> str:
        """A value as text."""
        return self.values.get(name, default)

    def number(self, name: str) -> int | None:
        """A value as a whole number from 0 on, else None.

        >>> View.parse("step=-3").number("step") is None
        True
        """
        text = self.values.get(name, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else None

    def decimal(self, name: str) -> float | None:
        """A value as a finite number, else None.

        >>> View.parse("reward=-0.5").decimal("reward"), View.parse("reward=nan").decimal("reward")
        (-0.5, None)
        """
        try:
            value = float(self.values.get(name, ""))
        except ValueError:
            return None
        return value if abs(value) < 1e300 else None

    def choice(self, name: str, known: Mapping[str, object]) -> str:
        """A value that is one of the known names, else the first of them."""
        return self.values[name] if self.values.get(name) in known else next(iter(known))

    def change(self, **changes: object) -> View:
        """The same view with some values changed; None takes a value away."""
        merged = {**self.values, **{name: None if value is None else str(value) for name, value in changes.items()}}
        return View({name: value for name, value in merged.items() if value is not None})

    def query(self) -> str:
        """The query string.

        >>> View.parse("view=run&step=3").change(view="groups", step=None).query()
        '?view=groups'
        """
        return "?" + urlencode(self.values, errors="replace")

    def href(self, **changes: object) -> str:
        """An `href` attribute that leads to the changed view; the page's script follows it without loading anew."""
        return f'href="{safe(self.change(**changes).query())}"'

    def over(self, page: str, **values: object) -> View:
        """The view of another page of the same run, with these values and no others.

        >>> View.parse("?run=a&view=run&sort=low").over("groups", step="").query()
        '?run=a&view=groups&step='
        """
        return View({"run": self.values["run"]} if "run" in self.values else {}).change(view=page, **values)

    def to(self, page: str, **values: object) -> str:
        """An `href` attribute that leads to `over`."""
        return self.over(page, **values).href()
