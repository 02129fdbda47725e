"""Python code in an answer's text (stdlib only), read line by line; nothing is compiled or run."""

from __future__ import annotations

from collections.abc import Iterator

FENCE = "```"
PYTHON = ("python", "py", "python3")
MAX_CODE = 100_000
"""Characters; no chart needs a longer program."""


def parse_code(text: str) -> str | None:
    """The first program of a text, or None.

    It is the first fenced block called `python`, `py` or `python3`; else the first without a name that holds an import; else, in
    a text without fences, the text itself when a line of it starts with an import. A last block may lack its closing fence. Code
    that imports nothing can draw nothing: it is no program, nor is one of more than `MAX_CODE` characters. Lone surrogates,
    which no file can hold, become `?`.

    >>> parse_code("Here it is:\\n```py\\nimport numpy\\n```\\nDone.")
    'import numpy'
    >>> parse_code("import numpy")
    'import numpy'
    >>> parse_code("I would import numpy.") is None
    True
    """
    blocks = list(_blocks(text))
    named = next((code for language, code in blocks if language in PYTHON), None)
    unnamed = next((code for language, code in blocks if not language and _imports(code)), None)
    code = named if named is not None else unnamed
    if code is None and not blocks and _imports(text):
        code = text
    if code is None or "import" not in code or len(code) > MAX_CODE:
        return None
    return code.strip("\n").encode("utf-8", "replace").decode()


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Language and content of the fenced blocks, in order."""
    language, lines = None, list[str]()
    for line in text.split("\n"):
        mark = line.strip()
        if not mark.startswith(FENCE):
            lines.append(line)
        elif language is None:
            language, lines = mark.removeprefix(FENCE).strip().lower(), []
        else:
            yield language, "\n".join(lines)
            language = None
    if language is not None:
        yield language, "\n".join(lines)


def _imports(code: str) -> bool:
    return any(line.lstrip().startswith(("import ", "from ")) and "import" in line for line in code.split("\n"))
