import pytest

from vlrl.rewards import load

SCRIPT = load("language.script")
RUSSIAN, CHINESE, JAPANESE = (
    "\u043a\u0440\u0430\u0441\u043d\u044b\u0439",
    "\u7ea2\u8272\u7684",
    "\u8d64\u3044\u30ab\u30c3\u30d7\u30fc",
)


@pytest.mark.parametrize(
    ("text", "language", "value", "failure"),
    [
        ("The cup is red.", "en", 1.0, None),
        ("The cup is red.", "zh", 0.0, "wrong_script"),
        (CHINESE, "zh", 1.0, None),
        (f"ab{CHINESE}", "zh", 0.6, None),
        (JAPANESE, "ja", 1.0, None),
        (RUSSIAN, "ru", 1.0, None),
        ("\uff34\uff48\uff45", "en", 1.0, None),  # full-width Latin
        (f"<think>{CHINESE}</think><answer>cup</answer>", "zh", 1.0, None),  # the thought counts, the answer does not
        (f"<think>{CHINESE}", "zh", 1.0, None),
        (f"<answer>{CHINESE}</answer>", "zh", 1.0, None),  # nor do the tags
        ("[1, 2, 3, 4]", "zh", 1.0, None),
        (" \n", "zh", 0.0, "no_text"),
        ("", "en", 0.0, "no_text"),
    ],
)
def test_the_share_of_letters_of_the_script(text: str, language: str, value: float, failure: str | None) -> None:
    score = SCRIPT(text, {"language": language})
    assert (score.value, score.failure) == (pytest.approx(value), failure)


def test_an_unknown_language_is_a_malformed_gold() -> None:
    with pytest.raises(ValueError, match="'language' is one of ar, bg"):
        SCRIPT("a", {"language": "klingon"})
