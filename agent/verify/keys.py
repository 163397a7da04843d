"""The public keys that are believed: a key directory, as ``footfall keys new`` writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.keys.jwk import public_key, thumbprint

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class DirectoryError(ValueError):
    """The key directory can't be used; the message says which key, and why."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key and when it is good, in Unix seconds."""

    public: Ed25519PublicKey
    not_before: float = float("-inf")
    expires: float = float("inf")


def read_directory(directory: Path | str | Mapping[str, Any]) -> dict[str, Key]:
    """Read a directory, given whole or as a file, into keys by their id.

    Keys of other kinds than Ed25519 are passed over: a directory may serve others too. Ids
    are computed, not believed.

    Raises:
        DirectoryError: it is missing, no directory, or an Ed25519 key in it is damaged.

    """
    document = directory if isinstance(directory, Mapping) else _load(Path(directory))
    listed = document.get("keys")
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise DirectoryError('a key directory is an object with a list of objects, "keys"')
    keys = {}
    for number, jwk in enumerate(listed, 1):
        if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519":
            continue
        try:
            public = public_key(jwk)
            key = Key(public, _seconds(jwk, "nbf", -1), _seconds(jwk, "exp", +1))
        except ValueError as error:
            raise DirectoryError(f"key {number}: {error}") from None
        keys[thumbprint(public)] = key
    return keys


def _load(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DirectoryError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise DirectoryError(f"{path}: not a key directory")
    return document


def _seconds(jwk: Mapping[str, Any], name: str, otherwise: int) -> float:
    value = jwk.get(name, otherwise * float("inf"))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f'"{name}" must be Unix seconds')  # noqa: TRY004 - a value of the file
    return float(value)
