"""Walks without a browser: ``run.api`` alone, out of Playwright's driver."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error

from agent.authoring import Run
from agent.canary.page import TITLE
from agent.worker.browser.context import context_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from playwright._impl._api_structures import SetCookieParam
    from playwright.async_api import APIRequestContext, Playwright

    from agent.core.model import Journey
    from agent.core.proxies import Proxies
    from agent.worker.browser.launch import Launcher

_COOKIE = {"expires": -1, "httpOnly": False, "secure": False, "sameSite": "Lax"}
"""What a stored cookie must say, where ours says nothing."""
_PAGES_ALONE = frozenset({"context", "page"})


class CallsRun(Run):
    """A run without a page; what asks for one is told so."""

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 - of any attribute
        if name in _PAGES_ALONE:
            raise no_browser(f"run.{name}")
        return super().__getattribute__(name)


def no_browser(what: str) -> TypeError:
    """Return what is raised where a journey without a browser asks for one."""
    return TypeError(
        f"{what} needs a browser, and the journey is declared with browser=False: use run.api, "
        "or leave browser=False out"
    )


async def open_api(
    launcher: Launcher,
    journey: Journey,
    cookies: Sequence[SetCookieParam],
    proxies: Proxies | None,
    timeout: float,  # noqa: ASYNC109 - Playwright's own, of each call, in milliseconds
) -> APIRequestContext:
    """Open what ``run.api`` is: relative to the site, and with the agent's own cookies.

    Raises:
        Error, TypeError: the journey's ``context`` makes none.

    """
    playwright, url = launcher.playwright, journey.site.url
    options = {
        "user_agent": launcher.user_agent,
        **context_options(journey.context, playwright, launcher.user_agent, url, proxies),
    }
    stored = _stored(options.get("storage_state"))
    own = [{**_COOKIE, **cookie} for cookie in cookies]
    state = {**stored, "cookies": [*stored.get("cookies", []), *own]}
    return await playwright.request.new_context(
        **{**options, "base_url": url, "timeout": timeout, "storage_state": state}
    )


async def try_canary(playwright: Playwright, url: str, timeout: float) -> str | None:  # noqa: ASYNC109
    """Ask for the agent's own page as ``run.api`` would, within ``timeout`` seconds.

    Returns:
        None where it came, else why not.

    """
    try:
        async with asyncio.timeout(timeout):
            api = await playwright.request.new_context()
            answer = await api.get(url)
            text = await answer.text()
            await api.dispose()
    except TimeoutError:
        return f"the agent's own page did not answer within {timeout:.1f} s"
    except Error as error:
        return f"the agent's own page did not answer: {error}"
    return None if TITLE in text else f"the agent's own page came back with {answer.status}"


def _stored(state: object) -> Mapping[str, Any]:
    """Return a storage state of the author's as it stands in its file."""
    if isinstance(state, str):
        state = json.loads(Path(state).read_text("utf-8"))
    return state if isinstance(state, dict) else {"origins": []}
