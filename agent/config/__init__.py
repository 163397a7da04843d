"""Configuration: ``load`` it, ``resolve`` the journeys under it, read secrets."""

from __future__ import annotations

from agent.config.load import DEFAULT_FILE, load, load_lenient
from agent.config.resolve import resolve, schedule_problems
from agent.config.secrets import secret_reader
from agent.config.settings import Settings

__all__ = [
    "DEFAULT_FILE",
    "Settings",
    "load",
    "load_lenient",
    "resolve",
    "schedule_problems",
    "secret_reader",
]
