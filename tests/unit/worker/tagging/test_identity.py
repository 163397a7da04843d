"""What a tagged request carries."""

from __future__ import annotations

import re

import pytest

from agent.core.results import Tag
from agent.worker.tagging.identity import Identity, user_agent

OURS = "synthetic_request=true,footfall.journey=buy_a_mug,footfall.run=run-1"
OWN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


def identity(header: str = "X-Synthetic-Journey") -> Identity:
    return Identity("buy_a_mug", "run-1", "a" * 32, header, lambda: "c" * 16)


def test_carriers() -> None:
    """The request keeps its headers and gets journey, baggage and a child of the open step."""
    headers, tag = identity().tag({"Accept": "*/*"})
    assert headers == {
        "Accept": "*/*",
        "traceparent": f"00-{'a' * 32}-{tag.span_id}-01",
        "baggage": OURS,
        "X-Synthetic-Journey": "buy_a_mug",
    }
    assert re.fullmatch("[0-9a-f]{16}", tag.span_id)
    assert tag == Tag(tag.span_id, "c" * 16, None)


def test_ids_differ() -> None:
    """Each request has an id of its own."""
    one = identity()
    assert len({one.tag({})[1].span_id for _ in range(100)}) == 100


def test_the_pages_own_context() -> None:
    """A traceparent that the page set is kept, in whatever case, and remembered for a link."""
    headers, tag = identity().tag({"TraceParent": OWN})
    assert headers["TraceParent"] == OWN
    assert "traceparent" not in headers
    assert tag.own_context == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")


def test_a_broken_context() -> None:
    """A traceparent that is none is left as it is, and nothing links to it."""
    for broken in ("", "nonsense", "00-abc-def-01", "-".join(OWN.split("-")[:3])):
        headers, tag = identity().tag({"traceparent": broken})
        assert headers["traceparent"] == broken
        assert tag.own_context is None


def test_baggage_is_merged() -> None:
    """What the page's baggage holds stays in front of ours, under one header."""
    headers, _ = identity().tag({"Baggage": "cart=7;ttl=1"})
    assert headers["Baggage"] == f"cart=7;ttl=1,{OURS}"
    assert [name for name in headers if name.lower() == "baggage"] == ["Baggage"]


def test_header_name() -> None:
    """The header's name is the configured one; a page can't send another value under it."""
    headers, _ = identity("X-Robot").tag({"x-robot": "no"})
    assert headers["x-robot"] == "buy_a_mug"
    assert "X-Robot" not in headers
    assert "X-Synthetic-Journey" not in headers


def test_user_agent() -> None:
    """The browser's real one, with the agent's token behind it."""
    assert user_agent("Mozilla/5.0 (X11)", "1.2", "https://example.com/bot") == (
        "Mozilla/5.0 (X11) FootfallSynthetics/1.2 (bot; AlwaysOn; +https://example.com/bot)"
    )


@pytest.mark.parametrize(
    "sent",
    [
        "00-" + "z" * 32 + "-" + "y" * 16 + "-01",
        "00-" + "0" * 32 + "-" + "1" * 16 + "-01",
        "00-" + "1" * 32 + "-" + "0" * 16 + "-01",
        "nonsense",
        "",
    ],
)
def test_a_page_may_send_nonsense(sent: str) -> None:
    """A traceparent that is none is kept as the page's own, and links to nothing."""
    headers, tag = identity().tag({"traceparent": sent})
    assert headers["traceparent"] == sent
    assert tag.own_context is None
