"""Which journeys somebody means: by name, by pattern or by file."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.core.model import Definition

_PATTERN = frozenset("*?[")


def select(
    definitions: Sequence[Definition], asked: Sequence[str], folder: Path
) -> tuple[list[Definition], list[str]]:
    """Return the journeys that are asked for (nothing asked: all), and what matches none.

    Each of ``asked`` is a journey's name (that of a declaration means all that it makes), a shell
    pattern of names, or a file or a folder of journeys, as it is typed from here or relative to
    ``folder``, which holds them all.
    """
    if not asked:
        return list(definitions), []
    matches = {one: _matching(definitions, one, folder) for one in asked}
    chosen = {one.name for found in matches.values() for one in found}
    return (
        [one for one in definitions if one.name in chosen],
        [one for one, found in matches.items() if not found],
    )


def _matching(definitions: Sequence[Definition], one: str, folder: Path) -> list[Definition]:
    if one.endswith(".py") or "/" in one:
        places = {Path(one).resolve(), (folder / one).resolve()}
        return [
            definition
            for definition in definitions
            if not places.isdisjoint(_with_parents((folder / definition.file).resolve()))
        ]
    if _PATTERN.intersection(one):
        return [definition for definition in definitions if fnmatchcase(definition.name, one)]
    return [
        definition
        for definition in definitions
        if one in {definition.name, definition.base or definition.name}
    ]


def _with_parents(file: Path) -> set[Path]:
    return {file, *file.parents}
