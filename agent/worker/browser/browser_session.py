"""The agent's own session with a whole browser, on the short way through Playwright.

At each call Playwright takes down the stack, so that its errors and traces name the author's
line, and it hands each listener a copy of all that an event holds. The agent's own traffic has
no author, and a request that is held waits meanwhile: here events come as they are read, and
calls leave at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from playwright.async_api import Error

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from playwright.async_api import Browser, CDPSession


class BrowserSession:
    """Sends CDP commands to a browser and hears its events, of all of its targets."""

    def __init__(self, session: CDPSession) -> None:
        self._inner: Any = session._impl_obj  # noqa: SLF001 - no public word
        self._connection: Any = self._inner._connection  # noqa: SLF001

    @classmethod
    async def open(cls, browser: Browser) -> Self:
        """Open a session of one's own."""
        return cls(await browser.new_browser_cdp_session())

    def on(self, event: Any, f: Callable[[dict[str, Any]], None]) -> None:  # noqa: ANN401 - as of an Emitter
        """Call ``f`` with what each such event brings; it is not to be changed."""
        self._inner.on(event, f)

    def remove_listener(self, event: Any, f: Callable[[dict[str, Any]], None]) -> None:  # noqa: ANN401
        """Call ``f`` no more."""
        self._inner.remove_listener(event, f)

    async def send(self, method: str, params: dict[str, Any]) -> Any:  # noqa: ANN401 - as CDP has it
        """Send a command and return its result.

        Raises:
            Error: the browser refused it, or is gone.

        """
        return (await self._post(method, params))["result"]

    def tell(
        self, method: str, params: dict[str, Any], done: Callable[[], None] | None = None
    ) -> None:
        """Send a command whose result nobody needs; ``done`` hears that it has come, or never will.

        The browser takes up commands in the order in which they were sent.
        """

        def answered(answer: asyncio.Future[Any]) -> None:
            # The page or the browser may have gone away: looked at, so that nobody warns.
            if not answer.cancelled():
                answer.exception()
            if done is not None:
                done()

        try:
            self._post(method, params).add_done_callback(answered)
        except Error:
            if done is not None:
                done()

    def _post(self, method: str, params: dict[str, Any]) -> asyncio.Future[Any]:
        # What a listener of the journey's raised is kept for the next call: the journey's.
        kept, self._connection._error = self._connection._error, None  # noqa: SLF001
        try:
            sent: asyncio.Future[Any] = self._connection.send_message_to_server(
                self._inner,
                "send",
                {"method": method, "params": params},
                {"internal": True, "timeout": 0},
            )
        finally:
            self._connection._error = kept  # noqa: SLF001
        return sent
