"""The inspector's wiring: which page shows what, and when it is drawn anew. Reading is `vlrl.logs`, drawing is `demo.panels`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported: the inspector talks to nobody

import gradio as gr

from demo import panels
from demo.style import STYLE_SHEET
from vlrl.logs import RunFolder
from vlrl.types import RolloutGroup, UserError

REFRESH_SECONDS = 5.0
ALL_MODES = "all prompt modes"

PICK_GROUP = """
element.addEventListener('click', event => {
  const picked = event.target.closest('button[data-group]');
  if (!picked) return;
  element.querySelectorAll('button[data-group]').forEach(button => button.setAttribute('aria-pressed', button === picked));
  trigger('click', {group: Number(picked.dataset.group)});
});
"""


# reading


def fingerprint(run: str) -> str:
    """Changes whenever training has written something: cheap enough to ask every few seconds."""
    return repr([_stamp(Path(run) / name) for name in ("config.yaml", "metrics.jsonl", "rollouts", "eval", "summary.json")])


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=4)
def _groups(run: str, step: int, stamp: str) -> list[RolloutGroup]:
    return RunFolder(run).groups(step)


@lru_cache(maxsize=4)
def _eval_rows(run: str, step: int, stamp: str) -> list[dict[str, Any]]:
    return panels.worst_first(RunFolder(run).eval_rows(step))


def steps_of(run: str) -> list[int]:
    """The steps that have rollouts; none when the folder cannot be read."""
    try:
        return RunFolder(run).steps()
    except (UserError, OSError):
        return []


def evals_of(run: str) -> list[dict[str, Any]]:
    """The summaries of the evaluations; none when the folder cannot be read."""
    try:
        return RunFolder(run).evals()
    except (UserError, OSError):
        return []


# what the pages show


def overview(run: str) -> str:
    """The Run page."""
    folder = RunFolder(run)
    try:
        return panels.run_page(Path(run).name, folder.metrics(), folder.evals(), folder.summary())
    except (UserError, OSError) as error:
        return panels.notice(str(error))


def show_step(run: str, step: int | None) -> tuple[str, str]:
    """The list of a step's groups, and its first group opened."""
    if step is None:
        return panels.group_list([]), ""
    try:
        groups = _groups(run, step, _stamp(Path(run) / "rollouts"))
    except (UserError, OSError) as error:
        return panels.notice(str(error)), ""
    return panels.group_list(groups), panels.group_page(groups[panels.by_spread(groups)[0]]) if groups else ""


def show_group(run: str, step: int | None, event: gr.EventData) -> Any:
    """The group whose button was clicked."""
    picked = event._data.get("group")
    if step is None or not isinstance(picked, int):
        return gr.skip()
    groups = _groups(run, step, _stamp(Path(run) / "rollouts"))
    return panels.group_page(groups[picked]) if 0 <= picked < len(groups) else gr.skip()


def show_eval(run: str, step: int | None, mode: str, start: int) -> tuple[str, int]:
    """One page of an evaluation's rows, worst first, and where that page really starts."""
    if step is None:
        return panels.notice("No evaluation yet.", "It appears here by itself once training has written one."), 0
    try:
        rows = _eval_rows(run, step, _stamp(Path(run) / "eval"))
    except (UserError, OSError) as error:
        return panels.notice(str(error)), 0
    chosen = [row for row in rows if mode in (ALL_MODES, row["prompt_mode"])]
    last = max(len(chosen) - 1, 0) // panels.ROWS_PER_PAGE * panels.ROWS_PER_PAGE
    start = min(max(start, 0), last)
    summary = next((entry for entry in evals_of(run) if entry["step"] == step), {})
    return panels.eval_page(summary, chosen, start), start


def move(by: int, run: str, step: int | None) -> int | None:
    """The step to show after `Previous step` (by = -1) or `Next step`."""
    return neighbour(steps_of(run), step, by)


def turn(by: int, run: str, step: int | None, mode: str, start: int) -> tuple[str, int]:
    """The evaluation page that lies `by` rows away."""
    return show_eval(run, step, mode, start + by)


def refresh(run: str, seen: str, step: int | None, eval_step: int | None, mode: str) -> list[Any]:
    """After training has written something: the Run page and the choices of the other pages. Otherwise nothing moves."""
    now = run + fingerprint(run)
    if now == seen:
        return [gr.skip()] * 5
    evals = evals_of(run)
    modes = [ALL_MODES, *dict.fromkeys(mode for entry in evals for mode in entry.get("prompt_modes", {}))]
    return [
        now,
        overview(run),
        _choice("step", steps_of(run), step),
        _choice("evaluation of step", [entry["step"] for entry in evals], eval_step),
        gr.update(choices=modes, value=mode if mode in modes else ALL_MODES),
    ]


def _choice(words: str, steps: Sequence[int], current: int | None) -> Any:
    """Newest first; what is being looked at stays."""
    newest = steps[-1] if steps else None
    return gr.update(
        choices=[(f"{words} {step}", step) for step in reversed(steps)], value=current if current in steps else newest
    )


def neighbour(steps: Sequence[int], current: int | None, by: int) -> int | None:
    """The step `by` places after the current one, as far as there is one.

    >>> neighbour([10, 20, 30], 20, 1), neighbour([10, 20, 30], 10, -1)
    (30, 10)
    """
    if not steps:
        return None
    at = steps.index(current) if current in steps else len(steps) - 1
    return steps[min(max(at + by, 0), len(steps) - 1)]


