"""The dialogs that a journey was told of and has not answered: its page waits behind them.

Where nobody listens Playwright answers each dialog itself, so the agent must not listen either:
it looks over the shoulder of the journey's own listeners.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error

from agent.core.limits import LINE_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import BrowserContext, Dialog, Page

    from agent.worker.browser.listening import Listeners

_EVENT = "dialog"
_ANSWER_WAIT = 1.0


class Dialogs:
    """Knows the dialogs of an attempt that are open.

    ``fit`` makes a text of the page's fit to be kept, within so many characters.
    """

    def __init__(self, listeners: Listeners, fit: Callable[[str, int], str]) -> None:
        self._listeners = listeners
        self._fit = fit
        self._open: list[Dialog] = []

    def follow(self, target: BrowserContext | Page) -> None:
        """Notice the dialogs that listeners on a context or a page are told of."""
        noticing: dict[Any, Any] = {}

        def wrapped(listener: Any) -> Any:  # noqa: ANN401 - of any kind that Playwright takes
            if listener not in noticing:

                def notice(dialog: Dialog) -> Any:  # noqa: ANN401 - what the listener returns
                    if dialog not in self._open:
                        self._open.append(dialog)
                    return listener(dialog)

                noticing[listener] = notice
            return noticing[listener]

        def passing(method: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
            def register(event: Any, f: Any) -> None:  # noqa: ANN401
                if event != _EVENT:
                    method(event, f)
                    return
                if not noticing:
                    # Only now: the browser is told of each kind of event that is listened to.
                    self._listeners.on(target, "dialogclosed", self._on_closed)
                method(event, wrapped(f))

            return register

        for name in ("on", "once", "remove_listener"):
            setattr(target, name, passing(getattr(target, name)))

    @property
    def open(self) -> list[str]:
        """What the open dialogs are and say."""
        return [f"{one.type}: {self._fit(one.message, LINE_LENGTH)}" for one in self._open]

    async def dismiss(self) -> None:
        """Answer those that are open, so that the page behind them can be looked at."""
        for dialog in list(self._open):
            with suppress(Error, TimeoutError):
                async with asyncio.timeout(_ANSWER_WAIT):
                    await dialog.dismiss()

    def _on_closed(self, dialog: Dialog) -> None:
        if dialog in self._open:
            self._open.remove(dialog)
