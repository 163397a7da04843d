"""The file in which pauses outlive the agent.

It is no part of the database on purpose. A pause can't be worked out again from anything else,
and the switch that sets it must work while the disk is full or the database is damaged: so it is
one small file, written whole beside the old one and put in its place.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

import structlog
from pydantic import TypeAdapter, ValidationError

from agent.core import ids
from agent.core.suspension import Mode
from agent.schedule.pauses import Pause
from agent.storage.private import make_file, replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_log = structlog.get_logger("footfall.schedule")

_PAUSES = TypeAdapter(list[Pause])
_NOBODY = "footfall"
"""Who has set what stands for what could not be read."""


def read(path: Path, now: float) -> list[Pause]:
    """Return what the file holds; nothing where there is none, as in a fresh state folder.

    Where it can't be read, nobody knows what was paused. Then everything is, until a person
    resumes it: to walk where somebody works on production does harm, and an agent at rest only
    shows, in its log, in ``footfall status`` and as a ticket. What could not be read is kept
    beside it.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        return [_everything(path, now, error.strerror or str(error))]
    try:
        return loads(text)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        why = "it is damaged" if isinstance(error, ValidationError) else f"it is damaged: {error}"
        aside = path.with_name(f"{path.name}.damaged")
        held = [_everything(aside, now, why)]
        with suppress(OSError):  # it stays as it is, and the next start says the same
            make_file(aside)
            aside.write_bytes(text)
            write(path, held)
        return held


def write(path: Path, pauses: Iterable[Pause]) -> None:
    """Put these in the file's place; a kill or a power cut leaves the old ones or the new.

    Raises:
        OSError: the disk refuses; the file is as it was.

    """
    replace_file(path, dumps(pauses) + "\n")


def dumps(pauses: Iterable[Pause]) -> str:
    """Write pauses down as JSON."""
    return json.dumps({"pauses": [asdict(pause) for pause in pauses]}, indent=1)


def loads(text: bytes) -> list[Pause]:
    """Read what was written down.

    Raises:
        ValueError, TypeError, KeyError, RecursionError: it is damaged.

    """
    return _PAUSES.validate_python(json.loads(text)["pauses"])


def is_made_up(pause: Pause) -> bool:
    """Whether a pause stands for what could not be read."""
    return pause.who == _NOBODY


def _everything(file: Path, now: float, why: str) -> Pause:
    _log.error("pause.unreadable", action="pause", file=str(file), error=why)
    reason = f"the file of pauses can't be read, so nobody knows what was paused ({file}: {why})"
    return Pause(ids.fresh_run_id(now), None, Mode.STOP, reason, _NOBODY, now, None)
