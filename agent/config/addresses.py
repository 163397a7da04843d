"""Web addresses as the configuration takes them, in one spelling each.

No message quotes the address it refuses: somebody may have put a password into it.
"""

from __future__ import annotations

import ipaddress
import re

from agent.core.origins import Address, parse

_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""What a host ends in that browsers read as an IPv4 address."""


def web_address(text: str) -> str:
    """Check an absolute http or https address.

    Raises:
        ValueError: it is something else, or carries a user name or password.

    """
    _checked(text)
    return text


def origin(text: str) -> str:
    """Reduce a site's address to ``scheme://host[:port]``, without a default port.

    Raises:
        ValueError: as ``web_address``, or there is a path, query or fragment.

    """
    address = _checked(text)
    if address.path not in {"", "/"} or "?" in text or "#" in text:
        raise ValueError(
            'must end after the host or port, as "https://shop.example.com" does; '
            "journeys say the path themselves, as in page.goto('/cart')"
        )
    return f"{address.scheme}://{address.netloc}"


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


def _checked(text: str) -> Address:
    """Take an address apart that a browser would go to as it is written."""
    if not text.isascii():
        raise ValueError(f'must be plain ASCII; write the host as "{_ascii(parse(text).host)}"')
    if not text.isprintable() or " " in text:
        raise ValueError("must not hold spaces or control characters")
    address = parse(text)
    if address.scheme not in {"http", "https"} or address.authority is None:
        raise ValueError("must be an absolute address that begins with http:// or https://")
    if "@" in re.split(r"[/?#]", text.partition("://")[2], maxsplit=1)[0]:
        raise ValueError("must not hold a user name or password; keep those in secrets")
    if not address.host or not address.port:
        raise ValueError("is not a web address: its host or port makes no sense")
    if ":" not in address.host and not _HOST.fullmatch(address.host):
        raise ValueError("is not a web address: it has no proper host")
    if _NUMERIC.fullmatch(address.host.rpartition(".")[2]) and not _is_ipv4(address.host):
        raise ValueError('must have an IP address in full, four numbers as in "127.0.0.1"')
    return address


def _ascii(host: str) -> str:
    """Return an international host name as it goes over the wire, as far as that is certain."""
    try:
        written = host.encode("idna").decode()
    except UnicodeError:
        return "xn--…"
    # The older rules, which Python knows, read these otherwise than browsers do.
    return "xn--…" if set(host) & set("ßς\u200c\u200d") or not written else written


def _is_ipv4(host: str) -> bool:
    try:
        return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False
