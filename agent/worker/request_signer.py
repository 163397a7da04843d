"""What signs an attempt's requests, on the worker's side; the key itself never comes here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.core.limits import ADDRESS_LENGTH
from agent.core.origins import FirstParty
from agent.protocol.messages import SignatureWanted
from agent.worker.tagging.identity import Unsigned
from agent.worker.tagging.signature_cache import RequestSignature, SignatureCache

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.protocol.messages import Walk
    from agent.worker.pipe import Pipe
    from agent.worker.tagging.identity import Proofs


class _SiteProofs:
    """Signs for the site alone: the agent's own page is tagged too, and nobody verifies it."""

    def __init__(self, site: FirstParty, signatures: SignatureCache) -> None:
        self._site = site
        self._signatures = signatures

    def at_hand(self, url: str) -> Mapping[str, str] | None:
        return self._signatures.at_hand(url) if self._site.covers(url) else {}

    async def of(self, url: str) -> Mapping[str, str]:
        return await self._signatures.of(url) if self._site.covers(url) else {}


def proofs_of(walk: Walk, pipe: Pipe) -> Proofs:
    """Return what gives the headers that prove a request to an address; none for other sites'."""
    if walk.signatures is None:
        return Unsigned()

    def ask(authority: str) -> None:
        # No host has a name as long as that: a page made it up.
        if len(authority) <= ADDRESS_LENGTH:
            pipe.send(SignatureWanted(authority))

    known = {one.authority: RequestSignature(one.headers, one.expires) for one in walk.signatures}
    signatures = SignatureCache(known, ask)
    pipe.on_signature = lambda reply: signatures.take(
        reply.authority, RequestSignature(reply.headers, reply.expires)
    )
    return _SiteProofs(FirstParty(walk.journey.site.first_party), signatures)
