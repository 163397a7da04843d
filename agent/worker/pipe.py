"""The worker's end of the pipe.

A thread of its own reads, so that the supervisor's death and a secret's value arrive even
while a journey blocks the event loop.
"""

from __future__ import annotations

import json
import os
import queue
import threading
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticSerializationError

from agent.core.limits import LINE_LENGTH, MESSAGE_LENGTH, MOST_ATTRIBUTES, NAME_LENGTH
from agent.core.printable import cut
from agent.core.redact import Redactor
from agent.protocol.framing import LONGEST_ORDER, LONGEST_REPORT, frame, read_frame
from agent.protocol.messages import (
    FROM_WORKER,
    TO_WORKER,
    FromWorker,
    GiveWay,
    Logged,
    OutcomeKnown,
    SecretReply,
    SecretWanted,
    SignatureReply,
    SpanEnded,
    StepEnded,
    StepStarted,
    ToWorker,
    Walked,
)

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable

_SECRET_TIMEOUT = 5.0
"""Seconds to wait for the supervisor's answer."""


def encode(message: FromWorker) -> bytes:
    """Return a message as JSON, whatever text is in it.

    A page may hold half a character, and so may an error that quotes it: that half is
    replaced, since a failure that could not be told would pass for the agent's own.
    """
    try:
        return FROM_WORKER.dump_json(message)
    except PydanticSerializationError:
        return json.dumps(_whole(FROM_WORKER.dump_python(message))).encode()


def _whole(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {_whole(key): _whole(one) for key, one in value.items()}
        case list() | tuple():
            return [_whole(one) for one in value]
    return value


def _fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what the log takes of an author's fields; the long ones as the start of their JSON."""
    kept = {}
    for key, value in islice(fields.items(), MOST_ATTRIBUTES):
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        kept[cut(key, NAME_LENGTH)] = value if len(text) <= LINE_LENGTH else cut(text, LINE_LENGTH)
    return kept


class Pipe:
    """Sends and receives messages; whatever is sent has been cleaned of known secrets."""

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._sock = sock
        self._loop = loop
        self._sending = threading.Lock()
        self._secrets: queue.Queue[SecretReply] = queue.Queue()
        self._known: dict[str, str] = {}
        self.on_signature: Callable[[SignatureReply], None] = lambda _: None
        self.on_give_way: Callable[[], None] = lambda: None
        """What is done where memory runs short: whoever records stops."""
        self.inbox: asyncio.Queue[ToWorker] | None = None
        self.redactor = Redactor()

    def start(self, inbox: asyncio.Queue[ToWorker]) -> None:
        """Begin to read; what isn't a secret goes to ``inbox``."""
        self.inbox = inbox
        threading.Thread(target=self._read, name="footfall-pipe", daemon=True).start()

    def send(self, message: FromWorker) -> None:
        """Send a message. Safe from any thread."""
        body = encode(self._clean(message))
        with self._sending:
            self._sock.sendall(frame(body, LONGEST_REPORT))

    def secret(self, name: str) -> str:
        """Ask the supervisor for a secret and wait; later asks are answered from memory.

        Raises:
            LookupError: there is no such secret.

        """
        if len(name) > NAME_LENGTH:
            raise LookupError(f"secret {cut(name, NAME_LENGTH)}: no name is as long as that")
        if name not in self._known:
            self.send(SecretWanted(name))
            try:
                # An answer that came too late for its own question is not this one's.
                while (reply := self._secrets.get(timeout=_SECRET_TIMEOUT)).name != name:
                    pass
            except queue.Empty:
                raise LookupError(f"secret {name}: the agent did not answer") from None
            if reply.value is None:
                raise LookupError(reply.error)
            self.redactor.add(reply.value)
            self._known[name] = reply.value
        return self._known[name]

    def forget(self) -> None:
        """Forget every secret, so that the next journey has to ask for its own."""
        self._known.clear()
        self.redactor = Redactor()

    def _clean(self, message: FromWorker) -> FromWorker:
        """Return the message without secrets in what people wrote, and within its bounds.

        Ids and the words of the protocol stay: a PIN such as 1234 is part of many an id.
        """
        fit = self.redactor.fit
        cleaned: FromWorker = message
        match message:
            case StepStarted(name):
                cleaned = replace(message, name=fit(name, NAME_LENGTH))
            case StepEnded(step):
                cleaned = replace(message, step=replace(step, name=fit(step.name, NAME_LENGTH)))
            case SpanEnded(span):
                span = replace(
                    span,
                    name=fit(span.name, NAME_LENGTH),
                    message=fit(span.message, MESSAGE_LENGTH),
                    attributes=self.redactor.value(span.attributes),
                )
                cleaned = SpanEnded(span)
            case Logged(_, event, fields):
                told = _fields(self.redactor.value(fields))
                cleaned = replace(message, event=fit(event, MESSAGE_LENGTH), fields=told)
            case OutcomeKnown(report) | Walked(report):
                canary = report.canary and fit(report.canary, MESSAGE_LENGTH)
                error = fit(report.error, MESSAGE_LENGTH)
                cleaned = replace(message, report=replace(report, error=error, canary=canary))
        return cleaned

    def _take_signature(self, reply: SignatureReply) -> None:
        # Looked up only now: it belongs to the walk that goes on when the answer comes.
        self.on_signature(reply)

    def _give_way(self) -> None:
        self.on_give_way()

    def _read(self) -> None:
        while True:
            try:
                body = read_frame(self._sock.recv, LONGEST_ORDER)
                message = None if body is None else TO_WORKER.validate_json(body)
            except (OSError, ValueError):
                message = None
            if message is None:
                # Nobody is left to work for; the loop may be blocked, so don't ask it.
                os._exit(0)
            if isinstance(message, SecretReply):
                self._secrets.put(message)
            elif isinstance(message, SignatureReply):
                self._loop.call_soon_threadsafe(self._take_signature, message)
            elif isinstance(message, GiveWay):
                self._loop.call_soon_threadsafe(self._give_way)
            elif self.inbox is not None:
                self._loop.call_soon_threadsafe(self.inbox.put_nowait, message)
