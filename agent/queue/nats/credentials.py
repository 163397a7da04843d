"""A credentials file: a user's JWT, and the seed of the key that signs what the server asks."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(rb"-+BEGIN ([A-Z ]+)-+\s+([^\s-]\S*)\s+-+END \1-+")
_SEED_OF_A_USER = 36
"""Bytes: two that say what it is, 32 of the seed, two of a checksum."""


class Credentials:
    """What a credentials file says, read anew each time, so that it can be replaced.

    The library's own reader never ends on a file without a JWT, and would need a package more.

    Raises:
        OSError: it can't be read.
        ValueError: it has no JWT, or no user's seed.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.jwt()
        self._key()

    def jwt(self) -> bytes:
        """Return the user's JWT."""
        return self._block(b"NATS USER JWT")

    def sign(self, nonce: str) -> bytes:
        """Return the signature of what the server asks, in Base64."""
        return base64.b64encode(self._key().sign(nonce.encode()))

    def _key(self) -> Ed25519PrivateKey:
        seed = self._block(b"USER NKEY SEED")
        try:
            raw = base64.b32decode(seed + b"=" * (-len(seed) % 8))
        except binascii.Error:
            raw = b""
        if len(raw) != _SEED_OF_A_USER or not seed.startswith(b"SU"):
            raise ValueError(f"{self._path} has no seed of a user")
        return Ed25519PrivateKey.from_private_bytes(raw[2:34])

    def _block(self, name: bytes) -> bytes:
        for found, value in _BLOCK.findall(self._path.read_bytes()):
            if found == name:
                return bytes(value)
        raise ValueError(f"{self._path} is no credentials file: it has no {name.decode()}")
