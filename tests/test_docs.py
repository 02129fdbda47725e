"""What the documents say exists: the files they link to, the `make` verbs, the `vlrl` commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vlrl.cli import COMMANDS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)|(?:src|href)=\"([^\"]+)\"")
MAKE = re.compile(r"(?:^|[\s;&])make ([a-z][\w-]*)", re.MULTILINE)
VLRL = re.compile(r"(?:^|\$ |/|\| ?)vlrl ([a-z][\w-]*)", re.MULTILINE)


def commands(text: str) -> str:
    """Everything that a document sets as code, a snippet a line."""
    fences = FENCE.findall(text)
    return "\n".join([*fences, *INLINE.findall(FENCE.sub("", text))])


def broken_links(text: str, folder: Path) -> list[str]:
    targets = [target for pair in LINK.findall(FENCE.sub("", text)) for target in pair if target]
    local = [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]
    return [target for target in local if not (folder / target).exists()]


def unknown_words(pattern: re.Pattern[str], text: str, known: set[str]) -> set[str]:
    return set(pattern.findall(commands(text))) - known


def make_verbs() -> set[str]:
    return set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_is_true(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert broken_links(text, path.parent) == []
    assert unknown_words(MAKE, text, make_verbs()) == set()
    assert unknown_words(VLRL, text, set(COMMANDS)) == set()


@pytest.mark.skipif(not README.exists(), reason="there is no README.md yet")
def test_readme_names_the_two_commands() -> None:
    assert {"quickstart", "test"} <= set(MAKE.findall(commands(README.read_text(encoding="utf-8"))))


def test_mistakes_are_found(tmp_path: Path) -> None:
    links = "[a](gone.md) [b](https://x.org) [c](#here) ![d](d.png)"
    text = f"{links}\n\n`make cake`\n\n```\n$ vlrl bake x\nmake test\n```\nmake sure\n"
    (tmp_path / "d.png").touch()
    assert broken_links(text, tmp_path) == ["gone.md"]
    assert unknown_words(MAKE, text, {"test"}) == {"cake"}
    assert unknown_words(VLRL, text, set(COMMANDS)) == {"bake"}
