"""`chart` for the first of two training stages: texts, data, types and layout, not the look (as in MSRL, arXiv 2508.13587)."""

from __future__ import annotations

from dataclasses import replace

from vlrl.tasks import chart

TASK = replace(
    chart.TASK,
    name="chart_text_stage",
    rewards={"chart.text_stage": 0.9, "format.prompted": 0.1, "chart.code": 0.0, "chart.executes": 0.0},
)
