"""What an attempt's pages wrote to their console, as far as there is room."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.beacons.sockets import refused
from agent.core.bare_url import bare_url
from agent.core.limits import LINE_LENGTH, MOST_LINES

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import BrowserContext, ConsoleMessage

    from agent.worker.browser.listening import Listeners

_MOST_HEARD = 1_000_000
"""Characters that are listened to: a line has to come all the way from the browser."""
_NOT_LOADED = "Failed to load resource:"
_MORE = "… and what was said after that"


@dataclass
class Console:
    """Keeps the first lines, then stops listening: what nobody hears costs a page nothing.

    ``fit`` makes a text of the page's fit to be kept, within so many characters; ``on_refused``
    is told of the sockets of vendors that a page's policy refused where the agent had led them.
    """

    fit: Callable[[str, int], str]
    on_refused: Callable[[str], None]
    lines: list[str] = field(default_factory=list)
    _heard: int = 0
    _stops: list[Callable[[], None]] = field(default_factory=list)

    def follow(self, context: BrowserContext, listeners: Listeners) -> None:
        """Start listening."""
        self._stops.append(listeners.on(context, "console", self._on_message))

    def stop(self) -> None:
        """Stop listening."""
        while self._stops:
            self._stops.pop()()

    def _on_message(self, message: ConsoleMessage) -> None:
        if message.type == "error" and (address := refused(message.text)):
            self.on_refused(address)
        self._add(f"{message.type}: ", message.text, _meant(message))

    def _add(self, kind: str, text: str, address: str = "") -> None:
        self._heard += len(text)
        if len(self.lines) < MOST_LINES:
            self.lines.append(f"{kind}{self.fit(text, LINE_LENGTH)}{address}")
        if self._stops and (len(self.lines) >= MOST_LINES or self._heard > _MOST_HEARD):
            self.stop()
            self.lines.append(_MORE)


def _meant(message: ConsoleMessage) -> str:
    """Return the address that the browser complains of, which its words leave out.

    A page may say the same words, and call its script whatever it likes.
    """
    if not message.text.startswith(_NOT_LOADED):
        return ""
    return f" {bare_url(str(message.location.get('url', '')))}"
