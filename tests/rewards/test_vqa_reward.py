import pytest
from reward_vectors import expected, rows

from vlrl.rewards import load
from vlrl.types import Score

MCQ = {"answer": "B", "choices": ["cat", "dog"]}
VIDEO_R1_KINDS = {
    "multiple choice": "choice",
    "numerical": "number",
    "OCR": "ocr",
    "free-form": "open",
    "regression": "regression",
}

DEFAULT_OTHER_RULE = {"bracketed letter": 1.0}  # `(B)` is B, as in our choice reward
VIDEO_R1_OTHER_RULE = {
    "two answers: first": 0.0,  # the last closed answer counts
    "case": 1.0,  # `b` alone is B
    "no tag": 1.0,  # a bare answer is an answer; its form is the format reward's matter
}
CHARTQA_OTHER_RULE = {
    "18: python float() reads underscores": 0.0,
    "33: full-width digits parse as float": 0.0,  # digits are ASCII
}
"""Rows where our rule is another one on purpose."""


@pytest.mark.parametrize("row", rows("vlm-r1_mcq"), ids=lambda row: row["note"])
def test_golden_vectors_of_vlm_r1_multiple_choice(row: dict) -> None:
    assert load("vqa.choice")(row["text"], {"answer": row["answer"]["solution"]}).value == expected(row)


@pytest.mark.parametrize("row", rows("vlm-r1_yes_no"), ids=lambda row: row["note"])
def test_golden_vectors_of_vlm_r1_yes_no(row: dict) -> None:
    assert load("vqa.yes_no")(row["text"], {"answer": row["answer"]["solution"]}).value == expected(row)


@pytest.mark.parametrize("row", rows("vlm-r1_default"), ids=lambda row: row["note"])
def test_golden_vectors_of_vlm_r1_default(row: dict) -> None:
    value = DEFAULT_OTHER_RULE.get(row["note"], expected(row))
    assert load("vqa.default")(row["text"], {"answer": row["answer"]["solution"]}).value == pytest.approx(value)


@pytest.mark.parametrize("row", rows("video-r1"), ids=lambda row: row["note"])
def test_golden_vectors_of_video_r1(row: dict) -> None:
    answer = {"answer": row["answer"]["solution"], "kind": VIDEO_R1_KINDS.get(row["answer"]["problem_type"], "map")}
    if row["note"] == "unknown type":  # a bug in the data: theirs pays 0 for it
        with pytest.raises(ValueError, match="'kind'"):
            load("vqa.by_kind")(row["text"], answer)
        return
    value = VIDEO_R1_OTHER_RULE.get(row["note"], expected(row)["accuracy"])
    assert load("vqa.by_kind")(row["text"], answer).value == pytest.approx(value)


@pytest.mark.parametrize("row", rows("chartqa__lmms-eval"), ids=lambda row: row["note"])
def test_golden_vectors_of_chartqa(row: dict) -> None:
    assert load("vqa.relaxed")(row["text"], row["answer"]).value == CHARTQA_OTHER_RULE.get(row["note"], expected(row))


@pytest.mark.parametrize(
    ("text", "value", "failure"),
    [
        ("B", 1.0, None),
        ("b", 1.0, None),
        ("B.", 1.0, None),
        ("[B]", 1.0, None),
        ("Option B", 1.0, None),
        ("The answer is (B).", 1.0, None),
        ("**Answer**: B", 1.0, None),
        ("\\boxed{B}", 1.0, None),
        ("A dog, so B", 1.0, None),
        ("It is a dog.", 1.0, None),
        ("A", 0.0, None),
        ("a cat", 0.0, None),
        ("", 0.0, "no_answer"),
        ("<think>B", 0.0, "no_answer"),
        ("a bird", 0.0, "no_choice"),
        ("C", 0.0, "no_choice"),
        ("Both", 0.0, "no_choice"),
        ("\uff22", 0.0, "no_choice"),
        ("A or B", 0.0, "several_choices"),
        ("A, B", 0.0, "several_choices"),
        ("B) cat", 0.0, "several_choices"),
        ("cat and dog", 0.0, "several_choices"),
        ("The correct answer is (A), sorry, (B).", 0.0, "several_choices"),
    ],
)
def test_choice(text: str, value: float, failure: str | None) -> None:
    score = load("vqa.choice")(text, MCQ)
    assert (score.value, score.failure) == (value, failure)


@pytest.mark.parametrize("text", ["(A)", "A) cat", "A. cat"])
def test_vlm_r1_bug_7_a_letter_in_brackets_or_with_its_text_is_read(text: str) -> None:
    assert load("vqa.choice")(text, {"answer": "A"}).value == 1


@pytest.mark.parametrize("text", ["ABSOLUTELY", "a cat is there", "Both", "A cat is there"])
def test_mvbench_and_vlmevalkit_letters_inside_words_and_articles_are_no_choice(text: str) -> None:
    assert load("vqa.choice")(text, {"answer": "A"}).failure == "no_choice"


