"""`vlrl export reward`: files that load, and refusals."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from vlrl.adapters.openrlhf import response_text
from vlrl.adapters.trl import values
from vlrl.cli import main
from vlrl.cli.export import BLIND_TO_LENGTH, TRAINERS
from vlrl.rewards import load


def export(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(["export", "reward", *argv])
    return code, *capsys.readouterr()


@pytest.mark.parametrize("trainer", TRAINERS)
@pytest.mark.parametrize("what", [("--task", "gui"), ("--reward", "grounding.iou")])
def test_the_file_is_python_that_names_what_it_is(
    trainer: str, what: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new" / "my_reward.py"
    code, out, _ = export(capsys, "--to", trainer, *what, "--output", str(path))
    assert (code, out.startswith(f"wrote {path}")) == (0, True)
    source = path.read_text()
    told = ast.get_docstring(ast.parse(source)) or ""
    assert what[1] in told
    assert "my_reward" in told
    assert f"scorer({what[0][2:]}={what[1]!r})" in source


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--task", "guy"), "unknown task 'guy'; did you mean 'gui'"),
        (("--reward", "gui.clik"), "unknown reward 'gui.clik'"),
        ((), "wants either --task or --reward"),
        (("--task", "gui", "--reward", "gui.click"), "wants either --task or --reward"),
    ],
)
def test_wrong_names_are_refused(argv: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "reward.py"
    code, _, err = export(capsys, "--to", "verl", *argv, "--output", str(path))
    assert code == 2
    assert words in err
    assert not path.exists()


def test_a_file_name_that_python_cannot_import_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("my-reward.py", "class.py", "1.py"):
        code, _, err = export(capsys, "--to", "trl", "--task", "gui", "--output", str(tmp_path / name))
        assert (code, "no name for a Python module" in err) == (2, True)


@pytest.mark.parametrize("trainer", TRAINERS)
def test_length_rewards_go_only_where_the_length_is_told(
    trainer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = export(capsys, "--to", trainer, "--reward", "length.overlong", "--output", str(tmp_path / "a.py"))
    assert (code == 2, "which verl" in err or "which openrlhf" in err) == (trainer in BLIND_TO_LENGTH,) * 2


def test_the_exported_file_loads_without_torch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export(capsys, "--to", "verl", "--task", "gui", "--output", str(tmp_path / "mine.py"))
    call = 'compute_score("vlrl", "[5, 5]", \'{"box": [0, 0, 10, 10]}\')'
    code = f"import sys, json; sys.modules['torch'] = None; import mine; print(json.dumps(mine.{call}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == {"score": 1.0, "correct": 1.0, "failed": 0.0, "unscorable": 0.0}


PROMPT = "<|im_start|>user\n<|image_pad|>Which one? A or B.<|im_end|>\n<|im_start|>assistant\n"


@pytest.mark.parametrize(
    ("query", "response"),
    [
        (PROMPT + "A<|im_end|>", "A"),
        (PROMPT + "A<|im_end|>\n", "A"),
        (PROMPT + "A <|im_end|><|endoftext|>", "A "),
        (PROMPT + " A\n", " A\n"),
        (PROMPT, ""),
        (PROMPT + "<|box_start|>(1,2),(3,4)<|box_end|><|im_end|>", "<|box_start|>(1,2),(3,4)<|box_end|>"),
        (PROMPT.replace("<|image_pad|>", "<|image_pad|>" * 64) + "A<|im_end|>", "A"),
        (PROMPT.replace("<|image_pad|>", "<img>" + "<IMG_CONTEXT>" * 64 + "</img>") + "A", "A"),
        ("<s>" + PROMPT + "A</s>", "A"),
        ("<s>" + PROMPT + "A" + PROMPT + "B", "A" + PROMPT + "B"),  # a response that quotes the prompt
    ],
)
def test_openrlhf_the_response_is_what_follows_the_prompt(query: str, response: str) -> None:
    assert response_text(query, PROMPT) == response


def test_openrlhf_a_query_of_another_prompt_raises() -> None:
    with pytest.raises(ValueError, match="does not hold the end of its prompt"):
        response_text("something else", PROMPT)


@pytest.mark.parametrize(
    "completion",
    [
        "[5, 5]",
        [{"role": "assistant", "content": "[5, 5]"}],
        [{"role": "assistant", "content": [{"type": "text", "text": "[5, "}, {"type": "text", "text": "5]"}]}],
        [
            {"role": "assistant", "content": "[9, 99]"},
            {"role": "tool", "content": "miss"},
            {"role": "assistant", "content": "[5, 5]"},
        ],
    ],
)
def test_trl_completions_are_text_or_messages(completion: object) -> None:
    assert values(load("gui.click"), [completion], [{"box": [0, 0, 10, 10]}]) == [1.0]


@pytest.mark.parametrize("answer", ["[]", "5", "{", None, [1]])
def test_an_answer_that_is_no_object_raises(answer: object) -> None:
    with pytest.raises(ValueError, match=r"JSON object|Expecting"):
        values(load("gui.click"), ["[5, 5]"], [answer])
