"""docs/rewards.md is what scripts/make_reward_docs.py makes of the rewards as they are."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from vlrl import rewards
from vlrl.rewards import Reward
from vlrl.rewards.describe import source, summary

SCRIPT = runpy.run_path(str(Path(__file__).parents[1] / "scripts" / "make_reward_docs.py"), run_name="imported")
PAGE = SCRIPT["PAGE"].read_text(encoding="utf-8")


def test_the_page_is_up_to_date() -> None:
    assert SCRIPT["page"](PAGE) == PAGE, "run scripts/make_reward_docs.py"


def test_every_reward_has_a_row_with_formula_and_source() -> None:
    rows = [line for line in PAGE.partition(SCRIPT["MARKER"])[0].splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == rewards.names()
    for name in rewards.names():
        assert summary(rewards.load(name)), name
        assert source(rewards.load(name)), name


def test_the_hand_written_part_stays() -> None:
    marker = SCRIPT["MARKER"]
    assert SCRIPT["page"](f"old\n{marker}\nby hand | *\n").endswith(f"|\n\n{marker}\nby hand | *\n")
    assert SCRIPT["page"]("").endswith(f"|\n\n{marker}")


def documented(docstring: str | None) -> Reward:
    def fn(*_: Any) -> Any: ...

    fn.__doc__ = docstring
    return Reward(fn)


@pytest.mark.parametrize(
    ("docstring", "formula", "origin"),
    [
        ("1, e.g. for 0.5 or\n    1. Source: A (arXiv 1.2),\n    B. Range 0..1.", "1, e.g. for 0.5 or 1", "A (arXiv 1.2), B"),
        ("Mean of a. Inspired by C (1.2) and D. Range 0..1. Failures: none.", "Mean of a", "Inspired by C (1.2) and D"),
        ("Ends here.\n\nSource: E. It says more. Failures: `x`.", "Ends here", "E. It says more"),
        ("Ends here. Source: E.\n\n>>> 1. Range", "Ends here", "E"),
        ("No stop", "No stop", ""),
        (None, "", ""),
    ],
)  # fmt: skip
def test_docstrings_are_read(docstring: str | None, formula: str, origin: str) -> None:
    assert (summary(documented(docstring)), source(documented(docstring))) == (formula, origin)


@pytest.mark.parametrize(
    ("words", "cell"),
    [("a | b * c", "a \\| b * c"), ("2*3 <think>", "2\\*3 \\<think>"), ("`<think>` *x*", "`<think>` \\*x\\*"), ("n_gt", "n_gt")],
)
def test_cells_show_as_they_are(words: str, cell: str) -> None:
    assert SCRIPT["_cell"](words) == cell
