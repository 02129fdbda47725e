"""Toy checkpoints of the families that count positions on one axis: real classes, random weights, made offline for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from transformers import (
    AutoModelForImageTextToText,
    Gemma3Config,
    Gemma3ImageProcessor,
    Gemma3Processor,
    GotOcr2ImageProcessor,
    Idefics3Config,
    Idefics3ImageProcessor,
    Idefics3Processor,
    InternVLConfig,
    InternVLProcessor,
    InternVLVideoProcessor,
    LlavaNextConfig,
    LlavaNextImageProcessor,
    LlavaNextProcessor,
    LlavaOnevisionConfig,
    LlavaOnevisionImageProcessor,
    LlavaOnevisionProcessor,
    LlavaOnevisionVideoProcessor,
    Mistral3Config,
    PixtralImageProcessor,
    PixtralProcessor,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    ProcessorMixin,
    SmolVLMConfig,
    SmolVLMImageProcessor,
    SmolVLMProcessor,
    SmolVLMVideoProcessor,
)

from vlrl.models.tiny.tokenizer import CHAT_TEMPLATE, END, PAD, build_tokenizer

TILE, PATCH, TOKENS = 32, 8, 4
"""Pixels of a tile's side and of a patch's side; tokens of a tile: 2 x 2 patches make one, except in LLaVA-OneVision (16)."""

SQUARE = {"height": TILE, "width": TILE}
WIDTH, LAYERS, HEADS = 32, 2, 4

Toy = tuple[PreTrainedConfig, ProcessorMixin]


def build_toy(family: str, words: Iterable[str] = (), seed: int = 0) -> tuple[PreTrainedModel, ProcessorMixin]:
    """A random toy model of `family`, one of `FAMILIES`, and its processor; `words` become single tokens (`build_tokenizer`).

    Every weight is drawn, biases and norms too, so that none is left out of a comparison unseen. Raises KeyError for a family
    that has no toy.
    """
    config, processor = _FAMILIES[family](words)
    torch.manual_seed(seed)
    model = AutoModelForImageTextToText.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
    model.generation_config.pad_token_id = processor.tokenizer.pad_token_id
    return model.eval(), processor


def _tokenizer(words: Iterable[str], image: str, names: dict[str, str], others: Iterable[str] = ()) -> PreTrainedTokenizerFast:
    """The toy tokenizer with a family's special tokens; its chat template writes `image` for one."""
    return PreTrainedTokenizerFast(
        tokenizer_object=build_tokenizer([*words]).backend_tokenizer,
        eos_token=END,
        pad_token=PAD,
        model_specific_special_tokens=names,
        extra_special_tokens=[*others],
        chat_template=CHAT_TEMPLATE.replace("<|vision_start|><|image_pad|><|vision_end|>", image),
    )


