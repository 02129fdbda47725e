"""The `vlrl` command from outside: what it prints, its exit codes, and one sentence for every mistake."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vlrl import __version__, rewards, tasks
from vlrl.cli import COMMANDS, main
from vlrl.cli.parser import new_parser, parse
from vlrl.types import UserError

VLRL = [sys.executable, "-m", "vlrl.cli"]
CLICK = {"text": "[34, 48]", "answer": {"box": [8, 40, 60, 56]}}


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(argv)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """The one line with which a command line is refused."""
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert err.startswith("vlrl: error: ")
    assert err.count("\n") == 1
    return err.removeprefix("vlrl: error: ").rstrip()


def feed(monkeypatch: pytest.MonkeyPatch, *rows: Any) -> None:
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


# the command itself


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in ([], ["--help"], ["-h"]):
        code, out, _ = run(capsys, *argv)
        assert code == 0
        assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    assert f"usage: vlrl {name}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, f"vlrl {__version__}\n", "")


def test_unknown_commands_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "scroe") == "unknown command 'scroe'; did you mean 'score'?"
    assert refused(capsys, "score", "--taks", "gui") == "unknown option 'taks'; did you mean 'task'?"
    assert refused(capsys, "validate") == "the following arguments are required: data; `vlrl validate --help` lists the options"


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vlrl.cli.show.run", lambda args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["show"])


def test_an_interrupt_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("vlrl.cli.show.run", interrupt)
    assert run(capsys, "show") == (130, "", "")


# config files


@dataclass
class Record:
    path: str = ""


CONFIG_CASES = [
    (["--config", "{file}"], "sead: 1", "{file}: unknown option 'sead'; did you mean 'seed'?"),
    (["--config={file}"], "run: {nmae: a}", "{file}: unknown option 'run.nmae'; did you mean 'run.name'?"),
    (
        ["--config", "{file}"],
        "seed: one",
        "{file}: \"seed\": Expected a <class 'int'>. Got value: one; `vlrl x --help` lists the options",
    ),
    (["--config", "{file}", "--seed", "one"], "seed: 1", "\"seed\": Expected a <class 'int'>. Got value: one; `vlrl x --help`"),
    (["--config", "{file}", "--sead", "1"], "seed: 1", "unknown option 'sead'; did you mean 'seed'?"),
    (["--config", "{file}"], "sets: [{pth: a}]", "{file}: unknown option 'sets.pth'; did you mean 'sets.path'?"),
    (["--config", "{file}"], "one: {pth: a}", "{file}: unknown option 'one.pth'; did you mean 'one.path'?"),
    (["--config", "{file}"], "zzz: 1", "{file}: unknown option 'zzz'; `vlrl x --help` lists the options"),
    (["--config", "{file}"], "seed: {", "{file}: Problems parsing config:"),
    (["--config", "no.yaml"], "", '"config": File does not exist:'),
]


@pytest.mark.parametrize(("argv", "yaml", "words"), CONFIG_CASES, ids=range(len(CONFIG_CASES)))
def test_config_mistakes_name_the_file_and_the_nearest_key(argv: Sequence[str], yaml: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(yaml)
    parser = new_parser("x", "a parser with a config file")
    parser.add_argument("--config", action="config")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run.name", type=str, default="")
    parser.add_argument("--sets", type=list[Record], default=[])
    parser.add_argument("--one", type=Record | None, default=None)
    with pytest.raises(UserError) as caught:
        parse(parser, [word.replace("{file}", str(file)) for word in argv])
    assert str(caught.value).startswith(words.replace("{file}", str(file)))


# vlrl score


def test_score_a_task(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    feed(monkeypatch, CLICK, "", {**CLICK, "text": "[1, 1]", "id": "ignored"}, {**CLICK, "text": ""})
    code, out, err = run(capsys, "score", "--task", "gui")
    scores = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [score["value"] for score in scores] == [1.0, pytest.approx(0.1), 0.0]
    assert list(scores[0]) == ["value", "parts", "correct", "extracted", "failure"]
    assert scores[0]["parts"] == {"gui.click": 1.0, "format.prompted": 1.0}
    assert scores[0]["extracted"] == [34.0, 48.0]
    assert [score["failure"] for score in scores] == [None, None, "no_answer"]


def test_score_one_reward_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tmp_path / "rows.jsonl"
    answer = {"box": [64, 48, 320, 240], "image_size": [640, 480], "space": "thousandths"}
    rows.write_text(json.dumps({"text": "[100, 100, 500, 500]", "answer": answer}) + "\n")
    code, out, _ = run(capsys, "score", str(rows), "--reward", "grounding.iou")
    assert code == 0
    assert json.loads(out)["value"] == pytest.approx(1.0)


def test_score_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    feed(monkeypatch)
    assert run(capsys, "score", "--task", "gui") == (0, "", "")


def test_score_wants_one_of_task_and_reward(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["score"], ["score", "--task", "gui", "--reward", "gui.click"]):
        assert refused(capsys, *argv) == "vlrl score wants either --task or --reward; `vlrl show` lists both"


def test_score_lists_the_rewards(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "score", "--list")
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines[1:] if not line.startswith(" ")] == rewards.names()
    assert next(line for line in lines if line.startswith("length.overlong")).split()[1:5] == ["-1..0", "0", "up", "to"]


def test_score_every_reward(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in rewards.names():
        reward = rewards.load(name)
        assert reward.example is not None
        feed(monkeypatch, {"text": reward.example.text, "answer": reward.example.answer})
        code, out, _ = run(capsys, "score", "--reward", name)
        assert (code, json.loads(out)["value"]) == (0, pytest.approx(reward.high))


def test_score_names_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "score", "--task", "grunding") == "unknown task 'grunding'; did you mean 'grounding'?"
    assert refused(capsys, "score", "--reward", "gui.clik") == "unknown reward 'gui.clik'; did you mean 'gui.click'?"
    assert "cannot be read" in refused(capsys, "score", "none.jsonl", "--task", "gui")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{", "<stdin>:2: is not JSON"),
        ([1], "<stdin>:2: is not an object but a list"),
        ({"answer": {}}, "<stdin>:2: text: is missing or no string; add"),
        ({**CLICK, "text": 3}, "<stdin>:2: text: is missing or no string; add"),
        ({"text": "[1, 1]"}, "<stdin>:2: answer: is missing or no object; add"),
        ({**CLICK, "answer": [1, 2]}, "<stdin>:2: answer: is missing or no object; add"),
        ({**CLICK, "answer": {}}, "<stdin>:2: answer: has no 'box'; mend the gold answer"),
        ({**CLICK, "answer": {"box": [1, 2, 3]}}, "<stdin>:2: answer: 'box': a box is four numbers"),
    ],
)
def test_score_stops_at_the_first_bad_row(
    row: Any, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    feed(monkeypatch, CLICK, row, CLICK)
    code, out, err = run(capsys, "score", "--task", "gui")
    assert code == 2
    assert out.count("\n") == 1
    assert err.startswith(f"vlrl: error: {words}")
    assert err.count("\n") == 1


def test_score_streams_through_a_pipe() -> None:
    with subprocess.Popen([*VLRL, "score", "--task", "gui"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(3):  # each score arrives before the next row is sent
            process.stdin.write(json.dumps(CLICK) + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["value"] == 1.0
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def test_score_survives_a_reader_that_leaves(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text((json.dumps(CLICK) + "\n") * 5000)
    command = " ".join([*VLRL, "score", str(rows), "--task", "gui", "| head -1"])
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_a_refused_command_exits_with_2_and_no_traceback() -> None:
    done = subprocess.run([*VLRL, "score"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("vlrl: error: ")
    assert "Traceback" not in done.stderr


def test_score_starts_fast(tmp_path: Path) -> None:
    start = time.monotonic()
    subprocess.run(
        [*VLRL, "score", "--task", "gui"], input=json.dumps(CLICK), capture_output=True, text=True, timeout=60, check=True
    )
    assert time.monotonic() - start < 5  # takes 0.4 s; importing torch would take longer than this on a busy machine


# vlrl show


def test_show_lists_all_tasks_and_rewards(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show")
    assert code == 0
    assert all(name in out for name in [*tasks.names(), *rewards.names()])
    assert "\x1b" not in out


@pytest.mark.parametrize("name", tasks.names())
def test_show_a_task(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    task = tasks.load(name)
    code, out, _ = run(capsys, "show", name)
    assert code == 0
    for mode in ("think", "direct"):
        assert task.prompt(task.example.question, mode, "thousandths") in out
    for reward_name, weight in task.rewards.items():
        reward = rewards.load(reward_name)
        first_line = (reward.fn.__doc__ or "").splitlines()[0]
        assert f"{reward_name}, weight {weight:g}" in out
        assert all(words in out for words in (first_line, *reward.failures, *reward.needs))
    assert f"{name}/{task.headline}" in out
    assert '"value": 1.0' in out


@pytest.mark.parametrize("name", ["grounding.iou", "length.cosine", "format.json"])
def test_show_a_reward(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    reward = rewards.load(name)
    assert reward.example is not None
    code, out, _ = run(capsys, "show", name)
    assert code == 0
    assert (reward.fn.__doc__ or "").splitlines()[0] in out
    assert all(words in out for words in (f"{reward.low:g}..{reward.high:g}", *reward.failures, *reward.needs))
    assert json.dumps(reward.example.answer) in out
    assert f'"value": {reward.high}' in out


def test_show_takes_a_dotted_path_to_a_task_or_a_reward(capsys: pytest.CaptureFixture[str]) -> None:
    assert "reward grounding.iou, weight 0.9" in run(capsys, "show", "vlrl.tasks.grounding:TASK")[1]
    assert "IoU of the answer's first box" in run(capsys, "show", "vlrl.rewards.grounding:box_iou")[1]


def test_show_a_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gated.py").write_text(
        "from dataclasses import replace\nfrom vlrl.rewards.composite import Gate\nfrom vlrl.tasks.gui import TASK as GUI\n"
        "TASK = replace(GUI, gates={'format.prompted': Gate('gui.click', 1)})\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert "reward format.prompted, weight 0.1, counts from gui.click 1 on" in run(capsys, "show", "gated:TASK")[1]


def test_show_an_unknown_reward(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "show", "gui.clik") == "unknown reward 'gui.clik'; did you mean 'gui.click'?"


def test_show_an_unknown_task(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "show", "guy") == "unknown task 'guy'; did you mean 'gui'?"


# vlrl validate


@pytest.fixture
def data(tmp_path: Path) -> Path:
    Image.new("RGB", (128, 64)).save(tmp_path / "a.png")
    (tmp_path / "bad.png").write_bytes((tmp_path / "a.png").read_bytes()[:-30])
    good = {"image": "a.png", "question": "the red button", "answer": {"box": [8, 40, 60, 56]}}
    broken = [{**good, "image": "bad.png"}, {**good, "image": "none.png"}, {**good, "answer": {"box": [8, 40, 60, 156]}}]
    lines = [json.dumps(row) for row in (good, *broken, good)]
    (tmp_path / "rows.jsonl").write_text("\n".join([*lines, "{"]) + "\n")
    (tmp_path / "good.jsonl").write_text("\n".join([lines[0], lines[-1]]) + "\n")
    return tmp_path


def test_validate_names_every_bad_row(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = data / "rows.jsonl"
    code, out, err = run(capsys, "validate", str(file), "--task", "gui")
    lines = out.splitlines()
    assert (code, err) == (1, "")
    assert [line.split(": ")[0] for line in lines[:-1]] == [f"{file}:{number}" for number in (2, 3, 4, 6)]
    assert all("; " in line for line in lines[:-1])
    assert lines[-1] == f"{file}: 6 rows, 4 bad"


def test_validate_a_good_file(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = data / "good.jsonl"
    assert run(capsys, "validate", str(file), "--task", "gui") == (0, f"{file}: 2 rows, all good\n", "")


def test_validate_shows_progress_on_a_terminal_only_there(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")  # rich takes standard error for a terminal
    code, out, err = run(capsys, "validate", str(data / "good.jsonl"), "--task", "gui")
    assert (code, out.count("\n")) == (0, 1)
    assert "2/2" in err


def test_validate_refuses_unreadable_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    assert "holds no rows" in refused(capsys, "validate", str(tmp_path / "empty.jsonl"))
    assert "cannot be read" in refused(capsys, "validate", str(tmp_path / "none.jsonl"))
    assert "cannot be read" in refused(capsys, "validate", str(tmp_path))
