import pytest

from vlrl.parsing.json_value import parse_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (' {"a": [1, null]} ', {"a": [1, None]}),
        ("[]", []),
        ("```json\n[1]\n```", [1]),
        ("```\n[1]\n```", [1]),
        ("```python\n[1]\n```", None),
        ("```json\n[1]\n``` Done.", None),
        ("[1] [2]", None),
        ('"text"', None),
        ("null", None),
        ("[Infinity]", None),
        ("[1,]", None),
        ("[" * 100_000, None),
        ("[" + "9" * 5000 + "]", None),  # more digits than Python reads
        ("```", None),
        ("", None),
    ],
)
def test_parse_json(text: str, value: object) -> None:
    assert parse_json(text) == value
