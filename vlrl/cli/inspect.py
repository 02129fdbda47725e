"""`vlrl inspect`: open the rollout inspector on run folders."""

from __future__ import annotations

from jsonargparse import ArgumentParser, Namespace

from vlrl.logs import RunFolder
from vlrl.types import UserError


def add_arguments(parser: ArgumentParser) -> None:
    """`vlrl inspect RUN [RUN ...] [--port PORT]`."""
    parser.add_argument("runs", type=str, nargs="+", help="run folders")
    parser.add_argument("--port", type=int, default=7860, help="port on 127.0.0.1")


def run(args: Namespace) -> int:
    """Serve until interrupted."""
    for folder in args.runs:
        RunFolder(folder).check()
    try:
        from demo.app import main  # only now: it imports gradio
    except ModuleNotFoundError as error:
        raise UserError(f"the inspector needs {error.name}; install it with `pip install 'vlrl[demo]'`") from error
    main([*args.runs, "--port", str(args.port)])
    return 0
