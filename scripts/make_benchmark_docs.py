"""Writes docs/benchmarks.md from the benchmarks' declarations.

    .venv/bin/python scripts/make_benchmark_docs.py

Everything from the marker on is written by hand and stays as it is. tests/test_benchmark_docs.py checks that it is up to date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from vlrl import benchmarks
from vlrl.benchmarks import Benchmark, Protocol

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
MARKER = "<!-- From here on written by hand; all above is made by scripts/make_benchmark_docs.py. -->"

HEAD = """# Benchmarks

Each benchmark has the protocol `strict`, our own rule and the default, and protocols that give what somebody else's scorer gives.
The prompt, the reading of the answer, and the numbers of a protocol belong together: numbers of two protocols do not compare.
Where an oracle departs from its own rule we follow the rule, and say so under its benchmark. [How to run them](evaluation.md).

| benchmark | rows | protocols | first metric of each |
|---|---|---|---|
"""

CODE = re.compile(r"(`[^`]*`)")
MARKUP = re.compile(r"[*<|\[\]]")


def page(old: str) -> str:
    """The page anew, with the hand-written part of the old one."""
    _, marker, written = old.partition(MARKER)
    found = list(benchmarks.all_benchmarks())
    details = "".join("\n".join(_section(benchmark)) + "\n" for benchmark in found)
    return f"{HEAD}{''.join(map(_row, found))}\n{details}\n{MARKER}{written if marker else ''}"


def _row(benchmark: Benchmark) -> str:
    names = ", ".join(f"`{protocol.name}`" for protocol in benchmark.protocols)
    headlines = ", ".join(f"`{protocol.headline}`" for protocol in benchmark.protocols)
    return f"| [{benchmark.name}](#{benchmark.name}) | {_rows(benchmark)} | {names} | {headlines} |\n"


def _rows(benchmark: Benchmark) -> str:
    return ", ".join(f"{_plain(split)} {rows:,}" for split, rows in benchmark.sizes.items()) or "not published"


def _section(benchmark: Benchmark) -> Iterator[str]:
    yield from ("", f"## {benchmark.name}", "", f"{_plain(benchmark.title)}. Licence: {_plain(benchmark.licence)}.", "")
    yield from (f"- Layout: {_plain(layout)}" for layout in benchmark.layout)
    yield from (f"- Pitfall: {_plain(pitfall)}" for pitfall in benchmark.pitfalls)
    for protocol in benchmark.protocols:
        yield from _protocol(protocol)
    if benchmark.references:
        yield from ("", "| published | value | source |", "|---|---|---|")
        for reference in benchmark.references:
            yield f"| {' | '.join(map(_plain, (reference.model, reference.value, reference.source)))} |"


def _protocol(protocol: Protocol) -> Iterator[str]:
    """A protocol with an oracle: whose code, what it asks of generation, where we depart from it."""
    asked = ", ".join(f"`{key}` {value}" for key, value in protocol.generation.items())
    if protocol.oracle or asked:
        oracle = f"checked against {_plain(protocol.oracle)}" if protocol.oracle else "our own rule"
        yield f"- `{protocol.name}`: {oracle}{f'; asks for {asked}' if asked else ''}"
    yield from (f"  - Differs: {_plain(difference)}" for difference in protocol.differences)


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, but for what is set as code."""
    parts = CODE.split(text)
    return "".join(part.replace("|", "\\|") if part.startswith("`") else MARKUP.sub(r"\\\g<0>", part) for part in parts)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""), encoding="utf-8")
