"""The `vlrl` command. One file per sub-command, imported only when it is the one asked for, so that `vlrl score` starts fast.

Each file holds `add_arguments(parser)` and `run(args) -> int`, whose result is the exit code. A `UserError` becomes one line on
standard error and exit code 2.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from vlrl import __version__
from vlrl.types import UserError

COMMANDS = {
    "train": "train a model with GRPO from a YAML file",
    "eval": "greedy scores of a model on local rows, with intervals",
    "inspect": "open the rollout inspector on run folders",
    "score": "score completions: JSON lines in, JSON lines out",
    "show": "list tasks and rewards, or explain one of them",
    "export": "write a reward for another trainer, or as an HTTP service",
    "sandbox": "show what protects this machine from the plotting code that models write",
    "validate": "check a data set: media decode, gold answers earn the maximum",
}
"""Sub-command (a module of this folder) -> what it does."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (default: the process's own) and return its exit code.

    Modules in the working directory can be named by a dotted path (`my_tasks:TASK`); installed ones go first.
    """
    sys.path.append(os.getcwd())
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return code
    except UserError as error:
        print("vlrl: error: " + " ".join(str(error).split()), file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read our output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _run(argv: list[str]) -> int:
    name = argv[0] if argv else "--help"
    if name in ("-h", "--help"):
        print(_overview())
        return 0
    if name == "--version":
        print(f"vlrl {__version__}")
        return 0
    from vlrl.cli.parser import new_parser, parse  # only now: --version needs no jsonargparse
    from vlrl.data.errors import suggest

    if name not in COMMANDS:
        raise UserError(f"unknown command {name!r}; {suggest(name, COMMANDS)}")
    command = importlib.import_module(f"vlrl.cli.{name}")
    parser = new_parser(name, COMMANDS[name])
    command.add_arguments(parser)
    return command.run(parser.instantiate(parse(parser, argv[1:])))


def _overview() -> str:
    lines = [f"  {name:<10} {words}" for name, words in COMMANDS.items()]
    return "\n".join(["usage: vlrl COMMAND [options]", "", *lines, "", "`vlrl COMMAND --help` tells more."])
