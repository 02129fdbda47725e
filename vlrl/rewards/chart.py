"""Does the answer's code draw the gold chart again? Both are run in the sandbox (`vlrl.sandbox`); their figures are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

from vlrl import sandbox
from vlrl.metrics.chart import Chart, read_chart
from vlrl.metrics.chart_facts import chart_parts
from vlrl.metrics.image_similarity import Pixels, blank_corrected, blank_similarity, png_pixels
from vlrl.parsing.code import parse_code
from vlrl.parsing.tags import answer_text
from vlrl.rewards import Example, Reward
from vlrl.types import Answer, Score, UserError

PARTS = ("text", "ticks", "layout", "type", "colour", "data", "image")

CODE = {"text": 0.30, "ticks": 0.03, "layout": 0.03, "type": 0.05, "colour": 0.07, "data": 0.36, "image": 0.16}
TEXT_STAGE = {"text": 0.40, "ticks": 0.03, "layout": 0.05, "type": 0.07, "data": 0.45}
VISUAL_STAGE = {"text": 0.24, "ticks": 0.02, "layout": 0.02, "type": 0.04, "colour": 0.06, "data": 0.34, "image": 0.28}
"""Weights of the parts. What unrelated charts easily share (a single panel, the type, the default colour, the scale) weighs
little: it makes less than 0.2 together. A wrong type also costs the data."""

CORRECT = 0.9
"""Value from which a chart counts as drawn correctly."""

GOLD_CHARTS, PREDICTED_CHARTS = 256, 64
"""Renders that are kept, a quarter of a megabyte each."""

TRANSIENT = ("timeout", "killed", "memory", "sandbox_error")
"""Failures that may be the machine's: their outcome is not kept."""

DRAWING_FAILURES = (*(code for code in sandbox.FAILURES if code != "sandbox_error"), "forged_figure", "blank_figure")
FAILURES = ("no_code", *DRAWING_FAILURES)


@dataclass(frozen=True, slots=True, eq=False)
class Render:
    """What a program drew: facts, picture, and a white page's similarity with it."""

    chart: Chart
    pixels: Pixels
    blank: float

    @property
    def is_blank(self) -> bool:
        return self.chart.is_blank or self.blank >= 1


class _TransientError(Exception):
    """Carries a failure code past the caches."""


# ---- rewards -------------------------------------------------------------------------------------------------------------


def code(text: str, answer: Answer) -> Score:
    """The weighted mean of seven comparisons of the drawn figure with the one that `answer["code"]` draws; 0 when nothing was
    drawn.

    | part | weight | soft F1 of |
    |---|---|---|
    | `text` | 0.30 | titles, labels, legends, notes and worded tick labels, by edit distance |
    | `ticks` | 0.03 | numbers along the axes |
    | `layout` | 0.03 | panels' cells of the subplot grid |
    | `type` | 0.05 | chart types per panel, read from the artists |
    | `colour` | 0.07 | colours per panel and type, max(0, 1 - CIEDE2000 / 30) |
    | `data` | 0.36 | values within 5 % in elements of the same type, per series |
    | `image` | 0.16 | no F1: SSIM s of the renders, corrected for a blank page: max(0, (s - s_blank) / (1 - s_blank)) |

    F1 = 2 * matched similarity / (number in the gold + number in the prediction), so what is added without need lowers it. The
    weight of a part that neither figure has (no text at all) goes to the data: a chart without words is not won by its style.
    Source: inspired by the low-level scores of ChartMimic (arXiv 2406.09961) and the textual and visual rewards of MSRL
    (2508.13587), which give no such weights; unlike ChartMimic's, code that dies late earns nothing, types come from the final
    figure, and nothing is carried over between rows. Range 0..1; None when the gold code does not run here, or draws nothing;
    0.9 counts as correct. Failures: `no_code`, those of the sandbox (`vlrl.sandbox.FAILURES`), `forged_figure` (a method replaced
    on an artist), `blank_figure` (axes and texts only). Raises ValueError for a gold without 'code', SandboxError when the
    machine cannot run any code.

    >>> gold = {"code": "import matplotlib.pyplot as plt\\nplt.bar(['A', 'B'], [3, 5])\\nplt.title('Stock')"}
    >>> same = "import matplotlib.pyplot as p\\np.bar([1, 2], [3, 5])\\np.xticks([1, 2], ['A', 'B'])\\np.title('Stock')"
    >>> code(f"```python\\n{same}\\n```", gold).value
    1.0
    >>> code("It shows two bars.", gold).failure
    'no_code'
    """
    return score_chart(CODE, text, answer)


