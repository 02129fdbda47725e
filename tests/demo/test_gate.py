"""Who gets in: this machine by its own names, or whoever has the token; and no page may call out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the gate comes with gradio")

from starlette.responses import PlainTextResponse

from demo.app import token_for
from demo.gate import Gate


def ask(
    gate: Gate, host: str = "127.0.0.1:7860", path: str = "/", query: str = "", cookie: str = ""
) -> tuple[int, dict[str, str]]:
    """Status and headers of the answer to a GET."""
    headers = [(b"host", host.encode()), *([(b"cookie", cookie.encode())] if cookie else [])]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers}
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(gate(scope, None, send))  # type: ignore[arg-type]
    start = sent[0]
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}


def page(token: str = "") -> Gate:
    return Gate(PlainTextResponse("page"), token)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:7860", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:7860", 200),
        ("evil.example", 403),
        ("", 403),
        ("127.0.0.1.evil.example", 403),
    ],
)
def test_without_a_token_only_this_machine_by_its_names(host: str, status: int) -> None:
    assert ask(page(), host)[0] == status


def test_with_a_token_only_who_has_it() -> None:
    gate = page("secret")
    assert ask(gate, "10.0.0.5:7860")[0] == 401
    assert ask(gate, query="token=wrong")[0] == 401
    assert ask(gate, query="token=")[0] == 401
    assert ask(gate, cookie="vlrl_token=wrong")[0] == 401
    assert ask(gate, cookie='vlrl_token=\x01;;="')[0] == 401
    status, headers = ask(gate, query="view=groups&token=secret")
    assert (status, headers["location"]) == (303, "/?view=groups")
    assert "httponly" in headers["set-cookie"].lower()
    assert "samesite=strict" in headers["set-cookie"].lower()
    assert ask(gate, "10.0.0.5:7860", cookie="a=b; vlrl_token=secret")[0] == 200


def test_the_way_back_stays_on_this_server() -> None:
    _, headers = ask(page("secret"), path="//evil.example/x", query="token=secret")
    assert not headers["location"].startswith("//")


def test_every_answer_forbids_to_call_out() -> None:
    policy = ask(page())[1]["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "connect-src 'self'" in policy
    assert "http" not in policy


def test_a_token_is_asked_for_wherever_others_can_come() -> None:
    assert [token_for(host) for host in ("127.0.0.1", "localhost", "::1")] == ["", "", ""]
    assert len(token_for("0.0.0.0")) >= 32
    assert token_for("0.0.0.0") != token_for("0.0.0.0")
