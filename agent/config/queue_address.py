"""The address of a server that replicas share, as the configuration takes it.

No message quotes the address: a password may stand in it.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]+")


def queue_address(text: str) -> None:
    """Check ``nats://[user:password@]host[:port]``, or ``tls://``, several with commas between.

    Raises:
        ValueError: it is something else.

    """
    if not text.isascii() or not text.isprintable() or " " in text.replace(", ", ","):
        raise ValueError("must be plain ASCII without spaces in it; write others as %20")
    try:
        parts = [urlsplit(one.strip()) for one in text.split(",")]
        ports = [one.port for one in parts]
    except ValueError:
        raise ValueError("is no address of a server: its host or port makes no sense") from None
    if {one.scheme for one in parts} - {"nats", "tls"}:
        raise ValueError(
            'must begin with nats:// or tls://, as "nats://nats.example.com:4222" does'
        )
    if len({one.scheme for one in parts}) > 1:
        raise ValueError("must be nats:// or tls:// alike for all servers of one cluster")
    if any(one.netloc.rpartition("@")[0] != parts[0].netloc.rpartition("@")[0] for one in parts):
        raise ValueError("must have one user and password for all servers of one cluster")
    if any(one.path not in {"", "/"} or one.query or one.fragment for one in parts):
        raise ValueError(
            "must end after the host or port; a password with / ? # or @ in it is written with "
            "%2F %3F %23 and %40"
        )
    if 0 in ports or not all(_HOST.fullmatch(one.hostname or "") for one in parts):
        raise ValueError("is no address of a server: its host or port makes no sense")
