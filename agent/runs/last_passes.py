"""The last passes of journeys, as the state folder has them, to compare failures with."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from agent.core.difference import Comparison
from agent.core.errors import ErrorType, StateError
from agent.core.results import Result
from agent.runs.comparing.comparison import compare
from agent.storage import outlines

if TYPE_CHECKING:
    import sqlite3

    from agent.core.results import Attempt
    from agent.storage.reader import Reader

_log = structlog.get_logger("footfall.runs")

_WAIT: Final = 2.0
"""Seconds that a verdict may wait for what goes with it."""


class LastPasses:
    """Compares failures with the passes of one location. Without a ``reader`` none is known."""

    def __init__(self, reader: Reader | None, location: str) -> None:
        self._reader = reader
        self._location = location

    async def compare(self, journey: str, attempt: Attempt) -> Comparison:
        """Return what an attempt had different, if it is one that tells of the target.

        It never raises: what can't be looked up costs no verdict.
        """
        failed = attempt.outline
        reader = self._reader
        tells = attempt.result is Result.FAIL or attempt.error_type is ErrorType.SCRIPT_ERROR
        if failed is None or reader is None or not tells:
            return Comparison()

        def look(connection: sqlite3.Connection) -> Comparison:
            return compare(failed, outlines.newest(connection, journey, self._location))

        try:
            async with asyncio.timeout(_WAIT):
                return await reader.read(look)
        except (StateError, TimeoutError) as error:
            _log.warning("run.not_compared", action="run", journey=journey, error=str(error))
            return Comparison()
