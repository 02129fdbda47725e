"""The index says what the files say, takes in only what is new, and mends itself."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from big_run import SIZE, generate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo.index import build
from demo.index.build import IndexBuilder
from demo.index.read import Filter, IndexReader
from demo.index.schema import connect, index_path


def record(step: int, values: list[float | None], text: str = "a text", **score: Any) -> dict[str, Any]:
    rollouts = [
        {
            "completion": {"text": f"{text} {i}", "token_ids": [1] * (i + 1), "logprobs": [0.0], "finish_reason": "stop"},
            "score": {
                "value": v,
                "parts": {},
                "correct": None if v is None else v > 0.5,
                "extracted": None,
                "failure": None,
                **score,
            },
            "advantage": i - 1,
        }
        for i, v in enumerate(values)
    ]
    sample = {"id": f"s{step}", "task": "gui", "question": "q", "answer": {}, "media": [], "source": ""}
    return {"step": step, "sample": sample, "prompt": "p", "rollouts": rollouts}


def write(run: Path, step: int, *records: dict[str, Any], tail: str = "") -> Path:
    (run / "rollouts").mkdir(exist_ok=True, parents=True)
    path = run / "rollouts" / f"{step:06d}.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in records) + tail)
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def built(run: Path) -> Iterator[tuple[IndexBuilder, IndexReader]]:
    run.mkdir()
    builder = IndexBuilder(run)
    yield builder, IndexReader(builder.path)
    builder.close()


Built = tuple[IndexBuilder, IndexReader]


def test_rows_are_those_of_the_file(run: Path, built: Built) -> None:
    builder, reader = built
    one = record(3, [1.0, 0.0, None], failure="no_box", parts={"a.b": 0.25, "c": 1}, extracted=[[1, 2, 3, 4]] * 12)
    path = write(run, 3, record(3, [0.5, 0.5]), one)
    builder.sync()
    flat, mixed = reader.groups(3, "file")
    assert (flat.kind, flat.spread, flat.mean, flat.count) == ("wrong", 0.0, 0.5, 2)
    assert (mixed.kind, mixed.spread, mixed.rewards, mixed.line) == ("mixed", 0.5, [1.0, 0.0], 1)
    assert json.loads(path.read_bytes()[mixed.offset : mixed.offset + mixed.length]) == one
    rows = reader.rollouts(Filter(failure="no_box"), "tokens", descending=False)
    assert [(r.line, r.place, r.reward, r.advantage, r.tokens, r.correct, r.items) for r in rows] == [
        (1, 0, 1.0, -1.0, 1, True, 12),
        (1, 1, 0.0, 0.0, 2, False, 12),
        (1, 2, None, 1.0, 3, None, 12),
    ]
    assert rows[0].parts == {"a.b": 0.25, "c": 1.0}
    (step,) = reader.steps()
    assert (step.groups, step.rollouts, step.wrong, step.failures) == (2, 5, 1, {"no_box": 3})


def test_only_new_lines_are_read_and_a_torn_one_waits(run: Path, built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    builder, reader = built
    whole = json.dumps(record(1, [0.0])) + "\n"
    path = write(run, 1, record(1, [1.0]), tail=whole[:40])
    builder.sync()
    assert reader.count(Filter()) == 1
    assert run_bytes_left(run, reader) == 40
    parsed: list[bytes] = []
    original = build.parse
    monkeypatch.setattr(build, "parse", lambda raw: parsed.append(raw) or original(raw))
    builder.sync()
    assert parsed == []
    with path.open("a") as file:
        file.write(whole[40:] + whole)
    builder.sync()
    assert len(parsed) == 2, "the two new lines, and not the first again"
    assert [g.line for g in reader.groups(1, "file")] == [0, 1, 2]
    assert run_bytes_left(run, reader) == 0


def run_bytes_left(run: Path, reader: IndexReader) -> int:
    return sum(stat.st_size - reader.files()[step][3] for step, (_, stat) in build.step_files(run).items())


@pytest.mark.parametrize("change", ["replaced", "shrunk", "rewritten in place"])
def test_a_file_that_is_another_one_is_read_anew(run: Path, built: Built, change: str) -> None:
    builder, reader = built
    path = write(run, 1, record(1, [1.0], "old"), record(1, [1.0], "old"))
    builder.sync()
    fresh = json.dumps(record(1, [0.25], "new")) + "\n"
    if change == "replaced":
        path.with_name("x").write_text(fresh * 3)
        os.replace(path.with_name("x"), path)
    elif change == "shrunk":
        os.truncate(path, path.stat().st_size // 2)
        fresh = json.dumps(record(1, [1.0], "old")) + "\n"
    else:
        path.write_text(fresh * 3)
    builder.sync()
    assert reader.count(Filter()) == (1 if change == "shrunk" else 3)
    assert reader.count(Filter(text="old")) == (1 if change == "shrunk" else 0)
    assert reader.steps()[0].groups == (1 if change == "shrunk" else 3)


def test_a_step_that_is_gone_is_forgotten(run: Path, built: Built) -> None:
    builder, reader = built
    path = write(run, 1, record(1, [1.0]))
    write(run, 2, record(2, [1.0]))
    builder.sync()
    path.unlink()
    builder.sync()
    assert [step.step for step in reader.steps()] == [2]
    assert reader.count(Filter(text="a text")) == 1


def test_odd_lines_neither_stop_it_nor_vanish(run: Path, built: Built) -> None:
    builder, reader = built
    odd = ["{", "[]", "null", '{"sample": 5, "rollouts": []}', '{"sample": {}, "rollouts": [7]}', "\x00", '"' + "[" * 50_000]
    good = json.dumps(record(1, [float("nan"), 1.0], "lone \ud800 surrogate")) + "\n"
    write(run, 1, tail="\n".join(odd) + "\n" + good)
    builder.sync()
    assert reader.kinds(1) == {"unreadable": len(odd), "equal": 1}
    assert [r.reward for r in reader.rollouts(Filter())] == [None, 1.0]
    assert reader.count(Filter(text="surrogate")) == 2


def test_a_damaged_or_older_index_is_made_anew(run: Path) -> None:
    run.mkdir()
    write(run, 1, record(1, [1.0]))
    path = index_path(run)
    for damage in (b"no database at all" * 100, None):
        if damage is not None:
            path.write_bytes(damage)
        else:
            with sqlite3.connect(path) as db:
                db.execute("PRAGMA user_version = 99")
        builder = IndexBuilder(run)
        builder.sync()
        assert IndexReader(path).count(Filter()) == 1
        builder.close()


def test_a_folder_that_cannot_be_written_has_its_index_in_the_cache(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(run, 1, record(1, [1.0]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (run / ".index").write_text("a file stands where the folder should be")
    builder = IndexBuilder(run)
    builder.sync()
    assert builder.path.is_relative_to(tmp_path / "cache")
    assert IndexReader(builder.path).count(Filter()) == 1
    builder.close()


def test_two_processes_may_build_the_same_index(run: Path) -> None:
    for step in range(1, 6):
        write(run, step, record(step, [1.0, 0.0]))
    first, second = IndexBuilder(run), IndexBuilder(run)
    first.sync()
    second.sync()
    assert IndexReader(first.path).count(Filter()) == 10
    first.close()
    second.close()


def test_reading_stays_whole_where_a_line_is_longer_than_a_piece(
    run: Path, built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "PIECE", 100)
    builder, reader = built
    write(run, 1, *[record(1, [i / 9, 1.0], "x" * 30 * i) for i in range(9)])
    builder.sync()
    assert [g.line for g in reader.groups(1, "file")] == list(range(9))
    assert [g.mean for g in reader.groups(1, "file")] == pytest.approx([(i / 9 + 1) / 2 for i in range(9)])


VALUES = st.one_of(st.none(), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
LIMITS = st.tuples(st.one_of(st.none(), st.sampled_from([0.0, 0.5])), st.one_of(st.none(), st.sampled_from([0.5, 1.0])))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    reward=LIMITS, part=LIMITS, failure=st.sampled_from([None, "", "*", "no_box"]), correct=st.sampled_from([None, True, False])
)
def test_filters_select_what_they_say(
    tmp_path_factory: pytest.TempPathFactory, reward: Any, part: Any, failure: Any, correct: Any
) -> None:
    reader, truth = _filtered_run(tmp_path_factory)
    chosen = Filter(reward=reward, parts={"p": part}, failure=failure, correct=correct)

    def inside(value: float | None, limits: Any) -> bool:
        return limits == (None, None) or (
            value is not None and (limits[0] is None or value >= limits[0]) and (limits[1] is None or value <= limits[1])
        )

    def fits(row: dict[str, Any]) -> bool:
        code = failure is None or (
            row["failure"] is None
            if failure == ""
            else row["failure"] in ("no_box", "x")
            if failure == "*"
            else row["failure"] == failure
        )
        return code and inside(row["value"], reward) and inside(row["parts"]["p"], part) and correct in (None, row["correct"])

    assert reader.count(chosen) == sum(map(fits, truth))
    assert len(reader.rollouts(chosen, "reward", limit=1000)) == sum(map(fits, truth))


_RUN: list[Any] = []


def _filtered_run(factory: pytest.TempPathFactory) -> tuple[IndexReader, list[dict[str, Any]]]:
    if not _RUN:
        rng, run, truth = random.Random(0), factory.mktemp("filtered"), []
        for step in range(1, 20):
            value, code, p = (
                rng.choice([None, 0.0, 0.25, 0.5, 1.0]),
                rng.choice([None, "no_box", "x"]),
                rng.choice([0.0, 0.5, 1.0]),
            )
            one = record(step, [value], failure=code, parts={"p": p})
            truth.append(one["rollouts"][0]["score"])
            write(run, step, one)
        builder = IndexBuilder(run)
        builder.sync()
        _RUN.append((IndexReader(builder.path), truth))
    return _RUN[0]


def test_text_is_found_by_words_in_a_row(run: Path, built: Built) -> None:
    builder, reader = built
    write(run, 1, record(1, [1.0], "<answer>[12, 7]</answer> the red button"), record(1, [1.0], "the button is red"))
    builder.sync()
    found = {
        text: reader.count(Filter(text=text)) for text in ("red button", "[12, 7", "red but", "12 red", "button", '"', "OR", "*")
    }
    assert found == {"red button": 1, "[12, 7": 1, "red but": 1, "12 red": 0, "button": 2, '"': 0, "OR": 0, "*": 0}


def test_parts_that_disagree_are_found(run: Path, built: Built) -> None:
    builder, reader = built
    write(
        run,
        1,
        record(1, [1.0], parts={"a": 1.0, "b": 0.0}),
        record(1, [1.0], parts={"a": 1.0, "b": 0.9}),
        record(1, [1.0], parts={"a": 1.0}),
    )
    builder.sync()
    assert [row.line for row in reader.rollouts(Filter(gap=0.5))] == [0]


def test_opening_an_index_that_is_open_elsewhere_loses_nothing(run: Path, built: Built) -> None:
    builder, reader = built
    write(run, 1, record(1, [1.0]))
    builder.sync()
    connect(builder.path).close()
    assert reader.count(Filter()) == 1


def test_a_large_run_is_read_and_asked_fast(tmp_path: Path) -> None:
    path = generate(tmp_path / "big", SIZE)
    builder = IndexBuilder(path)
    start = time.perf_counter()
    builder.sync()
    assert time.perf_counter() - start < 5 + SIZE / 5000
    reader = IndexReader(builder.path)
    questions = {
        "steps": reader.steps,
        "count": lambda: reader.count(Filter(failure="no_point", reward=(0.5, None))),
        "sorted": lambda: reader.rollouts(Filter(flat=False), "advantage"),
        "part": lambda: reader.rollouts(Filter(parts={"gui.click": (0.5, None)}), "format.prompted"),
        "text": lambda: reader.count(Filter(text="red button")),
        "sample": lambda: reader.groups_of_sample("row-3", "gui"),
    }
    for name, ask in questions.items():
        start = time.perf_counter()
        ask()
        assert time.perf_counter() - start < 1, name
    assert reader.count(Filter()) == SIZE
    builder.close()
