"""The toy tokenizer: any text comes back, numbers and phrases are one token, and nothing but its own spelling is special."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from vlrl.models.tiny.tokenizer import END, NUMBER_STEP, PAD, SPECIAL_TOKENS, TAGS, build_tokenizer, number_tokens, word_tokens

SENTENCES = ["Find: a red cat", "a cat, red"]
PHRASES = ["Give the click point as [x, y] in 0-1000 coordinates. Do:"]
TOKENIZER = build_tokenizer(SENTENCES, PHRASES)

pieces = st.sampled_from(
    [*SPECIAL_TOKENS, *TAGS, *number_tokens(), *PHRASES, *word_tokens(SENTENCES), "<|", "|>", " ", "  ", "\n"]
)
texts = st.one_of(st.text(), st.lists(st.one_of(pieces, st.text(max_size=3))).map("".join))


def ids_of(text: str) -> list[int]:
    return TOKENIZER(text)["input_ids"]


@settings(max_examples=300, deadline=None)
@given(texts)
def test_any_text_comes_back(text: str) -> None:
    assert TOKENIZER.decode(ids_of(text), skip_special_tokens=False) == text


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, len(TOKENIZER) - 1)))
def test_any_sequence_of_tokens_has_a_text(ids: list[int]) -> None:
    """Sampling yields anything, broken UTF-8 too."""
    text = TOKENIZER.decode(ids, skip_special_tokens=False)
    assert TOKENIZER.decode(ids_of(text), skip_special_tokens=False) == text


@settings(max_examples=300, deadline=None)
@given(texts)
def test_special_tokens_come_from_their_own_spelling_only(text: str) -> None:
    """A text that spells no special token whole never becomes one, and one that does becomes exactly as many."""
    ids = ids_of(text)
    for token in SPECIAL_TOKENS:
        assert ids.count(TOKENIZER.convert_tokens_to_ids(token)) == text.count(token)


@pytest.mark.parametrize("token", SPECIAL_TOKENS)
def test_spelled_letter_by_letter_a_special_token_is_only_text(token: str) -> None:
    """A model may sample the letters of `<|image_pad|>`; training keeps the sampled ids, so they never turn into pixels."""
    letters = [i for char in token for i in ids_of(char)]
    assert len(letters) == len(token)
    assert TOKENIZER.decode(letters) == token
    assert TOKENIZER.convert_tokens_to_ids(token) not in letters


def test_the_first_256_tokens_are_the_bytes() -> None:
    decoded = {TOKENIZER.decode([i]) for i in range(256)}
    assert {chr(i) for i in range(128)} <= decoded
    assert "\ufffd" in decoded  # a lone byte of a longer character
    assert [len(ids_of(char)) for char in "aä漢🙂"] == [1, 2, 3, 4]


@pytest.mark.parametrize("n", range(0, 1001, NUMBER_STEP))
def test_numbers_are_one_token_each(n: int) -> None:
    assert [TOKENIZER.decode([i]) for i in ids_of(f"[{n}, {n}]")] == [f"[{n},", f" {n}]"]
    assert [TOKENIZER.decode([i]) for i in ids_of(f"[{n}, {n}, {n}]")] == [f"[{n},", f" {n},", f" {n}]"]


def test_other_numbers_are_spelled() -> None:
    assert len(ids_of("[13, 27]")) == len("[13, 27]")
    assert [TOKENIZER.decode([i]) for i in ids_of("[120, 7]")] == ["[120,", " ", "7", "]"]


@pytest.mark.parametrize("text", [*PHRASES, *TAGS, *word_tokens(SENTENCES), *SPECIAL_TOKENS])
def test_phrases_words_and_tags_are_one_token(text: str) -> None:
    assert len(ids_of(text)) == 1


def test_a_phrase_wins_over_its_words() -> None:
    tokenizer = build_tokenizer(["Find the red cat"], ["Find the"])
    assert [tokenizer.decode([i]) for i in tokenizer("Find the red cat")["input_ids"]] == ["Find the", " red", " cat"]


def test_tags_are_part_of_the_text_and_special_tokens_are_not() -> None:
    ids = ids_of(f"<answer>[20, 40]</answer>{END}")
    assert TOKENIZER.decode(ids, skip_special_tokens=True) == "<answer>[20, 40]</answer>"
    assert set(TOKENIZER.all_special_tokens) >= {END, PAD}
    assert (TOKENIZER.eos_token, TOKENIZER.pad_token) == (END, PAD)


def test_the_chat_template() -> None:
    user = [{"type": "image"}, {"type": "text", "text": "Find: a cat"}]
    turn = [{"role": "user", "content": user}]
    start = "<|user|><|vision_start|><|image_pad|><|vision_end|>Find: a cat"
    assert TOKENIZER.apply_chat_template(turn, tokenize=False, add_generation_prompt=True) == f"{start}<|assistant|>"
    answered = [*turn, {"role": "assistant", "content": "[0, 20]"}]
    assert TOKENIZER.apply_chat_template(answered, tokenize=False) == f"{start}<|assistant|>[0, 20]{END}"
    prompt = TOKENIZER.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
    assert TOKENIZER.apply_chat_template(answered, tokenize=False).startswith(prompt)


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    TOKENIZER.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    text = f"{PHRASES[0]} a cat [20, 40] ä🙂 <think>{END}"
    assert isinstance(loaded, PreTrainedTokenizerFast)
    assert loaded(text)["input_ids"] == ids_of(text)
    assert loaded.get_vocab() == TOKENIZER.get_vocab()
    assert loaded.decode(ids_of(text)) == text


def test_same_words_same_ids() -> None:
    assert build_tokenizer(reversed(SENTENCES), PHRASES).get_vocab() == TOKENIZER.get_vocab()
