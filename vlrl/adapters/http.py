"""A reward service: JSON in, JSON out, on the loopback interface. It has no login: keep it there.

    POST /score  {"text": "[5, 5]", "answer": {"box": [0, 0, 10, 10]}}    -> {"value": 1.0, "parts": {...}, ...}
    POST /score  {"rows": [{"text": ..., "answer": ...}, ...]}            -> {"scores": [{"value": ...}, ...]}
    GET  /       the range, the failure codes and the keys that an answer needs

A mistake in the request is answered with {"error": sentence}: 400, 404, 411 without Content-Length, 413 above `MAX_BYTES`;
500 is a bug of ours.
Gold that cannot be scored has the value null.
"""

from __future__ import annotations

import json
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from vlrl.rewards import Reward
from vlrl.types import to_json

FILE = '''"""{title}, as an HTTP service on this machine.

    python {module}.py 8000
    curl -d '{{"text": "...", "answer": {{...}}}}' http://127.0.0.1:8000/score
"""

import sys

from vlrl.adapters import http, scorer

SCORE = scorer({source})

if __name__ == "__main__":
    http.server(SCORE, int(sys.argv[1]) if len(sys.argv) > 1 else 8000).serve_forever()
'''

HOST = "127.0.0.1"
MAX_BYTES = 16 * 2**20
SECONDS = 30
"""A connection that is silent for so long is closed."""


class _RequestError(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    timeout = SECONDS

    def __init__(self, score: Reward, *args: Any) -> None:
        self.score = score
        super().__init__(*args)

    def do_GET(self) -> None:
        score = self.score
        if self.path != "/":
            self._reply(404, {"error": "POST to /score"})
            return
        self._reply(200, {"range": [score.low, score.high], "failures": score.failures, "needs": score.needs})

    def do_POST(self) -> None:
        try:
            self._reply(200, self._scores(self._body()))
        except _RequestError as refusal:
            self.close_connection = True
            self._reply(refusal.status, {"error": str(refusal)})
        except Exception as error:  # a bug of ours: say so, and leave the traceback in the service's log
            self.close_connection = True
            self._reply(500, {"error": f"{type(error).__name__} in the reward; the service's log has more"})
            raise

    def _body(self) -> dict[str, Any]:
        if self.path != "/score":
            raise _RequestError(404, "POST to /score")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise _RequestError(411, "send a Content-Length")
        if int(length) > MAX_BYTES:
            raise _RequestError(413, f"the request has {length} bytes, more than {MAX_BYTES}; send fewer rows at a time")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise _RequestError(400, f"the request is not JSON: {error}") from error
        if not isinstance(body, dict):
            raise _RequestError(400, "the request is no JSON object")
        return body

    def _scores(self, body: dict[str, Any]) -> dict[str, Any]:
        if "rows" not in body:
            return self._score(body, "the request")
        if not isinstance(body["rows"], list):
            raise _RequestError(400, "'rows' is no list")
        return {"scores": [self._score(row, f"rows[{index}]") for index, row in enumerate(body["rows"])]}

    def _score(self, row: Any, place: str) -> dict[str, Any]:
        if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not isinstance(row.get("answer"), dict):
            raise _RequestError(400, f"{place} wants 'text', a string, and 'answer', an object")
        try:
            return to_json(self.score(row["text"], row["answer"]))
        except ValueError as error:
            raise _RequestError(400, f"{place}: {error}") from error

    def _reply(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """No line per request: a training sends thousands."""


def server(score: Reward, port: int) -> ThreadingHTTPServer:
    """A service on `HOST`, not yet serving; port 0 takes a free one, which `server_port` then names."""
    return ThreadingHTTPServer((HOST, port), partial(_Handler, score))
