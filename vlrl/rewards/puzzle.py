"""Jigsaws and spatial relations: the rewards of Jigsaw-R1 (arXiv 2505.23590), and what keeps them honest."""

from __future__ import annotations

from vlrl.metrics.jigsaw import share_adjacent, share_in_place
from vlrl.parsing.puzzle import last_letter, last_whole_number, parse_order, relations
from vlrl.parsing.tags import answer_text, is_answer_only, is_think_answer
from vlrl.rewards import Example, Reward
from vlrl.types import Answer, Score


def patches(text: str, answer: Answer) -> Score:
    """The share of places that hold the right patch of `answer["order"]`; correct when all do.

    The answer is whole numbers from 1 to the number of places, parted by blanks, line ends, commas, semicolons or backticks; one
    other character, and it earns nothing. A number may come twice. Source: Jigsaw-R1 (arXiv 2505.23590), `utils/reward.py`
    at 781ebd4. Range 0..1. Failures: `no_answer` (no closed answer), `no_order` (something else than such numbers, or too few
    or too many). Raises ValueError when `order` is no permutation of 1 to n.

    >>> patches("3 1 4 2", {"order": [3, 1, 2, 4]}).value, patches("3 1 3 4", {"order": [3, 1, 2, 4]}).value
    (0.5, 0.75)
    """
    gold = _gold_order(answer)
    order, failure = _order(text, len(gold))
    return _share(share_in_place(order, gold), order) if order else _failed(failure)


def order(text: str, answer: Answer) -> Score:
    """`puzzle.patches`, for answers that use every patch once: a patch named twice, to hedge, earns nothing.

    Source: Jigsaw-R1 (arXiv 2505.23590), where the answer need be no permutation. Range 0..1. Failures: `no_answer`, `no_order`,
    `repeated_patch`. Raises ValueError when `order` is no permutation of 1 to n.

    >>> order("3 1 4 2", {"order": [3, 1, 2, 4]}).value, order("3 1 3 4", {"order": [3, 1, 2, 4]}).failure
    (0.5, 'repeated_patch')
    """
    score = patches(text, answer)
    if score.extracted and len(set(score.extracted)) < len(score.extracted):
        return Score(0.0, correct=False, extracted=score.extracted, failure="repeated_patch")
    return score


def adjacency(text: str, answer: Answer) -> Score:
    """The share of inner edges of the answered picture whose two patches meet at the same edge in `answer["order"]`.

    A picture of `answer["grid"]` = [rows, columns] has 2 * rows * columns - rows - columns inner edges. Correct when all
    places are right. Read as in `puzzle.patches`. Source: Jigsaw-R1 (arXiv 2505.23590), the "connections" of `utils/reward.py`
    at 781ebd4, for orders that list the patch at each place. Range 0..1. Failures: `no_answer`, `no_order`. Raises ValueError
    when `order` is no permutation of 1 to n, or `grid` not two numbers whose product is n, above 1.

    >>> gold = {"order": [1, 2, 3, 4], "grid": [2, 2]}
    >>> adjacency("2 1 4 3", gold).value, adjacency("4 3 2 1", gold).value
    (0.5, 0.0)
    """
    gold = _gold_order(answer)
    rows, columns = _grid(answer, len(gold))
    found, failure = _order(text, len(gold))
    if not found:
        return _failed(failure)
    return Score(share_adjacent(found, gold, rows, columns), correct=found == gold, extracted=found)


def relation(text: str, answer: Answer) -> Score:
    """1 when the answer's last letter, or last whole number, is `answer["answer"]`; else 0.

    The gold is a letter, for the relation of two patches, or a number, for a place. A letter is a capital that stands alone; only
    the last one counts, so listing earns nothing more. Source: Jigsaw-R1 (arXiv 2505.23590), `utils/reward.py` at 781ebd4,
    which takes the first number, and the last capital even inside a word. Range 0..1. Failures: `no_answer` (no closed
    answer), `no_letter`, `no_number`. Raises ValueError when `answer` is neither one letter nor a whole number.

    >>> relation("B because Anna said so", {"answer": "B"}).value, relation("I count 2 and 5, so 7", {"answer": 7}).value
    (1.0, 1.0)
    """
    gold = _gold_item(answer)
    body = answer_text(text)
    if body is None:
        return _failed("no_answer")
    found = last_whole_number(body) if isinstance(gold, int) else last_letter(body)
    if found is None:
        return _failed("no_number" if isinstance(gold, int) else "no_letter")
    return Score(float(found == gold), correct=found == gold, extracted=found)


