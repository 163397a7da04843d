"""``Retry-After``, in whatever form a gateway writes it."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds a peer asks to wait; None where it says nothing of use.

    A date counts from the peer's own ``Date``. What is past, or below zero, is 0.
    """
    text = headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        seconds = _until(text, headers.get("Date", ""))
    return None if math.isnan(seconds) else max(0.0, seconds)


def _until(text: str, now: str) -> float:
    if not text or not now:
        return math.nan
    try:
        return (_moment(text) - _moment(now)).total_seconds()
    except Exception:  # noqa: BLE001 - the parser raises of many kinds on what is no date
        return math.nan


def _moment(text: str) -> datetime:
    moment = parsedate_to_datetime(text)
    # Without a zone, as "-0000" is read, it is UTC.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
