"""`vlrl inspect`: open the rollout inspector on run folders."""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from vlrl.types import UserError


def add_arguments(parser: ArgumentParser) -> None:
    """`vlrl inspect RUN [RUN ...] [--port PORT] [--host HOST] [--media_root FOLDER ...]`."""
    parser.add_argument("runs", type=str, nargs="+", help="run folders, or folders that `vlrl eval` wrote")
    parser.add_argument("--port", type=int, default=7860, help="port on the host")
    parser.add_argument("--host", type=str, default="127.0.0.1", help="address to listen on; any but 127.0.0.1 asks for a token")
    parser.add_argument("--media_root", type=str, nargs="+", default=[], help="more folders whose pictures may be shown")


def run(args: Namespace) -> int:
    """Serve until interrupted."""
    try:
        from demo.runs import Runs  # only now: it comes with an extra

        runs = Runs([Path(folder) for folder in args.runs], [Path(folder) for folder in args.media_root])

        from demo.app import serve
    except ModuleNotFoundError as error:
        raise UserError(f"the inspector needs {error.name}; install it with `pip install 'vlrl[demo]'`") from error
    serve(runs, args.port, args.host)
    return 0
