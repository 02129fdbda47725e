"""MathVista (arXiv 2310.02255): mathematics in pictures, multiple choice or a short value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down
from vlrl.benchmarks.rules.choices import choice_prompt
from vlrl.benchmarks.rules.python_values import python_float
from vlrl.data.errors import RowError
from vlrl.data.layout import LayoutError, find_files
from vlrl.data.tables import numbered_rows, read_json
from vlrl.metrics.edit_distance import edit_distance
from vlrl.metrics.score_table import ScoreTable
from vlrl.parsing.bare import bare_answer
from vlrl.parsing.literals import parse_literal
from vlrl.parsing.number import parse_quantity
from vlrl.parsing.tags import answer_text
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import ALPHABET, gold_kind, gold_text
from vlrl.rewards.vqa import choice, exact
from vlrl.tasks import PROMPT_MODES
from vlrl.types import Answer, Media, Sample, Score

NAME = "mathvista"
KINDS = ("choice", "text", "integer", "float", "list")
GROUPS = ("question_type", "answer_type")
META_GROUPS = ("language", "source", "category", "task", "context", "grade", "skills")
MAX_ANSWER = 4_000
"""Characters; a longer text is no answer."""

_QUOTED = re.compile(r'The answer is "(.*)"\.')
_BRACKETED = re.compile(r"\(([a-zA-Z])\)")


def load(folder: Path) -> Iterable[Sample]:
    """The rows of testmini, from the parquet copy or the authors' file; a doc_id is the `pid`."""
    parquet = ("testmini-*.parquet", "data/testmini-*.parquet")
    found = find_files(folder, *parquet, "testmini.json", "data/testmini.json")
    return _parquet(found) if found[0].suffix == ".parquet" else _original(found[0], folder)


def _parquet(paths: list[Path]) -> Iterator[Sample]:
    for place, row in numbered_rows(paths, ("pid", "question", "answer", "query"), skip=("decoded_image",)):
        yield _sample(row, place.image("decoded_image"), place.source)


def _original(path: Path, folder: Path) -> Iterator[Sample]:
    content = read_json(path)
    if not isinstance(content, dict):
        raise LayoutError(f"{path}: is no object of problems by pid; is it MathVista's file?")
    for pid, row in content.items():
        yield _sample({"pid": pid, **row}, Media("image", str(folder / row["image"])), f"{path}: pid {pid}")


def _sample(row: Mapping[str, Any], media: Media, source: str) -> Sample:
    if row.get("answer") in (None, ""):
        raise RowError(source, "answer", "is missing", "use testmini: the answers of test are not published")
    meta = row.get("metadata") or {}
    groups = {**{key: row.get(key) for key in GROUPS}, **{key: meta.get(key) for key in META_GROUPS}}
    multiple = row["question_type"] == "multi_choice"
    answer: Answer = {
        "answer": str(row["answer"]),
        "kind": "choice" if multiple else row["answer_type"],
        "query": row.get("query") or row["question"],
        "groups": {key: value for key, value in groups.items() if value},
    }
    if multiple:
        answer["choices"] = list(row["choices"])
    if row.get("precision") is not None:
        answer["precision"] = int(row["precision"])
    return Sample(str(row["pid"]), NAME, row["question"], answer, (media,), source)


def query_prompt(sample: Sample, mode: str, space: str) -> str:
    """The published query: a hint, the question, its options."""
    return PROMPT_MODES[mode] + sample.answer["query"]


def strict(text: str, answer: Answer) -> Score:
    """The option that is picked, or the value that is given, and no other.

    Whole numbers must be equal; decimals must be equal after rounding to the row's precision; lists must have equal elements.

    >>> strict("about 1.24 cm", {"answer": "1.2", "kind": "float", "precision": 1}).value
    1.0
    >>> strict("", {"answer": "red", "kind": "choice", "choices": ["red", "blue"]}).failure
    'no_answer'
    """
    kind = gold_kind(answer, KINDS)
    if kind in ("choice", "text"):
        return choice(text, answer) if kind == "choice" else exact(text, answer)
    body = answer_text(text)
    if body is None or len(body) > MAX_ANSWER:
        return failed("no_answer" if body is None else "too_long")
    bare, gold = bare_answer(body), gold_text(answer)
    if kind == "list":
        said = parse_literal(bare)
        return right_or_wrong(said == parse_literal(gold), said) if isinstance(said, list) else failed("no_list")
    number, target = parse_quantity(bare), python_float(gold)
    if target is None:
        raise ValueError(f"answer 'answer' is no number: {gold!r}")
    if number is None:
        return failed("no_number")
    digits = answer.get("precision", 0) if kind == "float" else None
    return right_or_wrong((round(number.value, digits) if digits is not None else number.value) == target, number.value)


