"""The options of an attempt's browser context, from what the author declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.worker.browser.faults import ProxyRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.async_api import APIRequestContext, APIResponse, Playwright

    from agent.core.proxies import Proxies


def context_options(
    declared: Mapping[str, Any],
    playwright: Playwright,
    user_agent: str,
    site: str = "",
    proxies: Proxies | None = None,
) -> dict[str, Any]:
    """Return the options of ``new_context``: the device's, under the author's own.

    A user agent of the author's or the device's gets the agent's token too. The proxy is the
    one for addresses of the scheme that ``site`` has, also for what is not the site's.
    """
    options = {**_proxy(site, proxies), **declared}
    device = options.pop("device", None)
    if device is not None:
        if device not in playwright.devices:
            raise TypeError(f"Playwright knows no device {device!r}")
        options = {**playwright.devices[device], **options}
        options.pop("default_browser_type", None)
    if "user_agent" in options:
        token = user_agent[user_agent.index("FootfallSynthetics/") :]
        options["user_agent"] += f" {token}"
    return options


def _proxy(site: str, proxies: Proxies | None) -> dict[str, Any]:
    proxy = proxies.of_scheme(site) if proxies is not None else None
    if proxy is None or proxies is None:
        return {}
    settings = {"server": proxy.server, "bypass": proxies.browser_bypass}
    if proxy.username:
        settings |= {"username": proxy.username, "password": proxy.password}
    return {"proxy": settings}


def refuse_sign_in(api: APIRequestContext) -> None:
    """Raise what a proxy answers in a site's stead: Playwright hands it on as the answer."""
    fetch = api.fetch

    async def checked(*arguments: Any, **options: Any) -> APIResponse:  # noqa: ANN401 - as fetch
        response = await fetch(*arguments, **options)
        if response.status == 407:
            raise ProxyRefused(f"{response.url} answered 407: the proxy wants a sign-in")
        return response

    api.fetch = checked  # type: ignore[method-assign]
