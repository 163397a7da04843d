"""``pytest journeys/``: the same files as tests, walked by the same engine.

Loaded by pytest itself through its entry point, so it imports nothing heavy up front.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.config import Settings
    from agent.core.results import RunResult

_DECORATOR = "@journey"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the options of ``footfall once`` that matter here."""
    group = parser.getgroup("footfall")
    group.addoption("--footfall-config", metavar="FILE", help="Footfall's configuration file.")
    group.addoption(
        "--footfall-site",
        metavar="NAME=URL",
        action="append",
        default=[],
        help="Point a site of the journeys elsewhere; may be repeated.",
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect files that declare journeys, where they or their folder were named.

    A suite that holds journey files among its tests doesn't walk them by accident.
    """
    if file_path.suffix != ".py" or file_path.name.startswith(("_", "test_", "conftest")):
        return None
    if not any(_is_meant(Path(given).absolute(), file_path) for given in parent.config.args):
        return None
    lines = file_path.read_text(encoding="utf-8", errors="replace").splitlines()
    if not any(line.startswith(_DECORATOR) for line in lines):
        return None
    collector: pytest.Collector = _File.from_parent(parent, path=file_path)
    return collector


def _is_meant(given: Path, file: Path) -> bool:
    return given in {file, file.parent} or (given.name == "journeys" and given in file.parents)


class _File(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        names = _names(self.path)
        return (_Journey.from_parent(self, name=name) for name in names)


class _Journey(pytest.Item):
    """One journey as one test."""

    def runtest(self) -> None:
        from agent.core.results import Result

        run, artifacts = asyncio.run(_walk(_settings(self.config, self.path), self.name))
        if run.result not in {Result.PASS, Result.FLAKY}:
            raise JourneyFailed(run, artifacts)

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: object = None,  # noqa: ARG002 - the signature is pytest's
    ) -> str:
        error = excinfo.value
        return str(error) if isinstance(error, JourneyFailed) else str(excinfo.getrepr())

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"journey {self.name}"


class JourneyFailed(Exception):
    """A journey that did not pass; its text is what a person needs to see."""

    def __init__(self, run: RunResult, artifacts: Path) -> None:
        from agent.cli.places import short

        kind = run.error_type.value if run.error_type else ""
        attempt = run.attempts[run.decided_by] if run.attempts else None
        steps = [f"  {s.result.value:<8} {s.name}" for s in attempt.steps] if attempt else []
        files = [f"  {short(artifacts / path)}" for one in run.attempts for path in one.artifacts]
        place = [run.place.shown] if run.place else []
        lines = [
            f"{run.result.value}: {kind}",
            run.error,
            *place,
            *steps,
            *files,
            f"trace {run.trace_id}",
        ]
        super().__init__("\n".join(lines))


def _names(path: Path) -> list[str]:
    """Read the names of a file's journeys without running it."""
    import ast

    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.AsyncFunctionDef)
        and any(ast.unparse(one).startswith(_DECORATOR[1:]) for one in node.decorator_list)
    ]


def _settings(config: pytest.Config, path: Path) -> Settings:
    from agent.runs.adhoc import session_settings

    given = config.getoption("--footfall-config")
    file = Path(given) if given else None
    settings = session_settings(file, dict(os.environ), config.getoption("--footfall-site"))
    # The folder on the command line is meant, whatever the configuration says.
    home = settings.journeys if path.is_relative_to(settings.journeys) else path.parent
    return settings.model_copy(update={"journeys": home})


async def _walk(settings: Settings, name: str) -> tuple[RunResult, Path]:
    """Walk a journey; return its result, and the folder that its evidence is relative to."""
    from agent.core.clock import SystemClock
    from agent.core.model import Trigger
    from agent.runs.adhoc import Session, SessionOptions
    from agent.runs.listener import Watcher

    options = SessionOptions(Trigger.TEST, owns_children=False)
    async with Session(settings, dict(os.environ), SystemClock(), options) as session:
        (journey, *_), _ = await session.journeys([name])
        return await session.run(journey, Watcher), session.artifacts
