"""Readers: what the sandbox tells of a program's calls, of its figure's artists and texts, in place of picture and facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from vlrl.sandbox import SandboxPool

PLT = "import matplotlib.pyplot as plt\n"


@pytest.fixture(scope="module")
def pool() -> Iterator[SandboxPool]:
    with SandboxPool(timeout=60) as made:
        yield made


def read(pool: SandboxPool, code: str, reader: str) -> dict[str, Any]:
    result = pool.run(PLT + code, reader=reader)
    assert result.failure is None, result.message
    assert result.png is None
    return dict(result.facts["read"])


def test_only_outermost_calls_count(pool: SandboxPool) -> None:
    told = read(pool, "plt.barh(['a'], [1])\nplt.hist([1, 2])\nplt.errorbar([1], [1], yerr=.1)", "calls")
    assert told["calls"] == {"barh": 1, "hist": 1, "errorbar": 1}
    assert set(told["colors"]) == {"bar", "hist", "line", "vlines"}


def test_calls_before_an_error_are_told(pool: SandboxPool) -> None:
    told = read(pool, "plt.plot([1, 2])\nplt.title('a')\nplt.nothing()\nplt.bar([1], [1])", "calls")
    assert told["calls"] == {"plot": 1}
    assert told["texts"] == ["a"]
    assert "nothing" in told["error"]


def test_a_call_that_fails_does_not_hide_the_next(pool: SandboxPool) -> None:
    told = read(
        pool, "try:\n    plt.bar([1, 2], [1, 2, 3])\nexcept ValueError:\n    pass\nplt.bar([1], [1], color='red')", "calls"
    )
    assert told["calls"] == {"bar": 2}
    assert told["colors"] == {"bar": ["#FF0000"]}


def test_colours_are_those_of_the_end(pool: SandboxPool) -> None:
    told = read(pool, "for bar in plt.bar([1, 2], [1, 2]):\n    bar.set_facecolor('red')", "calls")
    assert told["colors"] == {"bar": ["#FF0000"]}


def test_ticks_are_no_texts_but_labels_are(pool: SandboxPool) -> None:
    told = read(pool, "plt.plot([1, 2], label='run')\nplt.xlabel('two\\nlines')\nplt.legend()", "calls")
    assert sorted(told["texts"]) == ["lines", "run", "two"]


def test_a_program_finds_the_library_as_it_is_afterwards(pool: SandboxPool) -> None:
    for reader in ("calls", "artists", "texts"):
        result = pool.run(PLT + "plt.plot([1, 2])", reader=reader)
        assert result.facts["sandbox"]["repaired"] == 0


def test_a_reader_without_leniency_tells_nothing_of_code_that_fails(pool: SandboxPool) -> None:
    for reader in ("artists", "texts"):
        assert pool.run(PLT + "plt.plot([1])\n1 / 0", reader=reader).failure == "exec_error"
        assert pool.run("x = 1", reader=reader).failure == "no_figure"


def test_colours_are_read_before_drawing(pool: SandboxPool) -> None:
    told = read(pool, "plt.scatter([1, 2], [1, 2], c=[1, 2], cmap='viridis')\nplt.savefig('x.png')", "artists")
    assert [row[0] for row in told["colors"]].count("scatter_color") == 1


def test_what_a_hidden_axis_shows_is_no_text(pool: SandboxPool) -> None:
    assert read(pool, "plt.plot([1, 2])\nplt.axis('off')", "texts")["texts"] == []
    shown = read(pool, "plt.plot([1, 2])\nplt.title('Up')", "texts")["texts"]
    assert ["up", 0.5, 1.0] in shown


@pytest.mark.parametrize(
    ("code", "kinds"),
    [
        ("plt.bar(['a', 'b'], [1, 2])", ["bar"]),
        ("plt.hist([1, 2, 3])", ["histogram"]),
        ("plt.pie([1, 2])", ["pie"]),
        ("plt.boxplot([1, 2, 3])", ["line"]),
        ("plt.imshow([[1, 2]])", ["image"]),
        ("plt.pcolormesh([[1, 2]])", ["heatmap"]),
        ("plt.scatter([1], [1])", ["scatter"]),
    ],
)
def test_chart_types(pool: SandboxPool, code: str, kinds: list[str]) -> None:
    assert read(pool, code, "artists")["types"] == kinds
