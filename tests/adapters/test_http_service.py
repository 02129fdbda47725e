"""The reward service: scores, clear errors, several at a time."""

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any

import pytest

from vlrl.adapters import http as service
from vlrl.adapters import scorer
from vlrl.rewards import Reward
from vlrl.types import Answer, Score

CLICK = {"text": "[5, 5]", "answer": {"box": [0, 0, 10, 10]}}


def broken(text: str, answer: Answer) -> Score:
    raise ZeroDivisionError


def serve(score: Reward) -> Iterator[int]:
    with service.server(score, 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def port() -> Iterator[int]:
    yield from serve(scorer(task="gui"))


def ask(port: int, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(service.HOST, port, timeout=30)
    data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    connection.request(method, path, data, headers or {})
    reply = connection.getresponse()
    answer = json.loads(reply.read())
    connection.close()
    return reply.status, answer


def test_one_row_and_many(port: int) -> None:
    status, score = ask(port, "POST", "/score", CLICK)
    assert (status, score["value"], score["parts"]) == (200, 1.0, {"gui.click": 1.0, "format.prompted": 1.0})
    status, reply = ask(port, "POST", "/score", {"rows": [CLICK, {**CLICK, "text": ""}]})
    assert (status, [s["value"] for s in reply["scores"]]) == (200, [1.0, 0.0])
    assert ask(port, "POST", "/score", {"rows": []}) == (200, {"scores": []})


def test_it_says_what_it_is(port: int) -> None:
    status, told = ask(port, "GET", "/")
    assert (status, told["range"], told["needs"]) == (200, [0.0, 1.0], ["box"])


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/", CLICK, 404, "POST to /score"),
        ("/score", b"{", 400, "is not JSON"),
        ("/score", b"[" * 100_000, 400, "is not JSON"),
        ("/score", b"\xff\xfe\xfd", 400, "is not JSON"),
        ("/score", [CLICK], 400, "is no JSON object"),
        ("/score", {"rows": CLICK}, 400, "'rows' is no list"),
        ("/score", {"text": "a"}, 400, "the request wants 'text', a string, and 'answer', an object"),
        ("/score", {"rows": [CLICK, {"text": 5, "answer": {}}]}, 400, "rows[1] wants 'text'"),
        ("/score", {"rows": [CLICK, {"text": "a", "answer": {}}]}, 400, "rows[1]: answer has no 'box'"),
        ("/score", {**CLICK, "answer": {"reward": "os:system"}}, 400, "names built-in rewards"),
    ],
)
def test_mistakes_are_told(port: int, path: str, body: Any, status: int, words: str) -> None:
    found, reply = ask(port, "POST", path, body)
    assert found == status
    assert words in reply["error"]


@pytest.mark.parametrize(
    ("length", "status"), [(str(service.MAX_BYTES + 1), 413), ("-1", 411), ("ten", 411), ("\u00b2", 411), ("9" * 40, 413)]
)
def test_requests_too_large_or_without_length_are_not_read(port: int, length: str, status: int) -> None:
    found, reply = ask(port, "POST", "/score", b"", {"Content-Length": length})
    assert (found, list(reply)) == (status, ["error"])


def test_it_listens_on_this_machine_only(port: int) -> None:
    with service.server(scorer(task="gui"), 0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_many_at_once(port: int) -> None:
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: ask(port, "POST", "/score", CLICK), range(64)))
    assert {(status, score["value"]) for status, score in replies} == {(200, 1.0)}


def test_a_bug_is_told_and_the_service_lives_on(capfd: pytest.CaptureFixture[str]) -> None:
    for port in serve(Reward(broken)):
        for _ in range(2):
            status, reply = ask(port, "POST", "/score", CLICK)
            assert (status, "ZeroDivisionError" in reply["error"]) == (500, True)
    assert "Traceback" in capfd.readouterr().err
