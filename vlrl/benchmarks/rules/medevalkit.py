"""MedEvalKit's rules without its judge: multiple choice, yes or no, closed and open answers.

alibaba-damo-academy/MedEvalKit at 9b12e3b, `utils/utils.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from vlrl.benchmarks import Metric, Protocol
from vlrl.metrics.score_table import ScoreTable
from vlrl.metrics.sequence_ratio import sequence_ratio
from vlrl.metrics.text_match import bleu1, token_scores
from vlrl.parsing.bare import BOXED
from vlrl.parsing.choice import parse_choices
from vlrl.parsing.tags import answer_text, with_answer_end
from vlrl.parsing.words import fold_full_width
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import gold_choices, gold_kind, gold_letter, gold_text
from vlrl.tasks import PROMPT_MODES
from vlrl.types import Answer, Sample, Score

ORACLE = "alibaba-damo-academy/MedEvalKit 9b12e3b utils/utils.py, executed with use_llm_judge False"
LEADS = (
    "**answer**:",
    "**answer**",
    "*answer*:",
    "**answer:**",
    "answer is",
    "answer:",
    "答案:",
    "final answer",
    "final answer is",
)
"""What stands before the last of each, the kit drops."""
MAX_ANSWER = 4_000
"""Characters; a longer text is like none of the options."""

_YES_NO = re.compile(r"\b(yes|no)\b")


def between_tags(text: str) -> str:
    """The insides of all closed answer tags, joined by blanks; the text itself where there is none.

    >>> between_tags("<think>A?</think><answer>B</answer>"), between_tags("B")
    ('B', 'B')
    """
    insides = [part.partition("</answer>")[0] for part in text.split("<answer>")[1:] if "</answer>" in part]
    return " ".join(insides).strip() or text


def boxed_content(text: str) -> str | None:
    r"""The inside of the last `\boxed{}`; None where there is none, or it does not close.

    >>> boxed_content(r"so \boxed{\text{left}}"), boxed_content("left")
    ('\\text{left}', None)
    """
    _, found, rest = text.rpartition(BOXED)
    depth = 0
    for index, char in enumerate(rest if found else ""):
        depth += (char == "{") - (char == "}")
        if depth < 0:
            return rest[:index].strip()
    return None


def parse_response(text: str) -> str:
    r"""What the kit takes for the answer, in lower case: a box, or the inside of answer tags, behind the last lead.

    A text with "boxed" but no box reads as "none".

    >>> parse_response(r"\boxed{CT}"), parse_response("**Answer**: B"), parse_response("The answer is left")
    ('ct', ' b', ' left')
    """
    response = text.lower()
    if "boxed" in response:
        response = boxed_content(response) or "none"
    elif "<answer>" in response:
        response = between_tags(response)
    for lead in LEADS:
        response = response.rpartition(lead)[2]
    return response


def multiple_choice(text: str, answer: Answer) -> Score:
    """1 when the letter, the option, or else the most similar option, is the gold's.

    `choices` are the options as the kit lists them, label and all. An option that is only the most similar one counts when
    the response names it (`vlrl.parsing.choice`): an empty response, or a refusal, picks nothing.

    >>> gold = {"answer": "A", "choices": [" A:A heart", " B:A kidney"]}
    >>> multiple_choice("a", gold).value, multiple_choice("The heart.", gold).value, multiple_choice("", gold).value
    (1.0, 1.0, 0.0)
    """
    options = [str(option).lower() for option in answer["choices"]]
    letter = gold_letter(answer, gold_choices(answer)).lower()
    letters = [chr(ord("a") + index) for index in range(len(options))]
    response = parse_response(_paragraph(text.lower(), letters)).strip().replace("\n", "")
    said = response.partition(".")[0].rpartition(":")[2]
    if said in letters:
        return right_or_wrong(said == letter, said.upper())
    if said in options:
        return right_or_wrong(options.index(said) == letters.index(letter), said)
    named = _named(text, answer)
    if not named or len(response) > MAX_ANSWER:
        return failed("no_choice" if len(response) <= MAX_ANSWER else "too_long")
    nearest = max(letters, key=lambda one: sequence_ratio(options[letters.index(one)], response))
    return right_or_wrong(nearest == letter and letter.upper() in named, nearest.upper())


def _paragraph(response: str, letters: list[str]) -> str:
    """The first or the last paragraph where it is a letter, else all."""
    paragraphs = response.split("\n\n")
    last = paragraphs[-1].partition(".")[0]
    return paragraphs[0] if paragraphs[0] in letters else last if last in letters else response


def _named(text: str, answer: Answer) -> list[str]:
    body = answer_text(with_answer_end(text))
    return parse_choices(fold_full_width(body), gold_choices(answer)) if body and len(body) <= MAX_ANSWER else []


def question_answer(text: str, answer: Answer) -> Score:
    """A closed or an open question, by the row's `kind`."""
    return {"closed": closed, "open": open_answer}[gold_kind(answer, ("closed", "open"))](text, answer)


