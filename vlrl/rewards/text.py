"""How alike two texts or programs are."""

from __future__ import annotations

from collections.abc import Mapping

from vlrl.metrics.sequence_ratio import sequence_ratio as ratio
from vlrl.metrics.text_match import rouge_l, rouge_n
from vlrl.parsing.files import parse_files
from vlrl.parsing.stem import stem
from vlrl.parsing.tags import answer_text
from vlrl.parsing.words import rouge_words
from vlrl.rewards import Example, Reward
from vlrl.rewards.outcome import failed
from vlrl.rewards.text_gold import gold_texts
from vlrl.types import Answer, Score


def rouge(text: str, answer: Answer) -> Score:
    """The mean of the F1s of ROUGE-1, ROUGE-2 and ROUGE-L with a gold text, the best over the gold texts; all three in `parts`.

    Words are stemmed (`vlrl.parsing.stem`). Source: the free-form reward of Video-R1 (arXiv 2503.21776), which computes the
    same. A gold of one word has no pairs: ROUGE-2 is then left out of the mean, so that the gold itself earns 1. Range
    0..1; None when no gold has a word. Failures: `no_answer`. Correct when 1. Raises ValueError for a malformed 'answer'.

    >>> round(rouge("the cat sits on the mat", {"answer": "a cat sat on the mat"}).value, 4)
    0.5778
    """
    golds = [words for words in map(_stems, gold_texts(answer)) if words]
    if not golds:
        return Score(None)
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    said = _stems(body)
    parts = max((_rouge_parts(said, gold) for gold in golds), key=lambda parts: sum(parts.values()) / len(parts))
    value = sum(parts.values()) / len(parts)
    return Score(value, parts, correct=value == 1, extracted=body)


def _stems(text: str) -> list[str]:
    return [stem(word) for word in rouge_words(text)]


def _rouge_parts(said: list[str], gold: list[str]) -> dict[str, float]:
    parts = {"rouge1": rouge_n(said, gold, 1), "rouge2": rouge_n(said, gold, 2), "rougeL": rouge_l(said, gold)}
    if len(gold) == 1:
        del parts["rouge2"]
    return parts


def sequence_ratio(text: str, answer: Answer) -> Score:
    """The mean of difflib's similarity ratio over all files that the gold or the answer has; a file of one side only counts 0.

    ratio = 2 * matched characters / characters of both. `files` maps paths to texts; a lone gold file may be answered without
    its path (`vlrl.parsing.files`). Source: SWE-RL (arXiv 2502.18449), over the files' text instead of their diffs; the work
    is bounded (`vlrl.metrics.sequence_ratio`). Range -1..1: as there, what cannot be read earns -1. Failures: `no_answer`,
    `no_file` (no block carries a path where the gold has several). Correct when 1. Raises ValueError for a malformed 'files'.

    >>> sequence_ratio("abcd", {"files": {"a.py": "bcde"}}).value
    0.75
    """
    golds = _gold_files(answer)
    body = answer_text(text)
    if body is None:
        return failed("no_answer", -1.0)
    files = parse_files(body)
    if len(golds) == 1 and list(files) == [""]:
        files = dict.fromkeys(golds, files[""])
    if list(files) == [""]:
        return failed("no_file", -1.0)
    parts = {path: ratio(files[path].strip(), gold) if path in files else 0.0 for path, gold in golds.items()}
    value = sum(parts.values()) / len(golds.keys() | files.keys())
    return Score(value, parts, correct=value == 1, extracted=sorted(files))


def _gold_files(answer: Answer) -> dict[str, str]:
    if "files" not in answer:
        raise ValueError("answer has no 'files'")
    files = answer["files"]
    if not isinstance(files, Mapping) or not files or not all(isinstance(item, str) for pair in files.items() for item in pair):
        raise ValueError(f"answer 'files' maps paths to texts, not {files!r}")
    return {path: content.strip() for path, content in files.items()}


_FILES = {"src/a.py": "x = 1\nprint(x)\n", "b.txt": "two"}

REWARDS = {
    "rouge": Reward(
        rouge, failures=("no_answer",), needs=("answer",), example=Example("A cat on a mat.", {"answer": "a cat on a mat"})
    ),
    "sequence_ratio": Reward(
        sequence_ratio,
        low=-1.0,
        failures=("no_answer", "no_file"),
        needs=("files",),
        example=Example("```python src/a.py\nx = 1\nprint(x)\n```\n\nb.txt\n```\ntwo\n```", {"files": _FILES}),
    ),
}
