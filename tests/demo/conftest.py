"""What the inspector's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from fabricated import fabricate


@pytest.fixture(scope="session")
def run_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    return fabricate(tmp_path_factory.mktemp("runs") / "quickstart")
