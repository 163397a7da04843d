"""Files that lie beside a journey's own, found wherever its code was read from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class JourneyFiles:
    """The files that one journey may name; ``file`` is its own, relative to the folder."""

    folder: Path
    """The journeys folder as its authors know it."""
    copy: Path | None
    """The copy of it that was checked, where there is one."""
    file: str

    def path(self, name: str) -> Path:
        """Return the absolute path of a file named relative to the journey's.

        It is the one that was checked with the journey; one that the copy has not, since it lies
        outside of the folder or came later, is the folder's.

        Raises:
            FileNotFoundError, ValueError: there is none, or the name is no relative one.

        """
        inside = Path(os.path.normpath(Path(self.file).parent / name))
        if Path(name).is_absolute():
            raise ValueError(
                f"run.file({name!r}): name it relative to the journey's file, or use Path itself"
            )
        for home in filter(None, (self.copy if inside.parts[:1] != ("..",) else None, self.folder)):
            if (home / inside).exists():
                return Path(os.path.normpath(home.absolute() / inside))
        shown = os.path.normpath(Path(self.folder.name) / inside)
        raise FileNotFoundError(
            f"run.file({name!r}): there is no {shown}; names are relative to the journey's own "
            f"file, {self.folder.name}/{self.file}"
        )
