"""Sessions of people who signed in, each a signed cookie: nothing is kept but who signed out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from agent.core.origins import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.datastructures import Headers

_LASTS: Final = 12 * 3600
"""Seconds from signing in to having to sign in anew."""
_AHEAD: Final = 300
"""Seconds by which the clock may have been set back since a session began."""
_PURPOSE: Final = b"footfall session 1"
_FORM: Final = re.compile(
    r"(?P<said>(?P<began>[0-9]{1,12})\.(?P<id>[A-Za-z0-9_-]{22}))\.(?P<mac>.{43})"
)
_LOOKED_AT: Final = 8
"""Cookies of the right name that are looked at: others on this host may have set some."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who signed in, and until when, in Unix seconds, that holds."""

    id: str
    ends_at: float


class SignOuts(Protocol):
    """Knows which sessions people ended, until those would have ended by themselves."""

    def __contains__(self, session_id: str) -> bool:
        """Whether this one was ended."""
        ...

    def add(self, session_id: str, ends_at: float) -> None:
        """Note that one was ended which holds until this Unix time; it counts at once."""
        ...


class Sessions:
    """Makes cookies that nobody can without the token, and knows them again.

    A browser keeps cookies by host alone, so the name has the port: agents beside each other
    don't overwrite each other's. It is part of what is signed, so none takes another's either.
    Replicas of one location know each other's: there the name has the location's ``name``.
    """

    def __init__(
        self,
        token: str,
        url: str,
        port: int,
        wall: Callable[[], float],
        sign_outs: SignOuts,
        name: str = "",
    ) -> None:
        """Make them for who comes to ``url``, or else to any name of this ``port``."""
        address = parse(url)
        self._secure = address.scheme == "https"
        name = f"footfall-{name or address.port or port}"
        self.cookie = f"__Host-{name}" if self._secure else name
        self._key = hmac.digest(token.encode(), _PURPOSE, hashlib.sha256)
        self._wall = wall
        self._sign_outs = sign_outs

    def begin(self) -> str:
        """Begin one that nobody has had; return the value of ``Set-Cookie``."""
        said = f"{int(self._wall())}.{secrets.token_urlsafe(16)}"
        return self._set(f"{said}.{self._mac(said)}", _LASTS)

    def of(self, headers: Headers) -> Session | None:
        """Return the session that a request belongs to; None: there is none that holds."""
        values = [value for line in headers.getlist("cookie") for value in self._values(line)]
        found = (self._session(value) for value in values[:_LOOKED_AT])
        return next((session for session in found if session), None)

    def end(self, session: Session) -> str:
        """End one for good, wherever its cookie went; return the value of ``Set-Cookie``."""
        self._sign_outs.add(session.id, session.ends_at)
        return self.forget()

    def forget(self) -> str:
        """Return the value of ``Set-Cookie`` that has a browser drop its cookie."""
        return self._set("", 0)

    def _set(self, value: str, seconds: int) -> str:
        secure = "; Secure" if self._secure else ""
        kept = f"Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
        return f"{self.cookie}={value}; {kept}"

    def _values(self, line: str) -> list[str]:
        pairs = (part.strip().partition("=") for part in line.split(";"))
        return [value for name, _, value in pairs if name == self.cookie]

    def _session(self, value: str) -> Session | None:
        form = _FORM.fullmatch(value)
        if form is None or not hmac.compare_digest(self._mac(form["said"]), form["mac"]):
            return None
        began, now = int(form["began"]), self._wall()
        holds = began - _AHEAD <= now < began + _LASTS and form["id"] not in self._sign_outs
        return Session(form["id"], began + _LASTS) if holds else None

    def _mac(self, said: str) -> str:
        digest = hmac.digest(self._key, f"{self.cookie}\n{said}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
