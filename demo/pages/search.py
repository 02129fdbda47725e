"""The Search page: any selection of a run's rollouts, sorted, each a link to its completion, and the selection as a file."""

from __future__ import annotations

import re
from collections.abc import Mapping

from demo import export, families
from demo.cards import advantage_bar, reward_words
from demo.drawing import has_pictures
from demo.forms import field, hidden, select
from demo.index.read import RolloutRow
from demo.pages import Download, Page, chosen_run, no_rollouts
from demo.runs import Run, Runs
from demo.selection import DIRECTIONS, YES_NO, Found, found, orders, page_of
from demo.text import notice, number, plural, safe, short
from demo.view import View

ROWS_PER_PAGE = 25
THUMB_WIDTH = 170
"""Twice as wide as it is shown: its strokes are then half as thick."""
BEFORE, AFTER = 60, 160
"""Characters of a text that a row shows before and after what was searched."""
OWN = ("first", "last", "least", "most", "shortest", "longest", "part", "part_least", "part_most", "task", "failure", "correct",
       "flat", "text", "gap", "sort", "order", "from")  # fmt: skip
PRESETS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("best paid", "", {"sort": "reward"}),
    ("wrong but well paid", "not correct, yet a high reward: a reward that can be had for something else", {"correct": "no"}),
    ("parts disagree", "the parts of the score differ by 0.5 or more", {"gap": "0.5"}),
    ("failed", "any failure code", {"failure": "*", "sort": "step"}),
    ("without spread", "of groups whose rewards are all the same: they teach nothing", {"flat": "yes", "sort": "step"}),
    ("longest", "", {"sort": "tokens"}),
    ("most things named", "a flood of boxes or points shows here first", {"sort": "items"}),
)


def render(runs: Runs, view: View) -> str:
    """The form, the count, a page of rows."""
    run = chosen_run(runs, view)
    if not run.steps():
        return no_rollouts()
    start = (view.number("from") or 0) // ROWS_PER_PAGE * ROWS_PER_PAGE
    total, rows = page_of(run, view, ROWS_PER_PAGE, start)
    return (
        f'<div data-part="form">{_presets(view)}{_form(run, view)}</div>'
        f'<div data-part="found">{_bar(view, total, start, len(rows))}{_table(run, rows, view)}</div>'
    )


def _presets(view: View) -> str:
    bare = view.change(view="search", **dict.fromkeys(OWN))
    chips = "".join(
        f'<a class="chip" title="{safe(hint)}" aria-pressed="{str(bare.change(**wanted) == view).lower()}"'
        f" {bare.href(**wanted)}>{safe(words)}</a>"
        for words, hint, wanted in PRESETS
    )
    return f'<p class="chips">{chips}</p>'


def _form(run: Run, view: View) -> str:
    failures = sorted({code for step in run.index.steps() for code in step.failures})
    parts = list(run.index.part_names())
    rows = [
        _range("steps", "first", "last", view),
        _range("reward", "least", "most", view),
        _range("tokens", "shortest", "longest", view),
        f"<label>text {field('text', view, 'words in a row', 22)}</label>",
        _choice("task", {"": "any", **{name: name for name in run.index.tasks()}}, view),
        _choice("correct", {"": "any", **{name: name for name in YES_NO if name}}, view),
        _choice("failure", {"": "any or none", "none": "none", "*": "any", **{code: code for code in failures}}, view),
        _choice("flat", {"": "any", "yes": "all equal", "no": "with spread"}, view, "group"),
    ]
    if parts:
        chosen = _choice("part", {"": "none", **{name: name for name in parts}}, view)
        rows.append(f"{chosen}{_range('', 'part_least', 'part_most', view)}")
    if len(parts) > 1:
        rows.append(f"<label>parts differ by {field('gap', view, '0.5', 5)}</label>")
    rows.append(_choice("sort", orders(run), view, "sort by") + _choice("order", DIRECTIONS, view, ""))
    buttons = (
        '<button class="button">Search</button>'
        f'<a class="button" {view.change(view="search", **dict.fromkeys(OWN)).href()}>clear</a>'
    )
    fields = "".join(f"<span>{row}</span>" for row in [*rows, buttons])
    return f'<form class="block query">{hidden(view.change(view="search"), OWN)}{fields}</form>'


def _range(words: str, least: str, most: str, view: View) -> str:
    return f"<label>{words} {field(least, view, 'from', 6)}</label><label>to {field(most, view, 'to', 6)}</label>"


def _choice(name: str, options: Mapping[str, str], view: View, words: str | None = None) -> str:
    return f"<label>{safe(name if words is None else words)} {select(name, options, view.get(name), name)}</label>"


