"""The inspector's looks: one style sheet on top of Gradio's theme variables, so that light and dark share nearly all of it."""

from __future__ import annotations

LINKED_COMPLETIONS = 64
"""Completions of a group, by rank, whose card and geometry light each other up."""

_CONTROLS = """
.controls { align-items: center !important; gap: 8px !important; }
.controls button { min-height: 40px; font-weight: 500; }
"""

_BASE = """
.vl {
  --ink: var(--body-text-color); --soft: #586577; --rule: var(--border-color-primary);
  --panel: var(--background-fill-primary); --wash: var(--background-fill-secondary);
  --good: #1a7f52; --bad: #b3401a; --plus: #3b7dc4; --minus: #d9772b;
  color: var(--ink); font-size: 14px; line-height: 1.45;
}
.dark .vl { --soft: #9aa8bb; --good: #5bc99a; --bad: #f0926b; --plus: #5f9ee0; --minus: #e08f50; }
.vl * { box-sizing: border-box; }
.vl p, .vl h2, .vl h3, .vl h4, .vl figure { margin: 0; color: var(--ink); }
.vl h2 { font-size: 20px; font-weight: 600; }
.vl h3 { font-size: 17px; font-weight: 600; unicode-bidi: isolate; overflow-wrap: anywhere; }
.vl header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 12px; margin: 4px 0 14px; }
.vl .note, .vl small { color: var(--soft); font-size: 12.5px; }
.vl .warn { color: var(--bad); font-size: 12.5px; overflow-wrap: anywhere; }
.vl .notice { border: 1px dashed var(--rule); border-radius: 8px; padding: 40px 20px; text-align: center; }
.vl .badge { display: inline-block; border: 1px solid var(--rule); border-radius: 9px; padding: 0 8px; font-size: 11.5px;
  color: var(--soft); white-space: nowrap; max-width: 100%; overflow: hidden; text-overflow: ellipsis; vertical-align: bottom; }
.vl .badge.good { color: var(--good); border-color: currentColor; }
.vl .badge.bad { color: var(--bad); border-color: currentColor; }
.vl pre.text { margin: 0; padding: 0; background: none; color: var(--ink); font: 12.5px/1.45 var(--font-mono);
  white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; max-height: 420px; overflow-y: auto; }
.vl pre.empty { color: var(--soft); font-style: italic; }
.vl code { font: 12px var(--font-mono); color: var(--soft); background: none; border: 0; padding: 0; overflow-wrap: anywhere; }
.vl details { margin-top: 8px; }
.vl summary { cursor: pointer; color: var(--soft); font-size: 12.5px; }
.vl details > pre.text { margin-top: 6px; }
"""

_RUN = """
.vl table.result { border-collapse: collapse; margin: 0 0 18px; width: auto; font-variant-numeric: tabular-nums; }
.vl .result th, .vl .result td { border: 0; border-bottom: 1px solid var(--rule); padding: 6px 22px 6px 0; text-align: right; }
.vl .result th { color: var(--soft); font-weight: 400; font-size: 12.5px; }
.vl .result th:first-child, .vl .result td:first-child, .vl .result td:last-child { text-align: left; }
.vl .whisker { display: inline-flex; align-items: center; gap: 10px; color: var(--soft); font-size: 12.5px; white-space: nowrap;
  vertical-align: middle; }
.vl .whisker svg { width: 120px; height: 16px; }
.vl .whisker line { stroke: currentColor; stroke-width: 2; }
.vl .whisker line.zero { stroke: var(--soft); stroke-width: 1; opacity: .6; }
.vl .whisker circle { fill: currentColor; }
.vl .whisker.up { color: var(--plus); }
.vl .whisker.down { color: var(--minus); }
.vl .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(340px, 1fr)); gap: 14px; margin-top: 14px; }
.vl .chart { border: 1px solid var(--rule); border-radius: 8px; padding: 10px 12px 6px; background: var(--panel); min-width: 0;
  display: flex; flex-direction: column; }
.vl .chart h4 { font-size: 13.5px; font-weight: 600; }
.vl .legend { display: flex; flex-wrap: wrap; gap: 0 14px; min-height: 18px; font-size: 12px; color: var(--soft); }
.vl .legend span { display: inline-flex; align-items: center; gap: 5px; overflow-wrap: anywhere; }
.vl .legend span::before { content: ""; width: 10px; height: 3px; border-radius: 2px; background: var(--c); flex: none; }
.vl .legend b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
.vl .chart svg { width: 100%; height: auto; display: block; margin-top: auto; }
.vl .chart text { font-size: 10.5px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.vl .chart text.y { text-anchor: end; dominant-baseline: central; }
.vl .chart text.x { text-anchor: middle; }
.vl .chart .grid { stroke: var(--rule); stroke-width: 1; opacity: .6; }
.vl .chart polyline { fill: none; stroke: var(--c); stroke-width: 1.8; stroke-linejoin: round; }
.vl .chart circle { fill: var(--c); }
.vl .chart .interval { stroke: var(--c); stroke-width: 2; opacity: .55; }
.vl .chart .strip { fill: transparent; }
.vl .chart .tip { visibility: hidden; pointer-events: none; }
.vl .chart .step:hover .tip { visibility: visible; }
.vl .tip line { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 2; }
.vl .tip rect { fill: var(--panel); stroke: var(--rule); }
.vl .chart .tip text { fill: var(--ink); }
.vl .more { margin-top: 18px; }
"""

