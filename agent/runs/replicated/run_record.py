"""A whole result as it lies in the database until its word is settled."""

from __future__ import annotations

import zlib
from functools import cache

from pydantic import TypeAdapter

from agent.core.results import RunResult


def pack(run: RunResult) -> bytes:
    """Write a result down."""
    return zlib.compress(_adapter().dump_json(run))


def unpack(packed: bytes) -> RunResult:
    """Read it again.

    Raises:
        ValueError: it can't be read, or is of another version of the agent.

    """
    try:
        return _adapter().validate_json(zlib.decompress(packed))
    except zlib.error as error:
        raise ValueError(f"the result is damaged: {error}") from error


@cache
def _adapter() -> TypeAdapter[RunResult]:
    return TypeAdapter(RunResult)
