"""What a peer answered, in one short line for the log and for who asks after the agent's health.

Nothing here raises, whatever the peer says: its words are bounded and cleaned, and a collector
that repeats the headers it was sent brings none of them into the log.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from agent.core.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.telemetry.delivery.destination import Target

_LONGEST: Final = 300
_READ: Final = 4096
"""Characters of a peer's words that are looked at for the first few."""
_TAG: Final = re.compile(
    r"<(?:style|script)\b.*?(?:</|\Z)|<[^>]*(?:>|\Z)", re.DOTALL | re.IGNORECASE
)
_BEHIND: Final = re.compile(r"[?#].*", re.DOTALL)
_USER: Final = re.compile(r"//[^/]*@")


def quoting(target: Target) -> Callable[[str], str]:
    """Return what makes one short line of a peer's own words, without what it was sent."""
    redactor = Redactor()
    for value in target.headers.values():
        redactor.add(value)
        # Without the word for the scheme, of which a server has no need to speak.
        redactor.add(value.partition(" ")[2])
    for url in (target.url, target.proxy):
        user, at, _ = url.partition("://")[2].partition("/")[0].rpartition("@")
        if at:
            redactor.add(unquote(user.partition(":")[2]))

    def quote(words: str) -> str:
        shown = "".join(char if char.isprintable() else " " for char in words[:_READ])
        return " ".join(redactor.text(shown).split())[:_LONGEST]

    return quote


def seen(status: int, kind: str, location: str, body: str) -> str:
    """Say what came back over HTTP: status, content type, where it points to, first words."""
    line = f"HTTP {status}"
    if kind:
        line += f" ({kind[:80]})"
    if location:
        # Behind the path stands what lets people in.
        line += f" to {_USER.sub('//', _BEHIND.sub('', location[:_READ]))}"
    words = body[:_READ]
    if "html" in kind or words.lstrip()[:1] == "<":
        words = _TAG.sub(" ", words)
    words = " ".join(words.split())
    return f"{line}: {words}" if words else line
