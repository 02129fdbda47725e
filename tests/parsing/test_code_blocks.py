import pytest

from vlrl.parsing.code import MAX_CODE, parse_code

CODE = "import matplotlib.pyplot as plt\nplt.plot([1, 2])"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"```python\n{CODE}\n```", CODE),
        (f"```py\n{CODE}\n```", CODE),
        (f"```Python3\n{CODE}\n```", CODE),
        (f"```\n{CODE}\n```", CODE),
        (f"Here it is:\n\n```python\n{CODE}\n```\nIt should look the same.", CODE),
        (CODE, CODE),
        (f"  from numpy import pi\n{CODE}", f"  from numpy import pi\n{CODE}"),
        (f"```python\n{CODE}", CODE),  # no closing fence: whether it is whole shows when it runs
        (f"```python\n{CODE}\n```\n```python\nimport os\n```", CODE),  # ChartMimic area_1: the first block counts
        (f"```json\n{{}}\n```\n```python\n{CODE}\n```", CODE),
        (f"```\nTitle: import duties\n```\n```python\n{CODE}\n```", CODE),
        (f"```\nTitle\n```\n```\n{CODE}\n```", CODE),
        ("```python\nimport a\udc80\n```", "import a?"),
        ("", None),
        ("I would import matplotlib and plot.", None),
        ("```python\nprint(1)\n```", None),
        ("```json\nimport\n```", None),
        ("```python\n```", None),
        ("````" * 3, None),
        ("```python\nimport x\n" + "#" * MAX_CODE, None),
    ],
)
def test_the_first_program_is_found(text: str, code: str | None) -> None:
    assert parse_code(text) == code
