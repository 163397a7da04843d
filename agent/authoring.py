"""What journey authors import: the ``@journey`` decorator and the ``Run`` a journey is given.

Not named ``journey``: once imported, a submodule of that name would hide the decorator that
``from agent import journey`` asks for.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Unpack

from agent.core.naming import NAME

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from playwright.async_api import APIRequestContext, BrowserContext, Locator, Page
    from structlog.typing import FilteringBoundLogger

    from agent.core.context_options import ContextOptions, VariantOptions
    from agent.core.model import FailOn

    JourneyFunction = Callable[["Run"], Awaitable[None]]

_declared: dict[str, list[Declaration]] = {}
"""What ``@journey`` wrote down, by the name of the module, until somebody takes it."""

_popups: dict[str, list[PopupsDeclaration]] = {}
"""The same of ``@popups``."""

Function = TypeVar("Function", bound="JourneyFunction")


class Host(Protocol):
    """What a run needs of the worker that walks it."""

    def step(self, name: str, slow: str, *, optional: bool) -> AbstractAsyncContextManager[None]:
        """Time and trace what happens inside as one step."""
        ...

    def secret(self, name: str) -> str:
        """Fetch a secret's value."""
        ...

    def new_context(self, options: dict[str, Any]) -> AbstractAsyncContextManager[BrowserContext]:
        """Open another context for as long as the journey is inside."""
        ...

    def file(self, name: str) -> Path:
        """Find a file that is named relative to the journey's own."""
        ...

    def mask(self, locator: Locator) -> None:
        """Paint over an element in every screenshot of this attempt."""
        ...

    def allow_status(self, *statuses: int) -> None:
        """Expect these HTTP statuses of main documents from now on."""
        ...


@dataclass(frozen=True)
class RunSite:
    """The site that a run walks."""

    name: str
    """As in ``[sites.NAME]``."""
    url: str
    """Its address in this run, without a slash at the end: another one than usual under
    ``footfall once --site NAME=URL``."""


@dataclass(frozen=True)
class Run:
    """One attempt at a journey. Everything in it is shared with nothing else."""

    page: Page
    """A fresh page; ``goto`` paths are relative to the site."""
    context: BrowserContext
    """The page's own context; popups and further pages belong to it."""
    api: APIRequestContext
    """HTTP without a browser, relative to the site and tagged alike."""
    params: Mapping[str, Any]
    """The author's ``params`` under those of the configuration."""
    log: FilteringBoundLogger
    """A structured log that carries the run's id, journey and trace."""
    run_id: str
    site: RunSite
    """Where it walks: ``run.site.url``."""
    host: Host

    def step(
        self, name: str, *, slow: str = "", optional: bool = False
    ) -> AbstractAsyncContextManager[None]:
        """Open a step: ``async with run.step("Add it to the cart"):``.

        Steps nest. A step that fails ends the journey. Give steps fixed names: they
        become metric labels. One that takes longer than ``slow`` (``"1s"``) makes a run that
        passes slow, which is a mark and no failure.

        An ``optional`` one that the site fails is left and shown as failed, and the journey goes
        on; the run's result is that of the rest. It may take half of the time that the attempt
        has left. What an author gets wrong in it is told as anywhere else.

        Raises:
            ValueError: ``slow`` is no duration.

        """
        return self.host.step(name, slow, optional=optional)

    def secret(self, name: str) -> str:
        """Return the secret ``name``, from ``FOOTFALL_SECRET_<NAME>`` or the secrets folder.

        Its value is masked wherever it would show up in what the agent emits.

        Raises:
            LookupError: there is no such secret; the message says where it may stand.

        """
        return self.host.secret(name)

    def file(self, name: str) -> Path:
        """Return the path of a file beside the journey's own: ``run.file("photo.png")``.

        It is the same one under ``footfall once``, pytest and the daemon, which walks a copy of
        the journeys folder that it has checked.

        Raises:
            FileNotFoundError: there is none; the message says where it was looked for.
            ValueError: ``name`` is no relative path.

        """
        return self.host.file(name)

    def new_context(
        self, **options: Unpack[ContextOptions]
    ) -> AbstractAsyncContextManager[BrowserContext]:
        """Open another context: ``async with run.new_context(locale="de-DE") as context:``.

        It is tagged, followed and judged like the first and shares nothing with it, as a
        second customer's browser would. ``options`` are those of ``@journey(context=…)``, and
        stand above the journey's own.
        """
        return self.host.new_context({**options})

    def mask(self, locator: Locator) -> None:
        """Paint over an element in every screenshot. Password fields are masked anyway."""
        self.host.mask(locator)

    def allow_status(self, *statuses: int) -> None:
        """Say that pages may answer with these statuses (400 and above) from here on.

        Any other page that answers 400 or above fails the journey as ``http_status``.
        """
        self.host.allow_status(*statuses)


