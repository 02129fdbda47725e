import pytest
from reward_vectors import expected, rows

from vlrl.rewards import load

THINKER = load("document.docthinker")
GOLD = {"answer": ["7"], "question": "What is the total?", "box": [0, 0, 10, 10]}
SAID = "<think>Top.</think><rephrase>What is the total?</rephrase><bbox>[0, 0, 10, 10]</bbox><answer>7</answer>"


@pytest.mark.parametrize("row", rows("docvqa__official-rrc"), ids=lambda row: row["note"])
def test_golden_vectors_of_docvqa(row: dict) -> None:
    assert load("document.anls")(row["text"], row["answer"]).value == pytest.approx(expected(row))


@pytest.mark.parametrize("padding", [" ", "\n", " " * 50])
def test_lmms_eval_and_vlmevalkit_padding_with_blanks_does_not_raise_the_value(padding: str) -> None:
    anls = load("document.anls")
    plain = anls("Annual Reprt", {"answer": "Annual Report"}).value
    assert anls(f"{padding}Annual{padding}Reprt{padding}", {"answer": "Annual Report"}).value == plain


def test_exact() -> None:
    assert load("document.exact")("INV-2041", {"answer": ["x", "inv-2041 "]}).value == 1
    assert load("document.exact")("", {"answer": "x"}).failure == "no_answer"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (SAID + " Done.", "format"),
        (SAID.replace("7</answer>", "800</answer>"), "answer"),
        (SAID.replace("[0, 0, 10, 10]", "[20, 20, 30, 30]"), "region"),
        (SAID.replace("[0, 0, 10, 10]", "[10, 10, 0, 0]"), "region"),
        (SAID.replace("What is the total?", "Hm"), "question"),
    ],
)
def test_docthinker_each_part_is_a_quarter(text: str, part: str) -> None:
    assert THINKER(SAID, GOLD).value == 1
    score = THINKER(text, GOLD)
    assert score.value == pytest.approx(0.75)
    assert score.parts[part] == 0


def test_docthinker_without_an_answer_earns_nothing() -> None:
    assert THINKER(SAID.replace("answer>", "reply>"), GOLD).failure == "no_answer"


@pytest.mark.parametrize("key", ["answer", "question", "box"])
def test_docthinker_a_malformed_gold_raises(key: str) -> None:
    with pytest.raises(ValueError, match=f"'{key}'"):
        THINKER(SAID, {**GOLD, key: None})
