"""Tagging what ``run.api``, ``page.request`` and ``context.request`` send.

These three are one object of Playwright's, whose traffic no CDP session sees. Its verbs are
replaced on the instance by ones that add the identity, hop by hop: Playwright would carry
the headers of a request along a redirect to a third party.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin

from playwright.async_api import Error

from agent.core.bare_url import bare_url
from agent.core.client_spans import Exchange, client_span
from agent.core.origins import Origin
from agent.worker.browser.faults import BadRedirect
from agent.worker.browser.net_errors import failure_of, is_bad_address

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from playwright.async_api import APIRequestContext, APIResponse, Request

    from agent.core.origins import FirstParty
    from agent.core.results import SpanData
    from agent.worker.browser.traffic import Traffic
    from agent.worker.tagging.auditor import Auditor
    from agent.worker.tagging.identity import Identity

_VERBS = ("delete", "get", "head", "patch", "post", "put")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 20
_NO_ADDRESS = "a redirect to what is no web address"
_BODY = ("data", "form", "multipart")
_BODY_HEADERS = frozenset(
    {
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-type",
    }
)


class ApiTagger:
    """Tags one ``APIRequestContext`` and reports a client span for each first-party hop.

    ``traffic`` hears of every request and what became of it, ``on_answer`` what was asked,
    and status and headers of the answer, ``on_connection`` its address and what is known of the
    connection's security.
    """

    def __init__(
        self,
        first_party: FirstParty,
        identity: Identity,
        base_url: str,
        on_span: Callable[[SpanData], None],
        traffic: Traffic,
        auditor: Auditor,
        on_answer: Callable[[str, int, Mapping[str, str]], object],
        on_connection: Callable[[str, Mapping[str, Any] | None], None],
    ) -> None:
        self._first_party = first_party
        self._traffic = traffic
        self._auditor = auditor
        self._on_answer = on_answer
        self._on_connection = on_connection
        self._identity = identity
        self._base_url = base_url
        self._on_span = on_span

    def attach(self, api: APIRequestContext) -> None:
        """Replace the verbs of this instance."""
        fetch = api.fetch

        def verb(method: str) -> Callable[..., Awaitable[APIResponse]]:
            async def send(url: str, **options: Any) -> APIResponse:  # noqa: ANN401
                return await self._follow(fetch, url, {**options, "method": method.upper()})

            return send

        async def send_any(url_or_request: str | Request, **options: Any) -> APIResponse:  # noqa: ANN401
            if isinstance(url_or_request, str):
                options["method"] = (options.get("method") or "GET").upper()
                return await self._follow(fetch, url_or_request, options)
            request = url_or_request
            options["method"] = (options.get("method") or request.method).upper()
            options.setdefault("headers", await request.all_headers())
            if request.post_data_buffer is not None:
                options.setdefault("data", request.post_data_buffer)
            return await self._follow(fetch, request.url, options)

        for name in _VERBS:
            setattr(api, name, verb(name))
        api.fetch = send_any  # type: ignore[method-assign]

    async def _follow(
        self,
        fetch: Callable[..., Awaitable[APIResponse]],
        url: str,
        options: dict[str, Any],
    ) -> APIResponse:
        url = urljoin(self._base_url, url)
        left = options.pop("max_redirects", None)
        left = _MOST_REDIRECTS if left is None else left
        follow = left > 0
        came_from = ""
        while True:
            try:
                response = await self._hop(fetch, url, options)
            except Error as error:
                if came_from and is_bad_address(error):
                    raise BadRedirect(f"{came_from}: {_NO_ADDRESS}") from error
                raise
            location = response.headers.get("location")
            if not follow or response.status not in _REDIRECTS or location is None:
                return response
            if left == 0:
                raise BadRedirect(
                    f"{url}: more than {_MOST_REDIRECTS} redirects, one after the other"
                )
            left -= 1
            try:
                next_url = urljoin(url, location)
            except ValueError:
                raise BadRedirect(f"{url}: {_NO_ADDRESS}") from None
            options = _redirected(
                options, response.status, away=Origin.parse(url) != Origin.parse(next_url)
            )
            came_from, url = url, next_url

    async def _hop(
        self,
        fetch: Callable[..., Awaitable[APIResponse]],
        url: str,
        options: dict[str, Any],
    ) -> APIResponse:
        if not self._first_party.covers(url):
            return await self._counted(fetch, url, options)
        proof = await self._identity.proofs.of(url)
        headers, tag = self._identity.tag(options.get("headers") or {}, proof)
        self._auditor.tag(url)
        start, began = time.time_ns(), time.monotonic_ns()
        status, failure = None, "request failed"
        try:
            response = await self._counted(fetch, url, {**options, "headers": headers})
            status, failure = response.status, ""
            return response
        finally:
            end = start + time.monotonic_ns() - began
            exchange = Exchange(options["method"], url, start, end, status, failure, "api")
            self._on_span(client_span(exchange, tag, self._identity.trace_id))

    async def _counted(
        self,
        fetch: Callable[..., Awaitable[APIResponse]],
        url: str,
        options: dict[str, Any],
    ) -> APIResponse:
        outcome, failure = "failed", ""
        outliner = self._traffic.outliner
        note = outliner.began(options["method"], url, "api")
        self._auditor.send(options["method"], url, _body(options))
        try:
            response = await fetch(url, **options, max_redirects=0)
            outcome = "ok" if response.status < 400 else "http_error"
            outliner.answered(note, response.status, response.headers)
            what = f"{options['method']} {bare_url(response.url)}"
            self._on_answer(what, response.status, response.headers)
            self._traffic.releases.on_call(response.url, response.headers)
            # It came with the answer: nobody is asked.
            self._on_connection(response.url, await response.security_details())
        except Error as error:
            failure = failure_of(error)
            raise
        else:
            return response
        finally:
            outliner.ended(note, failure)
            self._traffic.count(url, outcome)


def _redirected(options: dict[str, Any], status: int, *, away: bool) -> dict[str, Any]:
    """Return the options of the next hop, as Playwright and browsers make them.

    A POST becomes a GET and loses its body; credentials don't go ``away`` to another origin.
    """
    kept = {name: value for name, value in options.items() if name != "params"}
    method = options["method"]
    dropped = {"cookie", "authorization"} if away else {"cookie"}
    if (status in {301, 302} and method == "POST") or (
        status == 303 and method not in {"GET", "HEAD"}
    ):
        kept = {name: value for name, value in kept.items() if name not in _BODY}
        kept["method"] = "GET"
        dropped |= _BODY_HEADERS
    headers = options.get("headers") or {}
    kept["headers"] = {n: value for n, value in headers.items() if n.lower() not in dropped}
    return kept


def _body(options: dict[str, Any]) -> bytes | None:
    """Return what a request will carry, as far as a beacon's shape is told by it."""
    data = options.get("data")
    if isinstance(data, str | bytes):
        return data.encode() if isinstance(data, str) else data
    if data is not None:
        return json.dumps(data, default=str).encode()
    form = options.get("form")
    return urlencode(form).encode() if isinstance(form, dict) else None
