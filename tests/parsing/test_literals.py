import ast
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlrl.parsing.literals import MAX_DEPTH, MAX_LENGTH, Arguments, arguments_at, literal_at, parse_literal

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@settings(deadline=None)
@given(VALUES)
def test_what_python_writes_is_read_as_python_reads_it(value: Any) -> None:
    if len(repr(value)) < 5000 and "\\x" not in repr(value) and "\\U" not in repr(value):
        assert parse_literal(repr(value)) == ast.literal_eval(repr(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, -2.5, true, null], "b": "x"}', {"a": [1, -2.5, True, None], "b": "x"}),
        ("{'a': (1, 2), 'b': None,}", {"a": [1, 2], "b": None}),
        (" [ ] ", []),
        (r'"a\n\"b\" \u00e9\ud83d\ude00"', 'a\n"b" \u00e9\U0001f600'),
        (".5", 0.5),
        ("9" * 400, float("inf")),
    ],
)
def test_literals(text: str, value: Any) -> None:
    assert parse_literal(text) == value


WRONG = [
    "", "[", "[1", "[1 2]", "{1: 2}", "{'a' 1}", "{'a': }", "'a", "a", "1+1", "[1] x", "f(1)", "NaN", "1.2.3", "\u0661", "{1, 2}",
    "[" * 10**6, "{'a': " * 10**5, "-" * 10**6, "'" + "a" * 10**6, "[__import__('os')]", "lambda: 1", "'kate's'",
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:20])
def test_everything_else_is_unreadable(text: str) -> None:
    assert parse_literal(text) is None


def test_depth_and_size_are_bounded() -> None:
    assert parse_literal("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    assert parse_literal("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)) is None
    assert parse_literal("'" + "a" * MAX_LENGTH + "'") is None
    assert literal_at("x'" + "a" * MAX_LENGTH + "'", 1) is None


def test_a_literal_inside_a_text() -> None:
    assert literal_at("see {'a': 'it's'} there", 4) == {"a": "it's"}
    assert literal_at("see {'a': 1", 4) is None


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("()", Arguments()),
        ("(1, 'a', x=[2], y = 3)", Arguments([1, "a"], {"x": [2], "y": 3})),
        ("(x==1)", None),
        ("(f(1))", None),
        ("(1", None),
        ("", None),
    ],
)
def test_arguments(text: str, arguments: Arguments | None) -> None:
    assert arguments_at(text, 0) == arguments
