"""The warm server: a process with the drawing libraries imported, that forks once per job and runs no untrusted code itself.

It hears its parent through one socket: each message is a byte with three open files (request, result pipe, channel). On the
channel it tells how the job ended; when the parent writes there or closes it, the job is killed. When the parent goes,
everything goes.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NoReturn

from vlrl.sandbox import job, layers, limits, linux, namespaces, style, witness
from vlrl.sandbox.genuine import Genuine
from vlrl.sandbox.layers import Layer

RESULT_FD = 3
OWN_PROCESS_TABLE = "self/ns/pid"


def main(control_fd: int, without: list[str]) -> NoReturn:
    """Serve until the parent closes the socket."""
    control = socket.socket(fileno=control_fd)
    style.warm_up()
    watcher = witness.Witness()
    watcher.install()
    found = layers.probe(without)
    readable = layers.readable_folders()
    sys.path[:] = [path for path in sys.path if path.startswith(readable)]
    base_memory = limits.address_space()

    def serve(found: list[Layer], processes: int | None) -> NoReturn:
        os.dup2(sys.stdin.fileno(), sys.stderr.fileno())  # from now on nothing reaches the parent but results
        active = frozenset(layer.name for layer in found if layer.active)
        genuine = Genuine()
        gc.collect()
        gc.freeze()
        world = job.World(active, readable, base_memory, genuine, watcher)
        control.sendall(json.dumps([asdict(layer) for layer in found]).encode() + b"\n")
        Server(control, world, processes).loop()

    why = "switched off" if "namespaces" in without else _serve_apart(readable, serve, found)
    _serve_here(serve, [Layer("namespaces", False, why), *found], without, readable)


def _serve_apart(readable: tuple[str, ...], serve: Callable[..., NoReturn], found: list[Layer]) -> str:
    """Serve in namespaces, in the first process of a table of its own, and exit; or return why that cannot be."""
    if not linux.SUPPORTED:
        return "not a Linux that this code knows"
    report, failed = os.pipe()
    outer = os.fork()
    if outer == 0:
        _enter_and_serve(failed, readable, serve, found)
    os.close(failed)
    why = os.read(report, 400).decode(errors="replace")
    os.close(report)
    status = os.waitpid(outer, 0)[1]
    return why or os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _enter_and_serve(failed: int, readable: tuple[str, ...], serve: Callable[..., NoReturn], found: list[Layer]) -> NoReturn:
    try:
        processes = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
        namespaces.enter(readable)
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        inner = os.fork()
        if inner == 0:
            linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
            own = os.open(OWN_PROCESS_TABLE, os.O_RDONLY, dir_fd=processes)
            os.close(processes)
            namespaces.fresh_process_table(own)
            os.close(failed)
            uid = Layer("uid", True, "an unprivileged user, alone in its user namespace")
            serve([Layer("namespaces", True, "user, mount, process, network, ipc, host name"), uid, *found], own)
    except OSError as error:
        os.write(failed, str(error).encode())
        os._exit(1)
    os.close(failed)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1]) & 0xFF)


def _serve_here(serve: Callable[..., NoReturn], found: list[Layer], without: list[str], readable: tuple[str, ...]) -> NoReturn:
    if linux.SUPPORTED:
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    uid = layers.drop_root(without, readable)
    serve([found[0], uid, *found[1:]], None)


class Server:
    """The loop: new jobs from the parent, ends of jobs from the kernel, orders to kill from the channels."""

    def __init__(self, control: socket.socket, world: job.World, own_process_table: int | None) -> None:
        self.control, self.world, self.own = control, world, own_process_table
        self.jobs: dict[int, socket.socket] = {}
        self.selector = selectors.DefaultSelector()
        wake, self.woken = socket.socketpair()
        for end in (wake, self.woken):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        self.wake = wake
        self.selector.register(control, selectors.EVENT_READ, self._new_job)
        self.selector.register(self.woken, selectors.EVENT_READ, self._reap)

    def loop(self) -> NoReturn:
        """Serve for ever."""
        while True:
            for key, _ in self.selector.select():
                key.data()

    def _new_job(self) -> None:
        message, fds, _, _ = socket.recv_fds(self.control, 1, 3)
        if not message:
            self._end()
        request, output, channel_fd = fds
        channel = socket.socket(fileno=channel_fd)
        try:
            pid = self._fork(request, output)
        except OSError as error:
            self._tell(channel, {"error": str(error)})
        else:
            self.jobs[pid] = channel
            self.selector.register(channel, selectors.EVENT_READ, lambda: self._kill(pid))
        os.close(request)
        os.close(output)

    def _fork(self, request: int, output: int) -> int:
        if self.own is not None:
            namespaces.fresh_process_table(self.own)
        pid = os.fork()
        if pid == 0:
            self._become_job(request, output)
        return pid

    def _become_job(self, request: int, output: int) -> NoReturn:
        """In the fork: keep nothing of the server's open but the end of the result pipe."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            wanted = job.Request.from_file(os.dup(request))
            os.dup2(output, RESULT_FD, inheritable=False)
            os.closerange(RESULT_FD + 1, os.sysconf("SC_OPEN_MAX"))
            job.main(wanted, self.world, RESULT_FD)
        finally:
            os._exit(70)

    def _kill(self, pid: int) -> None:
        self.selector.unregister(self.jobs[pid])
        _kill_group(pid)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.woken.recv(4096)
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
                if pid == 0:
                    return
                self._ended(pid, status, usage.ru_utime + usage.ru_stime)

    def _ended(self, pid: int, status: int, cpu: float) -> None:
        channel = self.jobs.pop(pid, None)
        if channel is None:
            return
        if self.own is None:
            self._kill_leftovers(pid)
        with contextlib.suppress(KeyError):
            self.selector.unregister(channel)
        self._tell(channel, {"exit": os.waitstatus_to_exitcode(status), "cpu": cpu})

    def _kill_leftovers(self, ended: int) -> None:
        """Without a process table per job, what a job left running is in its group, or a child of the server now."""
        with contextlib.suppress(OSError):
            os.killpg(ended, signal.SIGKILL)
        with contextlib.suppress(OSError), open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            for pid in set(map(int, file.read().split())) - set(self.jobs):
                _kill_group(pid)

    @staticmethod
    def _tell(channel: socket.socket, status: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            channel.send(json.dumps(status).encode())
        channel.close()

    def _end(self) -> NoReturn:
        for pid in self.jobs:
            _kill_group(pid)
        os._exit(0)


def _kill_group(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            kill(pid, signal.SIGKILL)
