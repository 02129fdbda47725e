"""Renders per second of the sandbox against one fresh `python script.py` per program, at equal parallelism, with equal pictures.

    python scripts/bench_sandbox.py --json out.json

Both sides take the same programs in turns (`--rounds`), so that a busy machine is busy for both. A direct run has the
sandbox's environment (backend, fonts, seeds) and ends by rendering its figure with the sandbox's own function, hence the same
bytes are expected; it has no isolation, and reads no facts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from vlrl.sandbox import SandboxPool, style

IMPORTS = "import numpy as np\nimport matplotlib.pyplot as plt\n"

PROGRAMS = {
    "bars": "plt.bar(['a', 'b', 'c'], [3, 1, 2], color='teal')\nplt.title('Sales')\nplt.ylabel('kEUR')",
    "lines": "x = np.linspace(0, 6, 50)\nplt.plot(x, np.sin(x), label='sin')\nplt.plot(x, np.cos(x), label='cos')\nplt.legend()",
    "scatter": "x, y = np.random.default_rng(1).random((2, 80))\nplt.scatter(x, y, c=y, cmap='viridis')\nplt.xlabel('x')",
    "pie": "plt.pie([40, 35, 25], labels=['north', 'south', 'west'], autopct='%1.0f%%')\nplt.title('Shares')",
    "histogram": "np.random.seed(3)\nplt.hist(np.random.randn(500), bins=20, edgecolor='black')\nplt.grid(True)",
    "heat map": "plt.imshow(np.arange(36).reshape(6, 6), cmap='magma')\nplt.colorbar(label='level')",
    "boxes": "plt.boxplot(list(np.random.default_rng(0).normal(size=(4, 40))))\nplt.title('Four groups')",
    "two panels": "fig, axs = plt.subplots(1, 2, figsize=(8, 4))\naxs[0].barh(['u', 'v'], [2, 5])\n"
    "axs[1].fill_between([0, 1, 2], [1, 3, 2], alpha=0.4)\nfig.suptitle('Both')\nplt.tight_layout()\nplt.show()",
    "solid": "ax = plt.figure().add_subplot(projection='3d')\nax.scatter([1, 2, 3], [3, 1, 2], [2, 3, 1])\nax.set_zlabel('z')",
    "pandas": "import pandas as pd\npd.DataFrame({'a': [1, 3, 2], 'b': [2, 2, 4]}, index=list('xyz')).plot(kind='bar')",
    "network": "import networkx as nx\nnx.draw(nx.path_graph(5), pos={i: (i, i % 2) for i in range(5)}, with_labels=True)",
}

AFTER = """
import matplotlib.pyplot
from importlib.machinery import SourceFileLoader
png = SourceFileLoader("sandbox_style", {style!r}).load_module().render(matplotlib.pyplot.gcf())
open({out!r}, "wb").write(png)
"""


class Direct:
    """One fresh interpreter per program."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.environment = style.environment(folder)

    def run(self, name: str) -> bytes:
        script, picture = self.folder / f"program {name}.py", self.folder / f"{name}.png"
        script.write_text(IMPORTS + PROGRAMS[name] + AFTER.format(style=style.__file__, out=str(picture)), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(script)], env=self.environment, cwd=self.folder, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return picture.read_bytes()


def sandboxed(pool: SandboxPool, name: str) -> bytes:
    """One program in the sandbox."""
    result = pool.run(IMPORTS + PROGRAMS[name])
    assert result.png is not None, f"{name}: {result.failure}: {result.message}"
    return result.png


def timed(run: Callable[[str], bytes], names: Sequence[str], workers: int) -> tuple[float, list[bytes]]:
    """Seconds and pictures of many programs, `workers` at a time."""
    started = time.perf_counter()
    with ThreadPoolExecutor(workers) as threads:
        pictures = list(threads.map(run, names))
    return time.perf_counter() - started, pictures


def measure(workers: int, rounds: int) -> dict[str, Any]:
    """Both sides in turns; the sandbox gets each program six times per round, so that both take about as long."""
    names = list(PROGRAMS)
    seconds, renders, equal = {"direct": 0.0, "sandbox": 0.0}, {"direct": 0, "sandbox": 0}, True
    with tempfile.TemporaryDirectory() as folder, SandboxPool(workers, timeout=60) as pool:
        direct = Direct(folder)
        expected = {name: direct.run(name) for name in names}  # fills the font cache, too
        for name in names:
            equal &= sandboxed(pool, name) == expected[name]
        for _ in range(rounds):
            for side, run, times in (("direct", direct.run, 1), ("sandbox", lambda name: sandboxed(pool, name), 6)):
                spent, pictures = timed(run, names * times, workers)
                seconds[side] += spent
                renders[side] += len(pictures)
                equal &= pictures == [expected[name] for name in names * times]
        level = pool.level()
    rates = {side: renders[side] / seconds[side] for side in seconds}
    return {"workers": workers, "level": level, "renders": renders, "renders_per_second": rates, "equal": equal}


def main() -> int:
    """Print, and write, what was measured. The exit code is 1 when pictures differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2, help="programs at a time, on both sides")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the numbers here")
    args = parser.parse_args()
    found = measure(args.workers, args.rounds)
    found["times_faster"] = found["renders_per_second"]["sandbox"] / found["renders_per_second"]["direct"]
    text = json.dumps(found, indent=2)
    print(text)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")
    return 0 if found["equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