# wiring


def build(run_paths: Sequence[Path]) -> gr.Blocks:
    """The app over some run folders."""
    for path in run_paths:
        RunFolder(path).check()
    alone = len({path.name for path in run_paths}) == len(run_paths)
    choices = [(path.name if alone else str(path), str(path)) for path in run_paths]
    with gr.Blocks(title="vlrl inspector", fill_width=True, analytics_enabled=False) as app:
        seen = gr.State("")
        with gr.Row(elem_classes="controls", visible=len(choices) > 1):
            run = gr.Dropdown(choices, value=choices[0][1], label="Run", container=False, scale=0, min_width=300)
        with gr.Tab("Run"):
            page = gr.HTML(js_on_load=None, apply_default_css=False)
        with gr.Tab("Groups"):
            step, groups = _groups_tab(run)
        with gr.Tab("Evaluation"):
            eval_step, mode, rows, start = _evaluation_tab(run)
        inputs, outputs = [run, seen, step, eval_step, mode], [seen, page, step, eval_step, mode]
        gr.on([app.load, gr.Timer(REFRESH_SECONDS).tick], refresh, inputs, outputs, show_progress="hidden", api_name="refresh")
        moved = run.change(refresh, inputs, outputs, show_progress="hidden", api_visibility="private")
        moved.then(show_step, [run, step], groups, show_progress="hidden", api_visibility="private")
        moved.then(show_eval, [run, eval_step, mode, start], [rows, start], show_progress="hidden", api_visibility="private")
    return app


def _groups_tab(run: gr.Dropdown) -> tuple[gr.Dropdown, list[gr.HTML]]:
    with gr.Row(elem_classes="controls"):
        step = gr.Dropdown([], value=None, label="Step", container=False, scale=0, min_width=220)
        older = gr.Button("Previous step", size="sm", scale=0, min_width=130)
        newer = gr.Button("Next step", size="sm", scale=0, min_width=130)
    with gr.Row():
        with gr.Column(scale=0, min_width=250):
            group_list = gr.HTML(panels.group_list([]), js_on_load=PICK_GROUP, apply_default_css=False)
        with gr.Column(scale=1):
            group = gr.HTML(js_on_load=None, apply_default_css=False)
    step.change(show_step, [run, step], [group_list, group], show_progress="hidden", api_name="show_step")
    group_list.click(show_group, [run, step], group, show_progress="hidden", api_visibility="private")
    for button, by in ((older, -1), (newer, 1)):
        button.click(partial(move, by), [run, step], step, show_progress="hidden", api_visibility="private")
    return step, [group_list, group]


def _evaluation_tab(run: gr.Dropdown) -> tuple[gr.Dropdown, gr.Dropdown, gr.HTML, gr.State]:
    start = gr.State(0)
    with gr.Row(elem_classes="controls"):
        step = gr.Dropdown([], value=None, label="Evaluation of step", container=False, scale=0, min_width=220)
        mode = gr.Dropdown([ALL_MODES], value=ALL_MODES, label="Prompt mode", container=False, scale=0, min_width=220)
        back = gr.Button("Previous page", size="sm", scale=0, min_width=130)
        forth = gr.Button("Next page", size="sm", scale=0, min_width=130)
    rows = gr.HTML(show_eval("", None, ALL_MODES, 0)[0], js_on_load=None, apply_default_css=False)
    first_page = partial(show_eval, start=0)
    gr.on([step.change, mode.change], first_page, [run, step, mode], [rows, start], show_progress="hidden", api_name="show_eval")
    for button, by in ((back, -panels.ROWS_PER_PAGE), (forth, panels.ROWS_PER_PAGE)):
        button.click(partial(turn, by), [run, step, mode, start], [rows, start], show_progress="hidden", api_visibility="private")
    return step, mode, rows, start


def launch(app: gr.Blocks, port: int) -> str:
    """Serves the app to this machine only, in the background, and returns its address."""
    theme = gr.themes.Base(primary_hue="blue", neutral_hue="slate", radius_size="sm", font=["system-ui", "sans-serif"])
    _, address, _ = app.launch(
        server_name="127.0.0.1",
        server_port=port,
        share=False,
        ssr_mode=False,
        quiet=True,
        footer_links=[],
        prevent_thread_lock=True,
        theme=theme,
        head=f"<style>{STYLE_SHEET}</style>",
    )
    return address


def main(argv: Sequence[str] | None = None) -> None:
    """Opens run folders in the inspector."""
    parser = argparse.ArgumentParser(prog="python -m demo.app", description="Show what the rollouts of a run look like.")
    parser.add_argument("runs", nargs="+", type=Path, help="run folders, such as runs/quickstart")
    parser.add_argument("--port", type=int, default=7860)
    arguments = parser.parse_args(argv)
    try:
        app = build(arguments.runs)
        address = launch(app, arguments.port)
    except (UserError, OSError) as error:
        sys.exit(f"error: {error}")
    print(f"inspector: {address} (Ctrl+C ends it)", flush=True)
    app.block_thread()


if __name__ == "__main__":
    main()
