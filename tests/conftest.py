"""The `browser` marker: tests that carry it need a Chromium, and are skipped, with one line at the end, where none is installed.

With VLRL_REQUIRE_BROWSER=1 (set by `.ci/run`) they fail instead.
"""

from __future__ import annotations

import os
from functools import cache

import pytest

from data_recipes import gui_screens
from vlrl.types import UserError

NO_BROWSER = "no Chromium found: install one, for example `apt-get install chromium`"


@cache
def find_chromium() -> str | None:
    """The path of an installed Chromium or Chrome, or None."""
    try:
        return gui_screens.find_chromium()
    except UserError:
        return None


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium. Tests that ask for it carry `@pytest.mark.browser`."""
    path = find_chromium()
    assert path is not None, NO_BROWSER
    return path


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips, or fails, a browser test before its fixtures run."""
    if item.get_closest_marker("browser") is None or find_chromium() is not None:
        return
    if os.environ.get("VLRL_REQUIRE_BROWSER") == "1":
        pytest.fail(NO_BROWSER, pytrace=False)
    pytest.skip(NO_BROWSER)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for all browser tests that were skipped."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if NO_BROWSER in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} browser tests were skipped: {NO_BROWSER}")
