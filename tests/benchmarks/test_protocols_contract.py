"""What every benchmark and every protocol promises: rows that are whole, scores in range for any text, prompts, metrics."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from golden_folders import FOLDERS, samples, space, task_and_protocol
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vlrl import benchmarks
from vlrl.benchmarks import Benchmark, Protocol
from vlrl.geometry import SPACES
from vlrl.metrics.mean import Mean
from vlrl.metrics.score_table import ScoredRow, ScoreTable
from vlrl.tasks import PROMPT_MODES
from vlrl.types import Answer

NAMES = benchmarks.names()
PIECES = ["[", "]", "(", ")", ",", "0.5", "-1", "500", "1e400", "nan", "A", "(B)", "yes", "no", "<think>", "</think>", "<answer>",
          "</answer>", "<box>", '{"bbox_2d": [1, 2, 3, 4], "label": "cat"}', "```json", "```", '{"action": "click"}', "x=", "y=",
          "\\boxed{", "}", "\u0663", "\uff11",
          "\ud800", " ", "\n", "%", "/", "to", "seconds", "the answer is", "click(", "box"]  # fmt: skip
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))

CASES = [
    (folder, protocol.name)
    for folder in FOLDERS
    for protocol in benchmarks.load(task_and_protocol(folder)[0]).protocols
    if protocol.name in ("strict", task_and_protocol(folder)[1])
]
each_case = pytest.mark.parametrize(("folder", "name"), CASES, ids=[f"{folder.name}-{name}" for folder, name in CASES])
each_benchmark = pytest.mark.parametrize("benchmark", list(benchmarks.all_benchmarks()), ids=NAMES)


def protocol_of(folder: Path, name: str) -> Protocol:
    return benchmarks.load(task_and_protocol(folder)[0]).protocol(name)


def answers(folder: Path) -> list[Answer]:
    """The folder's gold, complete as scoring gets it."""
    extra = {"space": space(folder)}
    found = [{**sample.answer, **extra} for sample in samples(folder)]
    return [answer | {"processed_size": answer["image_size"]} if "image_size" in answer else answer for answer in found]


@each_benchmark
def test_a_benchmark_is_complete(benchmark: Benchmark) -> None:
    assert benchmark.protocols[0].name == benchmarks.DEFAULT_PROTOCOL
    assert benchmark.name in NAMES
    assert benchmark.title
    assert benchmark.licence
    assert benchmark.layout
    assert all(size > 0 for size in benchmark.sizes.values())
    assert len({protocol.name for protocol in benchmark.protocols}) == len(benchmark.protocols)
    assert all(protocol.oracle for protocol in benchmark.protocols[1:])
    assert all(reference.source for reference in benchmark.references)


@each_benchmark
def test_every_protocol_of_somebody_else_has_a_folder(benchmark: Benchmark) -> None:
    """A rule that several benchmarks share is checked in one of them."""
    assert any(task_and_protocol(folder)[0] == benchmark.name for folder in FOLDERS)
    checked = [protocol_of(folder, task_and_protocol(folder)[1]).score for folder in FOLDERS]
    assert [protocol.name for protocol in benchmark.protocols[1:] if protocol.score not in checked] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_rows_are_whole(folder: Path) -> None:
    rows = samples(folder)
    assert len({row.id for row in rows}) == len(rows) > 0
    for row in rows:
        assert row.task == task_and_protocol(folder)[0]
        assert row.source
        assert json.loads(json.dumps(row.answer, allow_nan=False)) == row.answer
        assert all(Path(media.path).is_absolute() for media in row.media)


@each_case
def test_prompts_are_written(folder: Path, name: str) -> None:
    protocol, sample = protocol_of(folder, name), samples(folder)[0]
    prompts = {protocol.prompt(sample, mode, one) for mode in PROMPT_MODES for one in SPACES}
    assert len(prompts) >= 2
    assert all(prompt.strip() for prompt in prompts)


@each_case
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_has_a_value_in_range(folder: Path, name: str, data: st.DataObject) -> None:
    protocol = protocol_of(folder, name)
    text, answer = data.draw(TEXTS), data.draw(st.sampled_from(answers(folder)))
    score = protocol.score(text, answer)
    assert score.value is None or protocol.low <= score.value <= protocol.high
    assert all(math.isfinite(value) for value in score.parts.values())
    json.dumps(score.extracted, allow_nan=False)
    assert protocol.score(text, answer) == score


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_empty_answer_is_never_right_under_our_own_rule(folder: Path) -> None:
    strict = protocol_of(folder, "strict")
    for answer in answers(folder):
        for text in ("", " \n", "<think>so"):
            score = strict.score(text, answer)
            assert score.value in (None, strict.low)
            assert score.value is None or score.failure


@each_case
def test_the_headline_is_a_metric(folder: Path, name: str) -> None:
    protocol = protocol_of(folder, name)
    rows = [ScoredRow(str(i), protocol.score("", answer), answer, str(i)) for i, answer in enumerate(answers(folder))]
    metrics = protocol.metrics(ScoreTable.of(lambda: iter(rows)))
    assert protocol.headline in metrics
    for value in metrics.values():
        number = value.estimate if isinstance(value, Mean) else value
        assert number is None or math.isfinite(number)
