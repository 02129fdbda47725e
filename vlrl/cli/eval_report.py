"""`report.md` and `report.html` of an evaluation: the numbers, the comparison, and the worst rows drawn.

The page stands alone: pictures are data URIs, nothing is requested, no script runs, and every text of the data or the model is
escaped (`demo.text.safe`). Rows are drawn as the inspector draws them.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from demo.drawing import draw_images, predictions_of
from demo.media import Roots
from demo.text import safe, short
from vlrl.evaluation.compare import Comparison
from vlrl.evaluation.results import write_whole
from vlrl.evaluation.scoring import read_lines
from vlrl.types import Media, Sample

WORST = 12
"""Rows of each task that are drawn."""
MOST_TEXT = 2000
"""Characters of an answer or a gold that are shown."""
MOST_FLIPPED = 50

Entries = Mapping[str, Mapping[str, Any]]
Row = list[str]

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 1000px; margin: 24px auto; padding: 0 16px; color: #1b1b1b; }
table { border-collapse: collapse; margin: 8px 0 16px; }
th, td { text-align: left; padding: 3px 14px 3px 0; font-variant-numeric: tabular-nums; }
th { border-bottom: 1px solid #bbb; }
article { border-top: 1px solid #ccc; padding: 10px 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f4f4; padding: 6px 8px; margin: 4px 0; }
.soft, figcaption { color: #666; font-size: 13px; }
.partial { color: #a00; }
figure { margin: 0 0 8px; }
.pictures.several { display: grid; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr)); gap: 8px; }
svg.picture { display: block; width: 480px; max-width: 100%; height: auto; max-height: 600px; overflow: hidden; }
.missing { fill: #8a919b; }
.missing-text { fill: #fff; font-size: calc(14 * var(--u)); text-anchor: middle; }
.halo { fill: none; stroke: var(--h); stroke-width: calc(4.5 * var(--u)); stroke-opacity: .6; }
.dot { fill: var(--c); }
.geo .line { fill: none; stroke: var(--c); stroke-width: calc(2.5 * var(--u)); }
.gold .halo { stroke: #fff; stroke-width: calc(3.5 * var(--u)); }
.gold .line { fill: none; stroke: #111; stroke-width: calc(2 * var(--u)); stroke-dasharray: calc(7 * var(--u)); }
.gold .label { font-size: calc(11 * var(--u)); fill: #111; }
"""


def write_reports(folder: Path, tasks: Entries, compared: Mapping[str, Comparison]) -> None:
    """Writes both files. `tasks` maps a task to its `results`, `failures`, `configs`, `rows` and the path of its `log`."""
    write_whole(folder / "report.md", "\n".join(_markdown(tasks, compared)) + "\n")
    write_whole(folder / "report.html", "".join(_page(tasks, compared)))


def metric_rows(results: Mapping[str, Any], headline: str) -> list[Row]:
    """Metric, value, interval and rows as texts, the headline first."""
    names = [name for name in results if not name.endswith(("_n", "_ci95"))]
    return [
        [name, _number(results[name]), _interval(results.get(f"{name}_ci95")), str(results.get(f"{name}_n", ""))]
        for name in sorted(names, key=lambda name: name != headline)
    ]


def difference_rows(found: Comparison) -> list[Row]:
    """Metric, both runs, the difference, its interval and rows as texts."""
    return [
        [
            name,
            _number(told["before"]),
            _number(told["after"]),
            f"{told['difference']:+.4f}",
            _interval(told.get("ci95")),
            str(told["n"]),
        ]
        for name, told in found.differences.items()
    ]


METRIC_HEAD = ["metric", "value", "95 % interval", "rows"]
DIFFERENCE_HEAD = ["metric", "other run", "this run", "difference", "95 % interval", "rows"]


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _interval(low_high: list[float] | None) -> str:
    return f"{low_high[0]:.4f} to {low_high[1]:.4f}" if low_high else ""


def _facts(entry: Mapping[str, Any]) -> list[str]:
    """What stands under a task's title, in sentences."""
    configs, failures = entry["configs"], entry["failures"]
    facts = [f"Protocol {configs['protocol']}, {configs['prompt_mode']} prompt, coordinates in {configs['coord_space']}."]
    if configs["partial"]:
        facts.append(f"Partial: the first {entry['rows']} rows only; not a score of the whole set.")
    if failures:
        kinds = ", ".join(f"{count} {kind}" for kind, count in failures.items())
        facts.append(f"Of {entry['rows']} rows: {kinds} (all but bad_gold count in the means).")
    return [*facts, *(f"Warning: {warning}." for warning in entry["warnings"])]


