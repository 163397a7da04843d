"""Where each value came from: the line of the file, or the variable that gave it.

The TOML reader of the standard library keeps no line numbers, so the file is read once more,
statement by statement.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KeyPath = tuple[str, ...]
"""The names that lead to a key: ``("schedule", "timeout")``."""


DEEPEST = 60
"""Levels of tables that are looked into: more than any key has."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """The places that gave the configuration its values; never the values."""

    file: str = "config.toml"
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    variables: Mapping[KeyPath, str] = field(default_factory=dict)
    """Places other than the file, in words; they win over ``lines``."""
    tables: Mapping[KeyPath, str] = field(default_factory=dict)
    """Tables that are there only because a variable names a key in them: that variable."""

    def where(self, path: Sequence[str | int]) -> str:
        """Name the place of a key, or the nearest place above it that exists."""
        names = tuple(str(part) for part in path)
        if names in self.tables:
            return self.tables[names]
        for length in range(len(names), 0, -1):
            above = names[:length]
            if above in self.variables:
                rest = dotted(path[length:])
                return self.variables[above] + (f" ({rest})" if rest else "")
            if above in self.lines:
                return f"{self.file}:{self.lines[above]} {dotted(path)}"
        return f"{self.file} {dotted(path)}"

    def file_of(self, path: Sequence[str]) -> Path | None:
        """Return the file where it gives the value of a key, and no other place does."""
        names = tuple(path)
        places = (self.variables, self.lines)
        for place in places:
            if any(names[:length] in place for length in range(len(names), 0, -1)):
                given = place is self.lines and any(key[: len(names)] == names for key in place)
                return Path(self.file) if given else None
        return None


def dotted(path: Sequence[str | int]) -> str:
    """Write a path as people do: ``canary.reference[0]``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_name(part)}" for part in path)
    return text.removeprefix(".")


def _name(part: str) -> str:
    """Return a name as it stands in a file, on one line."""
    return part if part.isprintable() else json.dumps(part)


def paths(data: Mapping[str, Any], above: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the path of every table and value, tables first, down to where no key lies."""
    for name, value in data.items():
        yield (*above, name)
        if isinstance(value, Mapping) and len(above) < DEEPEST:
            yield from paths(value, (*above, name))


def lines_of(text: str) -> dict[KeyPath, int]:
    """Return the line on which each table and key of a valid TOML text begins, from 1.

    Tables in a list are named by their numbers, from 0.
    """
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    listed: Counter[KeyPath] = Counter()
    begin, statement = 1, ""
    for number, line in enumerate(text.split("\n"), start=1):
        statement += line + "\n"
        try:
            data = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue  # the statement goes on, as arrays and long strings do
        names = list(paths(data))
        if statement.lstrip().startswith("[["):
            table = max(names, key=len)
            names.append((*table, str(listed[table])))
            listed[table] += 1
            table = names[-1]
        elif statement.lstrip().startswith("["):
            table = max(names, key=len)
        else:
            names = [(*table, *path) for path in names]
        for path in names:
            found.setdefault(path, begin)
        begin, statement = number + 1, ""
    return found
