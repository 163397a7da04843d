"""Importing journey files: in the worker, one by one, each fault told with file and line."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
import textwrap
import tokenize
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.authoring import Declaration, take_declared
from agent.core.errors import Problem
from agent.core.model import Definition

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class LoadedJourney:
    """A journey that was imported, ready to be walked."""

    declaration: Declaration
    step_names: Sequence[str]
    """The literal ones in its source, in order, as they were when its file was imported."""


class Loader:
    """The journeys folder, on the import path, so that journeys can share helper modules."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder).absolute()
        self._declared: dict[str, dict[str, Declaration]] = {}
        self._steps: dict[tuple[str, str], list[str]] = {}
        sys.path.insert(0, str(self._folder))

    def load(self, file: str) -> tuple[list[Definition], list[Problem]]:
        """Import one file and return the journeys it declares, or what is wrong with it."""
        try:
            declared = self._import(file)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a file may raise anything, SystemExit too
            return [], [self._problem(file, error)]
        self._declared[file] = {one.name: one for one in declared}
        self._steps |= {(file, one.name): step_names(one) for one in declared}
        return [_definition(file, one) for one in declared], []

    def journey(self, file: str, name: str) -> LoadedJourney:
        """Return the journey ``name`` of a file, importing it where that is still to do.

        Raises:
            LookupError: the file no longer declares it, or can't be imported any more.

        """
        if file not in self._declared:
            _, problems = self.load(file)
            if problems:
                raise LookupError(str(problems[0]))
        try:
            declaration = self._declared[file][name]
        except KeyError:
            raise LookupError(f"{file} no longer declares a journey {name!r}") from None
        return LoadedJourney(declaration, self._steps[file, name])

    def _import(self, file: str) -> list[Declaration]:
        path = self._folder / file
        name = "journeys." + ".".join(Path(file).with_suffix("").parts)
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        finally:
            declared = take_declared(name)
        # Asked of the decorator and not of the module's names: a second journey of one name
        # would hide the first, and one imported from another file belongs to that one.
        return declared

    def _problem(self, file: str, error: BaseException) -> Problem:
        path = str(self._folder / file)
        line, message = None, str(error)
        if isinstance(error, SyntaxError) and error.filename == path:
            line, message = error.lineno, error.msg
        if isinstance(error, TypeError) and message.startswith("journey() "):
            # Python's own words for a decorator without its parentheses help nobody.
            message = f'{message}; write @journey(site="…", owner="…")'
        if line is None:
            lines = [
                f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == path
            ]
            line = lines[-1] if lines else 1
        where = f"{self._folder.name}/{file}:{line}"
        return Problem(where, f"{type(error).__name__}: {message}")


def step_names(declaration: Declaration) -> list[str]:
    """Return the literal step names in a journey's source, in order.

    This is how a run can tell which steps it never reached. To be asked when the file has just
    been imported: later it may hold something else.
    """
    try:
        source = textwrap.dedent(inspect.getsource(declaration.function))
        tree = ast.parse(source)
    except (OSError, SyntaxError, tokenize.TokenError):
        return []
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    named = [
        (call.lineno, call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "step"
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    ]
    return list(dict.fromkeys(name for _, name in sorted(named)))


def _definition(file: str, one: Declaration) -> Definition:
    doc = inspect.getdoc(one.function) or ""
    return Definition(
        name=one.name,
        site=one.site,
        file=file,
        line=one.line,
        summary=doc.partition("\n")[0],
        owner=one.owner,
        runbook=one.runbook,
        severity=one.severity,
        every=one.every,
        timezone=one.timezone,
        timeout=one.timeout,
        confirm=one.confirm,
        params=one.params,
        context=one.context,
    )
