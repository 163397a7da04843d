"""Web addresses as the configuration takes them, in one spelling each.

No message quotes the address it refuses: somebody may have put a password into it.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from agent.core.origins import DEFAULT_PORTS

_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")


def web_address(text: str) -> str:
    """Check an absolute http or https address.

    Raises:
        ValueError: it is something else, or carries a user name or password.

    """
    _split(text)
    return text


def origin(text: str) -> str:
    """Reduce a site's address to ``scheme://host[:port]``, without a default port.

    Raises:
        ValueError: as ``web_address``, or there is a path, query or fragment.

    """
    parts, port = _split(text)
    if parts.path not in {"", "/"} or parts.query or parts.fragment or text.endswith(("?", "#")):
        raise ValueError(
            'must end after the host or port, as "https://shop.example.com" does; '
            "journeys say the path themselves, as in page.goto('/cart')"
        )
    return f"{parts.scheme}://{_host(parts)}{'' if port is None else f':{port}'}"


def pattern(text: str) -> str:
    """Check a first-party pattern: an origin whose host may begin with ``*.``.

    Raises:
        ValueError: it is something else, or would take in a whole top-level domain.

    """
    scheme, separator, rest = text.partition("://")
    wildcard = rest.startswith("*.")
    try:
        plain = origin(scheme + separator + (rest[2:] if wildcard else rest))
    except ValueError as error:
        raise ValueError(
            f'{error} (patterns look like "https://shop.example.com" or '
            '"https://*.shop.example.com:8443")'
        ) from None
    if not wildcard:
        return plain
    scheme, _, host = plain.partition("://")
    if host.startswith("[") or ("." not in host and host.partition(":")[0] != "localhost"):
        raise ValueError(
            'the part after "*." must be a domain of your own, such as "*.example.com"; '
            "identity headers go to every origin that the pattern covers"
        )
    return f"{scheme}://*.{host}"


def covers(first_party: str, address: str) -> bool:
    """Whether a checked pattern takes in a checked origin; ``*.`` is one or more labels."""
    scheme, _, host = first_party.partition("://")
    if not host.startswith("*."):
        return first_party == address
    own_scheme, _, own_host = address.partition("://")
    return scheme == own_scheme and own_host.endswith(host[1:])


def _split(text: str) -> tuple[SplitResult, int | None]:
    """Return the address's parts, and its port unless that is the scheme's default."""
    if not text.isascii():
        raise ValueError('must be plain ASCII; write an international host name as "xn--…"')
    if not text.isprintable() or " " in text:
        raise ValueError("must not hold spaces or control characters")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("is not a web address: its host or port makes no sense") from None
    if parts.scheme not in {"http", "https"}:
        raise ValueError("must be an absolute address that begins with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or password; keep those in secrets")
    if not _HOST.fullmatch(_host(parts)):
        raise ValueError("is not a web address: it has no proper host")
    return parts, None if port == DEFAULT_PORTS[parts.scheme] else port


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host