def closed(text: str, answer: Answer) -> Score:
    """1 when the one word of yes and no that is said is the gold's; for other golds, when the answer is the gold.

    >>> closed("There is no free air.", {"answer": "no"}).value, closed("Not seen.", {"answer": "no"}).value
    (1.0, 0.0)
    >>> closed("Lung.", {"answer": "Lung"}).value
    1.0
    """
    gold, response = _plain(gold_text(answer).lower()), parse_response(_unwrapped(text))
    if gold not in ("yes", "no"):
        said = _plain(response.replace("\n", "").replace(".", ""))
        return right_or_wrong(said == gold, said) if said else failed("no_answer")
    words = set(_YES_NO.findall(response))
    return right_or_wrong(words == {gold}, min(words)) if len(words) == 1 else failed("no_yes_no")


def open_answer(text: str, answer: Answer) -> Score:
    """1 when the answer is the gold, case, blanks around and a final stop apart.

    `em`, BLEU-1, and precision, recall and F1 over the sets of words are in `parts`.

    >>> open_answer("CT.", {"answer": "ct"}).value, open_answer("on the left", {"answer": "left"}).parts["recall"]
    (1.0, 1.0)
    """
    gold, said = gold_text(answer).lower().strip(), _plain(parse_response(_unwrapped(text)))
    if not said:
        return failed("no_answer")
    scores = token_scores(sorted(set(said.split())), sorted(set(gold.split())))
    right = said == _plain(gold)
    parts = {"em": float(right), "bleu1": bleu1(_bleu_words(said), _bleu_words(gold)), **scores._asdict()}
    return Score(float(right), parts, correct=right, extracted=said)


def _unwrapped(text: str) -> str:
    boxed = boxed_content(text)
    return (between_tags(text) if boxed is None else boxed).lower().strip()


def _plain(text: str) -> str:
    """Without blanks around and without a final stop."""
    return text.strip().rstrip(".。").strip()


def _bleu_words(text: str) -> list[str]:
    return text.lower().replace(".", " .").split(" ")


def question_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Accuracy over all rows, open and closed ones; of the open ones also the word measures."""
    kinds = table.by("answer_type")
    metrics: dict[str, Metric] = {"total metrics/acc": table.mean()}
    if "OPEN" in kinds:
        opened = kinds["OPEN"]
        metrics |= {"open/acc": opened.mean(), **{f"open/{part}": opened.mean(part) for part in PARTS}}
    if "CLOSED" in kinds:
        metrics["close/acc"] = kinds["CLOSED"].mean()
    return metrics


PARTS = ("em", "bleu1", "precision", "recall", "f1")
DIFFERENCES = (
    "Yes and no are words: `Not seen` and `I cannot tell` do not say no; an answer with both words says neither, as there.",
    "An open answer may end in a full stop and has no blanks around; there `CT.` is wrong where `ct` is asked.",
    "An empty answer to an open question is wrong; there it stops the run.",
    "Precision, recall and F1 have their right names (there they are rotated), and `open/acc` is divided by the rows once.",
    "BLEU-2 to 4 and ROUGE are left out: on answers of one or two words they are near 0.",
)


def choice_prompt(sample: Sample, mode: str, space: str) -> str:
    """The kit's prompt of a multiple-choice question."""
    options = "\n".join(str(option) for option in sample.answer["choices"])
    asked = f"Question: {sample.question}\nOptions: \n{options}\nAnswer with the option's letter from the given choices directly."
    return PROMPT_MODES[mode] + asked


def question_prompt(sample: Sample, mode: str, space: str) -> str:
    """The kit's prompt of a closed or an open question, in English."""
    yes_no = _plain(gold_text(sample.answer).lower()) in ("yes", "no")
    closed_words = (
        "Please output 'yes' or 'no'(no extra output)." if yes_no else "Answer the question using a single word or phrase."
    )
    asked = closed_words if sample.answer["kind"] == "closed" else "Please answer the question concisely."
    return f"{PROMPT_MODES[mode]}{sample.question}\n{asked}"


def question_protocol(*more: str) -> Protocol:
    """The protocol `medevalkit` for closed and open questions; `more` are the set's own differences."""
    return Protocol(
        "medevalkit",
        question_answer,
        question_prompt,
        "total metrics/acc",
        question_metrics,
        oracle=ORACLE,
        differences=(*DIFFERENCES, *more),
        generation={"max_completion_length": 1024},
    )
