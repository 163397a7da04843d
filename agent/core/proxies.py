"""Which proxy a request goes through: one rule for browsers, ``run.api``, references and OTLP.

The standard variables are read as other tools read them: the scheme of the address chooses
between ``HTTP_PROXY`` and ``HTTPS_PROXY``, ``ALL_PROXY`` stands in for both, the lower-case
spelling wins, and a host in ``NO_PROXY`` is reached directly, with its subdomains. Loopback
always is.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from agent.core.errors import Problem
from agent.core.origins import DEFAULT_PORTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")
_SCHEMES = ("http", "https")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_WEB = {"ws": "http", "wss": "https"}


@dataclass(frozen=True, slots=True)
class Proxy:
    """One forward proxy: ``scheme://host:port``, and who it is asked as."""

    server: str
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> Proxy:
        """Read ``[http://][user:password@]host[:port]``.

        Raises:
            ValueError: it is something else; the text, which may hold a password, is not quoted.

        """
        whole = text if "://" in text else f"http://{text}"
        try:
            parts = urlsplit(whole)
            port = parts.port
        except ValueError:
            raise ValueError("is no address of a proxy: its host or port makes no sense") from None
        if parts.scheme not in _SCHEMES:
            raise ValueError(
                'must begin with http:// or https://, as "http://proxy.example.com:3128" does; '
                "no other kind of proxy (SOCKS, say) can be used for all that the agent sends"
            )
        host = _bracketed(parts.hostname or "")
        if (
            not _HOST.fullmatch(host)
            or parts.path not in {"", "/"}
            or parts.query
            or parts.fragment
        ):
            raise ValueError('is no address of a proxy: write "http://HOST:PORT"')
        return cls(
            f"{parts.scheme}://{host}:{port or DEFAULT_PORTS[parts.scheme]}",
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )

    @property
    def url(self) -> str:
        """The address with its credentials, for clients that take them there."""
        if not self.username:
            return self.server
        scheme, _, host = self.server.partition("://")
        user = quote(self.username, safe="")
        return f"{scheme}://{user}:{quote(self.password, safe='')}@{host}"


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies for both schemes, and the hosts that are reached without them."""

    http: Proxy | None = None
    https: Proxy | None = None
    bypass: tuple[str, ...] = ()
    """Hosts, each of which stands for its subdomains too, in the spelling of ``bypassed_host``."""

    def of_scheme(self, url: str) -> Proxy | None:
        """Return the proxy for addresses of this one's scheme, whichever host they name."""
        scheme = urlsplit(url).scheme.lower()
        return self.https if _WEB.get(scheme, scheme) == "https" else self.http

    def of(self, url: str) -> Proxy | None:
        """Return the proxy that an address is reached through; None: directly."""
        try:
            host = (urlsplit(url).hostname or "").rstrip(".")
        except ValueError:
            return None
        if _is_loopback(host) or any(
            host == known.strip("[]") or host.endswith(f".{known}") for known in self.bypass
        ):
            return None
        return self.of_scheme(url)

    @property
    def browser_bypass(self) -> str:
        """The hosts as Chromium and Playwright both read them; loopback among them."""
        # Chromium takes a plain name for that host alone, and one with a dot for those below.
        below = [f".{host}" for host in self.bypass if not _is_address(host)]
        return ",".join([*_LOOPBACK, *self.bypass, *below])


def from_environment(environ: Mapping[str, str]) -> tuple[Proxies, list[Problem]]:
    """Read the standard variables.

    Returns:
        The proxies, and what of the variables can't be used and is therefore not.

    """
    found, problems = {}, []
    for scheme in _SCHEMES:
        found[scheme], problem = _read(environ, f"{scheme}_proxy", "all_proxy")
        problems += [problem] if problem and problem not in problems else []
    name, text = _given(environ, "no_proxy")
    entries = [one.strip() for one in text.split(",") if one.strip()]
    if "*" in entries or not any(found.values()):
        return Proxies(), problems
    bypass = []
    for entry in entries:
        try:
            bypass.append(bypassed_host(entry))
        except ValueError as error:
            problems.append(_unused(name, f"{entry!a} {error}"))
    return Proxies(found["http"], found["https"], tuple(dict.fromkeys(bypass))), problems


def _read(environ: Mapping[str, str], *names: str) -> tuple[Proxy | None, Problem | None]:
    """Return the proxy that the first of these variables gives, or why it gives none."""
    for name in names:
        variable, text = _given(environ, name)
        if text:
            try:
                return Proxy.parse(text), None
            except ValueError as error:
                return None, _unused(variable, str(error))
    return None, None


def _given(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return the variable of this name in the spelling that counts, and its value."""
    variable = name if environ.get(name, "").strip() else name.upper()
    return variable, environ.get(variable, "").strip()


def _unused(variable: str, why: str) -> Problem:
    return Problem(f"environment variable {variable}", f"{why}. It is not used")


def bypassed_host(entry: str) -> str:
    """Return a host to be reached directly in one spelling: lower case, no ``*.`` in front.

    Raises:
        ValueError: it is something else.

    """
    host = entry.strip().lower().removeprefix("*").removeprefix(".").rstrip(".")
    if _is_address(host):
        return _bracketed(host.strip("[]"))
    if not _HOST.fullmatch(host) or not host.isascii():
        raise ValueError(
            "is no host: give a name (its subdomains go with it) or an IP address, such as "
            '"intranet.example.com" or "10.0.0.7"; networks and ports can\'t be told apart here'
        )
    return host


def merged(proxies: Proxies, own: Proxy | None, bypass: Iterable[str]) -> Proxies:
    """Lay a proxy of the configuration, and its hosts to be reached directly, over the rest."""
    hosts = tuple(dict.fromkeys([*bypass, *proxies.bypass]))
    return Proxies(own or proxies.http, own or proxies.https, hosts)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    return _is_address(host) and ipaddress.ip_address(host.strip("[]")).is_loopback


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
