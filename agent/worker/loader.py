"""Importing journey files: in the worker, one by one, each fault told with file and line."""

from __future__ import annotations

import importlib.util
import linecache
import sys
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.authoring import (
    Declaration,
    PopupsDeclaration,
    forget_declared,
    take_declared,
    take_popups,
)
from agent.core.errors import Problem
from agent.core.model import PopupHandlers
from agent.core.printable import cut
from agent.worker.await_check import forgotten
from agent.worker.definitions import Definitions
from agent.worker.journey_files import JourneyFiles
from agent.worker.journey_source import JourneySource
from agent.worker.sources import Sources
from agent.worker.variants import variants_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.core.model import Definition


_LONGEST_CODE = 100


@dataclass(frozen=True, slots=True)
class LoadedJourney:
    """A journey that was imported, ready to be walked."""

    declaration: Declaration
    step_names: Sequence[str]
    """The literal ones in its source, in order, as they were when its file was imported."""
    params: Mapping[str, Any]
    """Its own parameters, as they were then."""
    files: JourneyFiles
    popups: Sequence[PopupsDeclaration] = ()
    """How the popups of its site are closed."""


class Loader:
    """The journeys folder, on the import path, so that journeys can share helper modules.

    Where there is a ``copy`` of it, that is what is imported.
    """

    def __init__(self, folder: str, copy: str = "") -> None:
        self._folder = Path(folder).absolute()
        self._copy = Path(copy) if copy else None
        self._sources = Sources(self._folder, self._copy)
        self.popups: list[PopupHandlers] = []
        """What the file that was loaded last says of popups."""

    @property
    def folder(self) -> str:
        """The absolute path of the journeys folder, as the code in it knows it."""
        return str(self._folder)

    def load(self, file: str) -> tuple[list[Definition], list[Problem]]:
        """Import one file; return the journeys it declares, and what is wrong with it."""
        definitions: list[Definition] = []
        problems: list[Problem] = []
        self.popups = []
        try:
            self._forget()
            declared, closing = self._import(file)
            for declaration in declared:
                source = JourneySource(declaration)
                made, found = Definitions(self._folder, file, declaration, source).made()
                problems += found
                definitions += made
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a file may raise anything, SystemExit too
            return [], [self._problem(file, error)]
        if definitions:
            warnings = [*definitions[0].warnings, *self._forgotten(file)]
            definitions[0] = replace(definitions[0], warnings=warnings)
        self.popups = [PopupHandlers(one.site, file, one.line, one.name) for one in closing]
        return definitions, problems

    def _forgotten(self, file: str) -> list[Problem]:
        source = "".join(linecache.getlines(str(self._folder / file)))
        return [
            Problem(
                self._where(file, line), f"{cut(code, _LONGEST_CODE)}: write `{word}` before it"
            )
            for line, code, word in forgotten(source)
        ]

    def journey(self, file: str, name: str, popups: Sequence[PopupHandlers] = ()) -> LoadedJourney:
        """Import a file for one walk, and return its journey ``name`` with its ``popups``.

        Raises:
            LookupError: the file no longer declares it, or can't be imported any more.

        """
        self._forget()
        found, closing = self._imported(file)
        handlers = {file: closing}
        for one in popups:
            if one.file not in handlers:
                handlers[one.file] = self._imported(one.file)[1]
        wanted = [(one.file, one.name) for one in popups]
        known = [one for own in handlers for one in handlers[own] if (own, one.name) in wanted]
        for declared in found:
            for variant in variants_of(declared):
                if variant.name == name:
                    params = {**declared.params, **variant.params}
                    steps = JourneySource(declared).step_names()
                    files = JourneyFiles(self._folder, self._copy, file)
                    return LoadedJourney(declared, steps, params, files, known)
        raise LookupError(f"{file} no longer declares a journey {name!r}")

    def _imported(self, file: str) -> tuple[list[Declaration], list[PopupsDeclaration]]:
        try:
            return self._import(file)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise LookupError(str(self._problem(file, error))) from error

    def _forget(self) -> None:
        """Have files imported as if for the first time: what an earlier walk left is gone."""
        self._sources.forget()
        playwright = sys.modules.get("playwright.async_api")
        if playwright is not None:
            playwright.expect.set_options(timeout=None)

    def _where(self, file: str, line: int | None) -> str:
        return f"{self._folder.name}/{file}:{line}"

    def _import(self, file: str) -> tuple[list[Declaration], list[PopupsDeclaration]]:
        name = "journeys." + ".".join(Path(file).with_suffix("").parts)
        loader = self._sources.loader(name, file)
        spec = importlib.util.spec_from_file_location(name, loader.path, loader=loader)
        assert spec is not None  # noqa: S101 - a loader was given
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            loader.exec_module(module)
        finally:
            declared, popups = take_declared(name), take_popups(name)
            forget_declared()
        # Asked of the decorator and not of the module's names: a second journey of one name
        # would hide the first, and one imported from another file belongs to that one.
        return declared, popups

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
        return Problem(self._where(file, line), f"{type(error).__name__}: {message}")
