"""The digest of the journeys that an agent has loaded: replicas with the same walk the same."""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.loading.load import Loaded

_CHARACTERS: Final = 16


def digest(loaded: Loaded) -> str:
    """Return one for all files beside the journeys, and for what the configuration makes of them.

    It is read from the copy that is walked, so it takes as long as reading that does.
    """
    found = sha256()
    for path in sorted(path for path in loaded.folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        name = path.relative_to(loaded.folder).as_posix()
        found.update(f"{name}\0{len(content)}\0".encode())
        found.update(content)
    for journey in sorted(loaded.journeys, key=lambda one: one.name):
        found.update(json.dumps(asdict(journey), sort_keys=True, default=str).encode())
    return found.hexdigest()[:_CHARACTERS]