def text_stage(text: str, answer: Answer) -> Score:
    """`code` without looking: text 0.40, data 0.45, type 0.07, layout 0.05, ticks 0.03. For the first stage of two.

    Source: inspired by the first stage of MSRL (arXiv 2508.13587), whose rewards are rules on text, data, type and layout.
    Range, Failures and Raises as `code`.

    >>> text_stage("It shows two bars.", {"code": "import matplotlib"}).value
    0.0
    """
    return score_chart(TEXT_STAGE, text, answer)


def visual_stage(text: str, answer: Answer) -> Score:
    """`code` with more weight on the look: image 0.28, data 0.34, text 0.24, colour 0.06, type 0.04, layout and ticks 0.02. For
    the second stage.

    Source: inspired by the second stage of MSRL (arXiv 2508.13587), text and visual rewards together; there a model judges the
    renders. Range, Failures and Raises as `code`.

    >>> visual_stage("It shows two bars.", {"code": "import matplotlib"}).value
    0.0
    """
    return score_chart(VISUAL_STAGE, text, answer)


def image(text: str, answer: Answer) -> Score:
    """max(0, (s - s_blank) / (1 - s_blank)): s is the SSIM of the two renders, s_blank that of a white page and the gold render.

    Source: inspired by the visual reward of VinciCoder (arXiv 2511.00391), (cosine + 1) / 2 of image features, in which an
    unrelated render earns half; here it earns about 0, and a blank page, whose plain SSIM is about 0.9, exactly 0. Range,
    Failures and Raises as `code`.

    >>> image("It shows two bars.", {"code": "import matplotlib"}).value
    0.0
    """
    return score_chart({"image": 1.0}, text, answer)


def executes(text: str, answer: Answer) -> Score:
    """1 when the answer's code runs to its end and draws something, else 0. The answer's gold is not looked at.

    Source: the execution rate of ChartMimic (arXiv 2406.09961), with blank figures counted as failures. Range 0..1. Failures:
    those of `code`. Raises SandboxError when the machine cannot run any code.

    >>> executes("```python\\nimport matplotlib.pyplot as plt\\nplt.plot([1, 2])\\nplt.titel('a')\\n```", {}).failure
    'exec_error'
    """
    program = _program(text)
    drawn = "no_code" if program is None else _drawn(program)
    failure = drawn if isinstance(drawn, str) else "blank_figure" if drawn.is_blank else None
    return Score(float(failure is None), correct=failure is None, extracted=program, failure=failure)


def chart_reward(weights: Mapping[str, float]) -> Reward:
    """A reward like `chart.code` with other weights of the `PARTS`, for use by a dotted path.

    In a module of your own: `MINE = chart_reward({"data": 1, "image": 1})`, named as `my_pkg.rewards:MINE`.
    Raises UserError for a part that is none of `PARTS`, a negative weight, or weights that sum to 0.
    """
    unknown = set(weights) - set(PARTS)
    if unknown or not weights or min(weights.values()) < 0 or sum(weights.values()) == 0:
        raise UserError(f"chart weights are numbers from 0 on, not all 0, for {', '.join(PARTS)}; not {dict(weights)}")
    return Reward(partial(score_chart, dict(weights)), failures=FAILURES, needs=("code",), example=EXAMPLE)


# ---- scoring -------------------------------------------------------------------------------------------------------------