def spatial(text: str, answer: Answer) -> Score:
    """1 when the answer names the spatial relations of `answer["answer"]`, no fewer and no more; else 0.

    Relations are left, right, above, below, front, behind, inside, outside and their like ("on top of", "underneath"); what
    stands right behind a "not" does not count. Naming both sides answers neither. Inspired by the position questions of
    CV-Bench and VSR; they give choices, not a formula for words. Range 0..1. Failures: `no_answer` (no closed answer),
    `no_relation`. Raises ValueError when `answer` names no relation.

    >>> gold = {"answer": "to the left of"}
    >>> [spatial(text, gold).value for text in ("It is left of the cup.", "left or right", "not left")]
    [1.0, 0.0, 0.0]
    """
    gold = relations(answer["answer"]) if isinstance(answer.get("answer"), str) else frozenset()
    if not gold:
        raise ValueError(f"answer 'answer' names a spatial relation, not {answer.get('answer')!r}")
    body = answer_text(text)
    if body is None:
        return _failed("no_answer")
    found = relations(body)
    if not found:
        return _failed("no_relation")
    return Score(float(found == gold), correct=found == gold, extracted=sorted(found))


def form(text: str, answer: Answer) -> Score:
    """1 for an answer in the form that was asked for and of the gold's kind, else 0.

    The kinds: an order of as many patches as `answer["order"]`; a letter or a number like `answer["answer"]`. With `prompt_mode`
    `direct` the answer is an order, or one capital letter or one whole number and nothing else; otherwise think and answer tags
    stand around something that reads as one. Source: the format reward of Jigsaw-R1 (arXiv 2505.23590), `utils/reward.py` at
    781ebd4. Range 0..1. Failures: `bad_format`; `no_answer`, `no_order`, `no_letter`, `no_number`. Raises ValueError when the
    gold holds neither an `order` nor a letter or a number as `answer`.

    >>> form("<think>Two.</think><answer>(B)</answer>", {"answer": "B"}).value
    1.0
    >>> form("The answer is B", {"answer": "B", "prompt_mode": "direct"}).failure
    'bad_format'
    """
    judge = patches if "order" in answer else relation
    direct = answer.get("prompt_mode") == "direct"
    failure = judge(text, answer).failure
    body = text.strip()
    bare = "order" in answer or (body.isascii() and (body.isdecimal() or (len(body) == 1 and body.isupper())))
    if not (is_answer_only(text) and bare if direct else is_think_answer(text)):
        return Score(0.0, failure="bad_format")
    return Score(0.0, failure=failure) if failure else Score(1.0)


def _gold_order(answer: Answer) -> list[int]:
    gold = answer.get("order")
    if not isinstance(gold, list) or not gold or any(type(patch) is not int for patch in gold):
        raise ValueError(f"answer 'order' is a list of patch numbers, not {gold!r}")
    if sorted(gold) != list(range(1, len(gold) + 1)):
        raise ValueError(f"answer 'order' holds every number from 1 to {len(gold)} once, not {gold!r}")
    return gold


def _grid(answer: Answer, places: int) -> tuple[int, int]:
    grid = answer.get("grid")
    if not isinstance(grid, list) or len(grid) != 2 or any(type(side) is not int for side in grid):
        raise ValueError(f"answer 'grid' is two whole numbers [rows, columns], not {grid!r}")
    if min(grid) < 1 or grid[0] * grid[1] != places or places < 2:
        raise ValueError(f"answer 'grid' {grid} does not hold the {places} patches of 'order'")
    return grid[0], grid[1]


def _gold_item(answer: Answer) -> str | int:
    gold = answer.get("answer")
    if type(gold) is int:
        return gold
    if isinstance(gold, str) and gold.strip().isascii():
        if gold.strip().isdecimal():
            return int(gold)
        if len(gold.strip()) == 1 and gold.strip().isalpha():
            return gold.strip().upper()
    raise ValueError(f"answer 'answer' is one letter or a whole number, not {gold!r}")


def _order(text: str, places: int) -> tuple[list[int] | None, str]:
    """The answered order, or None and why there is none."""
    body = answer_text(text)
    found = parse_order(body) if body else None
    if found and len(found) == places and min(found) >= 1 and max(found) <= places:
        return found, ""
    return None, "no_order" if body else "no_answer"


def _share(value: float, found: list[int]) -> Score:
    return Score(value, correct=value == 1, extracted=found)


def _failed(code: str) -> Score:
    return Score(0.0, correct=False, failure=code)


ORDER = {"order": [3, 1, 2, 4]}
ORDER_FAILURES = ("no_answer", "no_order")

REWARDS = {
    "patches": Reward(patches, failures=ORDER_FAILURES, needs=("order",), example=Example("3 1 2 4", ORDER)),
    "order": Reward(order, failures=(*ORDER_FAILURES, "repeated_patch"), needs=("order",), example=Example("3 1 2 4", ORDER)),
    "adjacency": Reward(
        adjacency, failures=ORDER_FAILURES, needs=("order", "grid"), example=Example("3 1 2 4", {**ORDER, "grid": [2, 2]})
    ),
    "relation": Reward(
        relation, failures=("no_answer", "no_letter", "no_number"), needs=("answer",), example=Example("(B)", {"answer": "B"})
    ),
    "spatial": Reward(
        spatial, failures=("no_answer", "no_relation"), needs=("answer",), example=Example("to the left", {"answer": "left"})
    ),
    "form": Reward(
        form,
        failures=("bad_format", "no_answer", "no_order", "no_letter", "no_number"),
        needs=("answer",),
        example=Example("<think>By the sky.</think><answer>(B)</answer>", {"answer": "B"}),
    ),
}
