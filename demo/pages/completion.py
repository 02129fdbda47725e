"""The Completion page: one text with its tokens in colour, the way from the text to its value, and the text scored again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from demo import families, scoring, tokens
from demo.cards import advantage_bar, compact, reward_words
from demo.drawing import colours
from demo.index.read import GroupRow
from demo.pages import Page, chosen_run, chosen_step, no_rollouts
from demo.records import GroupRecord
from demo.runs import Run, Runs
from demo.text import notice, number, plural, safe, short, text_block
from demo.view import View
from vlrl.parsing.tags import answer_text, thought_text
from vlrl.report.look import best_first, largest_advantage
from vlrl.types import Rollout, Score, UserError

LONGEST_EDIT = 200_000


def render(runs: Runs, view: View) -> str:
    """The bar of the group's completions, then the opened one."""
    run = chosen_run(runs, view)
    step = chosen_step(run, view)
    if step is None:
        return no_rollouts()
    run.ready(step)
    row = chosen_group(run, step, view)
    if row is None:
        return notice(f"Step {step} has no group that can be shown.", "Choose another step on the Groups page.")
    record = run.group(row)
    if not record.group.rollouts:
        return notice("This group has no completions.", "Choose another group on the Groups page.")
    place = chosen_place(record, view)
    return (
        f'<div data-part="bar-of-completions">{_bar(run, row, record, place, view)}</div>'
        f'<div data-part="completion">{_completion(run, record, place, view)}</div>'
    )


def chosen_group(run: Run, step: int, view: View) -> GroupRow | None:
    """The group that the address names, else the one with the largest spread."""
    line = view.number("group")
    named = run.index.group(step, line) if line is not None else None
    return named or next(iter(run.index.groups(step, limit=1)), None)


def chosen_place(record: GroupRecord, view: View) -> int:
    """The completion that the address names by its place in the record, else the best."""
    place = view.number("rollout")
    return place if place is not None and place < len(record.group.rollouts) else best_first(record.group)[0][0]


def _bar(run: Run, row: GroupRow, record: GroupRecord, place: int, view: View) -> str:
    ranked = best_first(record.group)
    at = [index for index, _ in ranked].index(place)
    chips = []
    for rank, (index, rollout) in enumerate(ranked, 1):
        key = {at: "k ArrowLeft", at + 2: "j ArrowRight"}.get(rank, "")
        here = view.href(view="completion", step=row.step, group=row.line, rollout=index)
        chips.append(
            f'<a class="rank" style="{colours(rank)}" aria-current="{str(index == place).lower()}" data-key="{key}" {here}>'
            f'<i class="tag">{rank}</i>{reward_words(rollout.score)}</a>'
        )
    back = (
        f'<a class="button" data-key="Escape" {view.href(view="groups", step=row.step, group=row.line, rollout=None)}>← group</a>'
    )
    return (
        f'<div class="controls">{back}<div class="ranks">{"".join(chips)}</div><span class="space"></span>'
        '<span class="note keys"><kbd>j</kbd> <kbd>k</kbd> completions <kbd>Esc</kbd> group</span></div>'
    )


def _completion(run: Run, record: GroupRecord, place: int, view: View) -> str:
    group = record.group
    rollout = group.rollouts[place]
    rank = [index for index, _ in best_first(group)].index(place) + 1
    picture = families.picture(group.sample, [rollout.score.extracted], run.roots, 400)
    head = (
        f'<header style="{colours(rank)}"><span class="tag big">{rank}</span><h3>{short(group.sample.question, 300)}</h3>'
        f'<span class="part">reward <b class="value">{reward_words(rollout.score)}</b></span>'
        f"{advantage_bar(rollout.advantage, largest_advantage(group))}</header>"
    )
    left = f"{picture}{families.gold_words(group.sample)}{families.below(group.sample, rollout, place)}"
    prompt = f"<details><summary>prompt</summary>{text_block(group.prompt, first=600)}</details>"
    right = _text(rollout) + _tokens(run, record, place, view) + _scored(run, record, place)
    return f'{head}<div class="split"><div class="left">{left}{prompt}</div><div class="column">{right}</div></div>'


def _text(rollout: Rollout) -> str:
    text = rollout.completion.text
    thought, answer = thought_text(text), answer_text(text)
    length = (
        f"{plural(len(rollout.completion.token_ids), 'token')}, ended by {safe(rollout.completion.finish_reason or 'nothing')}"
    )
    sections = [_section("Thought", f"{len(thought):,} characters", text_block(thought, 1500))] if thought is not None else []
    body = text_block(answer, 1500) if answer is not None else '<p class="warn">there is no answer part: see the steps below</p>'
    sections.append(_section("Answer", length, body))
    if thought is None or answer is None:
        sections = [_section("Text", length, text_block(text, 1500))]
    return "".join(sections)


def _section(title: str, note: str, body: str) -> str:
    return f'<section class="block"><h4>{title} <small>{note}</small></h4>{body}</section>'