@pytest.mark.parametrize("text", ["", "I do not know", "I cannot tell from this image."])
def test_mathvista_and_medevalkit_without_an_answer_nothing_is_nearest(text: str) -> None:
    score = load("vqa.choice")(text, {"answer": "A", "choices": ["heart", "kidney", "lung"]})
    assert (score.value, score.correct) == (0.0, False)


def test_mmmu_without_an_answer_no_option_is_drawn_at_random() -> None:
    assert {load("vqa.choice")("hm", MCQ).value for _ in range(50)} == {0.0}


@pytest.mark.parametrize("text", ["The answer is (B)", "Answer: (B)"])
def test_cv_bench_the_lead_is_not_read_as_a_letter(text: str) -> None:
    assert load("vqa.choice")(text, MCQ).value == 1


@pytest.mark.parametrize(
    ("text", "gold", "value"),
    [
        ("I do not know, yes", "yes", 1.0),
        ("Nothing abnormal", "no", 0.0),
        ("maybe", "yes", 0.0),
        ("maybe", "no", 0.0),
        ("yes and no", "yes", 0.0),
        ("There is no car.", "no", 1.0),
        ("Yes, there is no car.", "yes", 1.0),
        ("not yes", "yes", 0.0),
    ],
)
def test_vlm_r1_bug_7_yes_and_no_are_words(text: str, gold: str, value: float) -> None:
    assert load("vqa.yes_no")(text, {"answer": gold}).value == value


def test_vlm_r1_bug_7_neither_word_on_both_sides_is_a_malformed_gold() -> None:
    with pytest.raises(ValueError, match="'answer' is yes or no"):
        load("vqa.yes_no")("maybe", {"answer": "perhaps"})


@pytest.mark.parametrize(("text", "gold"), [("8 cm", "7 cm"), ("12.9 kg", "12.8 kg"), ("seven", "7"), ("T12-L2", "T12-L1")])
def test_vlm_r1_bug_9_near_numbers_earn_no_edit_similarity(text: str, gold: str) -> None:
    assert load("vqa.default")(text, {"answer": gold}).value == 0


def test_video_r1_each_row_has_its_own_kind_and_decimals_do_not_matter() -> None:
    assert load("vqa.by_kind")("1,000.00", {"answer": "1000", "kind": "number"}).value == 1
    assert load("vqa.by_kind")("B. dog", {"answer": "B", "kind": "choice"}).value == 1


@pytest.mark.parametrize(
    ("text", "gold", "value"),
    [
        ("0", "0", 1.0),
        ("0.0", "0", 1.0),
        ("0.04", "0", 0.0),
        ("2008", "2010", 1.0),
        ("5", "5%", 0.0),
        ("0.05", "5%", 1.0),
        ("0.63", "0.6", 1.0),
        ("nan", "5", 0.0),
        ("inf", "5", 0.0),
        ("1e400", "5", 0.0),
        ("\uff15", "5", 0.0),
    ],
)
def test_chartqa_zero_years_percent_and_the_edge(text: str, gold: str, value: float) -> None:
    assert load("vqa.relaxed")(text, {"answer": gold}).value == value


def test_relaxed_takes_a_row_s_own_tolerance_such_as_none_for_years() -> None:
    assert load("vqa.relaxed")("2008", {"answer": "2010", "tolerance": 0}).value == 0
    with pytest.raises(ValueError, match="'tolerance'"):
        load("vqa.relaxed")("2008", {"answer": "2010", "tolerance": -1})


def test_soft_counts_the_humans() -> None:
    humans = ["red"] * 2 + ["blue"] * 8
    assert load("vqa.soft")("red", {"answer": humans}).value == pytest.approx((2 * 1 / 3 + 8 * 2 / 3) / 10)
    assert load("vqa.soft")("the blue", {"answer": humans}).value == 1
    assert load("vqa.soft")("green", {"answer": humans}).value == 0


def test_exact_normalises_and_takes_any_gold() -> None:
    assert load("vqa.exact")("Two red cars!", {"answer": ["a red car", "2 red cars"]}).value == 1
    assert load("vqa.exact")("", {"answer": "a"}) == Score(None)


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ({}, "answer"),
        ({"answer": None}, "answer"),
        ({"answer": []}, "answer"),
        ({"answer": " "}, "answer"),
        ({"answer": [1, None]}, "answer"),
        ({"answer": "bird", "choices": ["cat", "dog"]}, "answer"),
        ({"answer": "cat", "choices": ["cat", "cat"]}, "answer"),
        ({"answer": ["A", "B"]}, "answer"),
        ({"answer": "A", "choices": "cat"}, "choices"),
        ({"answer": "A", "choices": []}, "choices"),
        ({"answer": "A", "choices": [None]}, "choices"),
        ({"answer": "A", "choices": {"AB": "cat"}}, "choices"),
    ],
)
def test_a_malformed_gold_raises_even_when_there_is_no_answer(answer: dict, key: str) -> None:
    with pytest.raises(ValueError, match=f"'{key}'"):
        load("vqa.choice")("", answer)
