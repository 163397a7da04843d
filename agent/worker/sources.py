"""Importing journeys, from a copy of their folder as if from the folder itself.

The daemon walks what it has checked, so code comes from a copy. Yet a journey that names a file
beside it, as ``Path(__file__).parent / "user.json"`` does, must mean the same under the daemon
as under ``once`` and pytest: modules therefore bear the path, and tracebacks show the lines, of
the file that its author knows.
"""

from __future__ import annotations

import linecache
import sys
from importlib.machinery import (
    SOURCE_SUFFIXES,
    FileFinder,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
)
from importlib.util import decode_source, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

from agent.worker.asserts import EXPLAIN, explain, rewritten

if TYPE_CHECKING:
    from types import CodeType, ModuleType


_compiled: dict[str, tuple[bytes, CodeType]] = {}
"""Source and code by the path of the original: each walk imports its file anew."""


class _JourneyCode(SourceFileLoader):
    """Loads one file under the path of the original; its asserts say what they saw."""

    def __init__(self, name: str, path: str, original: str) -> None:
        super().__init__(name, path)
        self._original = original

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the signature is Python's
        """Compile the source. Python's own cache of bytecode is others' too."""
        source = self.get_data(self.path)
        known, code = _compiled.get(self._original, (b"", None))
        if code is None or known != source:
            lines = decode_source(source).splitlines(keepends=True)
            # Without a time, so that it is never looked for on disk, where it may have changed.
            linecache.cache[self._original] = (len(source), None, lines, self._original)
            tree = rewritten(source, self._original)
            code = compile(tree, self._original, "exec", dont_inherit=True)
            _compiled[self._original] = source, code
        return code

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = self._original
        module.__dict__[EXPLAIN] = explain
        super().exec_module(module)


class Sources:
    """The journeys folder; its code is read from ``copy``, where there is one."""

    def __init__(self, folder: Path, copy: Path | None) -> None:
        self._folder = folder
        self._copy = copy
        self._read = copy or folder
        sys.path_hooks.insert(0, self._finder)
        sys.path.insert(0, str(self._read))
        if copy is not None:
            sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> ModuleSpec | None:
        """Find the folder itself as a package, ``journeys.helper`` say, in the copy too.

        A library of that name is found first, as it is where there is no copy.
        """
        del path, target
        if fullname != self._folder.name or fullname in sys.stdlib_module_names:
            return None
        found = PathFinder.find_spec(fullname)
        if found and found.origin and not Path(found.origin).is_relative_to(self._folder):
            return None
        places = [str(self._read)]
        init = self._read / "__init__.py"
        if init.is_file():
            loader = self._loader(fullname, str(init))
            return spec_from_file_location(
                fullname, init, loader=loader, submodule_search_locations=places
            )
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = places
        return spec

    def loader(self, name: str, file: str) -> SourceFileLoader:
        """Return what imports a file, named relative to the folder, as the module ``name``."""
        return self._loader(name, str(self._read / file))

    def _loader(self, name: str, path: str) -> SourceFileLoader:
        original = self._folder / Path(path).relative_to(self._read)
        return _JourneyCode(name, path, str(original))

    def forget(self) -> None:
        """Have the next import run every module of the journeys' anew: none keeps its globals."""
        for name, module in list(sys.modules.items()):
            spec = getattr(module, "__spec__", None)
            if isinstance(getattr(spec, "loader", None), _JourneyCode):
                del sys.modules[name]

    def _finder(self, path: str) -> FileFinder:
        inside = Path(path)
        if not inside.is_relative_to(self._read) or _is_library(inside.relative_to(self._read)):
            raise ImportError(f"{path} is no part of the journeys")
        return FileFinder(path, (self._loader, SOURCE_SUFFIXES))  # type: ignore[arg-type]


def _is_library(path: Path) -> bool:
    """Whether a path below the journeys lies in a virtual environment."""
    return "site-packages" in path.parts
