"""What the API tells of a deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.core.run_document import blamed_attempt
from agent.runs.document import time
from agent.storage import deploys

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from agent.core.deploy import Deploy
    from agent.server.documents.deploys import DeployDocument, NearDeploy


def deploy_document(one: Deploy) -> DeployDocument:
    """Return a deploy."""
    return {
        "site": one.site,
        "release": one.release,
        "at": time(one.at),
        "source": one.source,
        "url": one.url or None,
        "seen_at": None if one.seen_at is None else time(one.seen_at),
    }


def near_deploy(
    connection: sqlite3.Connection,
    site: str,
    began: float,
    until: float,
    run: Mapping[str, Any] | None,
) -> NearDeploy | None:
    """Return the deploy after which something began that was known at ``until``, if there is one.

    Both are Unix seconds. ``run`` is the public form of the one that failed first, as far as it is
    kept: a release that answered it comes before any other.
    """
    releases = blamed_attempt(run).get("releases", ()) if run else ()
    found = deploys.near(connection, site, began, until, releases)
    if found is None:
        return None
    return {
        **deploy_document(found),
        "seconds": round(began - found.at, 3),
        "told": found.before(began),
    }
