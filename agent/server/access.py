"""Who may ask the agent for more than its health, and who may change what it does."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

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
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing; no route of the agent's may make one of them do it."""
_SHOWN = "footfall.token"
_HOST = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[^:\[\]]+)(?::[0-9]*)?", re.IGNORECASE)
_UNSET = (
    "the server listens beyond this machine, so this takes a token, and none is set: set "
    "server.token as FOOTFALL_SERVER__TOKEN, or as a file of that name in secrets_dir, and "
    "restart the agent"
)
_BEARER = "send server.token as `Authorization: Bearer …`"
_OWN_BEARER = (
    "send the token that lies in the agent's state folder, in the file `token`, as "
    "`Authorization: Bearer …`; `footfall` on the same machine, as the same user, does"
)
_TWICE = "Authorization is given twice: send it once"
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


@dataclass(frozen=True, slots=True)
class Access:
    """Where the server listens, and what opens it."""

    host: str
    token: str = field(repr=False)
    """What a client shows; there always is one."""
    configured: bool
    """Whether the token is ``server.token``: then reading takes it too."""


class AccessControl:
    """Lets in who shows the token; where none is configured, who is on this machine reads too.

    To health everybody. A page in somebody's browser is on this machine as well. It may give a
    name of its own this address, but it can't take that name out of the ``Host`` header; and it
    may send what it can't read the answer to. So whatever changes something takes the token,
    wherever it comes from: there is no address that is trusted, and no cookie.
    """

    def __init__(self, app: ASGIApp, access: Access, public: Collection[str]) -> None:
        if not access.token:
            raise ValueError("a server without a token would let everybody change what it does")
        self._app = app
        self._local = is_loopback(access.host)
        self._token = _digest(access.token.encode())
        self._configured = access.configured
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
        app = self._refusal(scope, headers) or self._app
        await app(scope, receive, send_guarded)

    def _token_in(self, headers: Headers) -> bool:
        """Whether the token is shown, and nothing beside it."""
        shown = headers.getlist("authorization")
        scheme, _, token = (shown[0] if len(shown) == 1 else "").partition(" ")
        digest = _digest(token.strip().encode("latin-1", "replace"))
        return scheme.lower() == "bearer" and hmac.compare_digest(digest, self._token)

    def _refusal(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        """Decide: answer who may not do this, in the application's stead; None: they may."""
        if shows_token(scope):
            return None
        if scope["method"] not in _SAFE:
            return self._challenge(headers)
        if scope["path"] in self._public:
            return None
        return self._challenge(headers) if self._configured else self._elsewhere(headers)

    def _elsewhere(self, headers: Headers) -> JSONResponse | None:
        """Answer who is not on this machine, or doesn't ask for it by its name."""
        if not self._local:
            return JSONResponse({"error": _UNSET}, 403)
        host = _HOST.fullmatch(headers.get("host", ""))
        if host is None or not is_loopback(host["host"]):
            return JSONResponse({"error": _OTHER_NAME}, 403)
        return None

    def _challenge(self, headers: Headers) -> JSONResponse:
        shown = headers.getlist("authorization")
        state = "rejected" if shown else "missing"
        what = _BEARER if self._configured else _OWN_BEARER
        error = _TWICE if len(shown) > 1 else f"token {state}: {what}"
        return JSONResponse({"error": error}, 401, {"WWW-Authenticate": "Bearer"})


def _digest(token: bytes) -> bytes:
    # Of one length, so that a comparison tells nothing of the token's own.
    return hashlib.sha256(token).digest()
