"""The part of the Compare page that scores a run again: the form, the sums, and the completions whose advantage moved."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence

from demo.cards import advantage_bar, reward_words
from demo.index.read import GROUP_LIMIT
from demo.pages import Action, chosen_run, no_rollouts
from demo.rescore import CHANGED, MOST_SECONDS, Rescored, Result, read_reward, rescore
from demo.runs import Run, Runs
from demo.scoring import load_task
from demo.text import notice, number, percent, plural, safe, short, table
from demo.view import View
from vlrl.types import UserError

SHOWN = 60
LATEST_STEPS = 20


def rescore_form(run: Run, view: View) -> str:
    """The reward, the task and the steps; it starts with what the task uses now."""
    steps = run.steps()
    if not steps:
        return no_rollouts()
    names = run.index.tasks()
    task = view.get("task") if view.get("task") in names else names[0] if names else ""
    chips = "".join(
        f'<a class="chip" aria-pressed="{str(name == task).lower()}" {view.href(task=name)}>{safe(name)}</a>' for name in names
    )
    first = view.number("step") if view.number("step") is not None else steps[-LATEST_STEPS:][0]
    last = view.number("step") if view.number("step") is not None else steps[-1]
    return (
        f'<p class="chips"><span class="note">task</span>{chips}</p>'
        '<form data-act="rescore" data-into="rescored" class="block query">'
        f'<span class="wide"><label>reward</label><textarea name="reward" rows="2" spellcheck="false" aria-label="reward">'
        f'{safe(_present(run, task))}</textarea><input type="hidden" name="task" value="{safe(task)}"></span>'
        f'<span><label>steps <input name="first" size="6" value="{first}" aria-label="first step"></label>'
        f'<label>to <input name="last" size="6" value="{last}" aria-label="last step"></label></span>'
        '<span><button class="button">Score again</button></span>'
        '<span class="note">the name of a reward, an object of names and weights, or my_pkg.rewards:fn, which is then imported. '
        "Nothing is generated, nothing is written.</span></form>"
        '<div id="rescored" class="lazy"></div>'
    )


def _present(run: Run, task: str) -> str:
    """The rewards that the task has now, as a text to change."""
    rows = run.index.groups_between(run.steps()[0], run.steps()[-1], task, 1)
    try:
        sample = run.group(rows[0]).group.sample if rows else None
        weights = load_task(run, sample).weights_of(sample.answer) if sample else {}
    except UserError:
        weights = {}
    return json.dumps(dict(weights)) if weights else ""


def act(runs: Runs, view: View, fields: Mapping[str, str]) -> str:
    """The action behind the form."""
    run, typed = chosen_run(runs, view), View(fields)
    reward = read_reward(fields.get("reward", ""))
    first, last = typed.number("first"), typed.number("last")
    steps = [step for step in run.steps() if (first is None or step >= first) and (last is None or step <= last)]
    for step in steps:
        run.ready(step)
    groups = run.index.groups_between(steps[0], steps[-1], fields.get("task", "")) if steps else []
    if not groups:
        return notice("These steps have no group of this task.", "Choose other steps, or another task.")
    return _result(rescore(run, groups, reward), len(groups), view)


def _result(result: Result, asked: int, view: View) -> str:
    if not result.found:
        return notice(
            f"This reward cannot score the gold of this task: {result.reason}", "Choose a reward for this kind of answer."
        )
    notes = []
    if result.left:
        notes.append(f"{result.left} of {asked} groups were not reached in {MOST_SECONDS:.0f} s: choose fewer steps")
    if asked == GROUP_LIMIT:
        notes.append(f"the first {GROUP_LIMIT:,} groups of these steps")
    if result.unscorable:
        notes.append(f"{result.unscorable} groups have gold that this reward cannot use: {result.reason}")
    if result.problem:
        notes.append(f"without advantages: {result.problem}")
    warnings = "".join(f'<p class="warn">{safe(note)}</p>' for note in notes)
    return f"{_sums(result)}{warnings}{_moved(result.found, view)}"


def _sums(result: Result) -> str:
    found = result.found
    before = [item.rollout.score.value for item in found if item.rollout.score.value is not None]
    after = [item.score.value for item in found if item.score.value is not None]
    rows = [
        ["mean reward", number(statistics.fmean(before)) if before else "-", number(statistics.fmean(after)) if after else "-"],
        ["groups without spread", *(percent(count / result.groups) for count in (result.flat_before, result.flat_after))],
        ["not scored", *(f"{len(found) - len(values):,}" for values in (before, after))],
    ]
    moved = [
        (item.score.value or 0.0) - (item.rollout.score.value or 0.0)
        for item in found
        if item.score.value is not None and item.rollout.score.value is not None
    ]
    gain, lose = sum(change > CHANGED for change in moved), sum(change < -CHANGED for change in moved)
    flips = [item for item in found if item.flips]
    up = sum((item.advantage or 0.0) > 0 for item in flips)
    count = f"{plural(result.groups, 'group')}, {plural(len(found), 'completion')}"
    told = [f"<b>{gain:,}</b> gain", f"<b>{lose:,}</b> lose", f"<b>{len(moved) - gain - lose:,}</b> keep their reward"]
    if not result.problem:
        told.append(f"<b>{len(flips):,}</b> flip their advantage ({up:,} to encouraged, {len(flips) - up:,} to discouraged)")
    return f'<p class="verdict"><span class="note">{count}:</span> {" · ".join(told)}</p>' + table(
        ["", "log", "scored again"], rows, "result small sums"
    )


def _moved(found: Sequence[Rescored], view: View) -> str:
    """The completions whose advantage, or reward, moved most; those that flip come first."""
    moved = [item for item in found if item.flips or abs(item.shift) > CHANGED]
    if not moved:
        return notice("No completion is worth more or less than before.", "Change a weight, or the reward.")
    ranked = sorted(moved, key=lambda item: (not item.flips, -abs(item.shift)))[:SHOWN]
    known = [abs(a) for item in ranked for a in (item.rollout.advantage, item.advantage or 0.0) if abs(a) < 1e300]
    largest = max(known, default=0.0) or 1.0
    rest = f", the {SHOWN} that moved most" if len(moved) > SHOWN else ""
    head = f'<p class="note">{plural(len(moved), "completion")} moved{rest}</p>'
    return f'{head}<div class="hits">{"".join(_item(item, largest, view) for item in ranked)}</div>'


def _item(item: Rescored, largest: float, view: View) -> str:
    link = view.to("completion", step=item.row.step, group=item.row.line, rollout=item.place)
    flip = '<span class="badge bad">flips</span>' if item.flips else ""
    failure = f'<span class="badge bad">{short(item.score.failure, 40)}</span>' if item.score.failure else ""
    after = "" if item.advantage is None else f"→ {advantage_bar(item.advantage, largest)}"
    return (
        f'<article class="hit again"><div class="worth"><span>{reward_words(item.rollout.score)} → '
        f'<b class="value">{reward_words(item.score)}</b></span></div>'
        f'<div class="worth">{advantage_bar(item.rollout.advantage, largest)}{after}</div>'
        f'<div class="said"><a {link}>{short(item.sample.question, 120) or "a prompt without a question"}</a>'
        f'<pre class="text">{short(item.rollout.completion.text, 200)}</pre></div>'
        f'<div class="facts"><span>step {item.row.step}</span><div class="line">{flip}{failure}</div></div></article>'
    )


ACTIONS: Mapping[str, Action] = {"rescore": act}
"""What the form asks for."""
