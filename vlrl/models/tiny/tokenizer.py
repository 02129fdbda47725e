"""The toy tokenizer: every byte, plus one token per known word and per number with its punctuation.

The text stays plain ("[480, 520]"), but "[480," and " 520]" are one token each: a model of a few layers learns to answer several
times faster when no separator stands between the numbers (docs/quickstart.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

END, PAD = "<|im_end|>", "<|endoftext|>"
SPECIAL_TOKENS = [PAD, "<|user|>", "<|assistant|>", END, "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
TAGS = ["<think>", "</think>", "<answer>", "</answer>"]
NUMBER_STEP = 20
"""Thousandths between two number tokens: 2.56 px of a 128 px image."""

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part['type'] == 'video' %}<|vision_start|><|video_pad|><|vision_end|>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
    "{% if message['role'] == 'assistant' %}<|im_end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


RESPONSE_TEMPLATE = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|assistant|>",
    "fields": {"content": {"close": END, "content": "text"}},
}
"""Where an answer begins and ends, for `transformers serve`."""


def number_tokens() -> list[str]:
    """The opening, middle and closing forms of 0, 20, ..., 1000, in this order for each number."""
    return [form.format(n) for n in range(0, 1001, NUMBER_STEP) for form in ("[{},", " {},", " {}]")]


def word_tokens(texts: Iterable[str]) -> list[str]:
    """Every space-separated word of `texts`, with the space before it (a text's first word without), sorted.

    >>> word_tokens(["Find: a cat"])
    [' a', ' cat', 'Find:']
    """
    return sorted({word for text in texts for word in re.findall(r" ?[^ \n]+", text)})


def build_tokenizer(words: Iterable[str], phrases: Iterable[str] = ()) -> PreTrainedTokenizerFast:
    """A reversible tokenizer of 256 bytes, the special tokens, the tags, the numbers, the words of the texts in `words`, and
    one token for each whole text in `phrases` (the fixed words of a prompt).
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={byte: i for i, byte in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL_TOKENS])
    plain = TAGS + number_tokens() + word_tokens(words) + list(phrases)
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t in plain])
    texts = {"chat_template": CHAT_TEMPLATE, "response_template": RESPONSE_TEMPLATE}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, pad_token=PAD, **texts)
