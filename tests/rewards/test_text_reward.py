import time
from difflib import SequenceMatcher

import pytest

from vlrl.rewards import load
from vlrl.types import Score

RATIO = load("text.sequence_ratio")
TWO = {"files": {"a.py": "x = 1", "b.py": "y = 2"}}


def block(path: str, code: str) -> str:
    return f"```python {path}\n{code}\n```\n"


def test_the_ratio_is_difflib_s() -> None:
    gold, said = "def f(x):\n    return x + 1", "def g(x):\n    return 1 + x"
    assert RATIO(block("a.py", said), {"files": {"a.py": gold}}).value == SequenceMatcher(None, said, gold).ratio()


def test_a_file_of_one_side_only_counts_nothing() -> None:
    assert RATIO(block("a.py", "x = 1") + block("b.py", "y = 2"), TWO).value == 1
    assert RATIO(block("a.py", "x = 1"), TWO).value == 0.5
    assert RATIO(block("a.py", "x = 1") + block("b.py", "y = 2") + block("c.py", ""), TWO).value == pytest.approx(2 / 3)


def test_a_lone_file_needs_no_path_and_several_do() -> None:
    assert RATIO("x = 1", {"files": {"a.py": "x = 1"}}).value == 1
    assert RATIO("```python\nx = 1\n```", {"files": {"a.py": "x = 1"}}).value == 1
    score = RATIO("x = 1", TWO)
    assert (score.value, score.failure) == (-1.0, "no_file")


def test_no_answer_earns_the_minimum() -> None:
    assert RATIO("", TWO) == Score(-1.0, correct=False, failure="no_answer")


@pytest.mark.parametrize("files", [None, {}, {"a": 1}, ["a"]])
def test_malformed_files_raise(files: object) -> None:
    with pytest.raises(ValueError, match="'files'"):
        RATIO("x", {"files": files})


@pytest.mark.parametrize("text", ["ab" * 100_000, "a" * 199, "abcdefghijklmnopqrstuvwxyz" * 8000, "x = 1\n" * 50_000])
def test_swe_rl_hostile_text_does_not_take_quadratic_time(text: str) -> None:
    start = time.process_time()
    assert -1 <= (RATIO(text, {"files": {"a": "ab" * 90 + "x = 1\n" * 400}}).value or 0) <= 1
    assert time.process_time() - start < 3


def test_rouge() -> None:
    rouge = load("text.rouge")
    assert rouge("a cat sat", {"answer": "a cat sat"}).value == 1
    assert rouge("the cats were running", {"answer": "The cat were runs"}).value == 1
    assert rouge("Cat!", {"answer": "cat"}).value == 1
    assert rouge("dog", {"answer": "a cat"}).value == 0
    assert rouge("dog", {"answer": "\u732b"}) == Score(None)


def test_word_and_character_error_rates() -> None:
    assert load("ocr.wer")("no  parking\n", {"answer": "no parking"}).value == 1
    assert load("ocr.wer")("no parking here", {"answer": "no parking"}).value == 0.5
    assert load("ocr.wer")("no " * 1000, {"answer": "no"}).value == 0
    assert load("ocr.cer")("no  barking", {"answer": ["x", "no parking"]}).value == pytest.approx(0.9)


def test_ocrbench_a_gold_inside_a_longer_word_is_not_right() -> None:
    for name in ("ocr.wer", "vqa.exact", "document.exact"):
        score = load(name)("1107352", {"answer": "10735"})
        assert (score.value, score.correct) == (0.0, False)
