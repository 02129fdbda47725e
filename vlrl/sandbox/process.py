"""The parent's side of one warm server: start it, hand it jobs, hear how they end, stop it with all that it started."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from typing import Any

from vlrl.sandbox import namespaces, style
from vlrl.sandbox.job import HEADER
from vlrl.sandbox.layers import Layer
from vlrl.sandbox.result import MAX_FRAME, SandboxResult, new_secret, read_frame

START = "import sys, json; fd, without, path = json.loads(sys.argv[1]); sys.path += [p for p in path if p not in sys.path]\n"
START += "from vlrl.sandbox.server import main; main(fd, without)"
START_SECONDS, END_SECONDS = 120.0, 5.0


class SandboxError(RuntimeError):
    """The sandbox itself does not work on this machine. Never about the code that was to run."""


class ServerLostError(Exception):
    """The server ended, or does not answer."""


class ServerProcess:
    """A running server. Any number of threads may call `run` at once; each call is one job."""

    def __init__(self, without: Sequence[str]) -> None:
        self.owner = os.getpid()
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        with tempfile.TemporaryDirectory(prefix="vlrl-sandbox-") as folder, tempfile.TemporaryFile() as complaints, theirs:
            arguments = json.dumps([theirs.fileno(), list(without), [os.path.abspath(path) for path in sys.path if path]])
            command = [sys.executable, "-P", "-s", "-c", START, arguments]
            environment = style.environment(folder)
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                cwd="/",
                env=environment,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
            theirs.close()
            self.layers = self._hello(complaints)

    def _hello(self, complaints: Any) -> list[Layer]:
        self._control.settimeout(START_SECONDS)
        try:
            with self._control.makefile("rb") as lines:
                layers = [Layer(**layer) for layer in json.loads(lines.readline())]
        except (OSError, ValueError) as error:
            self.stop()
            complaints.seek(0)
            said = complaints.read()[-500:].decode(errors="replace").strip()
            raise SandboxError(f"the sandbox's server did not start: {said or error}") from error
        self._control.settimeout(None)
        return layers

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self.owner == os.getpid() and self._process.poll() is None

    def active(self, layer: str) -> bool:
        return any(found.active for found in self.layers if found.name == layer)

    def stop(self) -> None:
        """End the server and every job. In a forked copy of the parent, only let go of it."""
        self._control.close()
        if self.owner != os.getpid():
            return
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def run(self, code: str, timeout: float, memory: int, reader: str = "") -> SandboxResult:
        """One job. Raises ServerLostError when the server does not answer for it."""
        with contextlib.ExitStack() as stack:
            folder = "" if self.active("namespaces") else stack.enter_context(self._folder())
            secret = new_secret()
            request = stack.enter_context(tempfile.TemporaryFile())
            wanted = {"code": code, "timeout": timeout, "memory": memory, "secret": secret, "folder": folder, "reader": reader}
            request.write(json.dumps(wanted).encode())
            request.flush()
            channel, theirs = socket.socketpair()
            stack.enter_context(channel)
            stack.enter_context(theirs)
            output, theirs_too = os.pipe()
            stack.callback(os.close, output)
            started = time.monotonic()
            self._send([request.fileno(), theirs_too, theirs.fileno()], theirs_too)
            theirs.close()
            return _Job(output, channel, started, timeout).result(secret, timeout, pictured=not reader)

    def _send(self, fds: list[int], ours: int) -> None:
        try:
            with self._lock:
                socket.send_fds(self._control, [b"j"], fds)
        except OSError as error:
            raise ServerLostError(str(error)) from error
        finally:
            os.close(ours)

    @contextlib.contextmanager
    def _folder(self) -> Any:
        """A working directory for a job that cannot have a file system of its own."""
        with tempfile.TemporaryDirectory(prefix="vlrl-job-", ignore_cleanup_errors=True) as folder:
            if self.active("uid"):
                os.chown(folder, namespaces.NOBODY, namespaces.NOBODY)
            yield folder


class _Job:
    """A job under way, seen from the parent: its result pipe and its channel."""

    def __init__(self, output: int, channel: socket.socket, started: float, timeout: float) -> None:
        self.output, self.channel = output, channel
        self.started, self.deadline = started, started + timeout

    def result(self, secret: str, timeout: float, pictured: bool) -> SandboxResult:
        frame, why = self._read()
        if why is not None:
            with contextlib.suppress(OSError):
                self.channel.send(b"k")
        status = self._ended()
        seconds = time.monotonic() - self.started
        if why is None and not frame:
            why = "timeout" if status.get("cpu", 0.0) > timeout else "killed"
        if why is not None:
            return SandboxResult(failure=why, message=_explain(why, timeout, status), seconds=seconds)
        if status["exit"] != 0:
            return SandboxResult(failure="killed", message=_explain("killed", timeout, status), seconds=seconds)
        return read_frame(frame, secret, seconds, pictured)

    def _read(self) -> tuple[bytes, str | None]:
        """All that the job writes, or a failure code when it writes too long or too much."""
        parts, total = [], 0
        poll = select.poll()
        poll.register(self.output, select.POLLIN)
        while True:
            left = self.deadline - time.monotonic()
            if left <= 0 or not poll.poll(_milliseconds(left)):
                return b"", "timeout"
            part = os.read(self.output, 1 << 16)
            parts.append(part)
            total += len(part)
            if not part:
                return b"".join(parts), None
            if total > MAX_FRAME:
                return b"", "output_too_large"

    def _ended(self) -> dict[str, Any]:
        """How the job ended. The server tells once nothing of it is left."""
        self.channel.settimeout(END_SECONDS + max(0.0, self.deadline - time.monotonic()))
        try:
            told = self.channel.recv(4096)
            status = json.loads(told) if told else None
        except (OSError, ValueError) as error:
            raise ServerLostError(str(error)) from error
        if status is None or "error" in status:
            raise ServerLostError(str(status))
        return status


def _milliseconds(seconds: float) -> int:
    """Milliseconds, at least one."""
    return max(1, int(seconds * 1000))


def _explain(why: str, timeout: float, status: dict[str, Any]) -> str:
    if why == "timeout":
        return f"the code took more than {timeout:g} s"
    if why == "output_too_large":
        return f"the job wrote more than {(MAX_FRAME - HEADER.size) >> 20} MB"
    code = status.get("exit", 0)
    return f"the code ended its process {f'by signal {-code}' if code < 0 else f'with exit code {code}'}"