@dataclass(frozen=True)
class Declaration:
    """What ``@journey`` wrote down about a function."""

    function: JourneyFunction
    site: str
    every: str | None
    timezone: str | None
    timeout: str | None
    owner: str
    runbook: str
    severity: str
    confirm: bool | None
    slow: str | None
    every_failing: str | None
    params: dict[str, Any]
    context: dict[str, Any]
    fail_on: object
    """As it was given; whoever loads the journey checks it."""
    sites: tuple[str, ...] = ()
    """Where it is walked, each as a journey of its own; empty: on ``site`` alone."""
    public: str = ""
    variants: dict[str, Any] = field(default_factory=dict)
    """What differs between the journeys that it makes, by their names' endings; as given."""
    browser: bool = True

    @property
    def name(self) -> str:
        """The journey's name: that of the function."""
        return self.function.__name__

    @property
    def line(self) -> int:
        """The line on which the function starts."""
        return self.function.__code__.co_firstlineno


def journey(  # noqa: PLR0913 - keyword-only options of a decorator
    *,
    site: str = "",
    sites: Sequence[str] = (),
    owner: str,
    every: str | None = None,
    timezone: str | None = None,
    timeout: str | None = None,
    runbook: str = "",
    severity: str = "",
    public: str = "",
    confirm: bool | None = None,
    slow: str | None = None,
    every_failing: str | None = None,
    params: Mapping[str, Any] | None = None,
    context: ContextOptions | None = None,
    variants: Mapping[str, VariantOptions] | None = None,
    browser: bool = True,
    fail_on: AbstractSet[FailOn] = frozenset(),
) -> Callable[[Function], Function]:
    """Declare an ``async def`` function as a journey; its name is the function's.

    Args:
        site: the name of a ``[sites.NAME]`` section.
        sites: several of these, in place of ``site``: ``["shop_de", "shop_fr"]`` makes the
            journeys ``name-shop_de`` and ``name-shop_fr``.
        owner: who answers when it fails.
        every: a duration (``"1m"``) or a cron line (Sunday is 0).
        timezone: the zone of a cron line (``"Europe/Berlin"``).
        timeout: of one attempt (``"30s"``).
        runbook: where the person who is paged looks first.
        severity: ``"page"``, ``"ticket"`` or whatever the alert rules route by.
        public: the title under which the public page shows it; without one it is not shown.
        confirm: whether a failure is confirmed by a second attempt before it counts.
        slow: a pass that takes longer is slow (``"4s"``): a mark, not a failure.
        every_failing: how often it runs from a fail to the second pass in a row (``"20s"``).
        params: the journey's parameters and their defaults; the configuration may
            override these and no others.
        context: options of Playwright's ``new_context`` (viewport, locale, ...) and
            ``device``, the name of one of Playwright's devices.
        variants: journeys that differ in ``context``, and in ``params`` where they say so:
            ``{"de": {"locale": "de-DE", "params": {"buy": "Kaufen"}}, "phone": {"device":
            "Pixel 7"}}`` makes ``name-de`` and ``name-phone``, on several sites
            ``name-shop_de-phone`` and so on.
        browser: whether it is walked in a browser. Without one there is ``run.api`` alone, at a
            small part of the cost.
        fail_on: what fails a walk although its code goes on: ``{"page_error"}``, an error in
            a script of the site's own that nothing on the page caught.

    """
    _check_texts(site=site, owner=owner, runbook=runbook, severity=severity, public=public)
    given = {"every": every, "timezone": timezone, "timeout": timeout, "slow": slow}
    given["every_failing"] = every_failing
    _check_texts(**{name: value for name, value in given.items() if value is not None})
    _check_sites(site, sites)
    if variants is not None and not variants:
        raise ValueError("variants={} makes no journey at all: name one, or leave it out")

    def declare(function: Function) -> Function:
        is_async: bool = inspect.iscoroutinefunction(function)
        if not is_async:
            raise TypeError(
                f"@journey needs an async function: write `async def {function.__name__}`"
            )
        if not NAME.fullmatch(function.__name__):
            raise ValueError(
                f"journey name {function.__name__!r}: use lower-case letters, digits and "
                "underscores, a letter first"
            )
        declaration = Declaration(
            function=function,
            site=site,
            every=every,
            timezone=timezone,
            timeout=timeout,
            owner=owner,
            runbook=runbook,
            severity=severity,
            confirm=confirm,
            slow=slow,
            every_failing=every_failing,
            params=dict(params or {}),
            context=dict(context or {}),
            fail_on=fail_on,
            sites=tuple(sites),
            public=public,
            variants=dict(variants or {}),
            browser=browser,
        )
        _declared.setdefault(function.__module__, []).append(declaration)
        return function

    return declare


