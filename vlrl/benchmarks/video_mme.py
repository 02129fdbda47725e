"""Video-MME (arXiv 2405.21075): multiple choice about 900 videos of eleven seconds to one hour."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down
from vlrl.benchmarks.rules.choices import choice_prompt
from vlrl.benchmarks.rules.letters import DIFFERENCES, free_letters, letter_score
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows, read_json
from vlrl.metrics.score_table import ScoreTable
from vlrl.rewards.text_gold import gold_choices
from vlrl.rewards.vqa import choice
from vlrl.tasks import PROMPT_MODES
from vlrl.types import Answer, Media, Sample, Score

NAME = "video-mme"
COLUMNS = ("duration", "domain", "sub_category", "videoID", "question_id", "task_type", "question", "options", "answer")
SUFFIXES = (".mp4", ".MP4", ".mkv")


def load(folder: Path) -> Iterable[Sample]:
    """The rows of the parquet copy, or of the authors' JSON by video; a doc_id is `question_id`."""
    found = find_files(
        folder, "videomme/test-*.parquet", "test-*.parquet", "data/test-*.parquet", "Video-MME.json", "videomme.json"
    )
    rows = _parquet(found) if found[0].suffix == ".parquet" else _nested(found[0])
    return (_sample(row, folder, source) for source, row in rows)


