"""`vlrl sandbox`: what protects this machine from the plotting code that models write."""

from __future__ import annotations

import sys

from jsonargparse import ArgumentParser, Namespace

from vlrl.sandbox import SandboxError, SandboxPool
from vlrl.types import UserError

LEVELS = {
    "full": "code runs in a world of its own, with few system calls",
    "namespaces": "code runs in a world of its own, with all system calls",
    "filtered": "code is confined to its folder and few system calls, in this machine's world",
    "limits": "code can read files and use the network: resource limits alone hold it",
}


def add_arguments(parser: ArgumentParser) -> None:
    """`vlrl sandbox --check` or `vlrl sandbox FILE`."""
    parser.add_argument(
        "file", type=str, nargs="?", help="run this Python file in the sandbox (`-`: standard input); print its facts"
    )
    parser.add_argument("--check", action="store_true", help="print each layer of protection, active or not, why, and the level")
    parser.add_argument("--png", type=str, help="write the file's picture here")


def run(args: Namespace) -> int:
    """Print the layers, or what came of the file. Exit code 1 when the file failed."""
    if args.file is None and not args.check:
        raise UserError("nothing to do: give a Python file, or --check")
    try:
        with SandboxPool() as pool:
            if args.check:
                _print_layers(pool)
            return 0 if args.file is None else _run_file(pool, args.file, args.png)
    except SandboxError as error:
        raise UserError(str(error)) from error


def _print_layers(pool: SandboxPool) -> None:
    for layer in pool.layers():
        print(f"{layer.name:<11} {'active' if layer.active else 'NOT ACTIVE':<11} {layer.why}")
    print(f"level {pool.level()}: {LEVELS[pool.level()]}")


def _run_file(pool: SandboxPool, path: str, png: str | None) -> int:
    import json

    result = pool.run(_source(path))
    if png and result.png:
        with open(png, "wb") as file:
            file.write(result.png)
    print(json.dumps({"failure": result.failure, "message": result.message, "facts": result.facts}))
    return 0 if result.failure is None else 1


def _source(path: str) -> str:
    try:
        if path == "-":
            return sys.stdin.read()
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: {error}") from error
