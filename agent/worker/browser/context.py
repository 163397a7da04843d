"""The options of an attempt's browser context, from what the author declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.async_api import Playwright


def context_options(
    declared: Mapping[str, Any], playwright: Playwright, user_agent: str
) -> dict[str, Any]:
    """Return the options of ``new_context``: the device's, under the author's own.

    A user agent of the author's or the device's gets the agent's token too.
    """
    options = dict(declared)
    device = options.pop("device", None)
    if device is not None:
        if device not in playwright.devices:
            raise TypeError(f"Playwright knows no device {device!r}")
        options = {**playwright.devices[device], **options}
        options.pop("default_browser_type", None)
    if "user_agent" in options:
        token = user_agent[user_agent.index(" FootfallSynthetics/") :]
        options["user_agent"] += token
    return options
