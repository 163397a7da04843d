"""Private Ed25519 keys as a file holds them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_PRIVATE_KEY = re.compile(rb"-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE KEY-----", re.DOTALL)


def read_keys(file: Path) -> tuple[Ed25519PrivateKey, ...]:
    """Read the private keys of a PEM file, in its order: the last one signs.

    Raises:
        ValueError: no key, or one that isn't an unencrypted Ed25519 key. Never quotes it.
        OSError: the file can't be read.

    """
    keys = []
    for block in _PRIVATE_KEY.findall(file.read_bytes()):
        try:
            keys.append(_ed25519(load_pem_private_key(block, password=None)))
        except (ValueError, UnsupportedAlgorithm):
            # From None: the parser's own message may hold parts of what it read.
            raise ValueError("holds a private key that is not Ed25519, or is damaged") from None
    if not keys:
        raise ValueError("holds no unencrypted private key: make one with 'footfall keys new'")
    return tuple(keys)


def _ed25519(key: PrivateKeyTypes) -> Ed25519PrivateKey:
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise ValueError("another kind of key")
