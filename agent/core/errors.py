"""Footfall's error types for runs, and the exceptions of the agent itself.

``ErrorType`` is the one table of what can end an attempt, and whose trouble it is.

The agent's own exceptions::

    FootfallError
    ├── ConfigError        the configuration or a journey file is wrong (exit 2)
    ├── StateError         the state folder can't be used (exit 1)
    │   └── StateLocked    another agent holds it
    ├── BrowserMissing     no browser was found (exit 1)
    └── AgentUnreachable   no running agent answers (exit 4)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Owner(StrEnum):
    """Whose trouble an error is. The agent's own never counts against the target."""

    TARGET = "target"
    AGENT = "agent"


class ErrorType(StrEnum):
    """What ended an attempt: the value of ``error.type``."""

    ASSERTION = "assertion"
    TIMEOUT = "timeout"
    NAVIGATION = "navigation"
    HTTP_STATUS = "http_status"
    PAGE_CRASH = "page_crash"
    SCRIPT_ERROR = "script_error"
    CHALLENGED = "challenged"
    """The site's edge took the agent for a bot and asked it to prove otherwise."""
    STOPPED = "stopped"
    """A person paused the journey and had its walks end."""
    BROWSER_LAUNCH = "browser_launch"
    BROWSER_CRASH = "browser_crash"
    WORKER_LOST = "worker_lost"
    WORKER_KILLED = "worker_killed"
    OUT_OF_MEMORY = "out_of_memory"
    CANARY = "canary"
    AGENT_NETWORK = "agent_network"
    AGENT_OVERLOAD = "agent_overload"

    @property
    def owner(self) -> Owner:
        """Whose trouble this is."""
        return Owner.TARGET if self in _TARGETS else Owner.AGENT


_TARGETS = frozenset(
    {
        ErrorType.ASSERTION,
        ErrorType.TIMEOUT,
        ErrorType.NAVIGATION,
        ErrorType.HTTP_STATUS,
        ErrorType.PAGE_CRASH,
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault in a journey file or a configuration, with the place to mend it."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class FootfallError(Exception):
    """Base of every exception that the agent raises on purpose."""


class ConfigError(FootfallError):
    """The configuration or a journey file is wrong; ``problems`` holds every fault found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class StateError(FootfallError):
    """The state folder can't be used: missing rights, a full disk, a foreign schema."""


class StateLocked(StateError):
    """Another agent holds the state folder; the message names it."""


class BrowserMissing(FootfallError):
    """No browser was found where the design says to look."""


class AgentUnreachable(FootfallError):
    """No running agent answers where a command asked."""
