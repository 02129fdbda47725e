from typing import Any

import pytest

from vlrl.rewards import load

JSON = load("format.json")


@pytest.mark.parametrize(
    ("text", "keys", "failure"),
    [
        ('{"a": 1}', [], None),
        ("[]", [], None),
        ("[]", ["a"], None),
        ('```json\n[{"a": 1}]\n```', ["a"], None),
        ('```\n{"a": 1}\n```', ["a"], None),
        ('<think>so</think><answer>{"a": 1, "b": 2}</answer>', ["b", "a"], None),
        ('{"a": 1}', ["a", "b"], "missing_key"),
        ('[{"a": 1}, {"b": 1}]', ["a"], "missing_key"),
        ("[1]", ["a"], "missing_key"),
        ('Here it is: {"a": 1}', [], "bad_json"),
        ('{"a": 1} {"a": 1}', [], "bad_json"),
        ("{'a': 1}", [], "bad_json"),
        ('{"a": 1', [], "bad_json"),
        ('{"a": NaN}', [], "bad_json"),
        ("5", [], "bad_json"),
        ("``````", [], "bad_json"),
        ("", [], "no_answer"),
        ("<think>{}", [], "no_answer"),
    ],
)
def test_the_answer_is_json_and_nothing_else(text: str, keys: list[str], failure: str | None) -> None:
    score = JSON(text, {"json_keys": keys} if keys else {})
    assert (score.value, score.failure) == (float(failure is None), failure)


@pytest.mark.parametrize("keys", ["a", [1], {"a": 1}])
def test_malformed_keys_are_a_malformed_gold(keys: Any) -> None:
    with pytest.raises(ValueError, match="'json_keys' is a list of strings"):
        JSON("{}", {"json_keys": keys})
