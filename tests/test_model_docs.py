"""docs/models.md is what scripts/make_model_docs.py measures, and it knows every family."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

from vlrl.models import families

SCRIPT = runpy.run_path(str(Path(__file__).parents[1] / "scripts" / "make_model_docs.py"), run_name="imported")
PAGE = SCRIPT["PAGE"].read_text(encoding="utf-8")
NUMBER = re.compile(r"\d+e-\d+")


def without_numbers(page: str) -> str:
    """Machines differ in the last bits."""
    return NUMBER.sub("#", page)


def test_the_page_is_up_to_date() -> None:
    assert without_numbers(SCRIPT["page"](PAGE)) == without_numbers(PAGE), "run scripts/make_model_docs.py"


def test_every_family_has_a_row_and_is_exact() -> None:
    rows = [line for line in PAGE.partition(SCRIPT["MARKER"])[0].splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == sorted(families._all())
    for row in rows:
        differences = [float(number) for number in NUMBER.findall(row)]
        assert len(differences) >= 4
        assert max(differences) < 1e-5
        assert "not exact" not in row
