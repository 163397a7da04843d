"""Client spans of HTTP requests, as data, with OpenTelemetry's stable attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core import names
from agent.core.bare_url import bare_url
from agent.core.limits import LINE_LENGTH
from agent.core.origins import parse
from agent.core.printable import cut, printable
from agent.core.results import Attribute, SpanData

if TYPE_CHECKING:
    from agent.core.results import Tag

_METHODS = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
)
_METHOD_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what became of it. ``status`` is None where no answer came."""

    method: str
    url: str
    start_ns: int
    end_ns: int
    status: int | None = None
    failure: str = ""
    kind: str = ""
    """What asked for it: ``document``, ``xhr``, ``fetch``, ``api``."""


def client_span(exchange: Exchange, tag: Tag, trace_id: str) -> SpanData:
    """Build the request's own span: the one whose id its ``traceparent`` carried.

    It never raises and is bounded, whatever the page made of method and address.
    """
    address = parse(exchange.url)
    known = exchange.method in _METHODS
    attributes: dict[str, Attribute] = {
        names.REQUEST_METHOD: exchange.method if known else names.OTHER_METHOD,
        names.URL: bare_url(exchange.url),
        names.SERVER_ADDRESS: address.host,
        names.SERVER_PORT: address.port,
        names.REQUEST_KIND: exchange.kind,
    }
    if not known:
        attributes[names.REQUEST_METHOD_ORIGINAL] = cut(printable(exchange.method), _METHOD_LENGTH)
    failure = cut(printable(exchange.failure), LINE_LENGTH)
    failed = bool(failure)
    if exchange.status is not None:
        attributes[names.RESPONSE_STATUS] = exchange.status
        if exchange.status >= 400:
            failed = True
            attributes[names.ERROR_TYPE] = str(exchange.status)
    if failure:
        attributes[names.ERROR_TYPE] = failure
    return SpanData(
        name=exchange.method if known else "HTTP",
        trace_id=trace_id,
        span_id=tag.span_id,
        parent_id=tag.parent_id,
        start_ns=exchange.start_ns,
        end_ns=exchange.end_ns,
        kind="client",
        status="error" if failed else "unset",
        message=failure,
        attributes=attributes,
        links=(tag.own_context,) if tag.own_context else (),
    )
