"""The options that an author gives a journey's browser context, checked before any walk.

What Playwright's own ``new_context`` takes is read from its signature, so that a new version's
options are known by themselves. Files are looked for where the journey lies, never where the
agent happened to be started.
"""

from __future__ import annotations

import difflib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from agent.core.values import trouble
from agent.worker.option_types import misfit
from agent.worker.option_values import FILES, fault_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_RECORDING = (
    "is not supported: the agent records a trace of a failing walk, with network and pictures, "
    "and keeps it as [artifacts] says. Remove the option"
)
_CALLS_TAKE = (
    "it takes client_certificates, extra_http_headers, http_credentials, ignore_https_errors, "
    "proxy, storage_state and user_agent"
)
_REFUSED = {
    "base_url": "is not supported: paths are relative to the site's url. Remove the option",
    "default_browser_type": "is not supported: journeys walk in Chromium. Remove the option",
}


def check_context(
    declared: Mapping[str, Any], folder: Path, *, browser: bool = True
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Check the options of a journey whose file lies in ``folder``.

    Without a ``browser`` there are only those that ``run.api`` has a use for.

    Returns:
        The options as plain values, paths of files made absolute; and what is wrong: the option
        and why.

    """
    options: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    for name, value in declared.items():
        if fault := _fault_of_name(name, browser=browser) or misfit(value, _known()[name]):
            wrong.append((name, fault))
        else:
            options[name] = _plain(name, value, folder)
            wrong += [(name, fault) for fault in _faults(name, options[name]) if fault]
    if options.get("no_viewport"):
        wrong += [
            (name, "can't be given together with no_viewport")
            for name in ("device_scale_factor", "is_mobile", "viewport")
            if options.get(name) is not None
        ]
    return options, wrong


def _fault_of_name(name: str, *, browser: bool) -> str:
    if not browser and name in _known() and name not in _of_calls():
        return f"is for pages, and there are none with browser=False; {_CALLS_TAKE}"
    if name.startswith("record_"):
        return _RECORDING
    if name in _REFUSED:
        return _REFUSED[name]
    if name in _known():
        return ""
    meant = _meant(name)
    hint = f"did you mean {meant!r}?" if meant else "Playwright has none of this name"
    return f"unknown option; {hint}"


def _plain(name: str, value: object, folder: Path) -> object:
    """Return a value as data that crosses the pipe, with paths that hold wherever it is read."""
    if isinstance(value, dict):
        return {key: _plain(key, one, folder) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain("", one, folder) for one in value]
    if name in FILES and isinstance(value, str | Path):
        return str(folder / Path(value).expanduser())
    return value


def _faults(name: str, value: Any) -> Iterator[str]:  # noqa: ANN401 - of the option's type
    """Say what is wrong with a value of the right type."""
    if value is not None:
        yield fault_of(name, value)
        yield trouble(value)


@cache
def _of_calls() -> frozenset[str]:
    """Return the options that mean something without a page."""
    from playwright.async_api import APIRequest

    return frozenset(get_type_hints(APIRequest.new_context)) & _known().keys()


@cache
def _known() -> dict[str, Any]:
    from playwright.async_api import Browser

    hints = get_type_hints(Browser.new_context)
    hints.pop("return")
    return {**hints, "device": str}


def _meant(name: str) -> str:
    """Return the option that an unknown one looks like, also as other languages write it."""
    known = {spelt: one for one in _known() for spelt in (one, one.replace("_", ""))}
    spelt = name if name.islower() else name.lower()
    close = difflib.get_close_matches(spelt, known, 1)
    return known[close[0]] if close else ""