def score_chart(weights: Mapping[str, float], text: str, answer: Answer) -> Score:
    """The weighted mean of the parts; see `code`."""
    gold_code = _gold_code(answer)
    program = _program(text)
    if program is None:
        return Score(0.0, correct=False, failure="no_code")
    gold = _gold(gold_code)
    if gold is None or (gold.is_blank and not gold.chart.texts):
        return Score(None, extracted=program)
    drawn = gold if program.strip() == gold_code.strip() else _drawn(program)
    if isinstance(drawn, Render) and drawn.is_blank and not gold.is_blank:
        drawn = "blank_figure"
    if isinstance(drawn, str):
        return Score(0.0, correct=False, extracted=program, failure=drawn)
    parts = compare(drawn, gold)
    value = weighted_mean(parts, weights)
    return Score(value, parts, correct=None if value is None else value >= CORRECT, extracted=program)


def weighted_mean(parts: Mapping[str, float], weights: Mapping[str, float]) -> float | None:
    """The mean of the parts; the weight of absent ones goes to the data, if that has any. None when no part has a weight.

    >>> weighted_mean({"data": 0.5, "type": 1.0}, {"data": 2, "type": 1, "text": 1})
    0.625
    """
    counted = {name: weight for name, weight in weights.items() if weight and name in parts}
    if "data" in counted:
        counted["data"] += sum(weight for name, weight in weights.items() if name not in parts)
    total = sum(counted.values())
    return sum(weight * parts[name] for name, weight in counted.items()) / total if total else None


def compare(drawn: Render, gold: Render) -> dict[str, float]:
    """All parts of two renders that at least one of them has."""
    return {**chart_parts(drawn.chart, gold.chart), "image": blank_corrected(drawn.pixels, gold.pixels, gold.blank)}


def _gold_code(answer: Answer) -> str:
    if "code" not in answer:
        raise ValueError("answer has no 'code'")
    gold = answer["code"]
    if not isinstance(gold, str) or not gold.strip():
        raise ValueError(f"answer 'code' is the text of a program, not {gold!r}")
    return gold


def _program(text: str) -> str | None:
    body = answer_text(text)
    return None if body is None else parse_code(body)


# ---- drawing -------------------------------------------------------------------------------------------------------------


def _draw(program: str) -> Render | str:
    """What a program draws, or a failure code. Raises _TransientError for failures that are not to be kept."""
    result = sandbox.run(program)
    if result.failure in TRANSIENT:
        raise _TransientError(result.failure, result.message)
    if result.failure is not None:
        return result.failure
    if result.facts["sandbox"]["shadowed"]:
        return "forged_figure"
    try:
        pixels = png_pixels(result.png or b"")
        return Render(read_chart(result.facts), pixels, blank_similarity(pixels))
    except ValueError:
        return "bad_result"


_kept_gold = lru_cache(GOLD_CHARTS)(_draw)
_kept_predicted = lru_cache(PREDICTED_CHARTS)(_draw)


def _drawn(program: str) -> Render | str:
    try:
        return _kept_predicted(program)
    except _TransientError as error:
        failure, message = error.args
        if failure == "sandbox_error":
            raise sandbox.SandboxError(message) from None
        return str(failure)


def _gold(program: str) -> Render | None:
    """What the gold code draws, or None when it draws nothing here."""
    try:
        render = _kept_gold(program)
    except _TransientError as error:
        failure, message = error.args
        if failure == "sandbox_error":
            raise sandbox.SandboxError(message) from None
        return None
    return render if isinstance(render, Render) else None


BARS = """import matplotlib.pyplot as plt
plt.bar(['A', 'B', 'C'], [3, 5, 2], color='steelblue')
plt.title('Stock')
plt.ylabel('Boxes')
"""
EXAMPLE = Example(f"```python\n{BARS}```", {"code": BARS})

REWARDS = {
    "code": Reward(code, failures=FAILURES, needs=("code",), example=EXAMPLE),
    "text_stage": Reward(text_stage, failures=FAILURES, needs=("code",), example=EXAMPLE),
    "visual_stage": Reward(visual_stage, failures=FAILURES, needs=("code",), example=EXAMPLE),
    "image": Reward(image, failures=FAILURES, needs=("code",), example=EXAMPLE),
    "executes": Reward(executes, failures=FAILURES, example=EXAMPLE),
}
