"""What `tests/conftest.py` does with browser tests where no browser is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

@pytest.mark.browser
def test_one(chromium):
    assert chromium

@pytest.mark.browser
def test_two():
    pass

def test_without():
    pass
"""


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder with our conftest and browser tests."""
    shutil.copy(Path(__file__).parent / "conftest.py", tmp_path)
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser: needs a Chromium\n")
    return tmp_path


def run_tests(folder: Path, required: str) -> list[str]:
    """The lines that pytest prints where no program is installed."""
    environment = {**os.environ, "PATH": str(folder), "VLRL_REQUIRE_BROWSER": required}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.splitlines()


def test_skipped_with_one_line(bare: Path) -> None:
    *_, reason, closing = run_tests(bare, required="0")
    assert reason.startswith("2 browser tests were skipped: no Chromium found: install one")
    assert closing.startswith("1 passed, 2 skipped")


def test_required_browsers_fail(bare: Path) -> None:
    lines = run_tests(bare, required="1")
    assert lines[-1].startswith("1 passed, 2 errors")
    assert any(line.startswith("no Chromium found: install one") for line in lines)
