"""Releases that went out: announced, or met by walks though nobody announced them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from agent.core.deploy import WALK, Deploy

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS deploys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    site TEXT NOT NULL,
    release TEXT NOT NULL,
    at REAL NOT NULL,                   -- Unix seconds; 0: it ran when the site was first walked
    source TEXT NOT NULL,
    url TEXT NOT NULL,
    seen_at REAL                        -- NULL: it has answered no walk yet
);
CREATE INDEX IF NOT EXISTS deploys_by_time ON deploys (site, at);
"""

NEAR: Final = 3_600.0
"""Seconds for which what begins after a deploy is told with it."""
_DURING: Final = 30.0
"""Seconds for which a walk may have gone on that a deploy came into."""
_SAME: Final = 600.0
"""Seconds within which the newest release that is told of again is the same deploy."""
_MOST: Final = 500
"""Of one site."""
_MOST_MET: Final = 5
"""Releases of a site that walks alone may tell of within an hour: some answer by any number."""
_COLUMNS: Final = "site, release, at, source, url, seen_at"


def note(connection: sqlite3.Connection, deploy: Deploy) -> tuple[Deploy, bool]:
    """Note a deploy; return it as it stands, and whether it is new.

    The newest release of its site that is told of again within ten minutes is the same deploy, as
    is one of the very same time. What a walk has met before it was announced keeps when it was.
    """
    known = connection.execute(
        f"SELECT id, {_COLUMNS} FROM deploys WHERE site = :site AND release = :release AND "  # noqa: S608 - names of our own
        "(at = :at OR (abs(at - :at) <= :same AND at = "
        "(SELECT max(at) FROM deploys WHERE site = :site))) ORDER BY id DESC LIMIT 1",
        {"site": deploy.site, "release": deploy.release, "at": deploy.at, "same": _SAME},
    ).fetchone()
    if known is None:
        _add(connection, deploy)
        return deploy, True
    number, *rest = known
    found = Deploy(*rest)
    if found.source != WALK:
        return found, False
    connection.execute(
        "UPDATE deploys SET at = ?, source = ?, url = ? WHERE id = ?",
        (deploy.at, deploy.source, deploy.url, number),
    )
    return Deploy(deploy.site, deploy.release, deploy.at, deploy.source, deploy.url, found.at), True


def copy(connection: sqlite3.Connection, deploy: Deploy) -> bool:
    """Note a deploy that another replica was told of; return whether that is new here.

    One that was told of here as well, within ten minutes, is the same.
    """
    known = connection.execute(
        "SELECT 1 FROM deploys WHERE site = ? AND release = ? AND source <> ? AND abs(at - ?) <= ?",
        (deploy.site, deploy.release, WALK, deploy.at, _SAME),
    ).fetchone()
    return known is None and note(connection, deploy)[1]


def meet(connection: sqlite3.Connection, site: str, releases: Iterable[str], at: float) -> None:
    """Take in which releases answered a walk that began at Unix time ``at``.

    One that nobody announced becomes an event of its own, but for the first of a site: nobody
    knows since when that has run.
    """
    for release in releases:
        known = connection.execute(
            "SELECT id, seen_at FROM deploys WHERE site = ? AND release = ? "
            "ORDER BY at DESC LIMIT 1",
            (site, release),
        ).fetchone()
        if known is not None:
            if known[1] is None:
                # It may have come while the walk went on.
                connection.execute(
                    "UPDATE deploys SET seen_at = max(?, at) WHERE id = ?", (at, known[0])
                )
            continue
        anything, lately = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE source = ? AND at > ?) FROM deploys "
            "WHERE site = ?",
            (WALK, at - NEAR, site),
        ).fetchone()
        if lately < _MOST_MET:
            _add(connection, Deploy(site, release, at if anything else 0.0, WALK, seen_at=at))


def near(
    connection: sqlite3.Connection,
    site: str,
    began: float,
    until: float,
    releases: Collection[str] = (),
) -> Deploy | None:
    """Return the deploy near which something began that was known at Unix time ``until``.

    The last one of the hour before it, or that came while the walk went on, whose release is one
    of those that answered; else the last one before it, else one that came meanwhile.
    """
    row = connection.execute(
        f"SELECT {_COLUMNS}, release IN (SELECT value FROM json_each(:releases)) AS met "  # noqa: S608 - names of our own
        "FROM deploys WHERE site = :site "
        "AND at BETWEEN :began - :near AND min(:until, :began + :during) "
        "ORDER BY met DESC, NOT met AND at > :began, at DESC, id DESC LIMIT 1",
        {
            "site": site,
            "began": began,
            "until": until,
            "releases": json.dumps(list(releases)),
            "near": NEAR,
            "during": _DURING,
        },
    ).fetchone()
    return None if row is None else Deploy(*row[:-1])


def between(
    connection: sqlite3.Connection, site: str, since: float, until: float, limit: int
) -> list[Deploy]:
    """Return the newest of a site's deploys of a time, the newest first."""
    return [
        Deploy(*row)
        for row in connection.execute(
            f"SELECT {_COLUMNS} FROM deploys WHERE site = ? AND at > 0 AND at BETWEEN ? AND ? "  # noqa: S608 - as above
            "ORDER BY at DESC, id DESC LIMIT ?",
            (site, since, until, limit),
        )
    ]


def newest(connection: sqlite3.Connection, limit: int, site: str = "") -> list[Deploy]:
    """Return the newest deploys, of all sites or of one, the newest first."""
    return [
        Deploy(*row)
        for row in connection.execute(
            f"SELECT {_COLUMNS} FROM deploys WHERE at > 0 AND (:site = '' OR site = :site) "  # noqa: S608 - as above
            "ORDER BY at DESC, id DESC LIMIT :limit",
            {"site": site, "limit": limit},
        )
    ]


def set_back(connection: sqlite3.Connection, seconds: float, now: float) -> None:
    """Move what is from the future along with a wall clock that was set back to ``now``."""
    for column in ("at", "seen_at"):
        connection.execute(
            f"UPDATE deploys SET {column} = min({column} - :seconds, :now) "  # noqa: S608 - as above
            f"WHERE {column} > :now",
            {"seconds": seconds, "now": now},
        )


def _add(connection: sqlite3.Connection, deploy: Deploy) -> None:
    connection.execute(
        f"INSERT INTO deploys ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - as above
        (
            *(deploy.site, deploy.release, deploy.at),
            *(deploy.source, deploy.url, deploy.seen_at),
        ),
    )
    connection.execute(
        "DELETE FROM deploys WHERE site = :site AND id <= "
        "(SELECT id FROM deploys WHERE site = :site ORDER BY id DESC LIMIT 1 OFFSET :most)",
        {"site": deploy.site, "most": _MOST},
    )
