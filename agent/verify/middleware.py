"""What both kinds of middleware share: whose a request is, and who is to answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agent.verify.claim import Synthetic
    from agent.verify.verifier import Verifier

App = TypeVar("App")
Asked = TypeVar("Asked")
"""A request as the middleware's kind has it: a scope, or an environ."""

KEY = "footfall.synthetic"
REFUSAL = b"Synthetic traffic must be signed.\n"

Unverified = Literal["mark", "refuse", "divert"]


class Policy(Generic[App, Asked]):
    """Decides for one middleware, whatever kind of application it stands before.

    ``host`` returns the ``Host`` header of a request, which counts where no ``authority`` is
    given; the other arguments are the middleware's own.

    Raises:
        ValueError: the options don't fit together.

    """

    def __init__(
        self,
        app: App,
        verifier: Verifier,
        unverified: Unverified,
        divert_to: App | None,
        authority: str | Callable[[Asked], str] | None,
        host: Callable[[Asked], str],
    ) -> None:
        if unverified not in {"mark", "refuse", "divert"}:
            raise ValueError(f'unverified must be "mark", "refuse" or "divert", not {unverified!r}')
        if (divert_to is not None) != (unverified == "divert"):
            raise ValueError('unverified="divert" and divert_to belong together')
        self._app = app
        self._verifier = verifier
        self._doubted = app if unverified == "mark" else divert_to
        self._authority = host if authority is None else authority
        self._mark_span = _span_marker()

    def look(
        self, headers: Mapping[str, str] | Iterable[tuple[str, str]], asked: Asked
    ) -> Synthetic | None:
        """Return what a request with these headers claims, None if nothing; marks its span."""
        authority = self._authority
        name = authority if isinstance(authority, str) else authority(asked)
        synthetic = self._verifier.verify(headers, name)
        if synthetic is not None:
            self._mark_span(synthetic)
        return synthetic

    def answers(self, synthetic: Synthetic | None) -> App | None:
        """Return the application that answers such a request; None: it is refused."""
        known = synthetic is None or synthetic.verified
        return self._app if known else self._doubted


def _span_marker() -> Callable[[Synthetic], None]:
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
