"""Every golden folder through the command line: the values that somebody else's scorer computed, and what follows from them."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from golden_folders import FOLDERS, expected, flags, right_values, task_and_protocol

from vlrl.cli import main

Results = tuple[dict[str, Any], dict[str, dict[str, Any]]]


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.name)
def scored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results]:
    folder, out = request.param, tmp_path_factory.mktemp("out")
    task, protocol = task_and_protocol(folder)
    argv = ["--tasks", task, "--protocol", protocol, "--data_root", folder / "data", "--bootstrap", "50"]
    argv += ["--predictions", folder / "predictions.jsonl", "--output_path", out, *flags(folder)]
    assert main(["eval", *map(str, argv)]) == 0
    results = json.loads((out / "results.json").read_text())["results"][task]
    lines = [json.loads(line) for line in (out / f"samples_{task}.jsonl").read_text().splitlines()]
    return folder, (results, {line["doc_id"]: line for line in lines})


def test_every_row_has_the_right_value(scored: tuple[Path, Results]) -> None:
    folder, (_, lines) = scored
    right = {doc_id: value for doc_id, value in right_values(folder).items() if value is not None}
    assert right_values(folder).keys() == lines.keys()
    wrong = {k: (v, lines[k]["value"]) for k, v in right.items() if lines[k]["value"] != pytest.approx(v, abs=1e-6)}
    assert wrong == {}


def test_the_aggregate_follows(scored: tuple[Path, Results]) -> None:
    _, (results, lines) = scored
    values = [line["value"] for line in lines.values() if line["value"] is not None]
    assert results["value"] == pytest.approx(fmean(values), abs=1e-6)
    assert set(results) > {"value", "parse_rate"}


def test_the_metrics_are_the_oracle_s_where_no_row_differs(scored: tuple[Path, Results]) -> None:
    folder, (results, _) = scored
    content = expected(folder)
    if any("_correct" in key and value for key, value in content.items()):
        pytest.skip("the oracle departs from its rule on some rows")
    numbers = {k: v for k, v in content["metrics"].items() if isinstance(v, (int, float))}
    same = {name: value for name, value in numbers.items() if name in results}
    assert same, f"results.json has none of the oracle's metrics {sorted(numbers)}"
    assert {name: results[name] for name in same} == pytest.approx(same, abs=1e-6)
