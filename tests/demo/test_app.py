"""The wiring without a browser: no torch, other folders refused, runs named apart, an index that follows."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import OpenRuns
from fabricated import fabricate, sample, write_step

from demo.runs import Runs
from vlrl.logs import RunFolder
from vlrl.types import UserError

app = pytest.importorskip("demo.app", reason="the inspector needs gradio: pip install vlrl[demo]")


def test_imports_and_builds_without_torch(run_path: Path) -> None:
    code = f"import sys; sys.modules['torch'] = None; import demo.app as app; app.build(app.Runs([app.Path({str(run_path)!r})]))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run folder"):
        Runs([tmp_path])
    with pytest.raises(SystemExit, match=r"error: .* is no run folder"):
        app.main([str(tmp_path)])


def test_runs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    paths = [fabricate(tmp_path / parent / "run", steps=0) for parent in ("a", "b")]
    runs = Runs(paths)
    assert list(runs) == ["a/run", "b/run"]
    runs.close()


def test_the_index_follows_in_the_background(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create({})
    runs = Runs([folder.path])
    runs.start()
    write_step(folder, 1, [sample(tmp_path, 0)])
    limit = time.monotonic() + 20
    while not runs["run"].index.steps() and time.monotonic() < limit:
        time.sleep(0.05)
    assert [step.step for step in runs["run"].index.steps()] == [1]
    runs.close()


def test_a_folder_that_vlrl_eval_wrote_opens(tmp_path: Path, open_runs: OpenRuns) -> None:
    run = RunFolder(fabricate(tmp_path / "run", steps=0))
    rows = run.eval_rows(0)
    folder = tmp_path / "evaluated"
    folder.mkdir()
    values = {"iou,direct": 0.5, "iou_ci95,direct": [0.4, 0.6], "iou_n,direct": 10, "iou_unscorable,direct": 0}
    data = [str(tmp_path / "run" / "media" / "rows.jsonl")]
    (tmp_path / "run" / "media" / "rows.jsonl").write_text("")
    (folder / "results.json").write_text(json.dumps({"results": {"grounding": values}, "config": {"data": data}}))
    for task in ("grounding", "gui"):
        lines = [json.dumps(row) + "\n" for row in rows if row["sample"]["task"] == task]
        (folder / f"samples_{task}.jsonl").write_text("".join(lines) + '{"torn')
    frame = open_runs(folder)
    html = frame.show("?view=evaluation")["html"]
    assert "rows 1 to 20 of 20, worst first" in html
    assert "grounding/iou" in html
    assert "0.4 to 0.6" in html
    assert html.count("data:image/png") == 20, "pictures beside the data file that results.json names"
    assert "grounding/iou" in frame.show("?view=run")["html"]
    (folder / "results.json").write_text("{")
    with pytest.raises(UserError, match="not JSON"):
        Runs([folder])
