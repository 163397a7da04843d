"""What signs an attempt's requests, on the worker's side; the key itself never comes here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.core.limits import ADDRESS_LENGTH
from agent.core.origins import FirstParty
from agent.protocol.messages import SignatureWanted
from agent.worker.tagging.identity import unsigned
from agent.worker.tagging.signature_cache import RequestSignature, SignatureCache

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from agent.protocol.messages import Walk
    from agent.worker.pipe import Pipe


def proof_of(walk: Walk, pipe: Pipe) -> Callable[[str], Awaitable[Mapping[str, str]]]:
    """Return what gives the headers that prove a request to an address; none for other sites'."""
    if walk.signatures is None:
        return unsigned

    def ask(authority: str) -> None:
        # No host has a name as long as that: a page made it up.
        if len(authority) <= ADDRESS_LENGTH:
            pipe.send(SignatureWanted(authority))

    proofs = SignatureCache(
        {one.authority: RequestSignature(one.headers, one.expires) for one in walk.signatures}, ask
    )
    pipe.on_signature = lambda reply: proofs.take(
        reply.authority, RequestSignature(reply.headers, reply.expires)
    )
    site = FirstParty(walk.journey.site.first_party)

    async def proof(url: str) -> Mapping[str, str]:
        # The agent's own page is tagged too, and nobody verifies it.
        return await proofs.of(url) if site.covers(url) else {}

    return proof
