"""What each kind of task adds to a view: pictures, a strip of frames, charts drawn beside the gold, words that were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from demo import chart_diff
from demo.drawing import Prediction, draw_images, has_pictures, predictions_of
from demo.film import draw_video
from demo.media import Roots
from demo.pages import Action
from demo.records import GroupRecord
from demo.text import safe, short
from vlrl.parsing.bare import bare_answer
from vlrl.parsing.clinical import clinical_words
from vlrl.report.look import best_first
from vlrl.report.marks import predicted_span
from vlrl.types import Rollout, Sample

GOLD_WORDS = ("kind", "answer", "choices", "action", "direction", "text", "count", "span")
"""Keys of a gold answer that are told in words below the picture."""


def media(record: GroupRecord, roots: Roots) -> str:
    """The media of a group with its gold and the claims of all its completions, and the gold in words."""
    sample = record.group.sample
    extracted = [rollout.score.extracted for _, rollout in best_first(record.group)]
    predictions = predictions_of(extracted, sample.answer)
    spans = [(rank, span) for rank, item in enumerate(extracted, 1) if (span := predicted_span(item, sample.answer))]
    drawn = len({p.rank for p in predictions} | {rank for rank, _ in spans})
    return _media(sample, predictions, spans, roots, 480) + gold_words(sample) + _key(sample, drawn, len(extracted))


def picture(sample: Sample, extracted: Sequence[Any], roots: Roots, shown_width: int) -> str:
    """A sample's media at some width, with what was extracted from some completions, best first."""
    spans = [(rank, span) for rank, item in enumerate(extracted, 1) if (span := predicted_span(item, sample.answer))]
    return _media(sample, predictions_of(extracted, sample.answer), spans, roots, shown_width)


def _media(
    sample: Sample, predictions: Sequence[Prediction], spans: Sequence[tuple[int, tuple[float, float]]], roots: Roots, width: int
) -> str:
    if not sample.media:
        return '<p class="note">This prompt has no picture.</p>'
    if has_pictures(sample.media):
        return draw_images(sample, predictions, roots, width)
    return "".join(
        draw_video(item, sample.answer, spans, predictions, roots)
        if item.kind == "video"
        else draw_images(Sample("", sample.task, "", {}, (item,)), (), roots, width)
        for item in sample.media
    )


def is_wide(sample: Sample) -> bool:
    """Whether the media need the whole width: videos and many images."""
    return any(item.kind == "video" for item in sample.media) or len(sample.media) > 2


def is_chart(sample: Sample) -> bool:
    """Whether the gold is a program that draws a chart."""
    return isinstance(sample.answer.get("code"), str)


def _key(sample: Sample, drawn: int, total: int) -> str:
    if not drawn:
        return ""
    rest = f"; {total - drawn} of {total} completions have nothing to draw" if drawn < total else ""
    words = f"gold · coloured: predictions, 1 is the best{rest}. Point at one to see it alone."
    return f'<p class="note"><span class="dash"></span>{words}</p>'


def gold_words(sample: Sample) -> str:
    """The gold that cannot be drawn."""
    found = {key: sample.answer[key] for key in GOLD_WORDS if sample.answer.get(key) not in (None, "", [])}
    rows = "".join(f"<dt>{safe(key)}</dt><dd>{short(_words(value), 300)}</dd>" for key, value in found.items())
    return f'<dl class="gold-words"><dt class="head">gold</dt><dd></dd>{rows}</dl>' if rows else ""


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return " · ".join(f"{key}: {item}" for key, item in value.items())
    return " · ".join(map(str, value)) if isinstance(value, list) else str(value)


def below(sample: Sample, rollout: Rollout, place: int) -> str:
    """What a card shows under the text: for a chart the drawing, for words which of them the gold has."""
    if is_chart(sample):
        ready = isinstance(rollout.score.extracted, str)
        return (
            f'<div class="lazy" data-lazy="draw_chart" data-place="{place}">drawing the chart in the sandbox</div>'
            if ready
            else ""
        )
    if sample.answer.get("kind") in ("open", "closed") and isinstance(rollout.score.extracted, str):
        return _matched_words(rollout.score.extracted, sample.answer.get("answer"))
    return ""


def _matched_words(said: str, gold: Any) -> str:
    """The words that were read, those of the gold marked, and the gold's words that are missing."""
    wanted = clinical_words(bare_answer(str(gold[0] if isinstance(gold, list) and gold else gold)))[:60]
    words = said.split()[:60]
    read = " ".join(f"<b>{safe(word)}</b>" if word in wanted else safe(word) for word in words)
    missing = " ".join(safe(word) for word in wanted if word not in words)
    rest = f' <span class="note">missing: {missing}</span>' if missing else ""
    return f'<p class="words"><span class="note">read:</span> {read}{rest}</p>'


ACTIONS: Mapping[str, Action] = {"draw_chart": chart_diff.draw_chart}
"""What the views of groups and completions can ask for later."""
