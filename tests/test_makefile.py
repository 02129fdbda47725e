"""The Makefile's own logic, with a Python that only pretends."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

BENCHMARKS = ["bench-update", "bench-rollout", "bench-step", "bench-real"]

OLD_PYTHON = """#!/bin/sh
case "$1" in
    --version) echo "Python 3.9.2" ;;
    *) exit 1 ;;
esac
"""

NEW_PYTHON = """#!/bin/sh
case "$*" in
    "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    "-m pip"*) echo "$*" >> pip.log ;;
esac
"""

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for name, script in (("old", OLD_PYTHON), ("new", NEW_PYTHON)):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    return tmp_path


def make(clone: Path, *words: str) -> subprocess.CompletedProcess[str]:
    outer = ("MAKE", "MFLAGS", "PYTHON", "SEED", "RUN")  # what `make test SEED=1` hands down to these tests
    environment = {name: value for name, value in os.environ.items() if not name.startswith(outer)}
    command = ["make", *words]
    return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_help_is_the_default_and_lists_every_verb(clone: Path) -> None:
    done = make(clone)
    verbs = [line.split()[1] for line in done.stdout.splitlines()]
    assert verbs == ["help", "setup", "quickstart", "test", "check", "smoke", "demo", *BENCHMARKS, "clean"]
    assert done.stdout == make(clone, "help").stdout


def test_setup_installs_once(clone: Path) -> None:
    assert make(clone, "setup", "PYTHON=./new").returncode == 0
    assert (clone / "pip.log").read_text() == "-m pip install -e .[dev]\n"
    assert make(clone, "setup", "PYTHON=./new").returncode == 0
    assert (clone / "pip.log").read_text().count("\n") == 1


def test_an_old_python_is_named(clone: Path) -> None:
    done = make(clone, "setup", "PYTHON=./old")
    assert done.returncode != 0
    assert "vlrl needs Python 3.11 or newer, but ./old is: Python 3.9.2. Name another one" in done.stderr
    assert not (clone / ".venv").exists()


def test_the_seed_reaches_the_quickstart(clone: Path) -> None:
    assert "--config configs/train/quickstart.yaml --seed 3" in make(clone, "--dry-run", "quickstart", "SEED=3").stdout
    assert "--config configs/train/quickstart.yaml --seed 0" in make(clone, "--dry-run", "quickstart").stdout


def test_clean_keeps_runs(clone: Path) -> None:
    for folder in ("runs/mine", ".venv/bin", "vlrl/__pycache__"):
        (clone / folder).mkdir(parents=True)
    assert make(clone, "clean").returncode == 0
    assert (clone / "runs/mine").exists()
    assert not (clone / ".venv").exists()
    assert not (clone / "vlrl/__pycache__").exists()
