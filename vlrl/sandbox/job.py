"""One job, inside its own process: confine it, run the code, render, read the facts, write one frame, end.

The frame is a secret of 16 bytes, two lengths, a JSON object and a PNG. The code runs in this interpreter, so that all of it
is a claim of the code's; the parent checks form and size (`result.py`). References taken before the code runs, and
`Genuine.restore` after it, keep replaced functions out of what is reported.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import struct
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NoReturn

from vlrl.sandbox import figure_facts, landlock, limits, linux, namespaces, seccomp, style, witness
from vlrl.sandbox.artists import Artists, PlacedTexts
from vlrl.sandbox.genuine import Genuine
from vlrl.sandbox.trace import Trace

SOURCE = "<chart>"
HEADER = struct.Struct(">16sII")
MAX_FACTS, MAX_PNG = 2 << 20, 2 << 20
MAX_MESSAGE = 300
HIDDEN = "vlrl"

Reader = Trace | Artists
READERS: dict[str, type[Reader]] = {"calls": Trace, "artists": Artists, "texts": PlacedTexts}
"""Who tells of a program in place of its picture and facts: of its calls, its figure's artists, or texts."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the parent asks for: code, limits, the secret that the answer begins with, a folder for a job that has no file
    system of its own, and who is to tell of the program in place of picture and facts (one of `READERS`).
    """

    code: str
    timeout: float
    memory: int
    secret: str
    folder: str
    reader: str = ""

    @classmethod
    def from_file(cls, fd: int) -> Request:
        with open(fd, encoding="utf-8") as file:
            file.seek(0)
            return cls(**json.load(file))


@dataclass(frozen=True, slots=True)
class World:
    """What the server knows: the layers that hold here, the folders that a job may read, the libraries as they were."""

    layers: frozenset[str]
    readable: tuple[str, ...]
    base_memory: int
    genuine: Genuine
    witness: witness.Witness


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure code and a short text."""

    code: str
    message: str


def main(request: Request, world: World, output: int) -> NoReturn:
    """Do the job and end the process."""
    try:
        confine(request, world)
    except OSError as error:
        _finish(output, request.secret, {"failure": "sandbox_error", "message": str(error)}, b"")
    report, png = _report(request.code, world, READERS[request.reader]() if request.reader else None)
    _finish(output, request.secret, report, png)


def confine(request: Request, world: World) -> None:
    """Set every layer that holds here. Nothing of this can be undone."""
    folder = request.folder
    if "namespaces" in world.layers:
        folder = namespaces.job_folder(world.readable)
        namespaces.private_folder(folder)
    else:
        os.chdir(folder)
    os.environ["HOME"] = os.environ["TMPDIR"] = tempfile.tempdir = folder
    limits.apply(request.timeout, world.base_memory + request.memory if world.base_memory else -1)
    if "landlock" in world.layers:
        landlock.apply(world.readable, [folder, "/dev/null"])
    if linux.SUPPORTED:
        linux.drop_capabilities()
    if "seccomp" in world.layers:
        seccomp.apply()


def _report(code: str, world: World, reader: Reader | None) -> tuple[dict[str, Any], bytes]:
    """The JSON part and the PNG of a job."""
    restore, quiet, witnessed, known, describe = world.genuine.restore, _quiet(), world.witness, world.genuine.classes, _describe
    hidden = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == HIDDEN}
    for name in hidden:
        del sys.modules[name]
    style.seed()
    witnessed.forget()
    if reader is not None:
        reader.install()
    error = _execute(code)
    quiet()
    if reader is not None:
        reader.uninstall()
    repaired = restore()
    sys.modules.update(hidden)
    failure = describe(error) if error is not None else None
    if failure is not None and not (reader is not None and reader.lenient and failure.code != "memory"):
        return {"failure": failure.code, "message": failure.message}, b""
    try:
        if reader is not None:
            return _read(reader, failure, repaired), b""
        return _picture(witnessed, known, repaired)
    except BaseException as trouble:  # of figures that cannot be drawn, or were made to fail
        failed = describe(trouble)
        return {"failure": failed.code, "message": "drawing: " + failed.message}, b""


def _execute(code: str) -> BaseException | None:
    """What the code raised, unless it ended well."""
    main_module = ModuleType("__main__")
    sys.modules["__main__"], sys.argv = main_module, ["chart.py"]
    try:
        exec(compile(code, SOURCE, "exec", dont_inherit=True), main_module.__dict__)
    except SystemExit as error:
        return error if error.code else None
    except BaseException as error:
        return error
    return None


def _describe(error: BaseException) -> Failure:
    kind = type(error)
    try:
        words = str(error.msg if isinstance(error, SyntaxError) else error)[:MAX_MESSAGE]
    except BaseException:
        words = ""
    line = error.lineno if isinstance(error, SyntaxError) else None
    place = error.__traceback__
    while place is not None:
        line = place.tb_lineno if place.tb_frame.f_code.co_filename == SOURCE else line
        place = place.tb_next
    where = f" (line {line})" if line else ""
    return Failure("memory" if issubclass(kind, MemoryError) else "exec_error", f"{kind.__name__}: {words}{where}")


def _quiet() -> Callable[[], None]:
    """How to end tracing, timers, collector callbacks and signal handlers of the code's, prepared before there can be any.

    It calls C functions taken beforehand, which nobody can replace.
    """
    untrace, unprofile, no_collector, callbacks = sys.settrace, sys.setprofile, gc.disable, gc.callbacks
    set_timer, timers = signal.setitimer, (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
    block, everything, how = signal.pthread_sigmask, signal.valid_signals(), signal.SIG_BLOCK

    def quiet() -> None:
        untrace(None)
        unprofile(None)
        no_collector()
        callbacks.clear()
        block(how, everything)
        for timer in timers:
            set_timer(timer, 0)

    return quiet


def _picture(witnessed: witness.Witness, known: frozenset[type], repaired: int) -> tuple[dict[str, Any], bytes]:
    figure = witnessed.figure()
    if figure is None:
        return {"failure": "no_figure", "message": "the code drew no figure"}, b""
    inches = [float(side) for side in figure.get_size_inches()]
    png = style.render(figure)
    doubts = {"repaired": repaired, **witness.suspects(figure, known)}
    facts = {**figure_facts.collect([figure]), "sandbox": {"size_inches": inches, **doubts}}
    if len(png) > MAX_PNG or len(json.dumps(facts)) > MAX_FACTS:
        return {"failure": "output_too_large", "message": "the picture or its facts are too large"}, b""
    return {"failure": None, "message": "", "facts": facts}, png


def _read(reader: Reader, failure: Failure | None, repaired: int) -> dict[str, Any]:
    told = reader.report()
    if told is None:
        return {"failure": "no_figure", "message": "the code drew no figure"}
    told["error"] = None if failure is None else failure.message
    facts = {"read": told, "sandbox": {"repaired": repaired}}
    if len(json.dumps(facts)) > MAX_FACTS:
        return {"failure": "output_too_large", "message": "the facts are too large"}
    return {"failure": None, "message": "", "facts": facts}


def _finish(output: int, secret: str, report: dict[str, Any], png: bytes) -> NoReturn:
    body = json.dumps(report).encode()
    frame = HEADER.pack(bytes.fromhex(secret), len(body), len(png)) + body + png
    while frame:
        frame = frame[os.write(output, frame) :]
    os._exit(0)
