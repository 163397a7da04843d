"""What goes with the server that replicas share: a location of its own, and files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent.core.errors import Problem

if TYPE_CHECKING:
    from agent.config.settings import Settings

_FILES = ("credentials", "ca")


def with_queue(settings: Settings, base: Path, problems: list[Problem]) -> Settings:
    """Have its files be relative to the configuration's folder, and add what is wrong."""
    queue = settings.queue
    if not queue.url.get_secret_value():
        return settings
    if "location" not in settings.model_fields_set and not settings.left_out("location"):
        why = (
            "needs `location`: agents of one location share their slots, and each location has "
            'its own. Give all replicas of this one the same, such as location = "eu-west-1"'
        )
        problems.append(Problem(settings.where("queue", "url"), why))
    anchored = {name: str(base / given) for name in _FILES if (given := getattr(queue, name))}
    for name, file in anchored.items():
        try:
            Path(file).read_bytes()
        except OSError as error:
            why = f"{file}: {error.strerror}; give a file that the agent may read"
            problems.append(Problem(settings.where("queue", name), why))
    return settings.model_copy(update={"queue": queue.model_copy(update=anchored)})