def _flipped(found: Comparison) -> list[str]:
    return [
        f"{what} ({len(ids)}): {', '.join(ids[:MOST_FLIPPED])}{', ...' if len(ids) > MOST_FLIPPED else ''}"
        for what, ids in (("Right in this run only", found.gained), ("Right in the other run only", found.lost))
    ]


def _markdown(tasks: Entries, compared: Mapping[str, Comparison]) -> Iterator[str]:
    yield "# Evaluation"
    for name, entry in tasks.items():
        yield from ("", f"## {_plain(name)}", "", _plain(" ".join(_facts(entry))), "")
        yield from _markdown_table(METRIC_HEAD, metric_rows(entry["results"], entry["configs"]["headline"]))
        if name in compared:
            yield from (
                "",
                "### Against the other run",
                "",
                *_markdown_table(DIFFERENCE_HEAD, difference_rows(compared[name])),
                "",
            )
            yield from (f"- {_plain(line)}" for line in _flipped(compared[name]))


def _markdown_table(head: Row, rows: list[Row]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    yield from (f"| {' | '.join(map(_plain, row))} |" for row in rows)


def _plain(text: str) -> str:
    """Text of the data that Markdown shows and does not read."""
    return "".join(f"\\{c}" if c in "\\`*_[]|#" else c for c in safe(" ".join(text.split())))


def _page(tasks: Entries, compared: Mapping[str, Comparison]) -> Iterator[str]:
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield f"<title>vlrl evaluation</title><style>{STYLE}</style></head><body><h1>Evaluation</h1>"
    for name, entry in tasks.items():
        yield f"<h2>{safe(name)}</h2>"
        yield from (
            f'<p class="{"partial" if fact.startswith("Partial") else "soft"}">{safe(fact)}</p>' for fact in _facts(entry)
        )
        yield _html_table(METRIC_HEAD, metric_rows(entry["results"], entry["configs"]["headline"]))
        if name in compared:
            yield "<h3>Against the other run</h3>" + _html_table(DIFFERENCE_HEAD, difference_rows(compared[name]))
            yield from (f"<p>{safe(line)}</p>" for line in _flipped(compared[name]))
        yield "<h3>The worst rows</h3>"
        yield from map(_article, worst(entry["log"]))
    yield "</body></html>\n"


def _html_table(head: Row, rows: list[Row]) -> str:
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{safe(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def worst(log: Path) -> list[dict[str, Any]]:
    """The lines of a sample log with the lowest values, in their order; rows without a value are left out."""
    valued = ((line["value"], number, line) for number, line in enumerate(read_lines(log)) if line["value"] is not None)
    return [line for _, _, line in heapq.nsmallest(WORST, valued)]


def _article(line: dict[str, Any]) -> str:
    failure = f", {safe(line['failure'])}" if line["failure"] else ""
    head = f"<h4>{safe(line['doc_id'])}: {line['value']:.4f}{failure}</h4>"
    if "doc" not in line:
        return f'<article>{head}<p class="soft">--log_samples false: the log has no texts.</p></article>'
    media = tuple(map(Media.from_json, line["doc"]["media"]))
    sample = Sample(line["doc_id"], "", line["doc"]["question"], line["target"], media)
    answer = line["resps"][0] if line["resps"][0] is not None else "(no answer)"
    gold = {key: value for key, value in line["target"].items() if key not in ("groups", "cluster", "space")}
    texts = (("question", sample.question), ("answer", answer), ("gold", gold))
    shown = "".join(f'<div class="soft">{name}</div><pre>{short(text, MOST_TEXT)}</pre>' for name, text in texts)
    return f"<article>{head}{_pictures(sample, line['extracted'])}{shown}</article>"


def _pictures(sample: Sample, extracted: Any) -> str:
    """The row's images with gold and answer drawn on them; of a video its name."""
    if any(media.kind != "image" for media in sample.media):
        return "".join(f'<p class="soft">video {safe(media.path)}</p>' for media in sample.media)
    if not sample.media:
        return ""
    roots = Roots([str(Path(media.path.rpartition("#")[0] or media.path).parent) for media in sample.media])
    return draw_images(sample, predictions_of([extracted], sample.answer), roots)
