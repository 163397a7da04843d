"""Verifying that a request is the agent's own.

What a signature proves, and what it doesn't. It covers the authority and the address of the
key directory, not the single request, so that one serves many requests and no request waits
for one to be made. It is thus *meant* to be used again: who gets to read a request can send
the same three headers with requests of his own, to the same authority, until the signature
expires or leaves the window (by default five minutes after it was made, whichever is first).
Replay is bounded by time and place, not prevented. Over https, those who can read a request
are the agent, your site and what ends TLS for it. Keep these headers out of your logs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature as WrongSignature
from http_message_signatures import (
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)

from agent.verify.claim import Claim, Reason, Synthetic, read_claim
from agent.verify.keys import read_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from agent.verify.keys import Key

HEADER = "X-Synthetic-Journey"
WINDOW = 300.0
"""Seconds for which the agent's own signatures are good."""
SKEW = 30.0
"""Seconds by which the agent's clock may be ahead of this one."""

_TAG = "web-bot-auth"
_SIGNATURE = frozenset({"signature-agent", "signature-input", "signature"})
_COVERED = frozenset({"@authority", "signature-agent"})
_LONGEST = 2048
"""Characters of a signature's header that are read; the agent's are a tenth of it."""


class Verifier:
    """Says of a request whether it claims to be synthetic, and whether that is true.

    ``directory`` is the key directory, whole or as a file, read once: to take in a new key,
    start the application again before the agent signs with it. ``window`` is how old a
    signature may be, in seconds; ``clock`` returns Unix seconds; ``header`` is what the agent
    has as ``identity.header``. One verifier may serve any number of threads.

    Raises:
        DirectoryError: the directory can't be used.

    """

    def __init__(
        self,
        directory: Path | str | Mapping[str, Any],
        *,
        window: float = WINDOW,
        clock: Callable[[], float] = time.time,
        header: str = HEADER,
    ) -> None:
        self._keys = read_directory(directory)
        self._header = header.lower()
        self._profile = _Profile(self._keys, window, clock)
        self.wanted = frozenset({self._header, "baggage", "cookie"}) | _SIGNATURE
        """The headers (lower-case names) that matter here; others need not be given."""

    def verify(
        self, headers: Mapping[str, str] | Iterable[tuple[str, str]], authority: str
    ) -> Synthetic | None:
        """Return what the request claims, None if nothing. Never raises.

        ``authority`` is the site's own name as its visitors know it (``host``, or
        ``host:port`` where the port isn't the scheme's own): a signature made for another one
        is not verified. A claim is the journey's header, the agent's baggage or cookie, or a
        signature that names one of the directory's keys: other bots sign too, and say nothing
        of being synthetic by it.
        """
        fields = self._fields(headers)
        if not fields:
            return None
        claim = read_claim(fields, self._header)
        if claim is None:
            if not self._names_our_key(fields.get("signature-input", "")):
                return None
            claim = Claim()
        signature = {name: fields[name] for name in _SIGNATURE if name in fields}
        reason = self._doubt(signature, authority) if signature else Reason.UNSIGNED
        return Synthetic(claim.journey, claim.run_id, reason is None, reason)

    def _fields(self, headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> dict[str, str]:
        """Return the headers that matter by their lower-case names, lines of one name joined."""
        fields: dict[str, str] = {}
        wanted = self.wanted
        for name, value in headers.items() if isinstance(headers, Mapping) else headers:
            key = name.lower()
            if key in wanted:
                joint = "; " if key == "cookie" else ", "
                fields[key] = f"{fields[key]}{joint}{value}" if key in fields else value
        return fields

    def _names_our_key(self, signature_input: str) -> bool:
        return any(key_id in signature_input for key_id in self._keys)

    def _doubt(self, signature: Mapping[str, str], authority: str) -> Reason | None:
        """Return what is wrong with the signature, None if nothing is."""
        if any(len(value) > _LONGEST for value in signature.values()):
            return Reason.MALFORMED
        if not authority or any(mark in authority for mark in "/?#@"):
            return Reason.WRONG
        try:
            self._profile.verify(
                _Request(f"https://{authority.lower()}/", signature), max_age=None, expect_tag=_TAG
            )
        except _Doubt as doubt:
            return doubt.reason
        except InvalidSignature as error:
            wrong = isinstance(error.__cause__, WrongSignature)
            return Reason.WRONG if wrong else Reason.MALFORMED
        except Exception:  # noqa: BLE001 - whatever a stranger sends, the application goes on
            return Reason.MALFORMED
        return None


@dataclass(frozen=True, slots=True)
class _Request:
    """A request as the library wants one; of the address, only the authority is looked at."""

    url: str
    headers: Mapping[str, str]
    method: str = "GET"


class _Doubt(InvalidSignature):
    """A check of the profile has failed."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason)


class _Keys(HTTPSignatureKeyResolver):
    """Finds a key that may be used now."""

    def __init__(self, keys: Mapping[str, Key], clock: Callable[[], float]) -> None:
        self._keys = keys
        self._clock = clock

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        key = self._keys.get(key_id)
        if key is None:
            raise _Doubt(Reason.UNKNOWN_KEY)
        if not key.not_before - SKEW <= self._clock() < key.expires:
            raise _Doubt(Reason.KEY_NOT_VALID)
        return key.public


class _Profile(HTTPMessageVerifier):
    """The library's verifier with the profile's rules, and a clock that is given."""

    def __init__(self, keys: Mapping[str, Key], window: float, clock: Callable[[], float]) -> None:
        super().__init__(signature_algorithm=algorithms.ED25519, key_resolver=_Keys(keys, clock))
        self._window = window
        self._clock = clock

    def validate_created_and_expires(
        self,
        sig_input: Any,  # noqa: ANN401 - the library's own, untyped
        max_age: timedelta | None = None,  # noqa: ARG002 - the signature is the library's
    ) -> None:
        """Check what a signature covers and when it was made, before any cryptography."""
        covered = [item.value for item in sig_input]
        created, expires = sig_input.params.get("created"), sig_input.params.get("expires")
        if (
            len(covered) != len(_COVERED)
            or set(covered) != _COVERED
            or created is None
            or expires is None
            or sig_input.params.get("alg") != algorithms.ED25519.algorithm_id
        ):
            raise _Doubt(Reason.PROFILE)
        now = self._clock()
        if created > now + SKEW:
            raise _Doubt(Reason.FUTURE)
        if expires <= now:
            raise _Doubt(Reason.EXPIRED)
        if now - created > self._window:
            raise _Doubt(Reason.TOO_OLD)
