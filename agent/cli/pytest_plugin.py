"""``pytest journeys/``: the same files as tests, walked by the same engine.

Loaded by pytest itself through its entry point, in every run of a person's own tests too, so
it imports nothing heavy up front and does nothing where no journey is meant.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.config import Settings
    from agent.core.errors import Problem
    from agent.core.model import Definition
    from agent.core.results import RunResult

    Found = tuple[Sequence[Definition], Sequence[Problem]]

_FOUND = pytest.StashKey[dict[Path, "Found"]]()


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
    if not _is_journey_file(file_path, parent.config):
        return None
    collector: pytest.Collector = _File.from_parent(parent, path=file_path)
    return collector


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Collector | None:
    """Keep pytest from importing a journey file that was named: that is a worker's to do."""
    if not _is_journey_file(module_path, parent.config):
        return None
    nothing: pytest.Collector = _Nothing.from_parent(parent, path=module_path)
    return nothing


def _is_journey_file(file: Path, config: pytest.Config) -> bool:
    if file.suffix != ".py" or file.name.startswith(("_", "test_", "conftest")):
        return False
    here = config.invocation_params.dir
    given = [here / argument.partition("::")[0] for argument in config.args]
    return any(_is_meant(one, file) for one in given) and _may_declare(file)


def _is_meant(given: Path, file: Path) -> bool:
    return given in {file, file.parent} or (given.name == "journeys" and given in file.parents)


def _may_declare(file: Path) -> bool:
    """Whether a file looks as if it held journeys: a decorated coroutine, and ``agent`` in sight.

    Read, not imported: it may be anybody's. A decorator that wraps ``@journey`` counts in a
    folder named ``journeys``.
    """
    import ast

    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return "journeys" in file.parts and b"@journey" in _bytes_of(file)
    declares = any(
        isinstance(node, ast.AsyncFunctionDef) and node.decorator_list for node in tree.body
    )
    return declares and ("journeys" in file.parts or any(map(_imports_agent, ast.walk(tree))))


def _imports_agent(node: object) -> bool:
    import ast

    if isinstance(node, ast.ImportFrom):
        return node.module == "agent" and any(one.name == "journey" for one in node.names)
    return isinstance(node, ast.Import) and any(one.name == "agent" for one in node.names)


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


class _Nothing(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        return iter(())


class _File(pytest.File):
    """A journey file; its journeys are found as ``footfall once`` finds them."""

    def collect(self) -> Iterator[pytest.Item]:
        home = _home(self.config, self.path)
        definitions, problems = _found(self.config, home)
        file = self.path.relative_to(home).as_posix()
        place = f"{home.name}/{file}:"
        broken = [str(one) for one in problems if one.where.startswith(place)]
        if broken:
            raise self.CollectError("\n".join(broken))
        names = [one.name for one in definitions if one.file == file]
        return (_Journey.from_parent(self, name=name) for name in names)


class _Journey(pytest.Item):
    """One journey as one test."""

    def runtest(self) -> None:
        from agent.core.errors import ConfigError
        from agent.core.results import Result
        from agent.core.slowness import too_slow

        try:
            run, artifacts = asyncio.run(_walk(_settings(self.config, self.path), self.name))
        except ConfigError as error:
            pytest.fail(str(error), pytrace=False)
        if run.result not in {Result.PASS, Result.FLAKY}:
            raise JourneyFailed(run, artifacts)
        self.user_properties += [("slow", one.shown) for one in too_slow(run)]

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
        from agent.cli.paths import short

        kind = run.error_type.value if run.error_type else ""
        attempt = run.attempts[run.decided_by] if run.attempts else None
        steps = [
            f"  {s.result.value:<8} {s.name}{' (optional)' if s.optional else ''}"
            for s in (attempt.steps if attempt else ())
        ]
        files = [f"  {short(artifacts / path)}" for one in run.attempts for path in one.artifacts]
        place = [run.place.shown] if run.place else []
        lines = [f"{run.result.value}: {kind}", run.error, *place, *steps, *files]
        super().__init__("\n".join([*lines, f"trace {run.trace_id}"]))


def _settings(config: pytest.Config, path: Path) -> Settings:
    """Load the settings by which a file's journeys are walked.

    Raises:
        ConfigError: they are wrong, or there are none.

    """
    from agent.runs.adhoc import adhoc_settings

    given = config.getoption("--footfall-config")
    file = Path(given) if given else None
    settings = adhoc_settings(file, dict(os.environ), config.getoption("--footfall-site"))
    # The folder on the command line is meant, whatever the configuration says.
    home = settings.journeys if path.is_relative_to(settings.journeys) else _home_of(path)
    return settings.model_copy(update={"journeys": home})


def _home(config: pytest.Config, path: Path) -> Path:
    """Return the journeys folder of a file; without a sound configuration too."""
    from agent.core.errors import ConfigError

    try:
        return _settings(config, path).journeys
    except ConfigError:
        return _home_of(path)


def _home_of(path: Path) -> Path:
    """Return the folder named ``journeys`` that holds a file, else the file's own."""
    return next((above for above in path.parents if above.name == "journeys"), path.parent)


def _found(config: pytest.Config, home: Path) -> Found:
    """Find a folder's journeys, once in a run."""
    from agent.config import Settings
    from agent.core.clock import SystemClock
    from agent.loading.load import discover

    known = config.stash.setdefault(_FOUND, {})
    if home not in known:
        known[home] = asyncio.run(discover(Settings(journeys=home), SystemClock(), home))
    return known[home]


async def _walk(settings: Settings, name: str) -> tuple[RunResult, Path]:
    """Walk a journey; return its result, and the folder that its evidence is relative to."""
    from agent.core.clock import SystemClock
    from agent.core.model import Trigger
    from agent.runs.adhoc import AdhocOptions, AdhocRuns
    from agent.runs.run_log import RunLog

    options = AdhocOptions(Trigger.TEST, owns_children=False)
    async with AdhocRuns(settings, dict(os.environ), SystemClock(), options) as session:
        (journey, *_), _ = await session.journeys([name])
        return await session.run(journey, RunLog), session.artifacts
