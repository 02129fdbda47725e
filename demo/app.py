"""The inspector's program: a Gradio app of one HTML component, whose script asks `demo.frame` for every view."""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported: the inspector talks to nobody

import gradio as gr
from starlette.middleware import Middleware

from demo.frame import Frame
from demo.gate import LOOPBACK, Gate
from demo.pages import try_page
from demo.pages.table import PAGES
from demo.runs import Runs
from vlrl.types import UserError

STATIC = Path(__file__).parent / "static"
REFRESH_SECONDS = 3.0
PORT = 7860
EVERYWHERE = ("0.0.0.0", "::")
LOADING = '<div class="vl-stage" data-every="{every:.0f}"><div class="vl"><p class="note">Loading the run</p></div></div>'


def build(runs: Runs) -> gr.Blocks:
    """The app over some runs."""
    with gr.Blocks(title="vlrl inspector", fill_width=True, analytics_enabled=False) as app:
        gr.HTML(
            LOADING.format(every=1000 * REFRESH_SECONDS),
            js_on_load=(STATIC / "inspector.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            server_functions=server_functions(Frame(runs, PAGES)),
        )
        try_page.build(runs)
    return app


def server_functions(frame: Frame) -> list[Callable[..., Any]]:
    """What the script may call. Gradio marks each function, which it cannot do to a method."""

    def show(query: str) -> dict[str, str]:
        return frame.show(query)

    def act(request: dict[str, Any]) -> dict[str, str]:
        return frame.act(request)

    def stamp(query: str) -> str:
        return frame.stamp(query)

    return [show, act, stamp]


def launch(app: gr.Blocks, port: int, host: str = LOOPBACK[0], token: str = "") -> str:
    """Serves the app in the background and returns its address. Without a token it answers only to this machine's names."""
    style = (STATIC / "inspector.css").read_text(encoding="utf-8")
    app.launch(
        server_name=host,
        server_port=port,
        share=False,
        ssr_mode=False,
        quiet=True,
        run_history=False,
        footer_links=[],
        prevent_thread_lock=True,
        theme=gr.themes.Base(primary_hue="blue", neutral_hue="slate", radius_size="sm", font=["system-ui", "sans-serif"]),
        head=f"<style>{style}</style>",
        app_kwargs={"middleware": [Middleware(Gate, token=token)]},
    )
    named = socket.gethostname() if host in EVERYWHERE else host
    shown = f"[{named}]" if ":" in named else named
    return f"http://{shown}:{port}/" + (f"?token={token}" if token else "")


def token_for(host: str) -> str:
    """A new token when others can reach the host, nothing on loopback."""
    return "" if host in LOOPBACK else secrets.token_urlsafe(24)


def main(argv: Sequence[str] | None = None) -> None:
    """Opens run folders in the inspector."""
    parser = argparse.ArgumentParser(prog="python -m demo.app", description="Show what the rollouts of a run look like.")
    parser.add_argument("runs", nargs="+", type=Path, help="run folders, such as runs/quickstart")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--host", default=LOOPBACK[0], help="another address than 127.0.0.1 asks visitors for a token")
    parser.add_argument("--media_root", nargs="+", default=[], type=Path, help="more folders whose pictures may be shown")
    arguments = parser.parse_args(argv)
    try:
        serve(Runs(arguments.runs, arguments.media_root), arguments.port, arguments.host)
    except (UserError, OSError) as error:
        sys.exit(f"error: {error}")


def serve(runs: Runs, port: int, host: str) -> None:
    """Shows some runs until interrupted."""
    app = build(runs)
    address = launch(app, port, host, token_for(host))
    runs.start()
    print(f"inspector: {address} (Ctrl+C ends it)", flush=True)
    app.block_thread()


if __name__ == "__main__":
    main()
