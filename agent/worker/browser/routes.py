"""Noticing that a journey intercepts requests itself, which changes what it measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from playwright.async_api import BrowserContext, Page

_INTERCEPTING = ("route", "route_from_har")


def notice_routes(target: BrowserContext | Page, on_route: Callable[[], None]) -> None:
    """Call ``on_route`` each time that one of the methods which intercept is used."""

    def noticing(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def intercept(*args: Any, **options: Any) -> Any:  # noqa: ANN401
            on_route()
            return await method(*args, **options)

        return intercept

    for name in _INTERCEPTING:
        setattr(target, name, noticing(getattr(target, name)))
