import math

import pytest
from reward_vectors import expected, rows

from vlrl.rewards import load
from vlrl.rewards.medical import armed
from vlrl.types import Score

VQA_RAD_OTHER_RULE = {
    "8: half": 1.0,  # "effusion of the pleura" is a pleural effusion
    "11: number word": 1.0,
    "12: article in the gold": 1.0,
    "16: slash and dash": 1.0,
}
PMC_VQA_OTHER_RULE = {"17: very long text": 1.0}  # the letter stands alone at the end
SLAKE_OTHER_RULE = {
    '11010: "not" opens the gate: scores by accident': 0.0,
    "11017: synonym not known": 0.5,  # axial is transverse
    "11022: alias": 1.0,  # xray is X-Ray
}
"""Rows where our rule is another one on purpose."""


@pytest.mark.parametrize("row", rows("pmc-vqa__medevalkit"), ids=lambda row: row["note"])
def test_golden_vectors_of_pmc_vqa(row: dict) -> None:
    value = PMC_VQA_OTHER_RULE.get(row["note"], expected(row))
    assert load("medical.choice")(row["text"], row["answer"]).value == value


@pytest.mark.parametrize("row", rows("vqa-rad__medevalkit"), ids=lambda row: row["note"])
def test_golden_vectors_of_vqa_rad(row: dict) -> None:
    value = VQA_RAD_OTHER_RULE.get(row["note"], expected(row))
    assert load("medical.answer")(row["text"], row["answer"]).correct is bool(value)


@pytest.mark.parametrize("row", rows("slake__llava-med"), ids=lambda row: row["note"])
def test_golden_vectors_of_slake(row: dict) -> None:
    """LLaVA-Med scores open rows by token recall, which is a part of ours."""
    score = load("medical.answer")(row["text"], row["answer"])
    assert score.parts.get("recall", score.value) == pytest.approx(SLAKE_OTHER_RULE.get(row["note"], expected(row)))


@pytest.mark.parametrize("text", ["not seen", "abnormal", "The liver is normal.", "I cannot tell", "nothing"])
def test_llava_med_and_medevalkit_no_inside_another_word_is_no_answer(text: str) -> None:
    assert load("medical.closed")(text, {"answer": "no"}).failure == "no_yes_no"


def test_llava_med_both_words_earn_nothing() -> None:
    assert [load("medical.closed")("yes or no", {"answer": gold}).value for gold in ("yes", "no")] == [0.0, 0.0]


def test_llava_med_a_closed_gold_that_is_another_word_can_be_right() -> None:
    assert load("medical.closed")("CT scan.", {"answer": "computed tomography"}).value == 1
    assert load("medical.closed")("yes", {"answer": "lung"}).value == 0


def test_llava_med_a_repeated_word_is_counted_once() -> None:
    score = load("medical.open")("upper upper upper left", {"answer": "Pneumothorax in upper left lobe"})
    assert score.parts["recall"] == pytest.approx(0.4)


def test_medevalkit_precision_recall_and_f1_have_their_own_names() -> None:
    parts = load("medical.open")("left upper lung lobe tip", {"answer": "left lobe"}).parts
    assert (parts["precision"], parts["recall"], parts["f1"]) == pytest.approx((2 / 5, 1.0, 4 / 7))


def test_medevalkit_an_empty_open_answer_is_wrong_and_no_error() -> None:
    assert load("medical.open")("", {"answer": "lung"}).failure == "no_answer"
    assert load("medical.open")("?!", {"answer": "lung"}).failure == "no_words"


@pytest.mark.parametrize("text", ["B) lung", "Option B", "(B)", "B", "lung"])
def test_medvlm_r1_letters_inside_words_do_not_count(text: str) -> None:
    gold = {"answer": "B", "choices": ["heart", "lung"]}
    assert load("medical.choice")(text, gold).value == 1
    assert load("medical.medvlm_r1")(text, gold).value == (1.0 if text in ("B", "(B)") else 0.5)


@pytest.mark.parametrize("text", ["hepatitis B", "vitamin B", "B-cell lymphoma", "The lesion abuts a bronchus."])
def test_letters_in_names_are_no_choice(text: str) -> None:
    assert load("medical.choice")(text, {"answer": "B"}).failure == "no_choice"


