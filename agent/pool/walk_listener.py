"""Who follows a walk from outside its worker, and what the walk may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from agent.protocol.messages import SignatureReply

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.core.results import Step


class WalkListener(Protocol):
    """Who follows a walk while it goes on."""

    def on_step_started(self, name: str, depth: int) -> None:
        """Take note of a step that begins."""
        ...

    def on_step_ended(self, step: Step, depth: int) -> None:
        """Take note of a step that is over."""
        ...

    def on_logged(self, level: str, event: str, fields: dict[str, Any]) -> None:
        """Take what the journey's author logged."""
        ...

    def on_printed(self, line: str) -> None:
        """Take a line that the journey printed."""
        ...


@dataclass(frozen=True, slots=True)
class Answers:
    """What a walk may ask for while it goes on."""

    secret: Callable[[str], str]
    """Returns a secret by its name, or raises ``LookupError``."""
    signature: Callable[[str], SignatureReply] = SignatureReply
    """Returns what proves the agent to an authority; nothing where that isn't the site's."""
