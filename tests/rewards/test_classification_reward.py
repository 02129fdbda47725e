import time

import pytest
from reward_vectors import expected, rows

from vlrl.rewards import load
from vlrl.types import Answer

EXACT, MENTION, FORM = load("classification.exact"), load("classification.mention"), load("format.think_answer")
CHOICES = ["boxer", "pug", "beagle", "cat", "caterpillar", "Staffordshire_Bull_Terrier", "bull terrier", "737-200", "747-400"]

OTHER_FORM = {"newline at the end: format 0": 1.0}  # white space around the blocks is no other form
"""Rows of CLS-RL's form where our rule is another one on purpose."""


@pytest.mark.parametrize("row", rows("cls-rl"), ids=lambda row: row["note"])
def test_golden_vectors_of_cls_rl(row: dict) -> None:
    assert EXACT(row["text"], {"answer": row["answer"]["label"]}).value == expected(row)["accuracy"]
    assert FORM(row["text"], {}).value == OTHER_FORM.get(row["note"], expected(row)["format"])


@pytest.mark.parametrize("row", rows("visual-rft_classification"), ids=lambda row: row["note"])
def test_golden_vectors_of_visual_rft(row: dict) -> None:
    """Their rule knows no list of classes; ours needs one to tell a sentence from a list."""
    gold = {"answer": row["answer"]["label"], "choices": list(dict.fromkeys([*CHOICES, row["answer"]["label"]]))}
    assert MENTION(row["text"], gold).value == expected(row)


@pytest.mark.parametrize(
    ("text", "value", "failure"),
    [
        ("bull terrier", 1.0, None),
        ("Bull_Terrier.", 1.0, None),
        ("**bull-terrier**", 1.0, None),
        ("'bull  terrier'", 1.0, None),
        ("The answer is bull terrier.", 1.0, None),
        ("<think>a pug</think><answer>bull terrier</answer>", 1.0, None),
        ("a bull terrier", 0.0, None),
        ("terrier", 0.0, None),
        ("bull terriers", 0.0, None),
        ("staffordshire bull terrier", 0.0, None),
        ("bull terrier, pug", 0.0, None),
        ("bullterrier", 0.0, None),
        (".", 0.0, None),
        ("", 0.0, "no_answer"),
        ("<answer></answer>", 0.0, "no_answer"),
        ("<think>bull terrier", 0.0, "no_answer"),
    ],
)
def test_exact(text: str, value: float, failure: str | None) -> None:
    score = EXACT(text, {"answer": "bull_terrier"})
    assert (score.value, score.failure, score.correct) == (value, failure, bool(value))


@pytest.mark.parametrize(
    ("text", "gold", "value", "failure"),
    [
        ("The dog is a boxer.", "boxer", 1.0, None),
        ("It is a boxer, a strong boxer.", "boxer", 1.0, None),
        ("The dog is a pug.", "boxer", 0.0, None),
        ("a staffordshire bull terrier", "bull terrier", 0.0, None),
        ("a staffordshire bull terrier", "staffordshire bull terrier", 1.0, None),
        ("a caterpillar", "cat", 0.0, None),
        ("boxers", "boxer", 0.0, "no_class"),
        ("a dog", "boxer", 0.0, "no_class"),
        ("It is not a boxer.", "boxer", 0.0, "no_class"),
        ("boxer or pug", "boxer", 0.0, "many_classes"),
        (", ".join(CHOICES), "boxer", 0.0, "many_classes"),
        ("boxer " * 1000, "boxer", 0.0, "no_class"),
        ("", "boxer", 0.0, "no_answer"),
    ],
)
def test_mention(text: str, gold: str, value: float, failure: str | None) -> None:
    score = MENTION(text, {"answer": gold, "choices": CHOICES})
    assert (score.value, score.failure) == (value, failure)


@pytest.mark.parametrize("text", ["", "<answer></answer>", "t", "e", "...", "<answer> </answer>"])
def test_visual_rft_bug_empty_answers_and_single_letters_earn_nothing(text: str) -> None:
    for reward in (EXACT, MENTION):
        assert reward(text, {"answer": "bull terrier", "choices": CHOICES}).value == 0


def test_visual_rft_issue_79_listing_every_class_earns_nothing() -> None:
    listing = "<think>which?</think><answer>" + " or ".join(CHOICES) + "</answer>"
    for label in CHOICES:
        assert EXACT(listing, {"answer": label}).value == 0
        assert MENTION(listing, {"answer": label, "choices": CHOICES}).value == 0


def test_visual_rft_issue_26_numbers_outside_the_answer_do_not_count() -> None:
    assert EXACT("I count 3. <think>3</think><answer>4</answer>", {"answer": "3"}).value == 0


@pytest.mark.parametrize(
    ("name", "answer", "key"),
    [
        ("exact", {}, "answer"),
        ("exact", {"answer": ""}, "answer"),
        ("exact", {"answer": 3}, "answer"),
        ("exact", {"answer": "_"}, "answer"),
        ("mention", {"answer": "pug"}, "choices"),
        ("mention", {"answer": "pug", "choices": ["boxer"]}, "choices"),
        ("mention", {"answer": "pug", "choices": ["pug", ""]}, "choices"),
        ("mention", {"answer": "pug", "choices": "pug"}, "choices"),
    ],
)
def test_a_malformed_gold_raises_and_names_the_key(name: str, answer: Answer, key: str) -> None:
    with pytest.raises(ValueError, match=f"'{key}'"):
        load(f"classification.{name}")("", answer)


def test_a_thousand_classes_take_milliseconds() -> None:
    gold = {"answer": "class 7", "choices": [f"class {number}" for number in range(1000)]}
    MENTION("class 7", gold)
    start = time.process_time()
    assert MENTION("It is of class 7, " + "certainly " * 150, gold).value == 1
    assert time.process_time() - start < 0.05
