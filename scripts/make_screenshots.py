"""The pictures of README and docs/inspector.md: `python scripts/make_screenshots.py RUN [--more RUN ...] [--only NAME ...]`.

Every page of the inspector in a headless Chromium, over a run that `make quickstart` made. `--more` are runs to lay beside it.
"""

from __future__ import annotations

import argparse
import io
import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from data_recipes.gui_screens import find_chromium
from demo import app
from demo.runs import Run, Runs

OUT = Path(__file__).parents[1] / "docs" / "img"
WIDTH = 1280
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
LARGEST = 200_000
COLOURS = (256, 160, 96, 48)


@dataclass(frozen=True)
class Shot:
    """A picture: its file's name, the address, a selector that stands once the page does, its height, light or dark."""

    name: str
    query: str
    ready: str
    height: int = 900
    scheme: Literal["light", "dark"] = "light"


SHOTS = (
    Shot("run", "?view=run", ".chart", 1180),
    Shot("groups", "?view=groups&step=30&group=1&sort=low", ".card:nth-of-type(8)", 940),
    Shot("groups_dark", "?view=groups&step=20", ".card:nth-of-type(8)", 940, "dark"),
    Shot("completion", "?view=completion&step=30&group=1", "ol.path", 940),
    Shot("search", "?view=search&correct=no", ".thumb svg", 860),
    Shot("evaluation", "?view=evaluation&step=0", ".tile", 900),
    Shot("compare", "?view=compare", ".tile", 1000),
    Shot("prompt", "?view=compare&what=prompt", ".compared .card", 940),
    Shot("rescore", "?view=compare&what=rescore&task=grounding", "#rescored .hit", 900),
    Shot("try", "?view=try", "#try-page .card", 1080),
)


def score_again(page: Any, run: Run) -> None:
    """What the picture `rescore` shows: half the boxes' overlap is asked for, all or nothing."""
    page.locator("textarea[name=reward]").fill('{"grounding.acc50": 0.9, "format.prompted": 0.1}')
    page.get_by_role("button", name="Score again").click()


def try_checkpoint(page: Any, run: Run) -> None:
    """What the picture `try` shows: the run's checkpoint, asked a held-out row."""
    row = next(row for row in run.eval_rows(run.evals()[0]["step"]) if row["sample"]["task"] == "grounding")["sample"]
    page.locator("#try-page input[type=file]").set_input_files(row["media"][0]["path"])
    page.get_by_label("question").fill(row["question"])
    page.get_by_label("gold answer").fill(json.dumps({"box": row["answer"]["box"]}))
    page.get_by_role("button", name="Sample").click()


BEFORE: dict[str, Callable[[Any, Run], None]] = {"rescore": score_again, "try": try_checkpoint}


def picture(browser: Browser, url: str, shot: Shot, run: Run) -> Image.Image:
    """A page as it looks."""
    page: Any = browser.new_page(viewport={"width": WIDTH, "height": shot.height}, color_scheme=shot.scheme)
    page.goto(url + shot.query)
    if shot.name in BEFORE:
        page.locator(".vl-stage[data-ready] main > *").first.wait_for()
        BEFORE[shot.name](page, run)
    page.locator(shot.ready).first.wait_for(timeout=120_000)
    page.wait_for_timeout(700)
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.close()
    return taken


def save(taken: Image.Image, path: Path) -> int:
    """A PNG with as many colours as fit into `LARGEST` bytes; returns its size."""
    for colours in COLOURS:
        buffer = io.BytesIO()
        taken.quantize(colours, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= LARGEST:
            break
    path.write_bytes(buffer.getvalue())
    return buffer.tell()


def make(folders: Sequence[Path], out: Path, only: Sequence[str]) -> None:
    """Serves the runs and takes the pictures."""
    runs = Runs(folders)
    for run in runs.values():
        run.builder.sync()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    blocks = app.build(runs)
    url = app.launch(blocks, port)
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS) as browser:
        for shot in SHOTS:
            if not only or shot.name in only:
                path = out / f"inspector_{shot.name}.png"
                size = save(picture(browser, url, shot, next(iter(runs.values()))), path)
                print(f"{path}  {size:,} bytes", flush=True)
    blocks.close(verbose=False)
    runs.close()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--more", type=Path, nargs="+", default=[])
    parser.add_argument("--only", nargs="+", default=[], help="names of pictures, such as run groups search")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    make([args.run, *args.more], args.out, args.only)


if __name__ == "__main__":
    main()
