"""What both kinds of middleware share: what becomes of unverified claims, and the span's mark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.verify.claim import Synthetic

KEY = "footfall.synthetic"
REFUSAL = b"Synthetic traffic must be signed.\n"

Unverified = Literal["mark", "refuse", "divert"]


def check_policy(unverified: str, *, diverted: bool) -> None:
    """Check the options of a middleware.

    Raises:
        ValueError: there is no such policy, or it and the other application don't fit.

    """
    if unverified not in {"mark", "refuse", "divert"}:
        raise ValueError(f'unverified must be "mark", "refuse" or "divert", not {unverified!r}')
    if diverted != (unverified == "divert"):
        raise ValueError('unverified="divert" and divert_to belong together')


def span_marker() -> Callable[[Synthetic], None]:
    """Return what marks the current OpenTelemetry span, if there is OpenTelemetry.

    Only verified requests are marked: whoever looks at real visitors alone would otherwise
    miss those of anybody who writes a header.
    """
    try:
        from opentelemetry.trace import get_current_span
    except ImportError:
        return lambda _: None

    def mark(synthetic: Synthetic) -> None:
        span = get_current_span()
        if synthetic.verified and span.is_recording():
            span.set_attribute("user_agent.synthetic.type", "test")

    return mark
