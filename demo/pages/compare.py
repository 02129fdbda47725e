"""The Compare page: the same prompt twice, two evaluations with the rows that flipped, or a run scored again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from demo import families
from demo.cards import card, compact, reward_words, text_parts
from demo.drawing import colours
from demo.forms import hidden, select
from demo.index.read import GroupRow, PromptRow
from demo.pages import Page, chosen_run
from demo.pages.rescored import ACTIONS, rescore_form
from demo.paired import CHANGES, Change, Pair, Summary, pairs_of, summary
from demo.runs import Run, Runs
from demo.text import notice, number, plural, safe, short, table
from demo.view import View
from vlrl.report.look import best_first, largest_advantage
from vlrl.types import Score

LISTED = 200
MOST_CARDS = 16
TILES = 24
TILE_WIDTH = 250


def render(runs: Runs, view: View) -> str:
    """The choice of what to compare, and the comparison."""
    what = view.choice("what", WHAT)
    bare = View({"run": view.values["run"]} if "run" in view.values else {}).change(view="compare")
    chips = "".join(
        f'<a class="chip" aria-pressed="{str(name == what).lower()}" {bare.href(what=name)}>{words}</a>'
        for name, (words, _) in WHAT.items()
    )
    return f'<p class="chips">{chips}</p>{WHAT[what][1](runs, view.change(view="compare", what=what))}'


# two evaluations


def evaluations(runs: Runs) -> dict[str, tuple[Run, int]]:
    """All evaluations of all runs by their name in the address."""
    return {f"{name}|{entry['step']}": (run, entry["step"]) for name, run in runs.items() for entry in run.evals()}


def _evaluations(runs: Runs, view: View) -> str:
    known = evaluations(runs)
    if len(known) < 2:
        return notice("There are no two evaluations.", "Open a second run or evaluation beside it: vlrl inspect runs/a runs/b.")
    words = {name: _eval_words(runs, run, step) for name, (run, step) in known.items()}
    names = list(known)
    chosen = [view.get(name) if view.get(name) in known else names[end] for name, end in (("a", 0), ("b", -1))]
    form = (
        f'<form class="controls">{hidden(view, ("a", "b", "change", "from"))}'
        f"{_side(1)}{select('a', words, chosen[0], 'first evaluation')}"
        f"{_side(2)}{select('b', words, chosen[1], 'second evaluation')}</form>"
    )
    (run, step), (other, other_step) = known[chosen[0]], known[chosen[1]]
    pairs = pairs_of(run.eval_rows(step), other.eval_rows(other_step))
    total = summary(pairs)
    if total is None:
        empty = notice("These evaluations have no scored row in common.", "Choose two evaluations of the same data.")
        return f'<div data-part="choice">{form}</div><div data-part="pairs">{empty}</div>'
    body = f"{_eval_table(pairs)}{_changed(pairs, total, other, view)}"
    return f'<div data-part="choice">{form}</div><div data-part="pairs">{body}</div>'


def _eval_words(runs: Runs, run: Run, step: int) -> str:
    """An evaluation in words; one that `vlrl eval` wrote has no step."""
    return (
        run.name
        if not run.steps() and len(run.evals()) == 1
        else f"{run.name} · step {step}"
        if len(runs) > 1
        else f"step {step}"
    )


def _side(rank: int) -> str:
    return f'<span class="tag" style="{colours(rank)}">{rank}</span>'


def _eval_table(pairs: Sequence[Pair]) -> str:
    tasks = sorted({(pair.sample.task, pair.mode) for pair in pairs})
    rows = []
    for task, mode in tasks:
        found = summary([pair for pair in pairs if (pair.sample.task, pair.mode) == (task, mode)])
        if found is not None:
            rows.append([short(task, 60), safe(mode), f"{found.rows:,}", *_numbers(found)])
    head = ["task", "prompt mode", "rows", _side(1), _side(2), "difference", "95% interval", "lost", "gained"]
    return table(head, rows, "result small sums")


def _numbers(found: Summary) -> list[str]:
    difference, low, high = found.difference
    interval = f"{number(low, signed=True)} to {number(high, signed=True)}"
    flips = [f"{found.changes['lost']:,}", f"{found.changes['gained']:,}"]
    return [number(found.first), number(found.second), f"<b>{number(difference, signed=True)}</b>", interval, *flips]


def _changed(pairs: Sequence[Pair], total: Summary, run: Run, view: View) -> str:
    """The rows of one kind of change, the largest first."""
    known = [name for name in CHANGES if total.changes[name]]
    wanted: Change = next((name for name in CHANGES if name == view.get("change")), known[0])
    chips = "".join(
        f'<a class="chip" aria-pressed="{str(name == wanted).lower()}" {view.href(change=name, **{"from": None})}>'
        f"{CHANGES[name]} ({total.changes[name]:,})</a>"
        for name in CHANGES
    )
    chosen = sorted((pair for pair in pairs if pair.change == wanted), key=lambda pair: -abs(pair.difference))
    start = (view.number("from") or 0) // TILES * TILES
    shown = chosen[start : start + TILES]
    if not shown:
        return f'<p class="chips">{chips}</p>{notice("No row is like that.", "Choose another kind of change.")}'
    links = f'<a class="button" data-key="k" {view.href(**{"from": start - TILES})}>previous rows</a>' if start else ""
    if start + TILES < len(chosen):
        links += f'<a class="button" data-key="j" {view.href(**{"from": start + TILES})}>next rows</a>'
    tiles = "".join(_tile(run, pair) for pair in shown)
    key = f'<span class="note"><span class="dash"></span>gold · {_side(1)} first · {_side(2)} second</span>'
    return f'<div class="controls">{chips}<span class="space"></span>{key}{links}</div><div class="tiles">{tiles}</div>'


def _tile(run: Run, pair: Pair) -> str:
    picture = families.picture(pair.sample, [score.extracted for score in pair.scores], run.roots, TILE_WIDTH)
    sides = "".join(_answer(rank, text, score) for rank, (text, score) in enumerate(zip(pair.texts, pair.scores, strict=True), 1))
    return (
        f'<article class="tile">{picture}<p>{short(pair.sample.question, 300)}</p>{sides}'
        f'<span class="note">{short(pair.sample.task, 40)} · {short(pair.sample.id, 60)}</span></article>'
    )


def _answer(rank: int, text: str, score: Score) -> str:
    failure = f'<span class="badge bad">{short(score.failure, 40)}</span>' if score.failure else ""
    found = f"<code>{safe(compact(score.extracted)[:120])}</code>" if score.extracted is not None else ""
    head = f'{_side(rank)}<b class="value">{reward_words(score)}</b>{failure}{found}'
    return f'<div class="side"><div class="line">{head}</div>{text_parts(text, first=160)}</div>'


# the same prompt twice


def _prompts(runs: Runs, view: View) -> str:
    run = chosen_run(runs, view)
    rows = repeated(runs, run)
    if not rows:
        advice = "It takes a second pass over the data, or a second run beside this one: vlrl inspect runs/a runs/b."
        return notice("No prompt was sampled twice yet.", advice)
    named = (view.get("sample"), view.get("task"))
    current = next((row for row in rows if (row.sample, row.task) == named), None)
    if current is None and named[0]:
        list_alone = f'<div data-part="list">{_prompt_list(rows[:LISTED], None, view)}</div>'
        return (
            f'<div class="beside">{list_alone}{notice("This prompt was sampled only once.", "Choose one from the list.")}</div>'
        )
    current = current or rows[0]
    places = [
        (other, group) for other in _first(run, runs) for group in other.index.groups_of_sample(current.sample, current.task)
    ]
    names = [f"{other.name}|{group.step}|{group.line}" for other, group in places]
    words = {
        name: f"{other.name + ' · ' if len(runs) > 1 else ''}step {group.step} · mean {number(group.mean)}"
        for name, (other, group) in zip(names, places, strict=True)
    }
    chosen = [view.get(name) if view.get(name) in words else names[end] for name, end in (("a", 0), ("b", -1))]
    sides = "".join(
        _occurrence(
            *places[names.index(value)],
            side,
            select(side, words, value, f"{side} of the two"),
            view.change(a=chosen[0], b=chosen[1]),
        )
        for side, value in zip("ab", chosen, strict=True)
    )
    facts = f"{short(current.task, 40)} · {short(current.sample, 80)} · {plural(len(places), 'group')}"
    head = f'<header><h3>{_question(current.question)}</h3><span class="note">{facts}</span></header>'
    return (
        f'<div class="beside"><div data-part="list">{_prompt_list(rows[:LISTED], current, view)}</div>'
        f'<div data-part="two">{head}<div class="compared">{sides}</div></div></div>'
    )


def _question(text: str) -> str:
    return short(text, 300) or "a prompt without a question"


def _first(run: Run, runs: Runs) -> list[Run]:
    return [run, *(other for other in runs.values() if other is not run)]


def repeated(runs: Runs, run: Run) -> list[PromptRow]:
    """The prompts that can be compared, the largest change of the mean first: those that this run sampled twice, and those that
    another run has too, with its last mean.
    """
    rows = {(row.sample, row.task): row for row in run.index.prompts(2 if len(runs) == 1 else 1)}
    for other in _first(run, runs)[1:]:
        for there in other.index.prompts(1):
            key = (there.sample, there.task)
            if key in rows:
                here = rows[key]
                rows[key] = PromptRow(*key, here.question, here.times + there.times, here.first, there.last)
    return sorted((row for row in rows.values() if row.times > 1), key=_change, reverse=True)


def _change(row: PromptRow) -> float:
    return abs(row.last - row.first) if row.first is not None and row.last is not None else -1.0


def _prompt_list(rows: Sequence[PromptRow], current: PromptRow | None, view: View) -> str:
    at = rows.index(current) if current in rows else -1
    keys = {at + 1: "j", at - 1: "k"}
    items = "".join(
        f'<a class="group-link" aria-current="{str(row is current).lower()}" data-key="{keys.get(i, "")}"'
        f" {view.href(sample=row.sample, task=row.task, a=None, b=None)}>"
        f'<span class="task">{safe(row.task)}</span><span class="question">{safe(row.question)}</span>'
        f"<small>{number(row.first)} → <b>{number(row.last)}</b> · {plural(row.times, 'group')}</small></a>"
        for i, row in enumerate(rows)
    )
    return f'<div class="group-list" data-keep-scroll="prompts">{items}</div>'


def _occurrence(run: Run, row: GroupRow, side: str, choice: str, view: View) -> str:
    """One of the two: its choice, its media, its completions."""
    record = run.group(row)
    group = record.group
    largest = largest_advantage(group)
    here = View({"run": run.name}).change(view="completion", step=row.step, group=row.line)
    cards = "".join(
        card(rank, place, rollout, largest, here.href(rollout=place))
        for rank, (place, rollout) in enumerate(best_first(group)[:MOST_CARDS], 1)
    )
    link = View({"run": run.name}).change(view="groups", step=row.step, group=row.line).href()
    facts = f"spread {number(row.spread)}"
    return (
        f'<section class="group"><form class="controls">{hidden(view, (side,))}{choice}<span class="note">{facts}</span>'
        f'<a class="button" {link}>open</a></form>{families.media(record, run.roots)}<div class="cards">{cards}</div></section>'
    )


# scored again


def _again(runs: Runs, view: View) -> str:
    return rescore_form(chosen_run(runs, view), view)


WHAT: Mapping[str, tuple[str, Callable[[Runs, View], str]]] = {
    "evaluations": ("two evaluations", _evaluations),
    "prompt": ("the same prompt twice", _prompts),
    "rescore": ("scored again", _again),
}
PAGE = Page("compare", "Compare", render, ACTIONS)
