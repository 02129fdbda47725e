"""Writes the table of docs/rewards.md from the rewards' declarations and docstrings.

    .venv/bin/python scripts/make_reward_docs.py

Everything from the marker on is written by hand and stays as it is. tests/test_reward_docs.py checks that the file is up to date.
"""

from __future__ import annotations

import re
from pathlib import Path

from vlrl import rewards
from vlrl.rewards.describe import source, span, summary

PAGE = Path(__file__).parents[1] / "docs" / "rewards.md"
MARKER = "<!-- From here on written by hand; all above is made by scripts/make_reward_docs.py. -->"

HEAD = """# Rewards

A reward is a pure function `(text, answer) -> Score`; `vlrl show NAME` prints all of its docstring, the answer keys that it
needs and a scored example, `vlrl score --reward NAME` scores with it alone. Text that cannot be read earns the range's lower
end, with one of the failure codes.

| reward | formula | range | source | failure codes |
|---|---|---|---|---|
"""

_CODE = re.compile(r"(`[^`]*`)")
_MARKUP = re.compile(r"(?<! )\*|\*(?! )|<")


def page(old: str) -> str:
    """The page anew, with the hand-written part of the old one."""
    _, marker, written = old.partition(MARKER)
    return f"{HEAD}{''.join(_row(name) for name in rewards.names())}\n{MARKER}{written if marker else ''}"


def _row(name: str) -> str:
    reward = rewards.load(name)
    codes = ", ".join(f"`{code}`" for code in reward.failures)
    cells = [f"`{name}`", _cell(summary(reward)), span(reward), _cell(source(reward)), codes]
    return f"| {' | '.join(cells)} |\n"


def _cell(words: str) -> str:
    """Words that a Markdown table shows as they are."""
    outside = [part if part.startswith("`") else _MARKUP.sub(r"\\\g<0>", part) for part in _CODE.split(words)]
    return "".join(outside).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""), encoding="utf-8")
