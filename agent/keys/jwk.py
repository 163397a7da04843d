"""Public Ed25519 keys as JSON Web Keys: what a key directory lists (RFC 8037, RFC 7638)."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

if TYPE_CHECKING:
    from collections.abc import Mapping

_LENGTH = 32
"""Bytes of a public key."""


def thumbprint(key: Ed25519PublicKey) -> str:
    """Return the key's id: its thumbprint, 43 characters of base64url."""
    # RFC 7638: the required members alone, in the order of their names, without white space.
    text = json.dumps(members(key), sort_keys=True, separators=(",", ":"))
    return _encoded(hashlib.sha256(text.encode()).digest())


def members(key: Ed25519PublicKey) -> dict[str, str]:
    """Return the members that make up the key itself."""
    return {"crv": "Ed25519", "kty": "OKP", "x": _encoded(key.public_bytes_raw())}


def public_key(jwk: Mapping[str, Any]) -> Ed25519PublicKey:
    """Read a key back.

    Raises:
        ValueError: it is of another kind, or not a key.

    """
    if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519":
        raise ValueError('not an Ed25519 key: "kty" must be "OKP" and "crv" "Ed25519"')
    text = str(jwk.get("x"))
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    if len(raw) != _LENGTH:
        raise ValueError(f'"x" must be {_LENGTH} bytes in base64url')
    return Ed25519PublicKey.from_public_bytes(raw)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
