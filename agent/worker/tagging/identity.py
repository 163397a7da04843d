"""What a tagged request carries: the carriers of the agent's identity on the wire."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from agent.core.results import Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

COOKIE = "synthetic"

_NOTHING: Mapping[str, str] = MappingProxyType({})

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}.*")


def user_agent(real: str, version: str, info_url: str) -> str:
    """Append the agent's own product token to the browser's real user agent."""
    return f"{real} FootfallSynthetics/{version} (bot; AlwaysOn; +{info_url})"


class Proofs(Protocol):
    """What gives the headers that sign a request; none where it goes unsigned."""

    def at_hand(self, url: str) -> Mapping[str, str] | None:
        """Return them for an address, or None where they have to be waited for."""

    async def of(self, url: str) -> Mapping[str, str]:
        """Return them, waiting where need be."""


class Unsigned:
    """Proves nothing: the agent has no key."""

    def at_hand(self, _url: str) -> Mapping[str, str]:
        """Return none."""
        return _NOTHING

    async def of(self, _url: str) -> Mapping[str, str]:
        """Return none."""
        return _NOTHING


_UNSIGNED = Unsigned()


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of one attempt. ``parent`` returns the id of the span now current."""

    journey: str
    run_id: str
    trace_id: str
    header: str
    parent: Callable[[], str]
    proofs: Proofs = _UNSIGNED
    besides: Mapping[str, str] = field(default_factory=dict)
    """Headers that are no part of the identity, and go where it goes; none that it consists of."""

    def tag(
        self, headers: Mapping[str, str], proof: Mapping[str, str] = _NOTHING
    ) -> tuple[dict[str, str], Tag]:
        """Return the request's headers with the identity added, and the tag that was given.

        A ``traceparent`` that the page sets itself is kept, and baggage is merged. A page that
        signs its requests itself keeps its own signature: two would break it.
        """
        present = {name.lower(): name for name in headers}
        tagged = dict(headers)
        parent = self.parent()
        span_id = secrets.token_hex(8)
        own = None
        if "traceparent" in present:
            own = _context(headers[present["traceparent"]])
        else:
            tagged["traceparent"] = f"00-{self.trace_id}-{span_id}-01"
        ours = f"synthetic_request=true,footfall.journey={self.journey},footfall.run={self.run_id}"
        name = present.get("baggage", "baggage")
        theirs = headers.get(name, "")
        tagged[name] = f"{theirs},{ours}" if theirs else ours
        tagged[present.get(self.header.lower(), self.header)] = self.journey
        for name, value in self.besides.items():
            tagged[present.get(name.lower(), name)] = value
        if not any(name.lower() in present for name in proof):
            tagged |= proof
        return tagged, Tag(span_id, parent, own)


def _context(traceparent: str) -> tuple[str, str] | None:
    """Read what a page sent, which may be anything."""
    found = _TRACEPARENT.fullmatch(traceparent.strip())
    if found is None or not int(found[1], 16) or not int(found[2], 16):
        return None
    return found[1], found[2]
