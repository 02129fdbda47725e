"""The sandbox as the rest of the house sees it: `run(code)`, or a `SandboxPool` that runs many at once."""

from __future__ import annotations

import os
import threading
import warnings
import weakref
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

from vlrl.sandbox import layers
from vlrl.sandbox.layers import Layer
from vlrl.sandbox.process import SandboxError, ServerLostError, ServerProcess
from vlrl.sandbox.result import SandboxResult

TIMEOUT, MEMORY_MB = 10.0, 1024
MAX_CODE = 1_000_000
WITHOUT = "VLRL_SANDBOX_WITHOUT"
"""Environment variable: layers to leave out, with commas (`namespaces,landlock`), where they make trouble."""

PROOF_SECONDS = 60.0
PROBE = "import matplotlib.pyplot as plt\nplt.plot([0, 1])"


class SandboxPool:
    """Runs plotting programs, at most `workers` at a time, each in a fork of one warm server.

    Threads may share a pool. It starts with the first job, starts again when its server is lost, and ends with `close`, with
    its `with` block, or with the interpreter. `timeout` is the wall time of a job in seconds, `memory_mb` what it may use
    beyond the libraries.
    """

    def __init__(
        self, workers: int = 1, timeout: float = TIMEOUT, memory_mb: int = MEMORY_MB, without: Sequence[str] | None = None
    ) -> None:
        self.workers, self.timeout, self.memory = workers, timeout, memory_mb << 20
        self.without = tuple(os.environ.get(WITHOUT, "").replace(" ", "").split(",")) if without is None else tuple(without)
        self._slots = threading.BoundedSemaphore(workers)
        self._lock = threading.Lock()
        self._server: ServerProcess | None = None
        self._finalizer: Any = None

    def __enter__(self) -> SandboxPool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the server and whatever runs in it. The next job starts a new one."""
        with self._lock:
            self._drop()

    def layers(self) -> list[Layer]:
        """Which layers of protection hold in this pool."""
        return list(self._started().layers)

    def level(self) -> str:
        """What they make together (`layers.level`)."""
        return layers.level(self.layers())

    def pid(self) -> int:
        """The process whose descendants are all that this pool has running."""
        return self._started().pid

    def run(self, code: str, timeout: float | None = None, reader: str = "") -> SandboxResult:
        """Run one program and return its picture and facts, or why there are none. Never raises for any code.

        With a `reader` there is no picture, and the facts are `read`: with `calls` (`vlrl.sandbox.trace`) outermost drawing calls
        and final colours by kind, texts drawn without ticks, cells of the subplot grid, and the `error` that ended the program,
        before which everything counts; with `artists` or `texts` (`vlrl.sandbox.artists`) what the figure consists of.
        """
        encoded = code.encode(errors="replace")
        if len(encoded) > MAX_CODE:
            return SandboxResult(failure="exec_error", message=f"the code is longer than {MAX_CODE} bytes")
        with self._slots:
            return self._run(encoded.decode(), self.timeout if timeout is None else timeout, reader)

    def map(self, codes: Iterable[str]) -> list[SandboxResult]:
        """The results of many programs, in their order."""
        with ThreadPoolExecutor(self.workers) as threads:
            return list(threads.map(self.run, codes))

    def _run(self, code: str, timeout: float, reader: str) -> SandboxResult:
        lost = ""
        for _ in range(2):  # a server that another job brought down is no fault of this one
            server = self._started()
            try:
                return server.run(code, timeout, self.memory, reader)
            except ServerLostError as error:
                lost = str(error)
                with self._lock:
                    if self._server is server:
                        self._drop()
        return SandboxResult(failure="killed", message=f"the server was lost twice: {lost}")

    def _started(self) -> ServerProcess:
        with self._lock:
            if self._server is None or not self._server.alive():
                self._drop()
                self._server = server = ServerProcess(self.without)
                _warn_of(server.layers)
                self._finalizer = weakref.finalize(self, server.stop)
                self._prove(server)
            return self._server

    def _prove(self, server: ServerProcess) -> None:
        """Whatever stands in the way of any job is an error now, and not a failure code of every program."""
        try:
            proof = server.run(PROBE, PROOF_SECONDS, self.memory)
            trouble = proof.failure and f"{proof.failure}: {proof.message}"
        except ServerLostError as error:
            trouble = str(error)
        if trouble:
            self._drop()
            raise SandboxError(f"the sandbox cannot draw a line: {trouble}")

    def _drop(self) -> None:
        if self._server is not None:
            self._finalizer.detach()
            self._server.stop()
            self._server = None


def _warn_of(found: Sequence[Layer]) -> None:
    if layers.level(found) == "limits":
        warnings.warn("the sandbox has resource limits alone here, see `vlrl sandbox --check`", RuntimeWarning, stacklevel=2)


_shared: SandboxPool | None = None
_shared_lock = threading.Lock()


def shared() -> SandboxPool:
    """The pool of this process, with one worker per core that it may use."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = SandboxPool(workers=max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1))
        return _shared


def run(code: str, timeout: float = TIMEOUT) -> SandboxResult:
    """Run one program in the shared pool.

    >>> run("import matplotlib.pyplot as plt; plt.bar(['a', 'b'], [1, 2])").failure is None
    True
    >>> run("1 / 0").message
    'ZeroDivisionError: division by zero (line 1)'
    """
    return shared().run(code, timeout)
