"""Who makes a request, by the cookie, and forms without extras."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from agent.demo.store import Visitor

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from agent.demo.store import Store

COOKIE = "session"

_FORM_BYTES = 65_536


class Visit:
    """One request of a visitor, who is kept, with a cookie, once there is something to keep."""

    def __init__(self, store: Store, request: Request) -> None:
        self._store = store
        self._key = request.cookies.get(COOKIE)
        known = store.visitor(self._key)
        self._fresh = known is None
        self.visitor = known or Visitor()

    def keep(self, response: Response) -> Response:
        """Keep the visitor for the next request and return the response."""
        if self._fresh:
            self._set(response)
        return response

    def sign_in(self, response: Response, account: str) -> Response:
        """Give the visitor an account, under a new key so that an old cookie opens nothing."""
        self.visitor.account = account
        self._store.forget(self._key)
        self._set(response)
        return response

    def sign_out(self, response: Response) -> Response:
        """Forget the visitor."""
        self._store.forget(self._key)
        response.delete_cookie(COOKIE)
        return response

    def _set(self, response: Response) -> None:
        self._key = self._store.remember(self.visitor)
        self._fresh = False
        response.set_cookie(COOKIE, self._key, httponly=True, samesite="lax")


async def form(request: Request) -> dict[str, str]:
    """Read a URL-encoded form, stripped; of a field given twice the last counts.

    Beyond 64 KiB nothing is read: an empty form comes back.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_BYTES:
            return {}
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: value.strip() for name, value in pairs}
