"""DocVQA (arXiv 2007.00398): questions about scanned documents, answered with their words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from vlrl.benchmarks import Benchmark, Protocol, Reference, own_prompt, task_prompt
from vlrl.benchmarks.rules.python_values import python_list
from vlrl.data.errors import RowError
from vlrl.data.layout import LayoutError, find_files
from vlrl.data.tables import numbered_rows, read_json
from vlrl.metrics.text_match import anls as similarity
from vlrl.parsing.words import squeeze
from vlrl.rewards.document import anls
from vlrl.rewards.text_gold import gold_texts
from vlrl.types import Answer, Media, Sample, Score

NAME = "docvqa"
ORIGINAL = ("val_v1.0_withQT.json", "val_v1.0.json")


def load(folder: Path) -> Iterable[Sample]:
    """The validation rows of the authors' file, of the parquet copy, or of VLMEvalKit's TSV."""
    nested = tuple(f"{place}/{name}" for place in ("spdocvqa_qas", "val") for name in ORIGINAL)
    parquet = ("DocVQA/validation-*.parquet", "validation-*.parquet", "data/validation-*.parquet")
    found = find_files(folder, *ORIGINAL, *nested, *parquet, "DocVQA_VAL.tsv")
    if found[0].suffix == ".json":
        return _original(found[0], folder)
    return _parquet(found) if found[0].suffix == ".parquet" else _tsv(found)


def _original(path: Path, folder: Path) -> Iterator[Sample]:
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("data"), list):
        raise LayoutError(f"{path}: has no 'data'; is it DocVQA's question file?")
    for number, row in enumerate(content["data"]):
        picture = path.parent / row["image"]
        media = Media("image", str(picture if picture.exists() else folder / row["image"]))
        source = f"{path}:{number}"
        yield _sample(str(row["questionId"]), row["question"], row.get("answers"), row.get("question_types"), media, source)


def _parquet(paths: list[Path]) -> Iterator[Sample]:
    for place, row in numbered_rows(paths, ("questionId", "question", "answers"), skip=("image",)):
        media = place.image("image")
        yield _sample(str(row["questionId"]), row["question"], row["answers"], row.get("question_types"), media, place.source)


def _tsv(paths: list[Path]) -> Iterator[Sample]:
    for place, row in numbered_rows(paths, ("index", "question", "answer"), skip=("image",)):
        golds = python_list(row["answer"]) or [row["answer"]]
        yield _sample(row["index"], row["question"], golds, None, place.image("image"), place.source)


def _sample(doc_id: str, question: str, golds: list[str] | None, kinds: list[str] | None, media: Media, source: str) -> Sample:
    if not golds:
        raise RowError(source, "answers", "is missing", "use the validation split: the test split's answers are not published")
    answer: Answer = {"answer": [str(gold) for gold in golds]}
    if kinds:
        answer["groups"] = {"question_type": list(kinds)}
    return Sample(doc_id, NAME, question, answer, (media,), source)


def whole_response(text: str, answer: Answer) -> Score:
    """ANLS of the whole response as it stands, tags and all; case and runs of white space do not count.

    >>> whole_response("Annual  Reprt", {"answer": ["annual report"]}).value
    0.9230769230769231
    """
    said = squeeze(text)
    value = max(similarity(said, squeeze(gold)) for gold in gold_texts(answer))
    return Score(value, correct=value == 1, extracted=said)


DIFFERENCES = (
    "Both texts are measured after runs of white space became one blank; there the raw lengths divide, "
    "so that padding an answer with blanks raises its value.",
)
PROMPT = own_prompt("{question}\nAnswer the question using a single word or phrase.")

BENCHMARK = Benchmark(
    name=NAME,
    title="DocVQA",
    sizes={"validation": 5349},
    licence="of the RRC portal: research use",
    layout=(
        "[spdocvqa_qas/]val_v1.0_withQT.json + documents/ (RRC)",
        "[DocVQA/|data/]validation-*.parquet: questionId, question, answers, image (lmms-lab/DocVQA)",
        "DocVQA_VAL.tsv: index, question, answer, image in base64 (VLMEvalKit)",
    ),
    load=load,
    hub=("lmms-lab/DocVQA", "lmms-lab-encoder/DocVQA"),
    protocols=(
        Protocol("strict", anls, task_prompt("document"), "anls"),
        Protocol(
            "official-rrc",
            whole_response,
            PROMPT,
            "anls",
            oracle="the RRC script as QwenLM/Qwen-VL eval_mm/infographicsvqa_eval.py carries it; ms-vlmeval 0.0.20 process_line",
            differences=DIFFERENCES,
        ),
        Protocol(
            "lmms-eval",
            whole_response,
            PROMPT,
            "anls",
            oracle="lmms_eval 0.7.3 api/metrics.py anls, executed",
            differences=DIFFERENCES,
            generation={"max_completion_length": 32},
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-3B", "93.9 (test)", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-7B", "95.7 (test)", "arXiv 2502.13923"),
        Reference("Qwen3-VL-8B", "96.1 (test)", "arXiv 2511.21631"),
    ),
    pitfalls=(
        "The test split's answers are not published; vendors report the test server, this is the validation split.",
        "A similarity of exactly 0.5 is kept by every script; the paper's formula gives 0.",
    ),
)
