"""The eleven classification sets of CLS-RL ("Think or Not Think", arXiv 2503.16188), with a closed list in each question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down, own_prompt, task_prompt
from vlrl.data.layout import find_files
from vlrl.data.tables import read_rows
from vlrl.metrics.mean import mean_of_means
from vlrl.metrics.score_table import ScoreTable
from vlrl.parsing.class_name import class_name
from vlrl.parsing.tags import first_answer
from vlrl.rewards.classification import exact, mention
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import gold_text
from vlrl.types import Answer, Media, Sample, Score

NAME = "cls-rl"
SIZES = {"Imagenet": 50000, "Caltech101": 2465, "OxfordPets": 3669, "StanfordCars": 8041, "OxfordFlowers": 2463, "Food101": 30300,
         "FGVCAircraft": 3333, "SUN397": 19850, "DescribableTextures": 1692, "EuroSAT": 8100, "UCF101": 3783}  # fmt: skip
FOLDERS = {
    "Caltech101": "caltech-101", "Imagenet": "imagenet/val", "DescribableTextures": "dtd/images", "EuroSAT": "2750",
    "Food101": "food-101/images", "FGVCAircraft": "fgvc-aircraft-2013b/data", "OxfordFlowers": "jpg",
    "OxfordPets": "oxfordpets/images", "StanfordCars": "cars_test", "SUN397": "SUN397", "UCF101": "UCF-101-midframes",
}  # fmt: skip
"""Where each set's pictures are, below `<set>Dataset/`."""
FLAT = ("Imagenet", "SUN397")
"""Sets whose pictures lie in one folder, whatever path the row names."""
SUFFIX = "_fewshot_test.jsonl"

_LIST = re.compile(r"Please choose one from list \[(.*)\]", re.DOTALL)


def load(folder: Path) -> Iterator[Sample]:
    """The test rows of every set that is there, sets by name; a doc_id is `<set>:<line in its file>`, from 0 on."""
    for path in find_files(folder, f"*{SUFFIX}", f"datasets_fewshot/*{SUFFIX}", f"src/eval/prompts/datasets_fewshot/*{SUFFIX}"):
        name = path.name.removesuffix(SUFFIX)
        for number, row in enumerate(read_rows(path, ("image", "label", "problem", "split"))):
            if row["split"] in ("test", "valid"):
                media = Media("image", str(_picture(folder, name, row["image"])))
                yield Sample(f"{name}:{number}", NAME, row["problem"], _gold(row, name), (media,), f"{path}:{number}")


def _picture(folder: Path, name: str, image: str) -> Path:
    return folder / f"{name}Dataset" / FOLDERS.get(name, "") / (Path(image).name if name in FLAT else image)


def _gold(row: Mapping[str, Any], name: str) -> Answer:
    """The class, and the classes that the question lists."""
    answer: Answer = {"answer": row["label"], "groups": {"split": name}}
    listed = _LIST.search(row["problem"])
    if listed:
        classes = [part.strip() for part in listed[1].split(", ") if class_name(part)]
        answer["choices"] = classes if class_name(row["label"]) in map(class_name, classes) else [*classes, row["label"]]
    return answer


def strict(text: str, answer: Answer) -> Score:
    """1 when the answer is the class, or mentions it and no other class of the question's list.

    >>> gold = {"answer": "bull_terrier", "choices": ["bull_terrier", "pug"]}
    >>> strict("It is a bull terrier.", gold).value, strict("pug or bull terrier", gold).failure
    (1.0, 'many_classes')
    """
    score = exact(text, answer)
    return score if score.correct or score.failure or "choices" not in answer else mention(text, answer)


def published(text: str, answer: Answer) -> Score:
    """1 when the inside of the first answer tag, else the whole response, contains the class; case and underscores apart.

    >>> published("<answer>a bull terrier</answer>", {"answer": "bull_terrier"}).value
    1.0
    """
    said = (first_answer(text) or text.strip()).lower()
    gold = gold_text(answer).lower()
    return right_or_wrong(gold in said or gold.replace("_", " ") in said, said) if said else failed("no_answer")


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Accuracy over all rows and by set, and the plain mean of the sets, which is what is published."""
    sets = [rows.mean() for rows in table.by("split").values()]
    return {"mean_of_sets": mean_of_means(sets), **break_down(table, "accuracy")}


BENCHMARK = Benchmark(
    name=NAME,
    title="CLS-RL classification (11 sets)",
    sizes=SIZES,
    licence="those of the eleven sets",
    layout=(
        f"[src/eval/prompts/][datasets_fewshot/]<Set>{SUFFIX}: image, label, problem, split + <Set>Dataset/ (minglllli/CLS-RL)",
    ),
    load=load,
    protocols=(
        Protocol("strict", strict, task_prompt("classification"), "mean_of_sets", metrics),
        Protocol(
            "cls-rl",
            published,
            own_prompt(
                "{question} First output the thinking process in <think> </think> and final answer in <answer> </answer> tags."
            ),
            "mean_of_sets",
            metrics,
            oracle="minglllli/CLS-RL 0dc42e0 src/eval/test_qwen2vl_fewshot.py, executed",
            generation={"max_completion_length": 1024},
        ),
    ),
    references=(
        Reference("Qwen2-VL-2B", "62.2", "arXiv 2503.16188"),
        Reference("Qwen2-VL-2B, think", "81.3", "arXiv 2503.16188"),
        Reference("Qwen2-VL-2B, no think", "84.4", "arXiv 2503.16188"),
    ),
    pitfalls=(
        "Containment is the published rule: a list of all classes is right, and so is a class that holds the gold's name.",
        "The list of classes in each question is drawn at random; another draw is another benchmark.",
    ),
)
