"""Signing for workers: they get headers for their journey's site, and never the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.core.origins import FirstParty, authority_of
from agent.protocol.messages import SignatureReply
from agent.signing.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.config import Settings
    from agent.core.model import Site


class Signatures:
    """Signs for the authorities of one site, whatever a worker asks: journey code may ask too.

    ``clock`` returns Unix seconds.
    """

    def __init__(self, signer: Signer, site: Site, clock: Callable[[], float]) -> None:
        self._signer = signer
        self._site = FirstParty(site.first_party)
        self._clock = clock

    def ahead(self) -> list[SignatureReply]:
        """Return what every origin needs that can be known; a wildcard's hosts can't."""
        hosts = [authority_of(one.url) for one in self._site.origins if "*" not in one.host]
        return [self.reply(authority) for authority in dict.fromkeys(hosts)]

    def reply(self, authority: str) -> SignatureReply:
        """Return the headers for an authority, none where it isn't one of the site's."""
        covered = any(self._site.covers(f"{scheme}://{authority}/") for scheme in ("https", "http"))
        if not covered:
            return SignatureReply(authority)
        try:
            signed = self._signer.sign(authority, self._clock())
        except ValueError:
            return SignatureReply(authority)
        return SignatureReply(authority, dict(signed.headers), signed.expires)


def signer_of(settings: Settings) -> Signer | None:
    """Return what signs by this configuration, None where it names no key."""
    keys = settings.signing_keys
    return Signer(keys, settings.identity.info_url) if keys else None
