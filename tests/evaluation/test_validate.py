"""`check_rows`: every row that would not train is found, and says why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vlrl.data.errors import RowError
from vlrl.evaluation.validate import check_rows
from vlrl.types import UserError

GOOD = {"image": "a.png", "task": "gui", "question": "the red button", "answer": {"box": [8, 40, 60, 56]}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Image.new("RGB", (128, 64)).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(content[:-30])
    return tmp_path


def check(folder: Path, *rows: Any, task: str | None = None) -> list[RowError | None]:
    path = folder / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return list(check_rows(path, task))


def with_answer(**answer: Any) -> dict[str, Any]:
    return {**GOOD, "answer": {**GOOD["answer"], **answer}}


def test_good_rows(folder: Path) -> None:
    grounding = {**GOOD, "task": "grounding"}
    sized = with_answer(image_size=[128, 64])
    fractions = {**GOOD, "task": "grounding", "answer": {"box": [3.3, 4.4, 10.6, 9.7]}}
    assert check(folder, GOOD, grounding, sized, fractions) == [None] * 4


def test_the_task_of_the_file(folder: Path) -> None:
    row = {key: value for key, value in GOOD.items() if key != "task"}
    assert check(folder, row, task="gui") == [None]
    [error] = check(folder, row)
    assert error is not None
    assert error.key == "task"


@pytest.mark.parametrize(
    ("row", "key", "words"),
    [
        ({**GOOD, "image": "none.png"}, "image", "none.png does not exist"),
        ({**GOOD, "image": "cut.png"}, "image", "cut.png cannot be decoded"),
        ({**GOOD, "task": "guy"}, "task", "unknown task 'guy'; did you mean 'gui'?"),
        ({**GOOD, "answer": None}, "answer", "is null"),
        (with_answer(box=[8, 40, 60, 156]), "answer", "lies outside the image"),
        (with_answer(box=[-8, 40, 60, 56]), "answer", "lies outside the image"),
        (with_answer(box=[60, 40, 8, 56]), "answer", "x1 <= x2"),
        (with_answer(box=[8, 40, 60]), "answer", "a box is four numbers"),
        (with_answer(box="8 40 60 56"), "answer", "a box is four numbers"),
        ({**GOOD, "answer": {"bbox": [1, 2, 3, 4]}}, "answer", "has no 'box'"),
        (with_answer(box=[8, 40, 8, 40]), "answer", "gui.click cannot score the gold"),
        (with_answer(image_size=[64, 128]), "answer.image_size", "says [64, 128], but"),
        (with_answer(space="pixel"), "answer", "unknown coordinate space 'pixel'"),
        (with_answer(space="processed"), "answer", "processed_size"),
    ],
)
def test_bad_rows(folder: Path, row: dict[str, Any], key: str, words: str) -> None:
    good, error, other = check(folder, GOOD, row, GOOD)
    assert (good, other) == (None, None)
    assert error is not None
    assert (error.source, error.key) == (f"{folder}/rows.jsonl:2", key)
    assert words in error.what
    assert error.mend
    assert "\n" not in str(error)


def test_a_gold_that_does_not_earn_the_maximum(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task whose rewards contradict each other: it writes golds in one form and pays for another."""
    (folder / "contrary.py").write_text(
        "from dataclasses import replace\n"
        "from vlrl.tasks.gui import TASK as GUI\n"
        "TASK = replace(GUI, name='contrary', rewards={'gui.click': 0.5, 'format.think_answer': 0.5})\n"
    )
    monkeypatch.syspath_prepend(folder)
    [error] = check(folder, {**GOOD, "task": "contrary:TASK"})
    assert error is not None
    assert "the gold completion '[34, 48]' earns 0.5 of 1 (no_think_tag)" in error.what


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="check the path"):
        list(check_rows(tmp_path / "none.jsonl"))
