"""What a reload changed: between the configuration and journeys of before, and those of now."""

from __future__ import annotations

import filecmp
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.config import Settings
    from agent.loading.load import Loaded


Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Names of journeys, keys and files; never what they hold, which may be secret."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    """Journeys whose declaration, settings or own file are not what they were."""
    settings: tuple[str, ...]
    """Keys with dots, such as ``schedule.every``."""
    files: tuple[str, ...]
    """Of the journeys folder, helper modules too, relative to it."""

    def document(self) -> dict[str, Any]:
        """Return them as the API tells them."""
        found = {name: list(value) for name, value in asdict(self).items()}
        journeys = {name: found.pop(name) for name in ("added", "removed", "changed")}
        return {"journeys": journeys, **found}


def between(before: Loaded, now: Loaded) -> Changes:
    """Compare two states; reads both copies of the journeys folder."""
    files = set(_files(before.folder, now.folder)) | set(_files(now.folder, before.folder))
    old = {journey.name: journey for journey in before.journeys}
    new = {journey.name: journey for journey in now.journeys}
    return Changes(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(
            sorted(
                name
                for name in old.keys() & new.keys()
                if old[name] != new[name] or new[name].file in files
            )
        ),
        settings=tuple(".".join(key) for key in settings_between(before.settings, now.settings)),
        files=tuple(sorted(files)),
    )


def settings_between(before: Settings, now: Settings) -> list[Key]:
    """Return the keys whose values differ, in order."""
    # Of a table that is new, what it says counts, not what it leaves as it is.
    old, new = (dict(_leaves(one.model_dump(exclude_defaults=True))) for one in (before, now))
    differ = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    if [key.private_bytes_raw() for key in before.signing_keys] != [
        key.private_bytes_raw() for key in now.signing_keys
    ]:
        differ.add(("identity", "signing_key"))
    return sorted(differ)


def _leaves(data: dict[str, Any], above: Key = ()) -> Iterator[tuple[Key, Any]]:
    for name, value in data.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, name))
        else:
            yield (*above, name), value


def _files(here: Path, there: Path) -> Iterator[str]:
    """Give the files below ``here`` that ``there`` has not, or has with other bytes."""
    for path in here.rglob("*"):
        name = path.relative_to(here)
        if path.is_file() and not (
            (there / name).is_file() and filecmp.cmp(path, there / name, shallow=False)
        ):
            yield name.as_posix()
