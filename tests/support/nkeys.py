"""Keys and signed claims of NATS, so that a server lets in whom they name."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_KINDS = {"operator": 14 << 3, "account": 0, "user": 20 << 3}
_LIMITS = "subs data payload imports exports conn leaf mem_storage disk_storage streams consumer"
_UNLIMITED = dict.fromkeys(_LIMITS.split(), -1)


class Key:
    """A key of an operator, an account or a user."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._key = Ed25519PrivateKey.generate()

    @property
    def public(self) -> str:
        """Its name."""
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return _encoded(bytes([_KINDS[self._kind]]) + raw)

    @property
    def seed(self) -> str:
        """What only its owner has."""
        kind = _KINDS[self._kind]
        head = bytes([18 << 3 | kind >> 5, (kind & 31) << 3])
        return _encoded(head + self._key.private_bytes_raw())

    def claims(self, subject: Key, **about: Any) -> str:
        """Sign what is claimed of another key, or of this one."""
        claims: dict[str, Any] = {
            "iat": int(time.time()),
            "iss": self.public,
            "name": subject._kind,
            "sub": subject.public,
            "nats": {"type": subject._kind, "version": 2, **about},
        }
        claims["jti"] = hashlib.sha256(json.dumps(claims).encode()).hexdigest()
        text = f"{_part({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{_part(claims)}"
        return f"{text}.{_base64(self._key.sign(text.encode()))}"


class Operator:
    """An operator with one account: what a server is configured with, and who it lets in."""

    def __init__(self) -> None:
        self._operator, self._account, self._system = (
            Key(kind) for kind in ("operator", "account", "account")
        )

    @property
    def settings(self) -> str:
        """Lines of the server's configuration."""
        limits = {**_UNLIMITED, "wildcards": True}
        accounts = {
            key.public: self._operator.claims(key, limits=given)
            for key, given in (
                (self._account, limits),
                (self._system, {**limits, "mem_storage": 0, "disk_storage": 0}),
            )
        }
        preloaded = "\n".join(f"{name}: {jwt}" for name, jwt in accounts.items())
        return (
            f"operator: {self._operator.claims(self._operator)}\n"
            f"system_account: {self._system.public}\n"
            f"resolver: MEMORY\nresolver_preload: {{\n{preloaded}\n}}"
        )

    def credentials(self) -> str:
        """A user's credentials file."""
        user = Key("user")
        jwt = self._account.claims(user, subs=-1, data=-1, payload=-1, pub={}, sub={})
        return (
            f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
            "************************* IMPORTANT *************************\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
        )


def _encoded(raw: bytes) -> str:
    check = binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(raw + check).decode().rstrip("=")


def _part(claims: dict[str, Any]) -> str:
    return _base64(json.dumps(claims).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
