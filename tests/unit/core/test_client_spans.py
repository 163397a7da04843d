"""A request's client span: stable attributes, no secrets in its address, errors marked."""

from __future__ import annotations

from agent.core.client_spans import Exchange, client_span
from agent.core.results import SpanData, Tag

TAG = Tag("b" * 16, "c" * 16)


def span(
    url: str = "https://shop.example.com/a",
    status: int | None = 200,
    failure: str = "",
    tag: Tag = TAG,
) -> SpanData:
    return client_span(Exchange("GET", url, 10, 20, status, failure, "fetch"), tag, "a" * 32)


def test_ids() -> None:
    """The span is the one whose id the request carried."""
    one = span()
    assert (one.trace_id, one.span_id, one.parent_id) == ("a" * 32, "b" * 16, "c" * 16)
    assert (one.name, one.kind, one.start_ns, one.end_ns) == ("GET", "client", 10, 20)
    assert (one.status, one.links) == ("unset", ())


def test_attributes() -> None:
    """The stable names of OpenTelemetry, and what asked for the request."""
    assert span("https://me:pw@shop.example.com/a?q=1&token=x#f").attributes == {
        "http.request.method": "GET",
        "url.full": "https://shop.example.com/a?q=1&token=REDACTED",
        "server.address": "shop.example.com",
        "server.port": 443,
        "http.response.status_code": 200,
        "footfall.request.kind": "fetch",
    }
    assert span("http://shop.example.com/").attributes["server.port"] == 80
    assert span("http://127.0.0.1:8080/").attributes["server.port"] == 8080


def test_a_method_that_http_does_not_know() -> None:
    """A page can make up methods, but not names of spans."""
    exchange = Exchange("PURGE-7", "https://shop.example.com/a", 10, 20, 405)
    one = client_span(exchange, TAG, "a" * 32)
    assert one.name == "HTTP"
    assert one.attributes["http.request.method"] == "_OTHER"
    assert one.attributes["http.request.method_original"] == "PURGE-7"
    assert "http.request.method_original" not in span().attributes


def test_error_status() -> None:
    """An answer of 400 or above is an error of that number."""
    assert span(status=399).status == "unset"
    assert "error.type" not in span(status=399).attributes
    assert span(status=400).status == "error"
    assert span(status=503).attributes["error.type"] == "503"


def test_failure() -> None:
    """A request without an answer has no status, and the failure as its error."""
    one = span(status=None, failure="net::ERR_CONNECTION_RESET")
    assert (one.status, one.message) == ("error", "net::ERR_CONNECTION_RESET")
    assert one.attributes["error.type"] == "net::ERR_CONNECTION_RESET"
    assert "http.response.status_code" not in one.attributes


def test_link() -> None:
    """The context that the page had set itself is linked."""
    own = ("d" * 32, "e" * 16)
    assert span(tag=Tag("b" * 16, "c" * 16, own)).links == (own,)
