"""Signing what the agent sends, so that nobody else can claim to be synthetic.

HTTP Message Signatures (RFC 9421) in the Web Bot Auth profile. A signature covers the
authority and the address of the key directory, and nothing of the single request: so one
serves every request to its authority until it nears its end.

``Signature-Agent`` is sent as a plain string, the form that deployed verifiers (content
delivery networks) read; later drafts make it a dictionary, which ``agent.verify`` accepts too.

Private keys stay in the supervisor, which holds the ``Signer``; what it hands on is headers.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    MappingKeyResolver,
    algorithms,
)

from agent.core.origins import bracketed, parse
from agent.keys.jwk import thumbprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LIFETIME = 300
"""Seconds for which a signature is good."""
RENEWED = 60
"""Seconds before its end at which a signature is replaced."""
TAG = "web-bot-auth"

_MOST = 256
"""Authorities whose signatures are remembered; a wildcard may cover any number."""


@dataclass(frozen=True, slots=True)
class Signed:
    """The headers that prove who sends a request to one authority."""

    headers: Mapping[str, str]
    """``Signature-Agent``, ``Signature-Input`` and ``Signature``."""
    expires: int
    """Unix seconds."""


@dataclass(slots=True)
class _Request:
    """A request as the library wants one."""

    url: str
    headers: dict[str, str]
    method: str = field(default="GET", init=False)


class Signer:
    """Signs with the last of its keys; the ones before it are being rotated out.

    ``info_url`` is ``identity.info_url``: the directory of the public keys is published on
    its host, by https, which is what ``Signature-Agent`` says.
    """

    def __init__(self, keys: Sequence[Ed25519PrivateKey], info_url: str) -> None:
        if not keys:
            raise ValueError("signing needs a key")
        self._agent = f'"{directory_origin(info_url)}"'
        self._key_id = thumbprint(keys[-1].public_key())
        self._signer = HTTPMessageSigner(
            signature_algorithm=algorithms.ED25519,
            key_resolver=MappingKeyResolver(public_keys={}, private_keys={self._key_id: keys[-1]}),
        )
        self._given: OrderedDict[str, Signed] = OrderedDict()

    @property
    def key_id(self) -> str:
        """The id of the key that signs, as the directory lists it."""
        return self._key_id

    def sign(self, authority: str, now: float) -> Signed:
        """Return the headers for requests to an authority: ``host``, or ``host:port``.

        Give the port only where it isn't the scheme's own, as browsers do. ``now`` is Unix
        seconds.

        Raises:
            ValueError: the authority can't be one.

        """
        authority = authority.lower()
        signed = self._given.get(authority)
        # A clock set back leaves a signature of the future, which nobody would believe.
        if signed is None or not RENEWED < signed.expires - now <= LIFETIME:
            signed = self._made(authority, int(now))
            self._given[authority] = signed
            if len(self._given) > _MOST:
                self._given.popitem(last=False)
        self._given.move_to_end(authority)
        return signed

    def _made(self, authority: str, created: int) -> Signed:
        expires = created + LIFETIME
        request = _Request(f"https://{authority}/", {"Signature-Agent": self._agent})
        if any(mark in authority for mark in "/?#@"):
            raise ValueError(f"not an authority: {authority!r}")
        try:
            self._signer.sign(
                request,
                key_id=self._key_id,
                created=datetime.fromtimestamp(created, UTC),
                expires=datetime.fromtimestamp(expires, UTC),
                label="sig1",
                tag=TAG,
                covered_component_ids=("@authority", "signature-agent"),
            )
        except HTTPMessageSignaturesException as error:
            raise ValueError(f"not an authority: {authority!r}") from error
        return Signed(request.headers, expires)


def directory_origin(info_url: str) -> str:
    """Return the https origin on which the key directory is published."""
    address = parse(info_url)
    # The port of an http address is not where https is served.
    authority = address.netloc if address.scheme == "https" else bracketed(address.host)
    return f"https://{authority}"
