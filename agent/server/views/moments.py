"""Moments and durations as people read them. Moments come as RFC 3339 texts in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from agent.core.standing import ago, until

if TYPE_CHECKING:
    from collections.abc import Callable

_WHOLE: Final = "%Y-%m-%d %H:%M:%S UTC"
_TAG: Final = Markup('<time datetime="{text}" title="{whole}">{shown}</time>')


def when(text: str) -> Markup:
    """Show a moment, to the second: ``2026-11-27 06:15:36 UTC``."""
    return _tag(text, _WHOLE)


def clock(text: str) -> Markup:
    """Show a moment of today or nearly: ``06:15:36 UTC``."""
    return _tag(text, "%H:%M:%S UTC")


def day(text: str) -> Markup:
    """Show a day of UTC: ``2026-11-27``."""
    return _tag(text, "%Y-%m-%d")


def relative_to(now: str) -> dict[str, Callable[[str], Markup]]:
    """Return what tells moments by their distance from ``now``, under the names of templates.

    ``since``: ``12m ago``; ``lasting``: ``12m``; ``to_come``: ``in 12m``.
    """
    at = datetime.fromisoformat(now)
    return {
        "since": lambda text: _tag(text, f"{ago(text, at)} ago"),
        "lasting": lambda text: _tag(text, ago(text, at)),
        "to_come": lambda text: _tag(text, until(text, at)),
    }


def seconds(value: float) -> str:
    """Show a duration, given in seconds, to three figures or so."""
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 99.95:
        return f"{value:.2f} s" if value < 9.995 else f"{value:.1f} s"
    return f"{value:.0f} s"


def _tag(text: str, form: str) -> Markup:
    at = datetime.fromisoformat(text).astimezone(UTC)
    return _TAG.format(text=text, whole=f"{at:{_WHOLE}}", shown=at.strftime(form))
