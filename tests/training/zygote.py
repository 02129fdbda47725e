"""Runs training in processes of its own without paying for the imports each time, and lets them die where they are told to.

Started as a script, it imports everything once; then each line of standard input is a life: `{"argv": [...], "kill": null}`. With
`kill` = `["vlrl.logs:RunFolder.write_metrics", 2, "before"]` that life sends itself SIGKILL before (after) its second call. The
answers are the process id, and the exit code (negative: killed by that signal) when the life is over.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from functools import reduce
from typing import Any


def arm(place: str, call: int, when: str) -> None:
    """Makes the `call`-th call of a function the end of this process."""
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner = reduce(getattr, owners, importlib.import_module(module))
    original, calls = getattr(owner, name), iter(range(1, call + 1))

    def armed(*args: Any, **kwargs: Any) -> Any:
        last = next(calls) == call
        if last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, armed)


def live(argv: list[str], kill: list[Any] | None) -> None:
    """One life; does not return."""
    log = os.open(os.environ["ZYGOTE_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if kill:
        arm(*kill)
    from vlrl.cli import main

    code = main(argv)
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    import vlrl.training.grpo  # noqa: F401  what takes the time

    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            live(order["argv"], order["kill"])
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
