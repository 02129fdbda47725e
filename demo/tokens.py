"""A completion's tokens in colour: by log-probability, entropy, advantage or weight, as far as the log holds them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from demo.runs import Run
from demo.text import number, safe
from vlrl.types import Completion

MOST_TOKENS = 4000

MODES = {
    "logprobs": "log-probability",
    "entropies": "entropy",
    "token_advantages": "advantage",
    "token_weights": "weight",
    "ref_logprobs": "gap to the reference",
    "train_logprobs": "gap to training",
}
GAPS = ("ref_logprobs", "train_logprobs")
SIGNED = ("token_advantages", *GAPS)
HINTS = {
    "logprobs": "of the sampled token; darker is less probable",
    "entropies": "of the distribution it was drawn from; darker is more open",
    "token_advantages": "blue is encouraged, orange discouraged",
    "token_weights": "darker counts more",
    "ref_logprobs": "sampling less reference; blue is more probable than in the reference",
    "train_logprobs": "sampling less training; should be about 0 everywhere",
}


def values_of(mode: str, facts: Mapping[str, Sequence[float]], advantage: float, count: int) -> list[float] | None:
    """The numbers that colour the tokens, or None when the log has none. By default all have the completion's advantage."""
    if mode == "token_advantages" and mode not in facts:
        return [advantage] * count if math.isfinite(advantage) else None
    if mode not in facts:
        return None
    if mode in GAPS:
        return [a - b for a, b in zip(facts.get("logprobs", ()), facts[mode], strict=False)]
    return list(facts[mode])


def coloured(completion: Completion, values: Sequence[float], mode: str, texts: Sequence[str] | None) -> str:
    """The tokens as spans. Without a tokenizer (`texts` is None) the cells show the tokens' numbers instead of their text."""
    ids = completion.token_ids[:MOST_TOKENS]
    scale = _scale(mode, values)
    logprobs = completion.logprobs
    cells = []
    for i, token in enumerate(ids):
        value = values[i] if i < len(values) else math.nan
        chance = f" · p {math.exp(min(logprobs[i], 0.0)):.3g}" if i < len(logprobs) and not math.isnan(logprobs[i]) else ""
        text = texts[i] if texts is not None and i < len(texts) else f"{token} "
        title = f"token {i}, id {token} · {MODES[mode]} {number(value, mode in SIGNED)}{chance}"
        css = "t low" if scale(value) < 0 else "t"
        cells.append(f'<span class="{css}" style="--a:{abs(scale(value)):.2f}" title="{safe(title)}">{safe(text) or "·"}</span>')
    cut = (
        f'<p class="note">the first {MOST_TOKENS:,} of {len(completion.token_ids):,} tokens</p>'
        if len(ids) < len(completion.token_ids)
        else ""
    )
    return f'<div class="tokens {mode}">{"".join(cells)}</div>{cut}'


def _scale(mode: str, values: Sequence[float]) -> Callable[[float], float]:
    """Value -> -1..1: how strongly a token is coloured."""
    known = [abs(value) for value in values if math.isfinite(value)]
    largest = {"logprobs": 5.0}.get(mode) or max(known, default=0.0) or 1.0

    def strength(value: float) -> float:
        if not math.isfinite(value):
            return 0.0
        share = max(-1.0, min(value / largest, 1.0))
        return abs(share) if mode not in SIGNED else share

    return strength


def token_texts(run: Run, completion: Completion) -> list[str] | None:
    """Each token's text by the tokenizer of the run's newest checkpoint or of its local model; None where there is none."""
    path = tokenizer_file(run)
    tokenizer = _tokenizer(path, path.stat().st_mtime_ns) if path else None
    return None if tokenizer is None else split_text(tokenizer, completion.token_ids[:MOST_TOKENS])


def tokenizer_file(run: Run) -> Path | None:
    """The `tokenizer.json` that the run's tokens belong to."""
    newest = run.folder.latest_checkpoint()
    model = run.config().get("model")
    name = model.get("name_or_path") if isinstance(model, dict) else None
    folders = [newest / "model" if newest else None, Path(name) if isinstance(name, str) and "\0" not in name else None]
    return next((file for folder in folders if folder and (file := folder / "tokenizer.json").is_file()), None)


@lru_cache(maxsize=4)
def _tokenizer(path: Path, stamp: int) -> Any:
    try:
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(path))
    except Exception:  # the library raises bare exceptions for files that it cannot read
        return None


def split_text(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """Each token's share of the decoded text. A character that several tokens make up belongs to the last of them."""
    texts, start = [], 0
    for end in range(1, len(ids) + 1):
        text = tokenizer.decode(list(ids[start:end]), skip_special_tokens=False)
        if text.endswith("\ufffd") and end - start < 4 and end < len(ids):
            texts.append("")
            continue
        if start == 0 or end - start > 1:
            texts.append(text)
        else:
            before = tokenizer.decode(list(ids[max(start - 1, 0) : start]), skip_special_tokens=False)
            both = tokenizer.decode(list(ids[max(start - 1, 0) : end]), skip_special_tokens=False)
            texts.append(both[len(before) :] if both.startswith(before) else text)
        start = end
    return texts
