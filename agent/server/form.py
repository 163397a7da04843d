"""The fields that a form of the agent's own pages sends, read within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException

from agent.server.body import received

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.requests import Request

_MOST: Final = 16 * 1024
"""Bytes of a form."""
_FIELDS: Final = 20
_KIND: Final = "application/x-www-form-urlencoded"


async def form_of(request: Request, fields: Collection[str]) -> dict[str, str]:
    """Return the fields that were sent; those that weren't are empty.

    Raises:
        HTTPException: 400, 413 or 415 with what is wrong.

    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _KIND:
        raise HTTPException(415, f"this takes what a form sends: {_KIND}")
    raw = await received(request, _MOST, "form")
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS
        )
    except ValueError:
        raise HTTPException(400, "the form can't be read") from None
    given = dict(pairs)
    if len(given) < len(pairs) or not given.keys() <= set(fields):
        raise HTTPException(400, f"a form sends each of these once at most: {', '.join(fields)}")
    return {name: given.get(name, "") for name in fields}
