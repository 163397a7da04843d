"""Deploys noted as they are told, and what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from agent.core.deploy import Deploy
from agent.daemon.deploy_document import deploy_document
from agent.runs.document import time
from agent.server.control import Refused
from agent.storage import deploys

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from agent.core.clock import Clock
    from agent.server.documents.deploys import DeployDocument, DeploysDocument
    from agent.storage.database import Database
    from agent.storage.reader import Reader

_log = structlog.get_logger("footfall.daemon")

_PAST: Final = 90 * 86_400.0
_AHEAD: Final = 60.0
"""Seconds by which the clock of whoever deploys may be before ours."""


class DeployBook:
    """Writes them down, and tells ``on_change``. ``sites`` names those of the configuration.

    ``share`` tells the other replicas of the location of a new one.
    """

    def __init__(
        self,
        database: Database,
        reader: Reader,
        sites: Callable[[], Collection[str]],
        clock: Clock,
        on_change: Callable[[], object],
        share: Callable[[Deploy], Awaitable[object]] | None = None,
    ) -> None:
        self._database = database
        self._reader = reader
        self._sites = sites
        self._clock = clock
        self._on_change = on_change
        self._share = share

    async def note(
        self, site: str, release: str, at: float | None = None, source: str = "api", url: str = ""
    ) -> tuple[DeployDocument, bool]:
        """Note a deploy at a Unix time, by default now; return it, and whether it is new.

        Raises:
            Refused: there is no such site, it is still to come, or nothing can be written down
                now.

        """
        known = sorted(self._sites())
        if site not in known:
            raise Refused(404, f"no site is called {site!a}; known: {', '.join(known) or 'none'}")
        now = self._clock.wall()
        if at is not None and at > now + _AHEAD:
            raise Refused(422, "at: that is still to come; tell of a deploy when it is done")
        if at is not None and at < now - _PAST:
            raise Refused(422, "at: of what was more than 90 days ago nothing is known here")
        if trouble := self._database.trouble:
            raise Refused(503, f"no deploy can be written down now: {trouble}")
        asked = Deploy(site, release, now if at is None else min(at, now), source, url)
        noted, new = await self._database.transaction(
            lambda connection: deploys.note(connection, asked)
        )
        if new:
            _log.info("deploy.noted", action="note", site=site, release=release, source=source)
            self._on_change()
            if self._share is not None:
                await self._share(noted)
        return deploy_document(noted), new

    async def newest(self, limit: int, site: str = "") -> DeploysDocument:
        """Return the newest, of all sites or of one.

        Raises:
            StateError: they can't be read now.

        """
        found = await self._reader.read(lambda connection: deploys.newest(connection, limit, site))
        return {"at": time(self._clock.wall()), "deploys": [deploy_document(one) for one in found]}
