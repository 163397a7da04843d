"""Durations, sizes and cadences as people write them: ``1h30m``, ``512MiB``, ``0 3 * * 0``.

Every ``format_…`` writes what its ``parse_…`` reads back to the same value.
"""

from __future__ import annotations

import re
from decimal import Decimal, Overflow
from zoneinfo import ZoneInfo

from agent.core.model import Cadence

_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_DURATION = re.compile("".join(f"(?:{_NUMBER}{unit})?" for unit in ("d", "h", "m", "s", "ms")))
_DURATION_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
"""Milliseconds, in the order of the pattern's groups."""

_SIZE = re.compile(_NUMBER + " ?([A-Za-z]*)")
_SIZE_UNITS = {
    "TiB": 1 << 40,
    "TB": 10**12,
    "GiB": 1 << 30,
    "GB": 10**9,
    "MiB": 1 << 20,
    "MB": 10**6,
    "KiB": 1 << 10,
    "kB": 10**3,
    "KB": 10**3,
    "B": 1,
    "": 1,
}

_LARGEST = 1 << 60
_LONGEST = 10 * 366 * 86_400
_SHORTEST_CADENCE = 1.0
_CRON_FIELDS = "minute, hour, day of month, month, day of week"


def parse_duration(text: str) -> float:
    """Read ``500ms``, ``20s``, ``1h30m`` or ``14d`` as seconds.

    Raises:
        ValueError: it is something else, or longer than ten years.

    """
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError(
            f"{text!r} is not a duration; write numbers with units from long to short, "
            'such as "500ms", "20s", "1h30m" or "14d"'
        )
    try:
        milliseconds = sum(
            (Decimal(number) * scale)
            for number, scale in zip(match.groups(), _DURATION_UNITS.values(), strict=True)
            if number is not None
        )
        seconds = float(Decimal(milliseconds) / 1000)
    except Overflow:
        seconds = float("inf")
    if seconds > _LONGEST:
        raise ValueError(f"{text!r} is longer than ten years")
    return seconds


def parse_limit(text: object) -> float | None:
    """Read a limit on a time: a duration of more than nothing, in seconds; "" is None, no limit.

    Raises:
        ValueError: it is something else.

    """
    if not isinstance(text, str):
        raise ValueError(f'{text!r} must be a duration in quotes with its unit, such as "4s"')  # noqa: TRY004 - a value like any other wrong one
    if not text:
        return None
    seconds = parse_duration(text)
    if seconds == 0:
        raise ValueError('must be longer than 0s; "" takes the limit away')
    return seconds


def format_duration(seconds: float) -> str:
    """Write seconds (zero or more) to the millisecond: ``1h30m``, ``1s500ms``, ``0s``."""
    rest = round(seconds * 1000)
    parts = []
    for unit, scale in _DURATION_UNITS.items():
        count, rest = divmod(rest, scale)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_size(text: str) -> int:
    """Read ``512MiB``, ``10MB`` or ``1024`` as bytes.

    Raises:
        ValueError: it is something else, not a whole number of bytes, or more than any disk has.

    """
    match = _SIZE.fullmatch(text)
    scale = _SIZE_UNITS.get(match[2]) if match else None
    if match is None or scale is None:
        raise ValueError(
            f"{text!r} is not a size; write a number of bytes or one with a unit, "
            'such as "512MiB", "1GiB" or "10MB"'
        )
    try:
        size = Decimal(match[1]) * scale
    except Overflow:
        size = Decimal("Infinity")
    if size > _LARGEST:
        raise ValueError(f"a size of more than {format_size(_LARGEST)} makes no sense")
    if size != int(size):
        raise ValueError(f"{text!r} is not a whole number of bytes")
    return int(size)


def format_size(size: int) -> str:
    """Write bytes (zero or more) in the largest unit that states them exactly."""
    for unit, scale in _SIZE_UNITS.items():
        if size and size % scale == 0:
            return f"{size // scale}{unit}"
    return "0B"


def parse_timezone(name: str) -> str:
    """Check that ``name`` is a time zone and return it.

    Raises:
        ValueError: the time zone database doesn't have it.

    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # Beside "not found": absolute paths, and names of folders such as "Europe".
        raise ValueError(
            f'{name!r} is not a time zone; write a name such as "UTC" or "Europe/Berlin"'
        ) from None
    return name


def parse_cadence(every: str, timezone: str) -> Cadence:
    """Read how often something runs: a duration of a second or more, or a cron line.

    A cron line is told by its five fields; what they hold is for the schedule to judge.

    Raises:
        ValueError: it is neither, or the time zone doesn't exist.

    """
    zone = parse_timezone(timezone)
    fields = every.split()
    if len(fields) == 5:
        return Cadence(cron=" ".join(fields), timezone=zone)
    try:
        seconds = parse_duration(every)
    except ValueError:
        raise ValueError(
            f'{every!r} is neither a duration such as "1m" nor a cron line of five fields '
            f"({_CRON_FIELDS})"
        ) from None
    if seconds < _SHORTEST_CADENCE:
        raise ValueError(f"{every!r} is too often; the shortest interval is 1s")
    return Cadence(seconds=seconds, timezone=zone)
