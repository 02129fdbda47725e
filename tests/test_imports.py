"""Every module imports."""

from __future__ import annotations

import importlib
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = sorted(module_name(path) for top in ("vlrl", "demo", "data_recipes") for path in (ROOT / top).rglob("*.py"))
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_module_imports(name: str) -> None:
    importlib.import_module(name)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_script_does_nothing_when_imported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(path.parent))  # as `python scripts/x.py` does
    runpy.run_path(str(path), run_name="imported")
