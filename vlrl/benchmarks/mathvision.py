"""MATH-Vision (arXiv 2402.14804): competition problems with pictures, multiple choice or a short value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down
from vlrl.benchmarks.rules.choices import choice_prompt, plain_letter, with_options
from vlrl.benchmarks.rules.math_answers import choice_or_value
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows, read_rows
from vlrl.metrics.math_equal import numeric_value
from vlrl.metrics.score_table import ScoreTable
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import ALPHABET, gold_text
from vlrl.tasks import PROMPT_MODES
from vlrl.types import Answer, Media, Sample, Score

NAME = "mathvision"
LETTERS = "ABCDE"
LEADS = tuple(
    article + lead
    for lead in (" final answer is", " answer is", " correct answer is", " answer should be")
    for article in ("the", "The")
)
MAX_ANSWER = 4_000
"""Characters; a longer text without a box is no answer."""

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_BARE_LETTER = re.compile(r"(?<![\\A-Za-z])[A-Za-z]")
_ROOT = re.compile(r"\\sqrt([^{])")
_DROPPED = ("\\,", "\n", "\\text", "\\mbox", "\\left", "\\right", "^{\\circ}", "^\\circ", "{m}^3", "m^3", "{units}", "units",
            "{km}", "km", "\\!", "\\$", "$", "\\%")  # fmt: skip


def load(folder: Path) -> Iterable[Sample]:
    """The rows of test, or of testmini, from the parquet copy or the authors' file; a doc_id is the `id`."""
    patterns = [
        f"{place}{split}{end}" for split in ("test", "testmini") for end in ("-*.parquet", ".jsonl") for place in ("", "data/")
    ]
    found = find_files(folder, *patterns)
    return _parquet(found) if found[0].suffix == ".parquet" else _original(found[0], folder)


def _parquet(paths: list[Path]) -> Iterator[Sample]:
    for place, row in numbered_rows(paths, ("id", "question", "options", "answer"), skip=("decoded_image",)):
        yield _sample(row, place.path.name.partition("-")[0], place.image("decoded_image"), place.source)


def _original(path: Path, folder: Path) -> Iterator[Sample]:
    for number, row in enumerate(read_rows(path, ("id", "question", "options", "answer", "image"))):
        yield _sample(row, path.stem, Media("image", str(folder / row["image"])), f"{path}:{number}")


def _sample(row: Mapping[str, Any], split: str, media: Media, source: str) -> Sample:
    options, gold = [str(option) for option in row["options"] or []], str(row["answer"])
    groups = {"subject": row.get("subject"), "level": str(row.get("level") or ""), "split": split}
    answer: Answer = {"answer": gold, "kind": "choice" if options else "free", "groups": {k: v for k, v in groups.items() if v}}
    if options:
        answer["choices"] = options
    return Sample(str(row["id"]), NAME, row["question"], answer, (media,), source)


def official_rule(text: str, answer: Answer) -> Score:
    r"""The authors' rule: the box, or what stands behind "the answer is", equal to the gold's letter or to its option.

    Equal are equal texts, and expressions whose values round to the same two decimals. See the protocol's `differences`.

    >>> official_rule(r"so \boxed{14/2}", {"kind": "free", "answer": "7"}).value
    1.0
    >>> official_rule("The answer is (B).", {"kind": "choice", "answer": "B", "choices": ["7", "8"]}).value
    1.0
    """
    gold, options = gold_text(answer), answer.get("choices") or []
    said = extracted(text)
    if not said or len(said) > MAX_ANSWER:
        return failed("too_long" if said else "no_answer")
    golds = [gold, options[ALPHABET.index(gold)]] if options else [gold]
    right = any(_equal(one.lower(), said) for one in golds)
    other = plain_letter(text, answer) if options and said == gold.lower() else None
    return right_or_wrong(right and other in (None, gold), said)


def extracted(text: str) -> str:
    r"""What the authors' rule takes for the answer, in lower case, without blanks, units and LaTeX that means nothing.

    >>> extracted("It is 7."), extracted(r"\boxed{x = 3\sqrt 2 \text{ units}}"), extracted("(B)")
    ('7', '3\\sqrt{2}', 'b')
    """
    said = _behind_leads(_letter(text.strip()))
    said = _cleaned(_boxed(said.lower().replace("{}", "")))
    for letter in LETTERS.lower():
        said = said.replace(f"({letter})", letter).replace(f"{{{letter}}}", letter)
    return said.rstrip(".").lstrip(":").strip()


def _letter(text: str) -> str:
    """The letter with which a text begins on a line of its own, or with which it ends."""
    for letter in LETTERS:
        if text.endswith((f" {letter}.", f" ({letter}).")) or text.startswith(
            (f"{letter}\n", f"({letter})\n", f"({letter}) {letter}\n")
        ):
            text = letter
    return text


