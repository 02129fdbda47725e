"""What honest programs get from the sandbox, and how its pool lives and dies."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlrl.cli import main
from vlrl.sandbox import FAILURES, SandboxError, SandboxPool, SandboxResult, level, style
from vlrl.sandbox.layers import Layer
from vlrl.sandbox.pool import MAX_CODE, WITHOUT

PLT = "import matplotlib.pyplot as plt\nimport numpy as np\n"
BAR = PLT + "plt.bar(['a', 'b'], [1, 2])\nplt.title('right')\n"


@pytest.fixture(scope="module")
def pool() -> Iterator[SandboxPool]:
    with SandboxPool(2, timeout=20, without=()) as pool:
        yield pool


def titles(result: SandboxResult) -> list[str]:
    assert result.failure is None, result.message
    return [text["text"] for text in result.facts["texts"] if text.get("role") == "title"]


def pixels(result: SandboxResult) -> np.ndarray:
    assert result.png is not None, result.message
    return np.asarray(Image.open(io.BytesIO(result.png)))


def test_a_chart(pool: SandboxPool) -> None:
    result = pool.run(BAR)
    assert titles(result) == ["right"]
    assert pixels(result).shape == (style.HEIGHT, style.WIDTH, 4)
    assert result.facts["sandbox"] == {"size_inches": [6.4, 4.8], "repaired": 0, "foreign": [], "shadowed": [], "blank": False}


@pytest.mark.parametrize(
    ("end", "why"),
    [
        ("plt.show()", "show returns"),
        ("plt.savefig('chart.png')\nplt.savefig('chart.pdf', bbox_inches='tight', dpi=300)", "saved"),
        ("plt.savefig('chart.png')\nplt.close()", "saved, closed"),
        ("plt.savefig('chart.png')\nplt.close('all')", "saved, all closed"),
        ("plt.savefig('chart.png')\nplt.clf()", "saved, cleared"),
        ("plt.savefig('chart.png')\nplt.clf()\nplt.close()", "saved, cleared, closed"),
        ("plt.show()\nplt.close()", "shown, closed"),
        ("plt.close()", "closed only"),
    ],
)
def test_the_picture_is_that_of_the_chart(end: str, why: str, pool: SandboxPool) -> None:
    result = pool.run(BAR + end)
    assert titles(result) == ["right"], why
    assert result.facts["sandbox"]["repaired"] == 0
    if "tight" not in end:
        np.testing.assert_array_equal(pixels(result), pixels(pool.run(BAR)))


def test_a_figure_without_pyplot(pool: SandboxPool) -> None:
    code = "from matplotlib.figure import Figure\nf = Figure()\nf.subplots().set_title('alone')\nf.savefig('x.png')"
    assert titles(pool.run(code)) == ["alone"]


def test_the_current_figure_counts(pool: SandboxPool) -> None:
    assert titles(pool.run(PLT + "plt.figure(); plt.title('one')\nplt.figure(); plt.title('two')")) == ["two"]


def test_main_guards_run(pool: SandboxPool) -> None:
    assert titles(pool.run(PLT + "def main(): plt.title('guarded')\nif __name__ == '__main__': main()")) == ["guarded"]


def test_libraries_are_usable(pool: SandboxPool) -> None:
    codes = {
        "pandas": "import pandas as pd\ndf = pd.DataFrame({'k': list('abab'), 'v': [1, 2, 3, 4]})\n"
        "df.groupby('k')['v'].sum().sort_index().plot(kind='bar', title='t')",
        "networkx": PLT + "import networkx as nx\nnx.draw(nx.cycle_graph(4))\nplt.gca().set_title('t')",
        "scipy.stats": PLT + "from scipy.stats import norm\nplt.plot(norm.pdf(np.linspace(-1, 1)))\nplt.title('t')",
        "datetime": PLT + "import datetime as d\nplt.plot([d.date(2020, 1, i) for i in (1, 2)], [1, 2])\nplt.title('t')",
        "tempfile": PLT + "import tempfile\nf = tempfile.NamedTemporaryFile()\nplt.savefig(f)\nplt.title('t')",
    }
    results = dict(zip(codes, pool.map(codes.values()), strict=True))
    assert {name: titles(result) for name, result in results.items()} == {name: ["t"] for name in codes}


def test_a_class_of_artists_is_reported(pool: SandboxPool) -> None:
    result = pool.run(PLT + "from matplotlib.text import Text\nclass T(Text): pass\nplt.gcf().add_artist(T(.5, .5, 'x'))")
    assert result.facts["sandbox"]["foreign"] == ["T"]


def test_a_replaced_method_is_reported_or_undone(pool: SandboxPool) -> None:
    result = pool.run(PLT + "t = plt.title('honest')\nt.get_text = lambda: 'forged'")
    assert result.facts["sandbox"]["shadowed"] == ["Text.get_text"]
    undone = pool.run(PLT + "import matplotlib.text as m\nm.Text.get_text = lambda self: 'forged'\nplt.title('honest')")
    assert (titles(undone), undone.facts["sandbox"]["repaired"]) == (["honest"], 1)


def test_equal_pictures_for_equal_code(pool: SandboxPool) -> None:
    code = PLT + "import random\nplt.scatter(np.random.rand(9), np.random.default_rng().random(9))\nplt.title(random.random())\n"
    code += "plt.xlabel(' '.join({'a', 'b', 'c', 'd'}))"
    one, two = pool.map([code, code])
    assert one.png == two.png
    assert one.facts == two.facts


def test_the_fonts_are_matplotlibs_own(pool: SandboxPool) -> None:
    code = PLT + "from matplotlib.font_manager import fontManager as f\n"
    code += "plt.title(len({e.fname.split('/mpl-data/')[0] for e in f.ttflist}))"
    assert titles(pool.run(code)) == ["1"]


@pytest.mark.parametrize(
    ("code", "failure", "words"),
    [
        ("", "no_figure", "no figure"),
        ("1 / 0", "exec_error", "ZeroDivisionError: division by zero (line 1)"),
        ("x = (", "exec_error", "SyntaxError: '(' was never closed (line 1)"),
        ("\n\nfoo", "exec_error", "NameError: name 'foo' is not defined (line 3)"),
        ("\0", "exec_error", "SyntaxError"),
        ("'\ud800' + 1", "exec_error", "TypeError"),
        ("x" * (MAX_CODE + 1), "exec_error", "longer than"),
        ("raise SystemExit(2)", "exec_error", "SystemExit: 2"),
        ("raise KeyboardInterrupt", "exec_error", "KeyboardInterrupt"),
    ],
)
def test_failures_say_why(code: str, failure: str, words: str, pool: SandboxPool) -> None:
    result = pool.run(code)
    assert result.failure == failure
    assert failure in FAILURES
    assert words in result.message


def test_the_limit_holds(pool: SandboxPool) -> None:
    started = time.monotonic()
    result = pool.run("while True: pass", timeout=0.7)
    assert result.failure == "timeout"
    assert time.monotonic() - started < 4


def test_order_and_threads(pool: SandboxPool) -> None:
    codes = [PLT + f"plt.title('{i}')" for i in range(12)]
    assert [titles(result) for result in pool.map(codes)] == [[str(i)] for i in range(12)]
    with ThreadPoolExecutor(6) as threads:
        assert [titles(result) for result in threads.map(pool.run, codes)] == [[str(i)] for i in range(12)]


def test_a_lost_server_is_replaced(pool: SandboxPool) -> None:
    first, before = pool.pid(), pool.run(BAR)
    os.kill(first, signal.SIGKILL)
    after = pool.run(BAR)
    assert pool.pid() != first
    assert (after.png, after.facts) == (before.png, before.facts)


def test_a_server_lost_under_a_job_is_replaced(pool: SandboxPool) -> None:
    with ThreadPoolExecutor(1) as thread:
        pool.close()
        pid = pool.pid()
        answer = thread.submit(pool.run, "import time\ntime.sleep(1.5)\n" + BAR)
        time.sleep(0.5)
        os.kill(pid, signal.SIGKILL)
        assert titles(answer.result()) == ["right"]


def test_the_server_ends_with_its_parent() -> None:
    code = "from vlrl.sandbox import SandboxPool\np = SandboxPool()\nprint(p.pid(), flush=True)\np.run('while 1: pass', 60)"
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    server = int(parent.stdout.readline())
    time.sleep(0.5)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{server}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{server}").exists()


def test_a_pool_in_a_forked_child_starts_its_own_server(pool: SandboxPool) -> None:
    server = pool.pid()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        done = b"no"
        try:
            done = b"yes" if pool.run(BAR).failure is None and pool.pid() != server else b"no"
            pool.close()
        finally:
            os.write(write, done)
            os._exit(0)
    os.close(write)
    assert os.read(read, 10) == b"yes"
    os.waitpid(child, 0)
    assert pool.pid() == server
    assert titles(pool.run(BAR)) == ["right"]


def test_a_server_that_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vlrl.sandbox.process.START", "raise SystemExit('no libraries here')")
    with pytest.raises(SandboxError, match="no libraries here"):
        SandboxPool().run(BAR)


def test_a_sandbox_that_cannot_draw_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vlrl.sandbox.pool.PROBE", "1 / 0")
    with SandboxPool() as pool, pytest.raises(SandboxError, match="cannot draw a line"):
        pool.run(BAR)


# layers


@pytest.mark.parametrize(
    ("active", "expected"),
    [
        ({"namespaces", "uid", "landlock", "seccomp", "rlimits"}, "full"),
        ({"namespaces", "rlimits"}, "namespaces"),
        ({"landlock", "seccomp", "rlimits"}, "filtered"),
        ({"seccomp", "rlimits"}, "limits"),
        ({"rlimits"}, "limits"),
    ],
)
def test_levels(active: set[str], expected: str) -> None:
    assert level([Layer(name, True, "") for name in active] + [Layer("landlock", False, "")]) == expected


@pytest.mark.parametrize("without", [("seccomp", "landlock"), ("namespaces", "landlock", "seccomp")])
def test_layers_can_be_left_out(without: tuple[str, ...], pool: SandboxPool, recwarn: pytest.WarningsRecorder) -> None:
    hostile = [
        "while True: pass",
        "bytearray(64 << 30)",
        "import os\nos._exit(0)",
        "import os\nwhile 1: os.write(3, bytes(65536))",
    ]
    with SandboxPool(2, timeout=10, without=without) as weaker:
        found = {layer.name: layer for layer in weaker.layers()}
        assert all(not found[name].active and "switched off" in found[name].why for name in without)
        same, *results = weaker.map([BAR, *hostile])
        alone = weaker.level() == "limits"
    assert same.png == pool.run(BAR).png
    assert [result.failure for result in results] == ["timeout", "memory", "killed", "output_too_large"]
    assert ["limits alone" in str(warning.message) for warning in recwarn] == [True] * alone


def test_check_prints_every_layer(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.py").write_text("1 / 0")
    monkeypatch.setenv(WITHOUT, "namespaces, landlock")
    with pytest.warns(RuntimeWarning, match="limits alone"):
        assert main(["sandbox", str(tmp_path / "bad.py"), "--check"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:6]] == ["namespaces", "uid", "landlock", "seccomp", "rlimits", "level"]
    assert "NOT ACTIVE" in lines[0]
    assert lines[5].startswith("level limits")
    assert "ZeroDivisionError" in lines[6]


def test_the_command_runs_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "chart.py").write_text(BAR)
    assert main(["sandbox", str(tmp_path / "chart.py"), "--png", str(tmp_path / "chart.png")]) == 0
    assert '"failure": null' in capsys.readouterr().out
    assert Image.open(tmp_path / "chart.png").size == (style.WIDTH, style.HEIGHT)


def test_the_command_wants_a_file_or_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox"]) == 2
    assert main(["sandbox", "/no/such/file.py"]) == 2