def official_rule(text: str, answer: Answer) -> Score:
    """The authors' rules around the language model that extracts answers, without it: what the shortcuts cannot read is wrong.

    A shortcut reads an option's text, a whole or decimal number, or `The answer is "...".`. See the protocol's `differences`.

    >>> gold = {"answer": "green", "kind": "choice", "choices": ["blue", "green"]}
    >>> official_rule("green", gold).value, official_rule('The answer is "B".', gold).value, official_rule("(B)", gold).failure
    (1.0, 1.0, 'not_extracted')
    """
    kind, gold = gold_kind(answer, KINDS), gold_text(answer)
    if kind == "list":
        return _listed(text, gold)
    said = _extraction(text, answer, kind)
    if not said:
        return failed("not_extracted")
    if kind == "choice":
        picked = _option(said, answer["choices"])
        return right_or_wrong(picked == gold, picked)
    number = python_float(said)
    if number is None:
        return failed("no_number")
    value = round(number, answer.get("precision", 0)) if kind == "float" else float(int(number))
    return right_or_wrong(value == python_float(gold), value)


def _extraction(text: str, answer: Answer, kind: str) -> str:
    """What the shortcuts extract; empty where the language model would be asked."""
    if len(text) > MAX_ANSWER:
        return ""
    if kind == "choice" and text in answer["choices"]:
        return text
    if kind == "integer" and "." not in text and "e" not in text.lower() and python_float(text) is not None:
        return text
    if kind == "float" and python_float(text) is not None:
        return text
    quoted = _QUOTED.search(text)
    return quoted[1].strip() if quoted else ""


def _option(said: str, choices: list[str]) -> str:
    """The option that a letter names, else the nearest by edit distance, the first of equals."""
    bracketed = _BRACKETED.search(said)
    letter = bracketed[1].upper() if bracketed else said
    if letter in ALPHABET[: len(choices)] and len(letter) == 1:
        return choices[ALPHABET.index(letter)]
    return min(choices, key=lambda option: edit_distance(letter, option))


def _listed(text: str, gold: str) -> Score:
    """A list has no shortcut: spelt as the gold it is left to the language model, else its elements are compared."""
    said = parse_literal(text)
    if not isinstance(said, list) or text == gold:
        return failed("not_extracted")
    return right_or_wrong(said == parse_literal(gold), said)


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Accuracy, also by kind of question and answer, language, source, category, task, context, grade and skill."""
    return break_down(table, "accuracy")


BENCHMARK = Benchmark(
    name=NAME,
    title="MathVista testmini",
    sizes={"testmini": 1000},
    licence="CC BY-SA 4.0",
    layout=(
        "[data/]testmini-*.parquet: pid, question, decoded_image, choices, precision, answer, query, ... (AI4Math/MathVista)",
        "[data/]testmini.json + images/ (lupantech/MathVista)",
    ),
    load=load,
    hub=("AI4Math/MathVista",),
    protocols=(
        Protocol("strict", strict, choice_prompt("math"), "accuracy", metrics),
        Protocol(
            "official-rule",
            official_rule,
            query_prompt,
            "accuracy",
            metrics,
            oracle="lupantech/MathVista 53d5258 evaluation/extract_answer.py with an extraction model that returns nothing, "
            "then evaluation/calculate_score.py",
            differences=(
                "Where nothing was extracted the answer is wrong; there an empty answer becomes the shortest option.",
                "Decimals are compared as numbers; there the gold `0.50` is never reached, for `0.5` is another text.",
                "A list in another spelling than the gold's (`[1,2]` for `[1, 2]`) is compared by its elements; one in the very "
                "spelling of the gold stays what the rules without a model make of it: not extracted, wrong.",
            ),
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-3B", "62.3", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-7B", "68.2", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-72B", "74.8", "arXiv 2502.13923"),
    ),
    pitfalls=(
        "Published numbers use a language model that extracts the answer; without it only bare answers are read.",
        "`7.9` is right where 7 is asked under the official rules, if it was extracted: whole numbers are cut off.",
        "lmms-eval scores every decimal row 0: it hands a float to `round` as the number of digits.",
    ),
)
