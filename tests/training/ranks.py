"""Training in several processes without paying for the imports each time: forks of one process that has them.

Started as a script, it imports everything once; then each line of standard input is a job, `{"configs": "configs.pickle", "mode":
"fsdp2", "processes": 2, "precision": "no", "chunk": 1024, "timeout": 90}`: the processes train one configuration after the other.
`mode` names a file of `configs/accelerate`; the environment is the one that `accelerate launch` makes of it, but on CPUs with
gloo; `chunk` is the size of the head's chunks in tokens. The answer is the list of the processes' exit codes (negative: ended by
that signal, as when the time was over).
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
import traceback
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

from accelerate.commands import launch
from accelerate.state import PartialState
from accelerate.utils import DistributedType

from vlrl.models import head
from vlrl.training.config import TrainConfig

ROOT = Path(__file__).parents[2]


class Ranks:
    """The script, as seen from a test; it ends with the process that started it."""

    def __init__(self) -> None:
        paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
        environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([sys.executable, __file__], env=environment, **pipes)  # type: ignore[call-overload]

    def train(self, folder: Path, mode: str, *configs: TrainConfig, **settings: Any) -> str:
        """What the processes printed; fails when one of them fails, or when they take longer than the timeout in seconds."""
        path = folder / "configs.pickle"
        path.write_bytes(pickle.dumps(configs))
        always = {"processes": 2, "precision": "no", "chunk": head.CHUNK, "timeout": 90}
        job = {"configs": str(path), "mode": mode, **always, **settings}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        codes = json.loads(self.process.stdout.readline())
        printed = _log(job).read_text()
        assert not any(codes), f"exit codes {codes}\n{printed[-6000:]}"
        return printed


ranks = cache(Ranks)
"""The one of this process."""


def _log(job: dict[str, Any]) -> Path:
    return Path(job["configs"]).with_suffix(".log")


def environment(mode: str, precision: str) -> dict[str, str]:
    """What `accelerate launch --config_file configs/accelerate/<mode>.yaml` would tell each process."""
    file = ROOT / "configs" / "accelerate" / f"{mode}.yaml"
    flags = ["--config_file", str(file), "--mixed_precision", precision, "script.py"]
    with mock.patch.object(launch, "multi_gpu_launcher") as gpus, mock.patch.object(launch, "deepspeed_launcher") as deepspeed:
        launch.launch_command(launch.launch_command_parser().parse_args(flags))
    if deepspeed.called:
        return launch.prepare_deepspeed_cmd_env(*deepspeed.call_args.args)[1]
    return launch.prepare_multi_gpu_env(*gpus.call_args.args)


def be_rank(job: dict[str, Any], rank: int, port: int) -> None:
    """One process of a job."""
    log = os.open(_log(job), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(environment(job["mode"], job["precision"]))
    world = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": job["processes"], "LOCAL_WORLD_SIZE": job["processes"]}
    os.environ.update({name: str(value) for name, value in world.items()})
    os.environ.update({"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)})
    if job["mode"] == "ddp":
        os.environ["ACCELERATE_USE_CPU"] = "true"
    else:
        pretend_gpus()
    from vlrl.training.grpo import train

    head.CHUNK = job["chunk"]
    for config in pickle.loads(Path(job["configs"]).read_bytes()):
        train(config)
    PartialState().destroy_process_group()


def pretend_gpus() -> None:
    """Accelerate takes FSDP and DeepSpeed for a matter of GPUs; what splits the weights below it works on CPUs as well."""
    os.environ["ACCELERATE_TORCH_DEVICE"] = "cpu"
    PartialState._prepare_backend = lambda *_: ("gloo", DistributedType.MULTI_GPU)
    if os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true":
        import deepspeed

        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False  # compiles for a minute, and gloo does


def run(job: dict[str, Any]) -> list[int]:
    """The exit codes of the job's processes."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    _log(job).unlink(missing_ok=True)
    children = []
    for rank in range(job["processes"]):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                be_rank(job, rank, port)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        children.append(child)
    return wait(children, time.monotonic() + job["timeout"])


def wait(children: list[int], deadline: float) -> list[int]:
    """Until all have ended; the first that fails ends the others, and so does the deadline."""
    codes: dict[int, int] = {}
    while len(codes) < len(children):
        for child in set(children) - codes.keys():
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                codes[child] = os.waitstatus_to_exitcode(status)
        if any(codes.values()) or time.monotonic() > deadline:
            for child in set(children) - codes.keys():
                os.kill(child, signal.SIGKILL)
        time.sleep(0.05)
    return [codes[child] for child in children]


if __name__ == "__main__":
    import vlrl.training.grpo  # noqa: F401  what takes the time

    if find_spec("deepspeed"):
        os.environ["DS_ACCELERATOR"] = "cpu"
        import deepspeed  # noqa: F401

    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
