"""Who may ask the agent for more than its health, and who may change what it does."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse

from agent.core.origins import parse
from agent.server.answer_headers import OF_PAGES, STATIC, headers_of, wants_page
from agent.server.own_path import SIGN_IN, own_path
from agent.server.same_origin import (
    from_foreign_page,
    from_own_page,
    may_come_without_cookie,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from agent.server.sessions import Sessions
    from agent.server.views.rendering import Rendering

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing; no route of the agent's may make one of them do it."""
_SHOWN = "footfall.token"
_SESSION = "footfall.session"
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
_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
_TWICE = "Authorization is given twice: send it once"
_OTHER_NAME = (
    "this address must be asked for as localhost or by its loopback address, not as another "
    "name; with server.token set any name will do"
)
_NOT_OURS = (
    "this must be sent by a page of the agent's own: open the page anew under the address that "
    "server.url says, and send it from there"
)
_OVER = (
    "sign in first, in another tab, for instance; then go back: what you filled in is still "
    "there, and can be sent again"
)
_FOREIGN = "pages of other sites may lead here, and load nothing from here"


def is_loopback(host: str) -> bool:
    """Whether a host, as an address or a name, is this machine alone. ``[…]`` may stand around."""
    host = host.removeprefix("[").removesuffix("]").lower()
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_trusted(scope: Scope) -> bool:
    """Whether a request that ``AccessControl`` has seen shows the token, or a session."""
    return shows_token(scope) or scope.get(_SESSION) is not None


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
    port: int
    url: str = ""
    """Under which people reach it; empty: under whatever name they ask for."""

    def opens(self, token: str) -> bool:
        """Whether this is the token; the time that takes tells nothing of it."""
        return hmac.compare_digest(_digest(token), _digest(self.token))


class AccessControl:
    """Lets in who shows the token, or signed in with it; who is on this machine may read besides.

    The last only where no token is configured; and to health everybody. A page in somebody's
    browser is on this machine as well. It may give a name of its own this address, but it can't
    take that name out of the ``Host`` header; and it may send what it can't read the answer to.
    So whatever changes something takes the token, wherever it comes from, or a session and a
    browser that says that a page of the agent's own sent it.
    """

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        sessions: Sessions,
        rendering: Rendering,
        public: Collection[str],
        own_doors: Collection[str] = (),
    ) -> None:
        """Let everybody to ``public``, and to ``own_doors``, which look at their own secrets."""
        if not access.token:
            raise ValueError("a server without a token would let everybody change what it does")
        self._app = app
        self._access = access
        self._local = is_loopback(access.host)
        self._sessions = sessions
        self._rendering = rendering
        self._public = frozenset(public)
        self._own_doors = frozenset(own_doors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or have the application answer."""
        headers = Headers(scope=scope)
        scope[_SHOWN] = self._token_in(headers)
        scope[_SESSION] = self._sessions.of(headers)
        refusal = self._refusal(scope, headers)
        # What leads somebody to the form is a page of ours, whatever they asked for.
        is_page = refusal is not None and refusal.media_type == "text/html"
        carried = OF_PAGES if is_page else headers_of(scope["path"])

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in carried.items():
                    headers[name] = value
            await send(message)

        app = refusal or self._app
        await app(scope, receive, send_guarded)

    def _token_in(self, headers: Headers) -> bool:
        """Whether the token is shown, and nothing beside it."""
        shown = headers.getlist("authorization")
        scheme, _, token = (shown[0] if len(shown) == 1 else "").partition(" ")
        return self._access.opens(token.strip()) and scheme.lower() == "bearer"

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """Decide: answer who may not do this, in the application's stead; None: they may."""
        if shows_token(scope):
            return None
        if scope["method"] in _SAFE:
            return self._of_reader(scope, headers)
        if scope["path"] in self._own_doors:
            return None
        return self._of_changer(scope, headers)

    def _of_changer(self, scope: Scope, headers: Headers) -> Response | None:
        if not is_trusted(scope) and scope["path"] != SIGN_IN:
            return (
                self._challenge(headers) if not wants_page(scope) else self._told(scope, 401, _OVER)
            )
        if not from_own_page(headers, self._access.url):
            return self._told(scope, 403, _NOT_OURS)
        return None

    def _of_reader(self, scope: Scope, headers: Headers) -> Response | None:
        path = scope["path"]
        if path in self._public or path.startswith(STATIC):
            return None
        if from_foreign_page(headers):
            return self._told(scope, 403, _FOREIGN)
        if is_trusted(scope) or path == SIGN_IN:
            return None
        if self._access.configured or self._is_behind_url(headers):
            return self._way_in(scope, headers)
        return self._elsewhere(scope, headers)

    def _is_behind_url(self, headers: Headers) -> bool:
        """Whether somebody asks by the name that people are told to use, by way of a proxy."""
        asked = parse(f"http://{headers.get('host', '')}").host
        return bool(asked) and asked == parse(self._access.url).host and not is_loopback(asked)

    def _way_in(self, scope: Scope, headers: Headers) -> Response:
        """Have a person sign in; tell a program which token it takes."""
        if not wants_page(scope):
            return self._challenge(headers)
        query = scope["query_string"].decode("latin-1")
        asked = own_path(scope["raw_path"].decode("latin-1") + (f"?{query}" if query else ""))
        place = SIGN_IN if asked == "/" else f"{SIGN_IN}?{urlencode({'next': asked})}"
        if may_come_without_cookie(headers):
            # Sent on by a page of ours, the browser shows the cookie if it has one.
            values = {"title": "One moment", "text": "", "leads_to": place}
            return self._rendering.page("message.html", values, 401, _CHALLENGE)
        return RedirectResponse(place, 303)

    def _elsewhere(self, scope: Scope, headers: Headers) -> Response | None:
        """Answer who is not on this machine, or doesn't ask for it by its name."""
        if not self._local:
            return self._told(scope, 403, _UNSET)
        host = _HOST.fullmatch(headers.get("host", ""))
        if host is None or not is_loopback(host["host"]):
            return self._told(scope, 403, _OTHER_NAME)
        return None

    def _challenge(self, headers: Headers) -> JSONResponse:
        shown = headers.getlist("authorization")
        state = "rejected" if shown else "missing"
        what = _BEARER if self._access.configured else _OWN_BEARER
        error = _TWICE if len(shown) > 1 else f"token {state}: {what}"
        return JSONResponse({"error": error}, 401, _CHALLENGE)

    def _told(self, scope: Scope, status: int, error: str) -> Response:
        if not wants_page(scope):
            return JSONResponse({"error": error}, status)
        values = {"title": "Not allowed", "text": error, "leads_to": ""}
        return self._rendering.page("message.html", values, status)


def _digest(token: str) -> bytes:
    # Of one length, so that a comparison tells nothing of the token's own.
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
