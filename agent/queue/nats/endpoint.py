"""Where the server is, what opens it, and what can be said of both without telling a secret."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from agent.queue.nats.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable

NOTHING = "no credentials"
_PORT = 4222


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One or more servers of a cluster, and how they let the agent in.

    ``url`` has commas between addresses, each with ``nats://`` or ``tls://`` and at most
    ``user:password@`` or ``token@``. ``credentials`` and ``ca`` are paths, "" for none.

    Raises:
        OSError: a file can't be read.
        ValueError: the authorities' or the credentials' file is none.

    """

    url: str = field(repr=False)
    credentials: str = ""
    token: str = field(default="", repr=False)
    ca: str = ""
    addresses: tuple[str, ...] = field(init=False)
    """``scheme://host:port`` of each server: what may be shown."""
    encrypted: bool = field(init=False)
    """Whether nothing may be said in clear."""
    tls: ssl.SSLContext = field(init=False, repr=False)
    signer: Credentials | None = field(init=False, repr=False)
    user: str = field(init=False, repr=False)
    password: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Take the address apart, and read what stands in files."""
        parts = [urlsplit(one.strip()) for one in self.url.split(",")]
        put = object.__setattr__
        shown = tuple(f"{one.scheme}://{_authority(one.hostname, one.port)}" for one in parts)
        put(self, "addresses", shown)
        put(self, "encrypted", any(one.scheme == "tls" for one in parts))
        put(self, "tls", _trusting(self.ca))
        put(self, "signer", Credentials(Path(self.credentials)) if self.credentials else None)
        user, password = unquote(parts[0].username or ""), unquote(parts[0].password or "")
        if user and not password:  # as other clients read it, a name alone is a token
            put(self, "token", self.token or user)
            user = ""
        put(self, "user", user)
        put(self, "password", password)

    @property
    def means(self) -> str:
        """What it shows at the door, in words."""
        if self.signer is not None:
            return f"the credentials of {self.credentials}"
        if self.token:
            return "the token"
        if self.user:
            return "the user and password of `queue.url`"
        return NOTHING

    def options(self, encrypted: Callable[[], bool]) -> dict[str, object]:
        """Return what the client is to be given; ``encrypted`` asks its connection.

        Secrets go through functions that are called once the connection stands: where it
        should be encrypted and is not, they raise ``ConnectionError`` instead.
        """

        def guarded(secret: str) -> Callable[[], str]:
            def tell() -> str:
                self.insist(encrypted())
                return secret

            return tell

        options: dict[str, object] = {"tls": self.tls}
        if (signer := self.signer) is not None:

            def sign(nonce: str) -> bytes:
                self.insist(encrypted())
                return signer.sign(nonce)

            options |= {"user_jwt_cb": signer.jwt, "signature_cb": sign}
        if self.token:
            options["token"] = guarded(self.token)
        elif self.user:
            options |= {"user": guarded(self.user), "password": guarded(self.password)}
        return options

    def insist(self, encrypted: bool) -> None:
        """Raise ``ConnectionError`` where the connection should be encrypted and is not."""
        if self.encrypted and not encrypted:
            raise ConnectionError("the server does not encrypt, and `queue.url` says tls://")


def _authority(host: str | None, port: int | None) -> str:
    name = f"[{host}]" if host and ":" in host else host
    return f"{name}:{port or _PORT}"


def _trusting(ca: str) -> ssl.SSLContext:
    """Trust the machine's authorities, and those of a file besides."""
    context = ssl.create_default_context()
    if ca:
        try:
            context.load_verify_locations(cafile=ca)
        except ssl.SSLError:
            raise ValueError(f"{ca} has no certificate in PEM") from None
    return context
