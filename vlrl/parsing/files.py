"""Files in an answer's text: fenced blocks that carry a path (stdlib only)."""

from __future__ import annotations

FENCE = "```"
MARKS = "#*`: "


def parse_files(text: str) -> dict[str, str]:
    """Path -> content of the fenced blocks; the path is empty where none is given. Of two blocks of one path the last counts.

    The path stands behind the language in the opening line, or alone (after `#`, `**` or backquotes) in the line before it.
    Text without fences is one file without a path. A last block may lack its closing fence.

    >>> parse_files("```python src/a.py\\nx = 1\\n```\\n### b.py\\n```\\ny\\n```")
    {'src/a.py': 'x = 1', 'b.py': 'y'}
    >>> parse_files("x = 1")
    {'': 'x = 1'}
    """
    files: dict[str, str] = {}
    path: str | None = None
    before, lines = "", list[str]()
    for line in text.split("\n"):
        opens_or_closes = line.lstrip().startswith(FENCE)
        if path is None and opens_or_closes:
            path, lines = _path(line, before), []
        elif opens_or_closes:
            files[path or ""] = "\n".join(lines)
            path = None
        else:
            lines.append(line)
        before = line
    if path is not None:
        files[path] = "\n".join(lines)
    return files or {"": text}


def _path(opening: str, before: str) -> str:
    named = opening.strip().strip("`").split()[-1:] or [""]
    alone = before.strip(MARKS)
    return next((name for name in (*named, alone) if ("." in name or "/" in name) and len(name.split()) == 1), "")