def _bar(view: View, total: int, start: int, shown: int) -> str:
    links = ""
    if start:
        links += f'<a class="button" data-key="ArrowLeft k" {view.href(**{"from": start - ROWS_PER_PAGE})}>previous</a>'
    if start + shown < total:
        links += f'<a class="button" data-key="ArrowRight j" {view.href(**{"from": start + ROWS_PER_PAGE})}>next</a>'
    place = f" · {start + 1:,} to {start + shown:,}" if shown < total and shown else ""
    saves = "".join(
        f'<button class="button" name="kind" value="{kind}" title="{safe(hint)}">{words}</button>'
        for kind, (words, hint) in export.KINDS.items()
    )
    save = f'<form data-act="export" data-into="exported" class="controls tight"><span class="note">save as</span>{saves}</form>'
    hint = "the address of this page holds the whole search"
    copy = f'<button type="button" class="button" data-copy title="{hint}">copy link</button>'
    return (
        f'<div class="controls"><b>{plural(total, "rollout")}</b><span class="note">{place}</span>{links}'
        f'<span class="space"></span>{copy if total else ""}{save if total else ""}</div><div id="exported"></div>'
    )


def _table(run: Run, rows: list[RolloutRow], view: View) -> str:
    if not rows:
        return notice("No rollout is like that.", "Widen a range, or choose one of the searches on top.")
    largest = max((abs(row.advantage) for row in rows if row.advantage is not None), default=0.0) or 1.0
    items = "".join(_item(hit, largest, view) for hit in found(run, rows))
    return f'<div class="hits">{items}</div>'


def _item(hit: Found, largest: float, view: View) -> str:
    row, score = hit.row, hit.rollout.score
    marks = f'<span class="badge bad">{short(row.failure, 40)}</span>' if row.failure else ""
    if row.correct is not None:
        marks += '<span class="badge good">correct</span>' if row.correct else '<span class="badge">wrong</span>'
    if row.flat:
        marks += '<span class="badge">group without spread</span>'
    parts = "".join(f'<span class="part">{short(name, 40)} <b>{number(value)}</b></span>' for name, value in row.parts.items())
    where = f"step {row.step} · {short(row.task, 40)} · {plural(row.tokens, 'token')}"
    link = view.to("completion", step=row.step, group=row.line, rollout=row.place)
    return (
        f'<article class="hit">{_thumb(hit)}<div class="worth"><b class="value">{reward_words(score)}</b>'
        f"{'' if row.advantage is None else advantage_bar(row.advantage, largest)}</div>"
        f'<div class="said"><a {link}>{short(hit.sample.question, 120) or "a prompt without a question"}</a>'
        f'<pre class="text">{_snippet(hit.rollout.completion.text, view.get("text"))}</pre></div>'
        f'<div class="facts"><span>{where}</span><div class="line">{marks}{parts}</div></div></article>'
    )


def _thumb(hit: Found) -> str:
    """A place for the picture, which is asked for once the page stands."""
    if not has_pictures(hit.sample.media):
        return "<div></div>"
    row = hit.row
    return f'<div class="thumb" data-lazy="thumb" data-step="{row.step}" data-line="{row.line}" data-place="{row.place}"></div>'


def thumb(runs: Runs, view: View, fields: Mapping[str, str]) -> str:
    """The action behind a small picture: gold and what one completion claims."""
    run, where = chosen_run(runs, view), View(fields)
    row = run.index.group(where.number("step") or 0, where.number("line") or 0)
    record, place = (None, 0) if row is None else (run.group(row), where.number("place") or 0)
    if record is None or place >= len(record.group.rollouts):
        return ""
    extracted = record.group.rollouts[place].score.extracted
    return families.picture(record.group.sample, [extracted], run.roots, THUMB_WIDTH)


def _snippet(text: str, searched: str) -> str:
    """The beginning of a text, or what stands around the first of the searched words."""
    if not text:
        return "empty text"
    words = re.findall(r"\w+", searched.replace("_", " "))
    at = text.casefold().find(words[0].casefold()) if words else -1
    if at < 0:
        return short(text, BEFORE + AFTER)
    start, end = max(at - BEFORE, 0), at + len(words[0])
    before = ("…" if start else "") + text[start:at]
    return f"{safe(before)}<b>{safe(text[at:end])}</b>{short(text[end:], AFTER)}"


def save(runs: Runs, view: View, fields: Mapping[str, str]) -> str | Download:
    """The action behind the buttons: the selection as a file."""
    run = chosen_run(runs, view)
    kind = fields.get("kind", "")
    if kind not in export.KINDS:
        return notice("There is no such kind of file.", "Reload the page.")
    return export.selection(run, view, kind)


PAGE = Page("search", "Search", render, {"export": save, "thumb": thumb})