_PICTURE = """
.vl figure { margin-bottom: 8px; }
.vl svg.picture { display: block; width: 480px; max-width: 100%; height: auto; max-height: 600px; overflow: hidden;
  border-radius: 6px; background: var(--wash); }
.vl .picture .missing { fill: #9a9a9a; }
.vl .picture .missing-text { fill: #fff; font-size: calc(14 * var(--u)); text-anchor: middle; }
.vl .picture .halo { fill: none; stroke: var(--h); stroke-width: calc(4.5 * var(--u)); stroke-opacity: .6; }
.vl .picture .leader { stroke: var(--c); stroke-width: calc(1.2 * var(--u)); }
.vl .picture .geo .line { fill: none; stroke: var(--c); stroke-width: calc(2.5 * var(--u)); }
.vl .picture .gold .halo { stroke: #fff; stroke-width: calc(3.5 * var(--u)); stroke-opacity: 1; }
.vl .picture .gold .line { fill: none; stroke: #111; stroke-width: calc(2 * var(--u));
  stroke-dasharray: calc(7 * var(--u)) calc(5 * var(--u)); }
.vl .picture .dot, .vl .picture circle.tag { fill: var(--c); }
.vl .picture circle.tag { stroke: var(--h); stroke-width: calc(.8 * var(--u)); }
.vl .picture .geo text { font-size: calc(11 * var(--u)); font-weight: 700; fill: var(--h); text-anchor: middle;
  dominant-baseline: central; pointer-events: none; }
.vl .dash { display: inline-block; width: 26px; border-top: 2px dashed var(--ink); vertical-align: middle; margin-right: 6px; }
"""

_GROUPS = """
.vl.group-list { display: flex; flex-direction: column; gap: 6px; max-height: 82vh; overflow-y: auto; padding-right: 4px; }
.vl.group-list button { display: grid; grid-template-columns: 1fr; gap: 2px; text-align: left; padding: 8px 10px; cursor: pointer;
  border: 1px solid var(--rule); border-radius: 8px; background: var(--panel); color: var(--ink); font-size: 13px; flex: none; }
.vl.group-list button:hover { border-color: var(--soft); }
.vl.group-list button[aria-pressed=true] { border-color: var(--plus); box-shadow: inset 3px 0 0 var(--plus); }
.vl.group-list .task { color: var(--soft); font-size: 11.5px; }
.vl.group-list .question { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; unicode-bidi: isolate; }
.vl.group-list svg { width: 100%; height: 14px; }
.vl.group-list svg line { stroke: var(--rule); }
.vl.group-list svg circle { fill: var(--plus); fill-opacity: .45; }
.vl .split { display: grid; grid-template-columns: minmax(280px, 480px) minmax(320px, 1fr); gap: 20px; align-items: start; }
.vl .left { position: sticky; top: 8px; min-width: 0; max-height: calc(100vh - 16px); overflow-y: auto; }
@media (max-width: 1100px) {
  .vl .split { grid-template-columns: 1fr; }
  .vl .left { position: static; max-height: none; }
}
.vl .cards { display: flex; flex-direction: column; gap: 8px; min-width: 0; }
.vl .card { border: 1px solid var(--rule); border-left: 4px solid var(--c); border-radius: 8px; padding: 8px 12px;
  background: var(--panel); display: grid; gap: 6px; min-width: 0; }
.vl .line { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; min-width: 0; }
.vl .card .tag { width: 20px; height: 20px; border-radius: 50%; background: var(--c); color: var(--h); font-size: 11.5px;
  font-weight: 700; display: inline-flex; align-items: center; justify-content: center; }
.vl .value { font-size: 15px; font-variant-numeric: tabular-nums; }
.vl .part { color: var(--soft); font-size: 12.5px; }
.vl .part b { font-weight: 500; color: var(--ink); font-variant-numeric: tabular-nums; }
.vl .part .value { font-weight: 600; }
.vl .facts { font-size: 12px; color: var(--soft); }
.vl .advantage { margin-left: auto; display: inline-flex; align-items: center; gap: 8px; font-size: 12.5px;
  font-variant-numeric: tabular-nums; color: var(--soft); }
.vl .advantage .bar { position: relative; width: 90px; height: 8px; border-radius: 4px; background: var(--rule);
  overflow: hidden; }
.vl .advantage b { color: var(--ink); font-weight: 500; min-width: 48px; text-align: right; }
.vl .advantage .bar::after { content: ""; position: absolute; left: 50%; top: 0; bottom: 0; width: 1px; background: var(--soft); }
.vl .advantage .bar i { position: absolute; top: 0; bottom: 0; }
.vl .plus { background: var(--plus); }
.vl .minus { background: var(--minus); }
.vl.group:has([data-i]:is(:hover, :focus)) .geo { opacity: .07; }
.vl .card:focus { outline: none; }
"""

_EVALUATION = """
.vl .tiles { margin-top: 10px; display: grid; grid-template-columns: repeat(auto-fill, minmax(270px, 1fr)); gap: 14px;
  align-items: start; }
.vl .tile { border: 1px solid var(--rule); border-radius: 8px; padding: 10px; background: var(--panel); display: grid; gap: 6px;
  min-width: 0; }
.vl .tile p { unicode-bidi: isolate; overflow-wrap: anywhere; }
.vl .tile svg.picture { width: 100%; max-height: 340px; }
"""


def _links() -> str:
    """For each rank: pointing at (or focusing) a card or a shape brings back that shape and marks that card."""
    rules = []
    for i in range(1, LINKED_COMPLETIONS + 1):
        pointed = f'.vl.group:has([data-i="{i}"]:is(:hover, :focus))'
        rules.append(
            f'{pointed} .geo[data-i="{i}"] {{ opacity: 1; }} {pointed} .card[data-i="{i}"] {{ border-color: var(--c); }}'
        )
    return "\n".join(rules)


STYLE_SHEET = _CONTROLS + _BASE + _RUN + _PICTURE + _GROUPS + _EVALUATION + _links()
