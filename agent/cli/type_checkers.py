"""The setting by which type checkers and editors find what journeys share."""

from __future__ import annotations

import configparser
import json
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Checker:
    """One type checker: the file that is written for it, and where its setting may stand."""

    name: str
    file: str
    text: Callable[[str], str]
    """What the file holds, for the name of the journeys folder."""
    setting: Callable[[str], str]
    """The line that a configuration of somebody's own needs."""
    elsewhere: tuple[str, ...] = ()


CHECKERS: Final = (
    Checker(
        "pyright",
        "pyrightconfig.json",
        lambda folder: json.dumps({"extraPaths": [folder]}) + "\n",
        lambda folder: f'extraPaths = ["{folder}"]',
        ("pyproject.toml",),
    ),
    Checker(
        "mypy",
        "mypy.ini",
        lambda folder: f"[mypy]\nmypy_path = $MYPY_CONFIG_FILE_DIR/{folder}\n",
        lambda folder: f'mypy_path = "{folder}"',
        (".mypy.ini", "pyproject.toml", "setup.cfg"),
    ),
)


def write_settings(journeys: Path) -> Iterator[str]:
    """Write what is missing beside the journeys folder; yield what a person is to know of it.

    A configuration that somebody has, there or further up in the same repository, is left as it
    is: it is told what to add to it, unless it names the folder.
    """
    folder = journeys.name
    for checker in CHECKERS:
        found = _configured(checker, journeys.parent)
        if found is None:
            target = journeys.parent / checker.file
            try:
                target.write_text(checker.text(folder), encoding="utf-8")
            except OSError as error:
                yield f"{target.name} can't be written: {error.strerror}"
            else:
                yield f"Wrote {target.name}, by which {checker.name} finds helpers in {folder}/."
        elif folder not in found.read_text(encoding="utf-8", errors="replace"):
            line = checker.setting(folder)
            yield f"For {checker.name} to find helpers in {folder}/, add to {found.name}: {line}"


def _configured(checker: Checker, folder: Path) -> Path | None:
    """Return the file that configures a checker for a folder, None where there is none."""
    for place in (folder, *folder.parents):
        for name in (checker.file, *checker.elsewhere):
            if _configures(place / name, checker.name):
                return place / name
        if (place / ".git").exists():
            return None
    return None


def _configures(file: Path, checker: str) -> bool:
    if not file.is_file():
        return False
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".toml":
            return checker in tomllib.loads(text).get("tool", {})
        if file.name == "setup.cfg":
            parser = configparser.RawConfigParser()
            parser.read_string(text)
            return checker in parser
    except (OSError, ValueError, configparser.Error):
        return True  # somebody's, though it can't be read: not to be written beside
    return True