def _behind_leads(text: str) -> str:
    tail = text.rpartition("is ")[2].rstrip(".")
    if len(tail) <= MAX_ANSWER and _is_number(tail):
        return tail
    boxes = text.count("oxed{")
    if boxes:
        return "oxed{" + text.rpartition("oxed{")[2] if boxes > 1 else text
    for lead in LEADS:
        if lead in text:
            text = text.rpartition(lead)[2].strip().partition("\n")[0].partition(". ")[0]
        text = text.strip()
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _boxed(text: str) -> str:
    """The inside of the box up to the last brace; then up to a brace that closes nothing."""
    _, found, rest = text.partition("oxed{")
    inside = rest.rpartition("}")[0] if found and "}" in rest else text
    closing, opening = inside.find("}"), inside.find("{")
    return inside[:closing] if closing >= 0 and (opening < 0 or closing < opening) else inside


def _cleaned(text: str) -> str:
    text = text.rpartition("=")[2].rpartition("\\approx")[2].replace(" ", "").replace("∞", "\\infty")
    text = text.replace("+\\infty", "\\infty").replace("\\\\", "\\")
    for piece in _DROPPED:
        text = text.replace(piece, "")
    text = text.replace("tfrac", "frac").replace("dfrac", "frac").replace("{.", "{0.")
    return _ROOT.sub(r"\\sqrt{\1}", f"0{text}" if text.startswith(".") else text)


def _equal(gold: str, said: str) -> bool:
    if not gold.strip():
        return False
    if gold.strip() == said or _same_value(gold, said):
        return True
    ours, theirs = _elements(said), _elements(gold)
    if not ours or len(ours) != len(theirs) or said[0] != gold[0]:
        return False
    return all(a == b or _same_value(a, b) for a, b in zip(ours, theirs, strict=True))


def _same_value(a: str, b: str) -> bool:
    left, right = _value(a), _value(b)
    return left is not None and right is not None and round(left, 2) == round(right, 2)


def _value(text: str) -> float | None:
    """The number that an expression without names is; a colon divides."""
    if not text.isascii() or _BARE_LETTER.search(text) or "%" in text:
        return None
    inner = text[1:-1] if text[:1] + text[-1:] == "{}" else text
    return numeric_value(_THOUSANDS.sub("", inner).replace(":", "/"))


def _elements(text: str) -> list[str]:
    """The elements of a tuple or list, blanks gone; none for anything else."""
    plain = text.replace(" ", "")
    return plain[1:-1].split(",") if plain[:1] + plain[-1:] in ("()", "[]") and "," in plain else []


def official_prompt(sample: Sample, mode: str, space: str) -> str:
    """lmms-eval's words around the problem and its options."""
    asked = 'Please solve the problem step by step and put your answer in one "\\boxed{}".'
    return f"{PROMPT_MODES[mode]}{asked}\n{with_options(sample)}"


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Accuracy, also by subject and level."""
    return break_down(table, "accuracy")


BENCHMARK = Benchmark(
    name=NAME,
    title="MATH-Vision",
    sizes={"test": 3040, "testmini": 304},
    licence="MIT",
    layout=(
        "[data/]test-*.parquet or testmini-*.parquet: id, question, options, answer, decoded_image, ... (MathLLMs/MathVision)",
        "[data/]test.jsonl or testmini.jsonl + images/ (mathllm/MATH-V)",
    ),
    load=load,
    hub=("MathLLMs/MathVision",),
    protocols=(
        Protocol("strict", choice_or_value, choice_prompt("math"), "accuracy", metrics),
        Protocol(
            "official-rule",
            official_rule,
            official_prompt,
            "accuracy",
            metrics,
            oracle="mathllm/MATH-V a1f5cc3 evaluation/evaluate.py, executed with latex2sympy2 1.9.1",
            differences=(
                "Nothing that a model wrote is run: math-verify's parser gives the values, under a budget; there `eval` does.",
                "A last letter that the response rules out (`It is C, not B.`) is not its answer.",
                "Tuples are compared element by element as numbers; there `(1.0, 2)` is not `(1, 2)`.",
            ),
            generation={"max_completion_length": 16384},
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-3B", "21.2", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-7B", "25.1", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-72B", "38.1", "arXiv 2502.13923"),
    ),
    pitfalls=(
        "lmms-eval and the authors run `eval` on what the model wrote.",
        "Problems with several pictures come with one merged picture in the parquet copy.",
        "An answer in tags, or in words after a letter (`B) 8`), is not read by the official rule.",
    ),
)