def _config(kind: Any, tokenizer: PreTrainedTokenizerFast, image: str, text: str, vision: str, **keys: Any) -> PreTrainedConfig:
    """A configuration of class `kind` whose parts are of these model types; `image` is the token that features replace."""
    shape = {"hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS}
    headless = {"vision_use_head": False} if vision == "siglip_vision_model" else {}
    text_keys = {
        "vocab_size": len(tokenizer),
        "num_key_value_heads": HEADS // 2,
        "head_dim": WIDTH // HEADS,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    return kind(
        text_config={"model_type": text, **shape, **text_keys},
        vision_config={"model_type": vision, **shape, **headless, "image_size": TILE, "patch_size": PATCH},
        image_token_id=tokenizer.convert_tokens_to_ids(image),
        **keys,
    )


def _internvl(words: Iterable[str]) -> Toy:
    names = {"start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>"}
    tokenizer = _tokenizer(words, "<IMG_CONTEXT>\n", names | {"video_token": "<video>"})
    config = _config(InternVLConfig, tokenizer, "<IMG_CONTEXT>", "qwen2", "internvl_vision", image_seq_length=TOKENS)
    images = GotOcr2ImageProcessor(size=SQUARE, crop_to_patches=True, max_patches=4)
    return config, InternVLProcessor(images, tokenizer, InternVLVideoProcessor(size=SQUARE), TOKENS, tokenizer.chat_template)


def _idefics3(words: Iterable[str]) -> Toy:
    tokenizer = _idefics_tokenizer(words)
    config = _config(Idefics3Config, tokenizer, "<image>", "llama", "idefics3_vision", scale_factor=2)
    images = Idefics3ImageProcessor(size={"longest_edge": 2 * TILE}, max_image_size={"longest_edge": TILE})
    return config, Idefics3Processor(images, tokenizer, TOKENS, tokenizer.chat_template)


def _smolvlm(words: Iterable[str]) -> Toy:
    tokenizer = _idefics_tokenizer(words)
    config = _config(SmolVLMConfig, tokenizer, "<image>", "llama", "smolvlm_vision", scale_factor=2)
    images = SmolVLMImageProcessor(size={"longest_edge": 2 * TILE}, max_image_size={"longest_edge": TILE})
    return config, SmolVLMProcessor(images, tokenizer, SmolVLMVideoProcessor(), TOKENS, tokenizer.chat_template)


def _idefics_tokenizer(words: Iterable[str]) -> PreTrainedTokenizerFast:
    places = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    return _tokenizer(
        words, "<image>", {}, ["<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>", *places]
    )


def _llava_onevision(words: Iterable[str]) -> Toy:
    tokenizer = _tokenizer(words, "<image>\n", {"image_token": "<image>", "video_token": "<video>"})
    pinpoints = [[rows * TILE, columns * TILE] for rows in (1, 2) for columns in (1, 2)]
    keys = {"video_token_index": tokenizer.convert_tokens_to_ids("<video>"), "image_grid_pinpoints": pinpoints}
    config = _config(LlavaOnevisionConfig, tokenizer, "<image>", "qwen2", "siglip_vision_model", **keys)
    processor = LlavaOnevisionProcessor(
        LlavaOnevisionImageProcessor(size=SQUARE, image_grid_pinpoints=pinpoints),
        tokenizer,
        LlavaOnevisionVideoProcessor(size=SQUARE),
        num_image_tokens=(TILE // PATCH) ** 2,
        vision_feature_select_strategy="full",
        chat_template=tokenizer.chat_template,
    )
    return config, processor


def _llava_next(words: Iterable[str]) -> Toy:
    tokenizer = _tokenizer(words, "<image>\n", {"image_token": "<image>"})
    pinpoints = [[TILE, 2 * TILE], [2 * TILE, TILE], [2 * TILE, 2 * TILE]]
    config = _config(LlavaNextConfig, tokenizer, "<image>", "llama", "clip_vision_model", image_grid_pinpoints=pinpoints)
    images = LlavaNextImageProcessor(size={"shortest_edge": TILE}, crop_size=SQUARE, image_grid_pinpoints=pinpoints)
    return config, LlavaNextProcessor(images, tokenizer, PATCH, "default", tokenizer.chat_template, num_additional_image_tokens=1)


def _mistral3(words: Iterable[str]) -> Toy:
    tokenizer = _tokenizer(words, "[IMG]", {"image_token": "[IMG]"}, ["[IMG_BREAK]", "[IMG_END]"])
    config = _config(Mistral3Config, tokenizer, "[IMG]", "mistral", "pixtral")
    images = PixtralImageProcessor(size={"longest_edge": 2 * TILE}, patch_size=PATCH)
    return config, PixtralProcessor(images, tokenizer, PATCH, config.spatial_merge_size, tokenizer.chat_template)


def _gemma3(words: Iterable[str]) -> Toy:
    names = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
    tokenizer = _tokenizer(words, "<start_of_image>", names)
    config = _config(
        Gemma3Config, tokenizer, "<image_soft_token>", "gemma3_text", "siglip_vision_model", mm_tokens_per_image=TOKENS
    )
    text = config.text_config
    text.query_pre_attn_scalar, text.sliding_window = WIDTH // HEADS, 3
    text.layer_types = ["sliding_attention", "full_attention"]
    return config, Gemma3Processor(Gemma3ImageProcessor(size=SQUARE), tokenizer, tokenizer.chat_template, TOKENS)


_FAMILIES: dict[str, Callable[[Iterable[str]], Toy]] = {
    "gemma3": _gemma3,
    "idefics3": _idefics3,
    "internvl": _internvl,
    "llava_next": _llava_next,
    "llava_onevision": _llava_onevision,
    "mistral3": _mistral3,
    "smolvlm": _smolvlm,
}
FAMILIES = tuple(_FAMILIES)
