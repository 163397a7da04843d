"""What a worker asks in one walk, and what it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.core.limits import MESSAGE_LENGTH
from agent.core.printable import cut
from agent.protocol.framing import ProtocolError
from agent.protocol.messages import SecretReply

if TYPE_CHECKING:
    from agent.pool.walk_listener import Answers
    from agent.protocol.messages import SignatureReply

_MOST_QUESTIONS = 1_000
"""Secrets and signatures that a worker may ask for in one run; it remembers the answers."""
_LONGEST_SECRET = 64 * 1024


class Questions:
    """Answers the questions of one walk, which are bounded.

    Both raise ``ProtocolError`` at one too many.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._asked = 0

    def secret(self, name: str) -> SecretReply:
        """Return a secret's value, or why there is none."""
        self._count()
        try:
            value = self._answers.secret(name)
        except LookupError as error:
            return SecretReply(name, None, cut(str(error), MESSAGE_LENGTH))
        if len(value) > _LONGEST_SECRET:
            return SecretReply(name, None, f"secret {name}: more than {_LONGEST_SECRET} characters")
        return SecretReply(name, value)

    def signature(self, authority: str) -> SignatureReply:
        """Return what proves the agent to an authority, if anything does."""
        self._count()
        return self._answers.signature(authority)

    def _count(self) -> None:
        self._asked += 1
        if self._asked > _MOST_QUESTIONS:
            raise ProtocolError(f"more than {_MOST_QUESTIONS} questions in one run")
