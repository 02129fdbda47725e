"""SLAKE (arXiv 2102.09542): questions in English and Chinese about radiographs, CT and MRI."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down, task_prompt
from vlrl.benchmarks.rules import llava_med, medevalkit
from vlrl.benchmarks.rules.pictures import picture
from vlrl.benchmarks.vqa_rad import gold
from vlrl.data.layout import find_files
from vlrl.data.tables import column_names, numbered_rows
from vlrl.metrics.score_table import ScoreTable
from vlrl.parsing.words import fold_full_width
from vlrl.rewards.medical import by_kind
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import gold_text
from vlrl.tasks import PROMPT_MODES
from vlrl.types import Answer, Sample, Score

NAME = "slake"
SAID_YES = frozenset({"yes", "yeah", "yep", "true", "是", "是的", "有", "包含", "可以", "能", "会", "正常"})
SAID_NO = frozenset({"no", "nope", "false", "否", "不是", "没有", "无", "不包含", "不能", "不会", "不可以", "不正常", "异常"})
ASKS_BRIEFLY = {"en": "Answer the question using a single word or phrase.", "zh": "请用一个词或短语回答问题。"}

_MARKS = str.maketrans(dict.fromkeys(string.punctuation + "｡。、《》【】", " "))


def load(folder: Path) -> Iterator[Sample]:
    """The rows of `test.json` or of a parquet copy, both languages; a doc_id is the row's `qid`."""
    paths = find_files(folder, "test.json", "Slake1.0/test.json", "test-*.parquet", "data/test-*.parquet")
    inside = paths[0].suffix == ".parquet" and "image" in column_names(paths[0])
    needs = ("qid", "img_name", "question", "answer", "answer_type", "q_lang")
    for place, row in numbered_rows(paths, needs, skip=("image",)):
        answer = gold(str(row["answer"]), row["answer_type"])
        named = {"language": "q_lang", "modality": "modality", "content_type": "content_type", "location": "location"}
        answer["groups"] |= {group: str(row[key]) for group, key in named.items() if row.get(key)}
        beside = place.path.parent if place.path.suffix == ".json" else folder
        media = place.image("image") if inside else picture(beside, row["img_name"], "imgs")
        yield Sample(str(row["qid"]), NAME, row["question"], answer, (media,), place.source)


def english_only(text: str, answer: Answer) -> Score:
    """LLaVA-Med's rule for the English rows; the others have no value."""
    return Score(None) if answer["groups"].get("language") == "zh" else llava_med.score(text, answer)


def lmms_eval(text: str, answer: Answer) -> Score:
    """1 when the whole response equals the gold after lmms-eval's normalisation.

    >>> lmms_eval("X-Ray (chest).", {"answer": "Xray"}).value, lmms_eval("有", {"answer": "是"}).value
    (1.0, 1.0)
    """
    said = normalised(text)
    return right_or_wrong(said == normalised(gold_text(answer)), said) if said else failed("no_answer")


def normalised(text: str) -> str:
    """Lower case without notes in brackets; marks are blanks; words for yes and for no in two languages are one.

    >>> normalised(" Lung, (left) "), normalised("没有。"), normalised("X-ray")
    ('lung', 'no', 'xray')
    """
    plain = " ".join(_without_notes(fold_full_width(text).lower()).translate(_MARKS).split())
    if plain in ("x ray", "xray"):
        return "xray"
    return "yes" if plain in SAID_YES else "no" if plain in SAID_NO else plain


def _without_notes(text: str) -> str:
    """The text with a blank for each bracket and what follows it up to the next closing one."""
    kept, position = [], 0
    while (start := text.find("(", position)) >= 0 and (end := text.find(")", start)) >= 0:
        kept.append(text[position:start])
        position = end + 1
    return " ".join([*kept, text[position:]])


def lmms_prompt(sample: Sample, mode: str, space: str) -> str:
    """The question, and the request for a brief answer in its language."""
    asked = ASKS_BRIEFLY.get(sample.answer["groups"].get("language", "en"), ASKS_BRIEFLY["en"])
    return f"{PROMPT_MODES[mode]}{sample.question.strip()}\n{asked}"


def lmms_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`slake_accuracy`, and the same for each answer type, modality and content type."""
    groups = ("answer_type", "modality", "content_type")
    parts = {
        f"slake_{label.lower().replace('-', '')}_accuracy": rows.mean()
        for group in groups
        for label, rows in table.by(group).items()
    }
    return {"slake_accuracy": table.mean(), **parts, **break_down(table, "accuracy")}


BENCHMARK = Benchmark(
    name=NAME,
    title="SLAKE",
    sizes={"test": 2094},
    licence="CC BY 4.0",
    layout=(
        "[Slake1.0/]test.json + imgs/ or imgs.zip (BoKelvin/SLAKE)",
        "[data/]test-*.parquet of the same columns, with image or with imgs/ beside it",
    ),
    load=load,
    hub=("BoKelvin/SLAKE",),
    protocols=(
        Protocol("strict", by_kind, task_prompt("medical"), "score"),
        replace(llava_med.protocol(), score=english_only),
        Protocol(
            "lmms-eval",
            lmms_eval,
            lmms_prompt,
            "slake_accuracy",
            lmms_metrics,
            oracle="lmms_eval 0.7.3 tasks/slake/utils.py slake_process_results, executed",
            differences=(
                "A response without a word is wrong even where the gold's words are all in brackets.",
                "Full-width letters are letters.",
            ),
            generation={"max_completion_length": 32},
        ),
        medevalkit.question_protocol(
            "A closed gold `Yes` or `No` is read by the rule for yes and no; there only its lower-case spelling is, "
            "and `Yes, it is` is wrong where `Yes` is asked."
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-7B", "67.2 (judge)", "Lingshu, arXiv 2506.07044"),
        Reference("Lingshu-7B", "83.1 (judge)", "Lingshu, arXiv 2506.07044"),
        Reference("MedVLM-R1-2B", "56.0 (judge)", "Lingshu, arXiv 2506.07044"),
    ),
    pitfalls=(
        "Of 416 closed English questions 61 are not yes or no but organs or sequences.",
        "MedEvalKit mixes English and Chinese; LLaVA-Med and most papers report the 1,061 English rows.",
    ),
)
