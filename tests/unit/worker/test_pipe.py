"""The worker's end of the pipe: secrets by name, and none in what is sent."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from agent.core.errors import ErrorType
from agent.core.results import AttemptReport, SpanData, Step, StepOutcome
from agent.protocol.framing import LONGEST_ORDER, LONGEST_REPORT, frame, read_frame
from agent.protocol.messages import (
    FROM_WORKER,
    TO_WORKER,
    Blocked,
    Discover,
    FromWorker,
    Logged,
    SecretReply,
    SecretWanted,
    SpanEnded,
    StepEnded,
    StepStarted,
    ToWorker,
    Walked,
)
from agent.worker.pipe import Pipe

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "hush"


class Other:
    """The supervisor's end."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def say(self, message: ToWorker) -> None:
        self.sock.sendall(frame(TO_WORKER.dump_json(message), LONGEST_ORDER))

    def hear(self) -> FromWorker:
        body = read_frame(self.sock.recv, LONGEST_REPORT)
        assert body is not None
        return FROM_WORKER.validate_json(body)


@pytest.fixture
def ends() -> Iterator[tuple[Pipe, Other]]:
    """Without the reading thread, which would end the process with the pipe."""
    ours, theirs = socket.socketpair()
    loop = asyncio.new_event_loop()
    with ours, theirs:
        yield Pipe(ours, loop), Other(theirs)
    loop.close()


SPAN = SpanData("step hush", "a" * 32, "b" * 16, None, 1, 2, attributes={"x.hush": "hush"})
CLEAN = SpanData("step ***", "a" * 32, "b" * 16, None, 1, 2, attributes={"x.***": "***"})


@pytest.mark.parametrize(
    ("message", "cleaned"),
    [
        (StepStarted("hush", 0), StepStarted("***", 0)),
        (
            StepEnded(Step("hush", StepOutcome.PASS, 1.0), 0),
            StepEnded(Step("***", StepOutcome.PASS, 1.0), 0),
        ),
        (SpanEnded(SPAN), SpanEnded(CLEAN)),
        (Logged("info", "hush", {"hush": ["hush"]}), Logged("info", "***", {"***": ["***"]})),
        (
            Walked(AttemptReport(1.0, 2.0, ErrorType.ASSERTION, "hush", canary="hush")),
            Walked(AttemptReport(1.0, 2.0, ErrorType.ASSERTION, "***", canary="***")),
        ),
        (Blocked(1.0, "hush.py:1", in_journey=True), Blocked(1.0, "hush.py:1", in_journey=True)),
    ],
    ids=lambda message: type(message).__name__,
)
def test_sending(ends: tuple[Pipe, Other], message: FromWorker, cleaned: FromWorker) -> None:
    """What people wrote is sent without known secrets, and whole while there are none."""
    pipe, other = ends
    pipe.send(message)
    assert other.hear() == message
    pipe.redactor.add(SECRET)
    pipe.send(message)
    assert other.hear() == cleaned


def test_words_of_the_protocol(ends: tuple[Pipe, Other]) -> None:
    """A secret that happens to be a word or an id of ours leaves the message readable."""
    pipe, other = ends
    for secret in ("span", "kind", "a" * 32, "bbbb", "trace_id"):
        pipe.redactor.add(secret)
    pipe.send(SpanEnded(SPAN))
    assert other.hear() == SpanEnded(SPAN)


def test_secrets(ends: tuple[Pipe, Other]) -> None:
    """A secret is asked for once, masked from then on, and forgotten with the walk."""
    pipe, other = ends
    pipe._secrets.put(SecretReply("PW", SECRET))
    assert pipe.secret("PW") == pipe.secret("PW") == SECRET
    assert other.hear() == SecretWanted("PW")
    assert pipe.redactor.text(SECRET) == "***"
    pipe.forget()
    assert not pipe.redactor
    pipe._secrets.put(SecretReply("PW", "changed"))
    assert pipe.secret("PW") == "changed"
    assert other.hear() == SecretWanted("PW")


def test_no_such_secret(ends: tuple[Pipe, Other]) -> None:
    """The supervisor's words reach the author."""
    pipe, _ = ends
    pipe._secrets.put(SecretReply("PW", None, "secret PW: there is none"))
    with pytest.raises(LookupError, match="secret PW: there is none"):
        pipe.secret("PW")


def test_a_late_answer(ends: tuple[Pipe, Other]) -> None:
    """The answer to an earlier question is not taken for the answer to this one."""
    pipe, _ = ends
    pipe._secrets.put(SecretReply("OTHER", "wrong"))
    pipe._secrets.put(SecretReply("PW", SECRET))
    assert pipe.secret("PW") == SECRET


async def test_reading() -> None:
    """What isn't a secret comes to the inbox, in order, from a thread."""
    ours, theirs = socket.socketpair()
    inbox: asyncio.Queue[ToWorker] = asyncio.Queue()
    pipe = Pipe(ours, asyncio.get_running_loop())
    orders = [Discover(["a.py"]), Discover(["b.py"])]
    got: list[ToWorker] = []

    pipe.inbox = inbox
    other = Other(theirs)
    other.say(orders[0])
    other.say(SecretReply("PW", SECRET))
    other.say(orders[1])
    theirs.shutdown(socket.SHUT_WR)
    with pytest.MonkeyPatch.context() as patch:
        # The end of the pipe ends the process; here it ends the thread.
        patch.setattr("agent.worker.pipe.os._exit", _leave)
        with pytest.raises(Left):
            await asyncio.to_thread(pipe._read)
    while len(got) < 2:
        got.append(await inbox.get())
    assert got == orders
    assert pipe.secret("PW") == SECRET
    ours.close()
    theirs.close()


class Left(Exception):
    """The process would have ended here."""


def _leave(_: int) -> None:
    raise Left
