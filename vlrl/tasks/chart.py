"""Write the code that draws the chart in an image (ChartMimic-style)."""

from __future__ import annotations

from vlrl.rewards.chart import BARS
from vlrl.tasks import Task
from vlrl.types import Answer, Sample


def gold_answer(answer: Answer) -> str:
    """The gold code in a fenced block.

    >>> print(gold_answer({"code": "import matplotlib"}))
    ```python
    import matplotlib
    ```
    """
    return f"```python\n{answer['code'].strip()}\n```"


TASK = Task(
    name="chart",
    description="Write Python code that draws the chart of an image again.",
    instruction="Give Python code that draws this chart with matplotlib, in one ```python block.",
    rewards={"chart.code": 0.9, "format.prompted": 0.1, "chart.executes": 0.0},
    metrics={"chart_score": "chart.code", "execution_rate": "chart.executes"},
    headline="chart_score",
    gold_answer=gold_answer,
    example=Sample("example", "chart", "Redraw the chart.", {"code": BARS}),
)
