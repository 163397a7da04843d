"""Importing from a copy of the journeys folder as if from the folder itself.

The daemon walks what it has checked, so code comes from a copy. Yet a journey that names a file
beside it, as ``Path(__file__).parent / "user.json"`` does, must mean the same under the daemon
as under ``once`` and pytest: modules therefore bear the path, and tracebacks show the lines, of
the file that its author knows.
"""

from __future__ import annotations

import linecache
import sys
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from importlib.util import decode_source
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType, ModuleType


class _CopiedSource(SourceFileLoader):
    """Loads one file of the copy under the path of the original."""

    def __init__(self, name: str, path: str, original: str) -> None:
        super().__init__(name, path)
        self._original = original

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the signature is Python's
        """Compile the source; bytecode would be cached under the wrong name."""
        source = self.get_data(self.path)
        lines = decode_source(source).splitlines(keepends=True)
        # Without a time, so that it is never looked for on disk, where it may have changed.
        linecache.cache[self._original] = (len(source), None, lines, self._original)
        code: CodeType = self.source_to_code(source, self._original)
        return code

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = self._original
        super().exec_module(module)


class Sources:
    """The journeys folder; its code is read from ``copy``, where there is one."""

    def __init__(self, folder: Path, copy: Path | None) -> None:
        self._folder = folder
        self._copy = copy
        self._read = copy or folder
        if copy is not None:
            sys.path_hooks.insert(0, self._finder)
        sys.path.insert(0, str(self._read))

    def loader(self, name: str, file: str) -> SourceFileLoader:
        """Return what imports a file, named relative to the folder, as the module ``name``."""
        return self._loader(name, str(self._read / file))

    def _loader(self, name: str, path: str) -> SourceFileLoader:
        if self._copy is None:
            return SourceFileLoader(name, path)
        original = self._folder / Path(path).relative_to(self._copy)
        return _CopiedSource(name, path, str(original))

    def _finder(self, path: str) -> FileFinder:
        if self._copy is None or not Path(path).is_relative_to(self._copy):
            raise ImportError(f"{path} is no part of the journeys' copy")
        return FileFinder(path, (self._loader, SOURCE_SUFFIXES))  # type: ignore[arg-type]
