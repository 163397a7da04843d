"""Footfall: a production synthetic-monitoring agent.

The names here are what journey authors import. They are loaded on first use, so that
importing a part of the package never drags Playwright in.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import expect as expect

    from agent.authoring import Run as Run
    from agent.authoring import journey as journey
    from agent.authoring import popups as popups
    from agent.core.context_options import ContextOptions as ContextOptions
    from agent.core.context_options import VariantOptions as VariantOptions

__all__ = ["ContextOptions", "Run", "VariantOptions", "expect", "journey", "popups"]

_HOMES = {
    "ContextOptions": "agent.core.context_options",
    "Run": "agent.authoring",
    "VariantOptions": "agent.core.context_options",
    "expect": "playwright.async_api",
    "journey": "agent.authoring",
    "popups": "agent.authoring",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
