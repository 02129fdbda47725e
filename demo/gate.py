"""Who may talk to the inspector: this machine by its own names, or whoever has the token. No page may call out."""

from __future__ import annotations

import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
COOKIE = "vlrl_token"
START = "/gradio_api/startup-events"
"""Gradio asks itself for this once, without a token; it tells nothing."""
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; connect-src 'self'; font-src 'self' data:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
"""Sent with every answer: whatever gets into a page, the browser asks no other machine. Gradio needs the unsafe words."""


class Gate:
    """ASGI middleware. Without a token only requests that name this machine pass, so that no web page can reach the inspector
    under a name of its own (DNS rebinding). With a token it must come as `?token=...` once, then as a cookie.
    """

    def __init__(self, app: ASGIApp, token: str = "") -> None:
        self.app, self.token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refusal = self._answer(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                policy = [(b"content-security-policy", POLICY.encode()), (b"x-content-type-options", b"nosniff")]
                message["headers"] = [*message.get("headers", ()), *policy, (b"referrer-policy", b"no-referrer")]
            await send(message)

        await self.app(scope, receive, send_with_policy)

    def _answer(self, scope: Scope) -> PlainTextResponse | RedirectResponse | None:
        headers = Headers(scope=scope)
        if not self.token:
            known = host_name(headers.get("host", "")) in LOOPBACK
            return None if known else PlainTextResponse("open the inspector as http://127.0.0.1 or http://localhost", 403)
        query = scope.get("query_string", b"").decode("latin-1")
        if self._fits(parse_qs(query).get("token", [""])[-1]):
            rest = urlencode([(name, value) for name, value in parse_qsl(query) if name != "token"])
            response = RedirectResponse(f"/?{rest}" if rest else "/", 303)
            response.set_cookie(COOKIE, self.token, httponly=True, samesite="strict")
            return response
        if self._fits(cookie_of(headers.get("cookie", ""))) or scope.get("path") == START:
            return None
        return PlainTextResponse("the inspector asks for a token: open the address that `vlrl inspect` has printed", 401)

    def _fits(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())


def host_name(host: str) -> str:
    """The name in a Host header, without its port.

    >>> host_name("localhost:7860"), host_name("[::1]:7860"), host_name("127.0.0.1")
    ('localhost', '::1', '127.0.0.1')
    """
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0].lower()


def cookie_of(header: str) -> str:
    """The token in a Cookie header, or nothing."""
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