@pytest.mark.parametrize(
    ("text", "gold", "failure"),
    [
        ("right pleural effusion", "left pleural effusion", "opposite"),
        ("left and right pleural effusion", "left pleural effusion", "opposite"),
        ("left pleural effusion", "bilateral pleural effusion", "opposite"),
        ("upper lobe of the left lung", "lower lobe of the left lung", "opposite"),
        ("malignant tumour", "benign tumour", "opposite"),
        ("no fracture", "fracture", "denied"),
        ("fracture", "no fracture", "denied"),
        ("There is no evidence of a fracture.", "fracture", "denied"),
        ("fracture not seen", "fracture", "denied"),
        ("The fracture is absent", "fracture", "denied"),
        ("fracture, no fracture", "fracture", "denied"),
        ("without fracture", "fracture", "denied"),
    ],
)
def test_a_contradiction_earns_nothing_however_similar_the_text(text: str, gold: str, failure: str) -> None:
    for name in ("open", "armed"):
        score = load(f"medical.{name}")(text, {"answer": gold})
        assert (score.value, score.failure) == (0.0, failure)


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("Left-sided pleural effusion", "pleural effusion, left"),
        ("enlarged heart", "Cardiomegaly"),
        ("computed tomography", "CT scan"),
        ("chest radiograph", "Chest X-ray"),
        ("both sides", "bilateral"),
        ("no evidence of fracture", "no fracture"),
        ("No signs of tumour", "absence of tumor"),
        ("10 mm", "1 cm"),
        ("2", "two"),
        ("1,000 ml", "1 l"),
        ("both left and right", "bilateral"),
    ],
)
def test_synonyms_units_and_word_order_are_right(text: str, gold: str) -> None:
    score = load("medical.open")(text, {"answer": gold})
    assert (score.value, score.correct) == (1.0, True)


@pytest.mark.parametrize(("text", "gold"), [("5 cm", "5 mm"), ("12 mm", "13 mm"), ("3", "4")])
def test_a_wrong_quantity_earns_no_word_overlap(text: str, gold: str) -> None:
    for name in ("open", "armed", "medcco"):
        assert load(f"medical.{name}")(text, {"answer": gold, "kind": "open"}).value == 0


def test_a_denied_opposite_is_no_contradiction() -> None:
    assert (load("medical.open")("left lung, not the right", {"answer": "left lung"}).value or 0) > 0.5


def test_the_best_gold_counts() -> None:
    assert load("medical.open")("lung", {"answer": ["liver", "lung"]}).value == 1


def test_a_flood_of_words_earns_little() -> None:
    flood = " ".join(f"word{i}" for i in range(500)) + " lung cancer"
    assert (load("medical.open")(flood, {"answer": "lung cancer"}).value or 0) < 0.01
    assert load("medical.open")("lung " * 5000, {"answer": "lung"}).failure == "too_long"


def test_a_gold_without_words_cannot_be_scored() -> None:
    assert load("medical.open")("lung", {"answer": "?"}) == Score(None)


def test_an_embedding_is_never_the_only_evidence() -> None:
    asked = []

    def everything_is_alike(answer: str, gold: str) -> float:
        asked.append(answer)
        return 1.0

    reward = armed(everything_is_alike)
    assert reward("liver", {"answer": "lung cancer"}).value == 0
    assert reward("right lung", {"answer": "left lung"}).value == 0
    assert asked == []
    assert reward("lung tumor", {"answer": "lung cancer"}).value == pytest.approx((0.5 + 1.0) / 2)
    assert asked == ["lung tumor"]


@pytest.mark.parametrize("similarity", [math.nan, math.inf, -5.0])
def test_a_strange_similarity_adds_nothing(similarity: float) -> None:
    assert armed(lambda answer, gold: similarity)("lung tumor", {"answer": "lung cancer"}).value == pytest.approx(0.25)


def test_med_r1_listing_all_findings_earns_nothing() -> None:
    gold = {"answer": ["Edema", "Cardiomegaly"]}
    reward = load("medical.findings")
    assert reward("edema, cardiomegaly, pneumonia, fracture", gold).value == 0
    assert reward("edema; cardiomegaly", gold).value == 1
    assert reward("No finding", {"answer": ["No Finding"]}).value == 0.25
    assert reward("edema", {"answer": ["No Finding"]}).value == 0


@pytest.mark.parametrize(
    ("answer", "key"), [({"answer": "yes"}, "kind"), ({"answer": "yes", "kind": "x"}, "kind"), ({"kind": "open"}, "answer")]
)
def test_a_malformed_gold_raises(answer: dict, key: str) -> None:
    with pytest.raises(ValueError, match=f"'{key}'"):
        load("medical.answer")("", answer)
