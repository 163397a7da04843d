"""A run that no worker makes."""

from __future__ import annotations

from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import structlog

from agent.authoring import Run, RunSite
from agent.core.units import parse_limit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, MutableMapping
    from pathlib import Path

    from playwright.async_api import APIRequestContext, BrowserContext, Locator, Page
    from structlog.typing import FilteringBoundLogger


class FakeRun(Run):
    """A ``Run`` for tests; what it was asked for stays to be looked at.

    Args:
        page: what ``run.page`` is: a page of Playwright's, or a stand-in of the test's own.
        context: the same for ``run.context``, and for what ``run.new_context`` opens.
        api: what answers ``run.api``: a ``FakeApi``, or a context of Playwright's.
        params: all that ``run.params`` has; a journey's defaults are not added.
        secrets: by name, what ``run.secret`` returns.
        run_id: what ``run.run_id`` is.
        site_url: what ``run.site.url`` is; the site's name is ``test``.
        files: the folder to which the names of ``run.file`` are relative.

    What is used without having been given raises a ``TypeError`` that says so.

    """

    def __init__(
        self,
        *,
        page: object = None,
        context: object = None,
        api: object = None,
        params: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        run_id: str = "test-run",
        site_url: str | None = None,
        files: Path | None = None,
    ) -> None:
        own = cast("BrowserContext", context if context is not None else _Missing("context"))
        host = _Host(dict(secrets or {}), own, files)
        super().__init__(
            page=cast("Page", page if page is not None else _Missing("page")),
            context=own,
            api=cast("APIRequestContext", api if api is not None else _Missing("api")),
            params=MappingProxyType(dict(params or {})),
            log=host.log,
            run_id=run_id,
            site=RunSite("test", site_url)
            if site_url is not None
            else cast("RunSite", _Missing("site", "site_url")),
            host=host,
        )
        # The class is frozen, as every run is.
        object.__setattr__(self, "_host", host)

    _host: _Host

    @property
    def steps(self) -> list[str]:
        """The steps that began, in order; one inside another as ``outer › inner``."""
        return self._host.steps

    @property
    def failed_step(self) -> str | None:
        """The step that was left by an exception, the innermost one; None if none was."""
        return self._host.failed_step

    @property
    def passed_over(self) -> list[str]:
        """The optional steps that failed, and after which the journey went on."""
        return self._host.passed_over

    @property
    def logged(self) -> list[dict[str, Any]]:
        """What ``run.log`` was told: each record's ``event``, ``level`` and fields."""
        return self._host.logged

    @property
    def new_contexts(self) -> list[dict[str, Any]]:
        """The options of each ``run.new_context``, which gave the test's ``context`` again."""
        return self._host.new_contexts

    @property
    def masked(self) -> list[Locator]:
        """What ``run.mask`` was given."""
        return self._host.masked

    @property
    def allowed_statuses(self) -> set[int]:
        """What ``run.allow_status`` was given."""
        return self._host.allowed_statuses


class _Host:
    """What a worker is to a real run."""

    def __init__(
        self, secrets: dict[str, str], context: BrowserContext, files: Path | None
    ) -> None:
        self._files = files
        self._secrets = secrets
        self._context = context
        self._open: list[str] = []
        self.new_contexts: list[dict[str, Any]] = []
        self.steps: list[str] = []
        self.failed_step: str | None = None
        self.passed_over: list[str] = []
        self.logged: list[dict[str, Any]] = []
        self.masked: list[Locator] = []
        self.allowed_statuses: set[int] = set()
        self.log: FilteringBoundLogger = structlog.wrap_logger(
            None,
            processors=[structlog.processors.add_log_level, self._keep],
            wrapper_class=structlog.make_filtering_bound_logger(0),
        )

    @asynccontextmanager
    async def step(self, name: str, slow: str, *, optional: bool) -> AsyncIterator[None]:
        parse_limit(slow)
        self._open.append(name)
        path = " › ".join(self._open)
        self.steps.append(path)
        try:
            yield
        except BaseException as error:
            if optional and _is_the_sites(error):
                self.passed_over.append(path)
                return
            self.failed_step = self.failed_step or path
            raise
        finally:
            self._open.pop()

    def secret(self, name: str) -> str:
        if name not in self._secrets:
            raise LookupError(f'no secret {name}: give it as FakeRun(secrets={{"{name}": "…"}})')
        return self._secrets[name]

    @asynccontextmanager
    async def new_context(self, options: dict[str, Any]) -> AsyncIterator[BrowserContext]:
        self.new_contexts.append(options)
        yield self._context

    def file(self, name: str) -> Path:
        if self._files is None:
            raise TypeError("run.file was used, and FakeRun was given no folder: FakeRun(files=…)")
        return self._files / name

    def mask(self, locator: Locator) -> None:
        self.masked.append(locator)

    def allow_status(self, *statuses: int) -> None:
        self.allowed_statuses |= set(statuses)

    def _keep(self, _: object, __: str, event: MutableMapping[str, Any]) -> str:
        self.logged.append(dict(event))
        raise structlog.DropEvent


def _is_the_sites(error: BaseException) -> bool:
    """Whether an optional step ends on it and the journey goes on, as in a worker."""
    return isinstance(error, AssertionError) or type(error).__module__.startswith("playwright.")


class _Missing:
    """In the place of what a test did not give."""

    def __init__(self, name: str, given_as: str = "") -> None:
        self._name = name
        self._given_as = given_as or name

    def __getattr__(self, asked: str) -> object:
        raise TypeError(
            f"run.{self._name}.{asked} was used, and FakeRun was given no {self._name}: "
            f"FakeRun({self._given_as}=…)"
        )
