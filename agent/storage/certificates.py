"""The certificates that first parties showed: of each host the newest, over restarts.

Behind one address several may be in use at once, one of them forgotten. So a host's certificate
is the one that ends soonest, of those that were met within an hour of the newest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.core.certificate import Certificate
from agent.core.origins import FirstParty

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from agent.core.model import Journey

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS certificates (
    host TEXT NOT NULL,
    ends_at REAL NOT NULL,              -- Unix seconds, as every time here
    lifetime REAL NOT NULL,
    seen_at REAL NOT NULL,
    PRIMARY KEY (host, ends_at)
) WITHOUT ROWID;
"""

MOST_TOLD: Final = 100
"""Hosts whose certificate is told: those that end soonest."""
_MOST_KEPT: Final = 1_000
_BESIDE: Final = 3_600.0
_FRESH_AT_LEAST: Final = 7 * 86_400.0
_FRESH_INTERVALS: Final = 3


@dataclass(frozen=True, slots=True)
class Known:
    """A host's certificate, and when the host last showed any, in Unix seconds."""

    certificate: Certificate
    seen_at: float


def note(connection: sqlite3.Connection, seen: Iterable[Certificate], at: float) -> None:
    """Take in what a run met that ended at Unix time ``at``."""
    met = list(seen)
    for one in met:
        connection.execute(
            "INSERT OR REPLACE INTO certificates VALUES (?, ?, ?, ?)",
            (one.host, one.ends_at, one.lifetime, at),
        )
        # One from the future was met before the clock was set back.
        connection.execute(
            "DELETE FROM certificates WHERE host = ? AND seen_at NOT BETWEEN ? AND ?",
            (one.host, at - _BESIDE, at),
        )
    if met:
        connection.execute(
            "DELETE FROM certificates WHERE (host, ends_at) IN "
            "(SELECT host, ends_at FROM certificates ORDER BY seen_at DESC LIMIT -1 OFFSET ?)",
            (_MOST_KEPT,),
        )


def read(connection: sqlite3.Connection) -> list[Known]:
    """Return each host's certificate, the one that ends soonest first."""
    found: dict[str, Known] = {}
    newest: dict[str, float] = {}
    for row in connection.execute("SELECT * FROM certificates ORDER BY ends_at DESC"):
        host = row["host"]
        newest[host] = max(newest.get(host, 0.0), row["seen_at"])
        certificate = Certificate(host, row["ends_at"], row["lifetime"])
        found[host] = Known(certificate, newest[host])
    return sorted(found.values(), key=lambda one: (one.certificate.ends_at, one.certificate.host))


def of_journeys(known: Sequence[Known], journeys: Iterable[Journey], now: float) -> list[Known]:
    """Return those that are still told: of hosts that are a first party of an enabled journey's.

    What no run has met for three intervals of such a journey, and seven days at least, is
    forgotten. So a pause hides none.
    """
    bounds: dict[tuple[str, ...], float] = {}
    for journey in journeys:
        if journey.enabled:
            bound = max(_FRESH_INTERVALS * journey.interval, _FRESH_AT_LEAST)
            patterns = journey.site.first_party
            bounds[patterns] = max(bound, bounds.get(patterns, 0.0))
    sites = [(FirstParty(patterns), bound) for patterns, bound in bounds.items()]
    return [
        one
        for one in known
        if any(
            abs(now - one.seen_at) < bound and site.covers(f"https://{one.certificate.host}/")
            for site, bound in sites
        )
    ]
