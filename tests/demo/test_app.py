"""The wiring without a browser: no torch, no step lost, nothing drawn anew while nothing is written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fabricated import fabricate, sample, write_step

from vlrl.logs import RunFolder
from vlrl.types import UserError

app = pytest.importorskip("demo.app", reason="the inspector needs gradio: pip install vlrl[demo]")


def changed(update: Any) -> Any:
    return {key: value for key, value in update.items() if key in ("choices", "value")}


def test_imports_and_builds_without_torch(run_path: Path) -> None:
    code = f"import sys; sys.modules['torch'] = None; import demo.app as app; app.build([app.Path({str(run_path)!r})])"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run folder"):
        app.build([tmp_path])
    with pytest.raises(SystemExit, match=r"error: .* is no run folder"):
        app.main([str(tmp_path)])


def test_refresh_redraws_only_after_writing(tmp_path: Path) -> None:
    path = tmp_path / "run"
    folder = RunFolder(path)
    folder.create({})
    run = str(path)
    seen, page, step, eval_step, mode = app.refresh(run, "", None, None, app.ALL_MODES)
    assert "no metrics yet" in page
    assert changed(step) == changed(eval_step) == {"choices": [], "value": None}
    assert changed(mode) == {"choices": [app.ALL_MODES], "value": app.ALL_MODES}
    assert all(set(skip) == {"__type__"} for skip in app.refresh(run, seen, None, None, app.ALL_MODES))

    write_step(folder, 1, [sample(tmp_path, 0)])
    again, page, step, _, _ = app.refresh(run, seen, None, None, app.ALL_MODES)
    assert again != seen
    assert "Reward and its parts" in page
    assert changed(step) == {"choices": [("step 1", 1)], "value": 1}

    write_step(folder, 2, [sample(tmp_path, 0)])
    _, _, step, _, _ = app.refresh(run, again, 1, None, app.ALL_MODES)
    assert changed(step) == {"choices": [("step 2", 2), ("step 1", 1)], "value": 1}, "what is being looked at stays"


def test_steps_and_groups_open(run_path: Path) -> None:
    run = str(run_path)
    listed, opened = app.show_step(run, 20)
    assert listed.count("data-group") == 6
    assert opened.count('class="card"') == 8
    other = app.show_group(run, 20, SimpleNamespace(_data={"group": 5}))
    assert "test-0005" in other
    for nonsense in ({"group": 99}, {"group": "x"}, {}):
        assert set(app.show_group(run, 20, SimpleNamespace(_data=nonsense))) == {"__type__"}
    assert "No rollouts yet" in app.show_step(run, None)[0]
    assert "no rollouts of step 77" in app.show_step(run, 77)[0]


def test_evaluation_pages_stay_in_range(run_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.panels, "ROWS_PER_PAGE", 8)
    run = str(run_path)
    assert "rows 1 to 8 of 20" in app.show_eval(run, 20, app.ALL_MODES, -8)[0]
    html, start = app.show_eval(run, 20, app.ALL_MODES, 999)
    assert start == 16
    assert "rows 17 to 20 of 20" in html
    assert "rows 1 to 8 of 10" in app.show_eval(run, 20, "think", 0)[0]
    assert "No evaluation yet" in app.show_eval(run, None, app.ALL_MODES, 0)[0]


def test_a_folder_that_vanished_is_told(tmp_path: Path) -> None:
    path = fabricate(tmp_path / "run", steps=0)
    app.build([path])
    (path / "config.yaml").unlink()
    assert "is no run folder" in app.refresh(str(path), "", None, None, app.ALL_MODES)[1]
