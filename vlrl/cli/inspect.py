"""`vlrl inspect`: open the rollout inspector on run folders."""

from __future__ import annotations

from jsonargparse import ArgumentParser, Namespace

from vlrl.logs import RunFolder
from vlrl.types import UserError


def add_arguments(parser: ArgumentParser) -> None:
    """`vlrl inspect RUN [RUN ...] [--port PORT] [--host HOST] [--media_root FOLDER ...]`."""
    parser.add_argument("runs", type=str, nargs="+", help="run folders")
    parser.add_argument("--port", type=int, default=7860, help="port on the host")
    parser.add_argument("--host", type=str, default="127.0.0.1", help="address to listen on; another than 127.0.0.1 asks for a token")
    parser.add_argument("--media_root", type=str, nargs="+", default=[], help="folders whose pictures may be shown, beside the run's own")


def run(args: Namespace) -> int:
    """Serve until interrupted."""
    for folder in args.runs:
        RunFolder(folder).check()
    try:
        from demo.app import main  # only now: it imports gradio
    except ModuleNotFoundError as error:
        raise UserError(f"the inspector needs {error.name}; install it with `pip install 'vlrl[demo]'`") from error
    roots = ["--media_root", *args.media_root] if args.media_root else []
    main([*args.runs, "--port", str(args.port), "--host", args.host, *roots])
    return 0