def _tokens(run: Run, record: GroupRecord, place: int, view: View) -> str:
    rollout, facts = record.group.rollouts[place], record.tokens[place]
    count = len(rollout.completion.token_ids)
    if not count:
        return ""
    known = {mode: tokens.values_of(mode, facts, rollout.advantage, count) for mode in tokens.MODES}
    mode = view.choice("colour", tokens.MODES)
    chips = "".join(_mode_chip(name, name == mode, known[name] is not None, view) for name in tokens.MODES)
    values = known[mode]
    if values is None:
        absent = f"This run's log has no {tokens.MODES[mode]} per token; choose another colour."
        return _section("Tokens", "", f'<p class="chips">{chips}</p><p class="note">{absent}</p>')
    texts = tokens.token_texts(run, rollout.completion)
    hint = tokens.HINTS[mode] + (
        "" if texts is not None else "; no tokenizer found in the run, so the numbers of the tokens are shown"
    )
    return _section("Tokens", hint, f'<p class="chips">{chips}</p>{tokens.coloured(rollout.completion, values, mode, texts)}')


def _mode_chip(name: str, on: bool, known: bool, view: View) -> str:
    if not known:
        return f'<span class="chip off" title="not in this run\'s log">{tokens.MODES[name]}</span>'
    return f'<a class="chip" aria-pressed="{str(on).lower()}" {view.href(colour=name)}>{tokens.MODES[name]}</a>'


def _scored(run: Run, record: GroupRecord, place: int) -> str:
    rollout = record.group.rollouts[place]
    text = rollout.completion.text
    form = (
        '<form data-act="score_again" data-into="scored" class="again">'
        f'<textarea name="text" rows="4" spellcheck="false" aria-label="text to score">{safe(text[:LONGEST_EDIT])}</textarea>'
        '<p><button class="button">Score this text</button> '
        '<span class="note">by the same reward code, nothing is written</span></p></form>'
    )
    if families.is_chart(record.group.sample):  # takes as long as two programs run
        path = '<div id="scored" class="lazy" data-lazy="score_logged">drawing and comparing the charts</div>'
    else:
        path = f'<div id="scored">{scored(run, record, place, text)}</div>'
    return _section("From text to value", "", path) + _section("Score again", "", form)


def scored(run: Run, record: GroupRecord, place: int, text: str) -> str:
    """The steps from a text to its value, and how that compares with the log."""
    sample, rollout = record.group.sample, record.group.rollouts[place]
    try:
        judged = scoring.judge(run, sample, text, len(rollout.completion.token_ids))
    except UserError as error:
        return notice(str(error), "The value in the log stands above.")
    steps = "".join(
        f'<li><b>{safe(name)}</b><code>{safe(value)}</code><span class="note">{safe(remark)}</span></li>'
        for name, value, remark in judged.path
    )
    verdict = _against_log(judged.score, rollout.score, text == rollout.completion.text)
    return f'<ol class="path">{steps}</ol>{_parts_table(judged.parts)}{verdict}'


def _parts_table(parts: Sequence[scoring.PartScore]) -> str:
    rows = "".join(
        f"<tr><td>{safe(part.name)}</td><td>{part.weight:g}</td><td><b>{number(part.score.value)}</b></td>"
        f"<td>{safe(part.score.failure or '')}</td>"
        f"<td><code>{safe(compact(part.score.parts)) if part.score.parts else ''}</code></td></tr>"
        for part in parts
    )
    head = "<tr><th>reward</th><th>weight</th><th>value</th><th>failure</th><th>parts</th></tr>"
    return f'<table class="result small"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def _against_log(now: Score, logged: Score, same_text: bool) -> str:
    if now.value is None or logged.value is None:
        return "" if now.value == logged.value else '<p class="warn">only one of the log and this code has a value</p>'
    difference = now.value - logged.value
    if abs(difference) < 1e-6:
        return '<p class="note">the same value as in the log</p>'
    if same_text:
        return f'<p class="warn">the log says {number(logged.value)}: the reward, or its settings, have changed since</p>'
    return f'<p class="change">{number(difference, signed=True)} against the completion in the log ({number(logged.value)})</p>'


def score_again(runs: Runs, view: View, fields: Mapping[str, str]) -> str:
    """The action behind the form: an edited text, scored against the same gold."""
    run, record = _addressed(runs, view)
    return scored(run, record, chosen_place(record, view), fields.get("text", "")[:LONGEST_EDIT])


def score_logged(runs: Runs, view: View, fields: Mapping[str, str]) -> str:
    """The action behind a page whose scoring takes long: the text of the log."""
    run, record = _addressed(runs, view)
    place = chosen_place(record, view)
    return scored(run, record, place, record.group.rollouts[place].completion.text)


def _addressed(runs: Runs, view: View) -> tuple[Run, GroupRecord]:
    run = chosen_run(runs, view)
    step = chosen_step(run, view)
    row = None if step is None else chosen_group(run, step, view)
    if row is None:
        raise UserError("this group is gone; reload the page")
    return run, run.group(row)


ACTIONS = {"score_again": score_again, "score_logged": score_logged, **families.ACTIONS}
PAGE = Page("completion", "Completion", render, ACTIONS)
