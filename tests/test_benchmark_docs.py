"""docs/benchmarks.md is what scripts/make_benchmark_docs.py makes of the benchmarks as they are."""

from __future__ import annotations

import runpy
from pathlib import Path

from vlrl import benchmarks

SCRIPT = runpy.run_path(str(Path(__file__).parents[1] / "scripts" / "make_benchmark_docs.py"), run_name="imported")
PAGE = SCRIPT["PAGE"].read_text(encoding="utf-8")


def test_the_page_is_up_to_date() -> None:
    assert SCRIPT["page"](PAGE) == PAGE, "run scripts/make_benchmark_docs.py"


def test_every_benchmark_has_a_row_and_every_foreign_protocol_an_oracle() -> None:
    rows = [line.split("[")[1].split("]")[0] for line in PAGE.splitlines() if line.startswith("| [")]
    assert rows == benchmarks.names()
    for benchmark in benchmarks.all_benchmarks():
        section = PAGE.partition(f"\n## {benchmark.name}\n")[2].partition("\n## ")[0]
        assert all(SCRIPT["_plain"](layout) in section for layout in benchmark.layout)
        assert all(protocol.oracle for protocol in benchmark.protocols[1:]), benchmark.name
        assert f"`{benchmark.protocols[-1].name}`" in section or len(benchmark.protocols) == 1


def test_what_markdown_would_read_is_escaped() -> None:
    assert SCRIPT["_plain"]("a*b <c> [x](y) `a|*b`") == r"a\*b \<c> \[x\](y) `a\|*b`"


def test_the_hand_written_part_stays() -> None:
    marker = SCRIPT["MARKER"]
    assert SCRIPT["page"](f"old\n{marker}\nby hand | *\n").endswith(f"\n{marker}\nby hand | *\n")
