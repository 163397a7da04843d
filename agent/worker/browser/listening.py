"""The agent's own listeners on browser, pages and sessions.

Playwright raises what a listener raised out of the journey's next call: there it would pass for
the journey's own. So an error of ours ends here, and is told.
"""

from __future__ import annotations

from contextlib import suppress
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


_ANY = Signature([Parameter("args", Parameter.VAR_POSITIONAL)])


class Emitter(Protocol):
    """What events come from: a browser, a context, a page, a CDP session."""

    def on(self, event: Any, f: Any) -> None: ...  # noqa: ANN401, D102
    def remove_listener(self, event: Any, f: Any) -> None: ...  # noqa: ANN401, D102


class Listeners:
    """Listens for one attempt. ``report`` is told once of each event whose listener failed."""

    def __init__(self, report: Callable[[str, Exception], None]) -> None:
        self._report = report
        self._reported: set[str] = set()

    def on(self, emitter: Emitter, event: str, listener: Callable[..., None]) -> Callable[[], None]:
        """Listen from now on; return what stops it, which may be called from the listener."""

        def guarded(*args: Any) -> None:  # noqa: ANN401 - whatever the event brings
            try:
                listener(*args)
            except Exception as error:  # noqa: BLE001 - none of them is the journey's
                self.failed(event, error)

        # Playwright looks at it for each event anew, and to find it out costs more than to listen.
        guarded.__signature__ = _ANY  # type: ignore[attr-defined]

        def stop() -> None:
            with suppress(KeyError, ValueError):  # it was stopped before
                emitter.remove_listener(event, guarded)

        emitter.on(event, guarded)
        return stop

    def failed(self, event: str, error: Exception) -> None:
        """Report what a listener, or a task that it began, failed on."""
        if event not in self._reported:
            self._reported.add(event)
            self._report(event, error)
