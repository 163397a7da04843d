"""Who may ask the agent for more than its health."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Of every answer: what the agent tells is for whoever asked, and never a page of its own."""
_SHOWN = "footfall.token"
_HOST = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[^:\[\]]+)(?::[0-9]*)?", re.IGNORECASE)
_UNSET = (
    "the server listens beyond this machine, so this takes a token, and none is set: set "
    "server.token as FOOTFALL_SERVER__TOKEN, or as a file of that name in secrets_dir, and "
    "restart the agent"
)
_MISSING = "token missing: send server.token as `Authorization: Bearer …`"
_REJECTED = "token rejected: send server.token as `Authorization: Bearer …`"
_OTHER_NAME = (
    "this address must be asked for as localhost or by its loopback address, not as another "
    "name; with server.token set any name will do"
)


def is_loopback(host: str) -> bool:
    """Whether a host, as an address or a name, is this machine alone. ``[…]`` may stand around."""
    host = host.removeprefix("[").removesuffix("]").lower()
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def shows_token(scope: Scope) -> bool:
    """Whether a request that ``AccessControl`` has seen shows the agent's token."""
    return bool(scope.get(_SHOWN, False))


class AccessControl:
    """Lets in who shows the token, or, without one, who is on this machine; to health everybody.

    A page in somebody's browser is on this machine too. It may give a name of its own this
    address, but it can't take that name out of the ``Host`` header.
    """

    def __init__(self, app: ASGIApp, host: str, token: str, public: Collection[str]) -> None:
        self._app = app
        self._local = is_loopback(host)
        self._token = _digest(token.encode()) if token else b""
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or have the application answer."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        headers = Headers(scope=scope)
        scope[_SHOWN] = self._token_in(headers)
        open_ = scope[_SHOWN] or scope["path"] in self._public
        app = self._app if open_ else self._refusal(headers) or self._app
        await app(scope, receive, send_guarded)

    def _token_in(self, headers: Headers) -> bool:
        """Whether the token is shown; where none is set, nobody can."""
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        digest = _digest(shown.strip().encode("latin-1", "replace"))
        return scheme.lower() == "bearer" and hmac.compare_digest(digest, self._token)

    def _refusal(self, headers: Headers) -> JSONResponse | None:
        """Answer who doesn't show the token; None: it isn't needed."""
        if self._token:
            error = _REJECTED if "authorization" in headers else _MISSING
            return JSONResponse({"error": error}, 401, {"WWW-Authenticate": "Bearer"})
        if not self._local:
            return JSONResponse({"error": _UNSET}, 403)
        host = _HOST.fullmatch(headers.get("host", ""))
        if host is None or not is_loopback(host["host"]):
            return JSONResponse({"error": _OTHER_NAME}, 403)
        return None


def _digest(token: bytes) -> bytes:
    # Of one length, so that a comparison tells nothing of the token's own.
    return hashlib.sha256(token).digest()
