"""A selection of rollouts as a file for a colleague: records (JSONL), a table (CSV), or one page that stands alone (HTML)."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from demo import families
from demo.cards import card
from demo.pages import Download
from demo.runs import Run
from demo.selection import Found, found, page_of
from demo.text import plural, safe, text_block
from demo.view import View
from vlrl.logs import finite
from vlrl.report.look import largest_advantage
from vlrl.types import RolloutGroup, to_json

MOST_ROWS = 5_000
MOST_SHOWN = 200
MOST_PICTURES = 12_000_000
"""Characters of pictures in a page; what comes after is told in words."""
PICTURE_WIDTH = 320
KINDS: Mapping[str, tuple[str, str]] = {
    "jsonl": ("JSONL", f"the records, the first {MOST_ROWS:,} of this order"),
    "csv": ("CSV", f"a table, the first {MOST_ROWS:,} of this order"),
    "html": ("HTML page", f"a page with its pictures that needs nothing else, the first {MOST_SHOWN} of this order"),
}
STYLE = Path(__file__).parent / "static" / "inspector.css"
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
ALONE = """:root { --body-text-color: #1b2430; --font-mono: ui-monospace, monospace; color-scheme: light; }
body { margin: 24px auto; max-width: 1100px; padding: 0 20px; background: #fff; font-family: system-ui, sans-serif; }
.vl .group { border-top: 1px solid var(--rule); padding: 16px 0; } .vl .left { position: static; max-height: none; }"""


def selection(run: Run, view: View, kind: str) -> Download:
    """The rollouts that an address selects, in its order, as a file of one of `KINDS`."""
    total, rows = page_of(run, view, MOST_SHOWN if kind == "html" else MOST_ROWS)
    hits = found(run, rows)
    writers: dict[str, Callable[[], str]] = {
        "jsonl": lambda: _jsonl(hits),
        "csv": lambda: _csv(hits, list(run.index.part_names())),
        "html": lambda: _page(run, hits, total),
    }
    name = re.sub(r"[^\w.-]+", "-", run.name)
    return Download(f"{name}-rollouts.{kind}", writers[kind]())


def _jsonl(hits: Iterable[Found]) -> str:
    """One object a line: the sample, the prompt, the rollout, and where it stands in the run. Numbers that are none are null."""
    lines = (
        {
            "step": hit.row.step,
            "line": hit.row.line,
            "place": hit.row.place,
            "sample": to_json(hit.sample),
            "prompt": hit.prompt,
            "rollout": to_json(hit.rollout),
        }
        for hit in hits
    )
    return "".join(json.dumps(finite(line)) + "\n" for line in lines)


def _csv(hits: Iterable[Found], parts: list[str]) -> str:
    """One row per rollout, one column per part."""
    file = io.StringIO()
    writer = csv.writer(file)
    head = [
        "step",
        "line",
        "place",
        "task",
        "sample",
        "question",
        "reward",
        "advantage",
        "correct",
        "failure",
        "tokens",
        "finish",
    ]
    writer.writerow([*head, *map(_cell, parts), "text"])
    for hit in hits:
        row = hit.row
        numbers = [row.step, row.line, row.place]
        words = [_cell(value) for value in (row.task, hit.sample.id, hit.sample.question)]
        facts = [row.reward, row.advantage, row.correct, _cell(row.failure or ""), row.tokens, _cell(row.finish)]
        text = _cell(hit.rollout.completion.text)
        writer.writerow([*numbers, *words, *facts, *(row.parts.get(name) for name in parts), text])
    return file.getvalue()


def _cell(text: str) -> str:
    """A text that no table program takes for a formula: one that begins like a formula gets an apostrophe in front.

    >>> _cell("=HYPERLINK(1)"), _cell("[1, 2]")
    ("'=HYPERLINK(1)", '[1, 2]')
    """
    known = text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")
    return f"'{known}" if known.startswith(("=", "+", "-", "@", "\t", "\r")) else known


def _page(run: Run, hits: Iterable[Found], total: int) -> str:
    """A page of cards under their pictures. It holds no script, and its policy forbids any, and every request."""
    groups = [list(group) for _, group in itertools.groupby(hits, key=lambda hit: (hit.row.step, hit.row.line))]
    room, sections = MOST_PICTURES, []
    for group in groups:
        section, used = _section(run, group, room > 0)
        room -= used
        sections.append(section)
    shown = sum(map(len, groups))
    count = plural(total, "rollout") + (f", the first {shown} of them" if shown < total else "")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{safe(run.name)}</title><style>{STYLE.read_text(encoding='utf-8')}{ALONE}</style></head><body>"
        f'<div class="vl"><header><h2>{safe(run.name)}</h2><span class="note">{count}</span></header>'
        f"{''.join(sections)}</div></body></html>"
    )


def _section(run: Run, hits: list[Found], with_picture: bool) -> tuple[str, int]:
    """Neighbours of one group below their picture, and how many characters the picture takes."""
    sample = hits[0].sample
    rollouts = [hit.rollout for hit in hits]
    media = '<p class="note">The picture is left out: the page is large enough.</p>'
    if with_picture:
        media = families.picture(sample, [rollout.score.extracted for rollout in rollouts], run.roots, PICTURE_WIDTH)
    largest = largest_advantage(RolloutGroup(hits[0].row.step, sample, "", rollouts))
    cards = "".join(card(rank, hit.row.place, hit.rollout, largest, "") for rank, hit in enumerate(hits, 1))
    head = (
        f"<header><h3>{safe(sample.question[:2000])}</h3>"
        f'<span class="note">{safe(sample.task)} · {safe(sample.id)} · step {hits[0].row.step}</span></header>'
    )
    prompt = f"<details><summary>prompt</summary>{text_block(hits[0].prompt, first=600)}</details>"
    left = f'<div class="left">{media}{families.gold_words(sample)}{prompt}</div>'
    return f'<section class="group">{head}<div class="split">{left}<div class="cards">{cards}</div></div></section>', len(media)