@dataclass(frozen=True)
class PopupsDeclaration:
    """What ``@popups`` wrote down about a function."""

    function: JourneyFunction
    site: str

    @property
    def name(self) -> str:
        """The function's."""
        return self.function.__name__

    @property
    def line(self) -> int:
        """The line on which the function starts."""
        return self.function.__code__.co_firstlineno


def popups(*, site: str) -> Callable[[Function], Function]:
    """Declare how the popups of a site are closed, for all of its journeys.

    The function is called with a run in each page that a journey opens, before it is used, and
    registers handlers there: ``await run.page.add_locator_handler(dialog, accept)``. What breaks
    in it, or in a handler, counts as the agent's trouble and not as the site's.

    Args:
        site: the name of a ``[sites.NAME]`` section.

    """

    def declare(function: Function) -> Function:
        is_async: bool = inspect.iscoroutinefunction(function)
        if not is_async:
            raise TypeError(
                f"@popups needs an async function: write `async def {function.__name__}`"
            )
        declared = PopupsDeclaration(function, site)
        _popups.setdefault(function.__module__, []).append(declared)
        return function

    return declare


def _check_texts(**options: object) -> None:
    for name, value in options.items():
        if not isinstance(value, str):
            raise TypeError(f'{name}={value!r} is no text: write {name}="…"')


def _check_sites(site: str, sites: Sequence[str]) -> None:
    if isinstance(sites, str):
        raise TypeError(f'sites={sites!r} is one name: write site="{sites}", or a list')
    if site and sites:
        raise TypeError("@journey has both site= and sites=: leave one of them out")
    if not site and not sites:
        raise TypeError('@journey has no site: write site="…", or sites=[…]')


def forget_declared() -> None:
    """Drop what modules have declared that nobody asks for: those that a journey imports."""
    _declared.clear()
    _popups.clear()


def take_popups(module: str) -> list[PopupsDeclaration]:
    """Return, once, how a module has declared that popups are closed, in order."""
    return _popups.pop(module, [])


def take_declared(module: str) -> list[Declaration]:
    """Return, once, what a module has declared, in order; two may be of one name."""
    return _declared.pop(module, [])
