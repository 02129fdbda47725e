"""A real OpenAI-compatible server, `transformers serve` with the built-in model on loopback, against the model in process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from bench_folder import write_charades, write_screenspot

pytest.importorskip("openai")
pytest.importorskip("uvicorn")

from vlrl.cli import main
from vlrl.evaluation import openai_server

ROWS = 12
WEIGHTS = Path(__file__).parents[2] / "vlrl" / "models" / "tiny" / "weights"
COMPARED = ("doc_id", "value", "failure", "correct", "extracted", "resps", "finish_reason")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`transformers serve`, started and waited for."""

    def __init__(self, log: Path) -> None:
        port = free_port()
        serve = Path(sys.executable).parent / "transformers"
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
        command = [serve, "serve", str(WEIGHTS), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
        self.log, self.url = log, f"http://127.0.0.1:{port}/v1"
        with log.open("w") as file:
            self.process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 240
        while not self._listens(port):
            assert self.process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)

    def _listens(self, port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_screenspot(tmp_path_factory.mktemp("bench") / "screenspot", ROWS)


def evaluate(bench: Path, out: Path, *flags: str) -> int:
    argv = ["--tasks", "screenspot", "--data_root", str(bench), "--output_path", str(out), "--bootstrap", "20"]
    argv += ["--batch_size", "3", "--max_completion_length", "24", "--coord_space", "thousandths"]
    return main(["eval", *argv, *flags])


def answers(out: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (out / "samples_screenspot.jsonl").read_text().splitlines()]
    return [{key: line[key] for key in COMPARED} for line in lines]


@pytest.fixture(scope="module")
def in_process(bench: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("in_process")
    assert evaluate(bench, out, "--model", "tiny") == 0
    return out


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = Server(tmp_path / "server.log")
    yield started
    started.kill()


def part(out: Path) -> Path:
    return out / "predictions_screenspot.0.part.jsonl"


def test_a_server_gives_what_the_process_gives_even_killed_half_way(
    bench: Path,
    in_process: Path,
    server: Server,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flags = ["--model", str(WEIGHTS), "--concurrency", "2"]
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert evaluate(bench, whole, *flags, "--base_url", server.url) == 0, server.log.read_text()
    assert answers(whole) == answers(in_process)
    assert {answer["finish_reason"] for answer in answers(whole)} == {"stop"}

    monkeypatch.setattr(openai_server, "RETRIES", 1)
    killer = threading.Thread(target=kill_after_first_answers, args=(server, part(torn)))
    killer.start()
    assert evaluate(bench, torn, *flags, "--base_url", server.url) == 2
    killer.join()
    (error,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("vlrl: error: ")]
    assert f"the server at {server.url} does not answer" in error
    assert "--resume" in error
    assert 0 < len(part(torn).read_text().splitlines()) < ROWS

    kept = part(torn).read_bytes()
    again = Server(tmp_path / "again.log")
    try:
        assert evaluate(bench, torn, *flags, "--base_url", again.url, "--resume") == 0
    finally:
        again.kill()
    assert part(torn).read_bytes().startswith(kept)
    assert len(part(torn).read_text().splitlines()) == ROWS  # nothing was asked twice
    assert answers(torn) == answers(in_process)


def kill_after_first_answers(server: Server, file: Path) -> None:
    while not (file.exists() and file.stat().st_size):
        time.sleep(0.001)
    server.kill()


class Stub(BaseHTTPRequestHandler):
    """A server that serves two models, is busy at first, refuses a word, and notes what it was sent."""

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""

    def _send(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "us"} for name in self.server.models]  # type: ignore[attr-defined]
        self._send(200, {"object": "list", "data": models})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.bodies.append({**body, "key": self.headers["Authorization"]})  # type: ignore[attr-defined]
        if len(self.server.bodies) == 1:  # type: ignore[attr-defined]
            return self._send(503, {"error": {"message": "busy"}})
        if "green" in json.dumps(body):
            return self._send(400, {"error": {"message": "too many tokens"}})
        message = {"role": "assistant", "content": "[500, 500]"}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return self._send(200, {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]})


@pytest.fixture
def stub() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    server.bodies, server.models = [], ["m"]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_what_a_server_is_sent(bench: Path, stub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    url = f"http://127.0.0.1:{stub.server_address[1]}/v1"
    flags = ["--base_url", url, "--gen_kwargs", "temperature=0.5,top_p=0.9"]
    assert evaluate(bench, tmp_path, *flags) == 0
    assert len(stub.bodies) == ROWS + 1  # the busy answer was tried again
    body = stub.bodies[-1]
    assert (body["model"], body["max_tokens"], body["temperature"], body["top_p"]) == ("m", 24, 0.5, 0.9)
    assert body["key"] == "Bearer secret"
    assert len({body["seed"] for body in stub.bodies}) == ROWS
    picture, text = body["messages"][0]["content"]
    assert picture["image_url"]["url"].startswith("data:image/png;base64,")
    assert text["text"].startswith("Give the click point as [x, y] in 0-1000 coordinates")
    results = json.loads((tmp_path / "results.json").read_text())
    refused = results["failures"]["screenspot"]["bad_row"]
    assert refused > 0
    assert results["results"]["screenspot"]["accuracy_n"] == ROWS
    assert "too many tokens" in (tmp_path / "predictions_screenspot.jsonl").read_text()
    assert "secret" not in "".join(path.read_text() for path in tmp_path.iterdir())


def test_a_video_is_sent_as_its_frames(stub: Any, tmp_path: Path) -> None:
    bench = write_charades(tmp_path / "charades-sta")
    argv = ["--tasks", "charades-sta", "--data_root", str(bench), "--output_path", str(tmp_path), "--bootstrap", "0"]
    assert main(["eval", *argv, "--base_url", f"http://127.0.0.1:{stub.server_address[1]}/v1"]) == 0
    *pictures, text = stub.bodies[-1]["messages"][0]["content"]
    assert len(pictures) >= 4
    assert {picture["type"] for picture in pictures} == {"image_url"}
    assert text["type"] == "text"


def test_a_server_of_several_models_wants_a_name(
    bench: Path, stub: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.models = ["a", "b"]
    assert evaluate(bench, tmp_path, "--base_url", f"http://127.0.0.1:{stub.server_address[1]}/v1") == 2
    assert "serves 2 models; name one with --model: a, b" in capsys.readouterr().err
