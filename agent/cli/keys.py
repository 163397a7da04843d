"""``footfall keys new``: a signing key, and the directory of public keys to publish."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from rich.console import Console

from agent.cli.paths import short
from agent.core.errors import ConfigError, Problem
from agent.keys.jwk import members, public_key, thumbprint

if TYPE_CHECKING:
    from pathlib import Path

DIRECTORY = "http-message-signatures-directory"
MEDIA_TYPE = f"application/{DIRECTORY}+json"

_GOOD_FOR = 365 * 86_400
"""Seconds until a key expires."""
_NEXT = """\
The new key is good until {until}. Next:
  1. Publish {document}
     at https://HOST/.well-known/{name}
     as {media_type};
     HOST is the host of identity.info_url, which has to be your own. Give it to what uses
     agent.verify too, and start that again.
  2. Only then have the agent sign with the new key, and send it SIGHUP or start it again:
       [identity]
       signing_key = "{key}"
{last}"""
_FIRST = "  3. To change the key, run this again and go through the same steps."
_ROTATED = """\
  3. The keys before it are still believed. Once the agent has signed with the new one for
     five minutes, delete their private files. Later runs drop them from the directory."""


@dataclass(frozen=True, slots=True)
class Made:
    """A new key's file, the directory beside it, and how many keys that lists and lost."""

    key: Path
    directory: Path
    listed: int
    dropped: int
    expires: int
    """Unix seconds."""


def new(out: Path, keep: int, now: float) -> None:
    """Make a key as ``make`` does, and tell what to do with it."""
    _tell(make(out, keep, now))


def make(out: Path, keep: int, now: float) -> Made:
    """Make a key in ``out`` and list it in the directory there, the newest ``keep`` in all.

    Raises:
        ConfigError: ``keep`` is less than 1, the directory that is there can't be read, or
            a file can't be written. Nothing that is there is lost.

    """
    if keep < 1:
        raise ConfigError([Problem(f"--keep {keep}", "keep one key at least, the new one")])
    document = out / DIRECTORY
    published = [jwk for jwk in _published(document) if float(jwk.get("exp", now + 1)) > now]
    private = Ed25519PrivateKey.generate()
    made = int(now)
    file = out / f"signing-{datetime.fromtimestamp(made, UTC):%Y%m%d-%H%M%S}.pem"
    jwk = {
        "kid": thumbprint(private.public_key()),
        **members(private.public_key()),
        "use": "sig",
        "nbf": made,
        "exp": made + _GOOD_FOR,
    }
    listed = [*published, jwk][-keep:]
    dropped = len(published) + 1 - len(listed)
    try:
        out.mkdir(parents=True, exist_ok=True)
        _write_key(file, private)
        _replace(document, json.dumps({"keys": listed}, indent=2) + "\n")
    except FileExistsError:
        raise ConfigError([Problem(str(file), "is there already; try again")]) from None
    except OSError as error:
        raise ConfigError([Problem(str(out), f"can't be written: {error.strerror}")]) from error
    return Made(file, document, len(listed), dropped, made + _GOOD_FOR)


def _published(document: Path) -> list[dict[str, Any]]:
    """Return the keys of the directory that is there, the oldest first."""
    try:
        return [_checked(jwk) for jwk in json.loads(document.read_bytes())["keys"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        message = f"can't be added to, so it is left as it is: {why}"
        raise ConfigError([Problem(str(document), message)]) from error


def _checked(jwk: dict[str, Any]) -> dict[str, Any]:
    public_key(jwk)
    if "d" in jwk:
        raise ValueError('it holds a private key, "d"')
    float(jwk.get("exp", 0))
    return jwk


def _write_key(file: Path, key: Ed25519PrivateKey) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # Never readable by others, not even for a moment, and never over a key that is there.
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        os.fchmod(descriptor, 0o600)
        opened.write(pem)
        opened.flush()
        os.fsync(descriptor)


def _replace(document: Path, text: str) -> None:
    """Write the directory whole or not at all: a web server may be reading it."""
    fresh = document.with_name(f".{document.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(document)


def _tell(made: Made) -> None:
    out = Console(highlight=False, soft_wrap=True, markup=False)
    out.print(
        f"Wrote {short(made.key)}: the private key. Keep it secret, and out of the repository."
    )
    listed, dropped = made.listed, made.dropped
    keys = "1 public key" if listed == 1 else f"{listed} public keys"
    gone = f" Dropped from it: {dropped}, believed no more once it is published." if dropped else ""
    out.print(f"Wrote {short(made.directory)}: {keys}, to be published.{gone}")
    out.print(
        _NEXT.format(
            until=f"{datetime.fromtimestamp(made.expires, UTC):%Y-%m-%d}",
            document=short(made.directory),
            name=DIRECTORY,
            media_type=MEDIA_TYPE,
            key=short(made.key),
            last=_FIRST if listed == 1 else _ROTATED,
        )
    )