def _parquet(paths: list[Path]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for place, row in numbered_rows(paths, COLUMNS):
        yield place.source, row


def _nested(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Objects with `video_id`, `duration`, `domain`, `sub_category` and a list `questions` (the form of the authors' script)."""
    for index, video in enumerate(read_json(path)):
        for question in video["questions"]:
            about = {name: value for name, value in video.items() if name != "questions"}
            yield f"{path}:{index}", {"videoID": video["video_id"], **about, **question}


def _sample(row: Mapping[str, Any], folder: Path, source: str) -> Sample:
    groups = {name: row[name] for name in ("duration", "domain", "sub_category", "task_type")}
    answer: Answer = {"answer": row["answer"], "choices": list(row["options"]), "groups": groups, "cluster": row["videoID"]}
    return Sample(str(row["question_id"]), NAME, row["question"], answer, (_video(folder, row["videoID"]),), source)


def _video(folder: Path, name: str) -> Media:
    """The file of a video where it is; the first possible place where it is missing."""
    places = [folder / below / f"{name}{suffix}" for below in ("data", "videos", "video") for suffix in SUFFIXES]
    return Media("video", str(next((path for path in places if path.exists()), places[0])))


# ---- lmms-eval's reading -------------------------------------------------------------------------------------------------

PHRASES = (
    *("the answer is", "answer is", "the correct answer is", "correct answer is", "the best answer is", "best answer is"),
    *("the correct option is", "correct option is", "the best option is", "best option is", "the choice is", "choice is"),
    *("the correct choice is", "correct choice is", "i choose", "i select", "i pick", "my answer is", "my choice is"),
    *("\uc635\uc158", "\uc815\ub2f5\uc740", "\ub2f5\uc740", "\ub2f5:", "\u7b54\u6848\u662f", "\u7b54\u6848\u4e3a", "\u9009"),
    "\u7b54\u3048\u306f",
)
EDGE = ",.!?;:'\""
FORMS = ("({})", "{}.", "{}:", "{})", "{} ", "{}")
"""After the start, the end and the phrases, in falling order of trust; in each the last one in the text counts."""


def read_letter(body: str, letters: str) -> str | None:
    """The letter that `extract_mcq_answer` of lmms-eval finds, if it stands alone somewhere in the answer.

    Trusted most is a letter at the start, then one at the end, then one after a phrase such as "the answer is", then `(A)`,
    `A.`, `A:`, `A)`, `A `, and any capital at last.

    >>> read_letter("(A) no, (B) no, so (C)", "ABCD"), read_letter("Maybe B or C", "ABCD"), read_letter("NOT BAD", "ABCD")
    ('C', 'C', None)
    """
    found = _most_trusted(body, letters)
    return found if found and found in free_letters(body, letters) else None


def _most_trusted(body: str, letters: str) -> str | None:
    said = body.strip()
    for mark in EDGE:
        said = said.strip(mark)
    text = said.strip()
    if text[:1] and text[0] in letters and not text[1:2].isalpha():
        return text[0]
    if text[-1:] and text[-1] in letters and not text[-2:-1].isalpha():
        return text[-1]
    padded = f" {said} "
    places = [_after_phrases(padded, letters), *({x: padded.rfind(form.format(x)) for x in letters} for form in FORMS)]
    for at in places:
        best = max(at, key=lambda letter: at[letter], default=None)
        if best and at[best] >= 0:
            return best
    return None


def _after_phrases(text: str, letters: str) -> dict[str, int]:
    """The last place of each letter that comes next after the first of each phrase; -1 where none does."""
    lowered = text.lower()
    starts = [at + len(phrase) for phrase in PHRASES if (at := lowered.find(phrase)) >= 0]
    return {letter: max((text.find(letter, start) for start in starts), default=-1) for letter in letters}


_REASON = re.compile(r"\W*([A-D])\W+(?:because|since|as)\b")


def lmms_eval(text: str, answer: Answer) -> Score:
    """1 when lmms-eval's most trusted letter is the right one; see `letter_score` for what else names an option.

    >>> lmms_eval("The best answer is: (B)", {"answer": "B", "choices": ["A. yes", "B. no"]}).value
    1.0
    """
    return letter_score(text, answer, _read)


def _read(body: str, letters: str) -> str | None:
    reasoned = _REASON.match(body)
    return reasoned[1] if reasoned and reasoned[1] in letters else read_letter(body, letters)


def lmms_prompt(sample: Sample, mode: str, space: str) -> str:
    """The harness's prompt without subtitles; options as they stand in the file."""
    options = "\n".join(f"{letter}. {text}" for letter, text in (gold_choices(sample.answer) or {}).items())
    ask = "Select the best answer to the following multiple-choice question based on the video and the subtitles."
    form = "Respond with only the letter (A, B, C, or D) of the correct option."
    end = "Answer with the option's letter from the given choices directly."
    return f"{PROMPT_MODES[mode]}{ask} {form}\n{sample.question}\n{options}\n\n{end}"


def lmms_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Accuracy over all rows and by length of the video, in percent."""
    by_duration = {duration: rows.mean().percent() for duration, rows in table.by("duration").items()}
    return {"videomme_perception_score": table.mean().percent(), **by_duration}


def strict_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Accuracy overall, by length of the video, domain, sub-category and type of task."""
    return break_down(table, "accuracy")


BENCHMARK = Benchmark(
    name=NAME,
    title="Video-MME",
    sizes={"test": 2700},
    licence="academic research only; videos belong to their owners",
    layout=(
        "[videomme/|data/]test-*.parquet: question_id, videoID, duration, domain, sub_category, task_type, question, options, "
        "answer + data/<videoID>.mp4 (lmms-lab/Video-MME)",
        "Video-MME.json: videos with their `questions`, as in the authors' result file + data/<videoID>.mp4",
    ),
    load=load,
    hub=("lmms-lab/Video-MME", "lmms-eval/Video-MME"),
    protocols=(
        Protocol("strict", choice, choice_prompt("vqa"), "accuracy", strict_metrics),
        Protocol(
            "lmms-eval",
            lmms_eval,
            lmms_prompt,
            "videomme_perception_score",
            lmms_metrics,
            oracle="lmms_eval 0.7.3 tasks/videomme/utils.py videomme_process_results (tasks/_task_utils/mcq_extract.py)",
            differences=(
                *DIFFERENCES,
                "A small letter alone is a letter, and a letter that leads a reason (`C because`, `C since`) is the answer.",
            ),
            generation={"max_completion_length": 16},
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-3B", "61.5 without, 67.6 with subtitles", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-7B", "65.1 without, 71.6 with subtitles", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-72B", "73.3 without, 79.1 with subtitles", "arXiv 2502.13923"),
    ),
    pitfalls=(
        "Scores with and without subtitles are two benchmarks; here they are never shown, though the prompt names them.",
        "The number of frames moves the result: lmms-eval with 768 frames gets 62.9 for Qwen2.5-VL-7B (QwenLM/Qwen3-VL#1029).",
    ),
)
