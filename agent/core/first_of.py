"""Waiting for the first of several things."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine


async def first_of(
    *waits: Coroutine[object, object, object] | asyncio.Future[Any], limit: float | None = None
) -> None:
    """Return as soon as one of these is done, and after ``limit`` seconds at the latest.

    Coroutines are cancelled then; futures and tasks belong to somebody else and go on. What
    a coroutine raised is raised here.
    """
    own = [asyncio.ensure_future(one) for one in waits if asyncio.iscoroutine(one)]
    others = [one for one in waits if isinstance(one, asyncio.Future)]
    try:
        await asyncio.wait([*own, *others], timeout=limit, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in own:
            task.cancel()
        ended = await asyncio.gather(*own, return_exceptions=True)
    for result in ended:
        if isinstance(result, Exception):
            raise result
