"""The reward vectors that were made by running other people's code (`tests/golden/rewards/`)."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "golden" / "rewards"


def rows(name: str) -> list[dict[str, Any]]:
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def expected(row: dict[str, Any]) -> Any:
    """The hand-made value where the executed code is wrong by its own rule, else what it returned."""
    return row["oracle_value"] if row["correct_value"] is None else row["correct_value"]
