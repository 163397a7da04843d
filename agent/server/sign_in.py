"""Signing in and out in a browser: by the token, or by a link that works once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from agent.server.access import shows_token
from agent.server.body import Nothing, body_of
from agent.server.form import form_of
from agent.server.one_time_links import LASTS
from agent.server.own_path import SIGN_IN, SIGN_OUT, own_path
from agent.server.tries import Tries

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from agent.core.clock import Clock
    from agent.server.access import Access
    from agent.server.one_time_links import Links
    from agent.server.sessions import Sessions
    from agent.server.views.rendering import Rendering

_log = structlog.get_logger("footfall.server")

_REJECTED = "That is not the token."
_SPENT = "This link no longer works: it does so once, within a minute. Ask for another one."
_TOO_OFTEN = "Too many wrong tokens came from your address. Try again in {} s."
_BEARER_ALONE = "a link is made for who shows the token, as `footfall status --open` does"


class SignIn:
    """The routes, and what they share."""

    def __init__(
        self,
        access: Access,
        sessions: Sessions,
        links: Links,
        rendering: Rendering,
        clock: Clock,
    ) -> None:
        self._access = access
        self._sessions = sessions
        self._rendering = rendering
        self._links = links
        self._tries = Tries(clock.monotonic)

    def routes(self) -> list[Route]:
        """Return the routes; who may ask for them is ``AccessControl``'s to say."""
        return [
            Route(SIGN_IN, self._ask, methods=["GET"]),
            Route(SIGN_IN, self._enter, methods=["POST"]),
            Route(SIGN_OUT, self._leave, methods=["POST"]),
            Route("/api/v1/sign-in-links", self._link, methods=["POST"]),
        ]

    async def _ask(self, request: Request) -> Response:
        given = request.query_params
        link, place = given.get("link", ""), own_path(given.get("next", ""))
        if not link and self._sessions.of(request.headers):
            return RedirectResponse(place, 303)
        return self._page(place, link=link)

    async def _enter(self, request: Request) -> Response:
        form = await form_of(request, ("token", "link", "next"))
        place = own_path(form["next"])
        address = request.client.host if request.client else ""
        if form["link"]:
            if not await self._links.spend(form["link"]):
                return self._page(place, 403, _SPENT)
            return self._let_in(request, place, address, "link")
        # Counted before it is looked at, so that nobody has more by asking at once.
        if wait := math.ceil(self._tries.wait(address)):
            retry = {"Retry-After": str(wait)}
            return self._page(place, 429, _TOO_OFTEN.format(wait), headers=retry)
        if not self._access.opens(form["token"]):
            self._tries.wrong(address)
            _log.warning("sign_in.refused", action="sign_in", address=address)
            return self._page(place, 403, _REJECTED)
        return self._let_in(request, place, address, "token")

    async def _leave(self, request: Request) -> Response:
        await form_of(request, ())
        session = self._sessions.of(request.headers)
        dropped = self._sessions.end(session) if session else self._sessions.forget()
        return RedirectResponse(SIGN_IN, 303, {"Set-Cookie": dropped})

    async def _link(self, request: Request) -> Response:
        if not shows_token(request.scope):
            raise HTTPException(403, _BEARER_ALONE)
        await body_of(request, Nothing)
        path = f"{SIGN_IN}?{urlencode({'link': await self._links.make()})}"
        return JSONResponse({"path": path, "url": self._access.url, "lasts": LASTS}, 201)

    def _let_in(self, request: Request, place: str, address: str, by: str) -> Response:
        """Begin a session of its own, whatever cookie was shown; end the one that was."""
        if session := self._sessions.of(request.headers):
            self._sessions.end(session)
        _log.info("sign_in.done", action="sign_in", address=address, by=by)
        return RedirectResponse(place, 303, {"Set-Cookie": self._sessions.begin()})

    def _page(
        self,
        place: str,
        status: int = 200,
        error: str = "",
        link: str = "",
        headers: dict[str, str] | None = None,
    ) -> Response:
        values = {
            "error": error,
            "link": link,
            "next": place,
            "configured": self._access.configured,
        }
        return self._rendering.page("sign_in.html", values, status, headers)
