"""`(text, answer) -> Score`: one file per family, holding `REWARDS`.

The folder is the registry: `REWARDS["click"]` of `rewards/gui.py` is the reward `gui.click`. A reward of your own is a dotted
path, `my_pkg.rewards:fn`. Nothing in here imports torch.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from vlrl.types import Answer, Score, UserError


@dataclass(frozen=True, slots=True)
class Example:
    """A gold answer, and a completion that earns the reward's `high` for it: for tests, `vlrl show` and the documentation."""

    text: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Reward:
    """A pure function of a completion's text and its gold answer, with what it promises.

    | field | meaning |
    |---|---|
    | `fn` | `(text, answer) -> Score`; it never raises for any text, and raises ValueError for a malformed gold answer |
    | `low`, `high` | every value lies between them; a wrong or unreadable completion gets `low` |
    | `failures` | the codes that `Score.failure` can hold |
    | `needs` | the keys that the answer must hold |
    | `example` | a perfect completion and its answer; every built-in reward has one |
    """

    fn: Callable[[str, Answer], Score]
    low: float = 0.0
    high: float = 1.0
    failures: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    example: Example | None = None

    def __call__(self, text: str, answer: Answer) -> Score:
        return self.fn(text, answer)


@cache
def _families() -> tuple[str, ...]:
    return tuple(module.name for module in pkgutil.iter_modules(__path__))


@cache
def _family(module: str) -> dict[str, Reward]:
    found = getattr(importlib.import_module(f"{__name__}.{module}"), "REWARDS", {})
    return {f"{module}.{name}": reward for name, reward in found.items()}


def names() -> list[str]:
    """The built-in rewards.

    >>> "gui.click" in names()
    True
    """
    return sorted(name for module in _families() for name in _family(module))


def load(name: str) -> Reward:
    """The reward of that name, or of a dotted path `package.module:fn`.

    A path leads to a `Reward`, or to a plain function `(text, answer) -> Score` with values in 0..1.
    Raises UserError, with the nearest valid name, when there is none.

    >>> load("gui.click")("[5, 5]", {"box": [0, 0, 10, 10]}).value
    1.0
    """
    if ":" in name:
        found = import_object(name)
        if not callable(found):
            raise UserError(f"reward {name!r} is not a function but {type(found).__name__}")
        return found if isinstance(found, Reward) else Reward(found)
    family = name.partition(".")[0]
    if family not in _families() or name not in _family(family):
        raise unknown_name("reward", name, names())
    return _family(family)[name]


def import_object(path: str) -> Any:
    """What a dotted path `package.module:name` leads to.

    Raises UserError when the module cannot be imported or lacks the name.
    """
    module_name, _, attribute = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (ImportError, TypeError, ValueError) as error:
        raise UserError(f"cannot import {module_name!r}, of {path!r}: {error}") from error
    if not hasattr(module, attribute):
        raise unknown_name(f"name in {module_name}", attribute, vars(module))
    return getattr(module, attribute)


def unknown_name(kind: str, name: str, valid: Iterable[str]) -> UserError:
    """The error for a name that is none of the valid ones.

    >>> print(unknown_name("reward", "gui.clik", ["format.prompted", "gui.click"]))
    unknown reward 'gui.clik'; did you mean 'gui.click'?
    """
    nearest = difflib.get_close_matches(name, list(valid), n=1, cutoff=0.0)
    return UserError(f"unknown {kind} {name!r}" + "".join(f"; did you mean {other!r}?" for other in nearest))
