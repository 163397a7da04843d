"""One connection to the server, from when it stands until it breaks; never mended.

A connection that was mended keeps subscriptions that stay silent, so a break ends it for good
and another takes its place. Whatever isn't answered in time is a break.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError, NoRespondersError, SlowConsumerError, UnexpectedEOF

from agent.core.first_of import first_of
from agent.queue.nats.endpoint import NOTHING
from agent.queue.shared import PATIENCE, Away

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from nats.aio.msg import Msg

    from agent.queue.nats.endpoint import Endpoint

T = TypeVar("T")

_PING_EVERY = 1.0
_STATUS = "Status"
_NO_JETSTREAM = (
    "JetStream does not answer there: it is not enabled, or not for this account, or the cluster "
    "is choosing who leads"
)


class Refused(Exception):
    """The server answered, and did not do it; ``code`` is its own, of JetStream's errors."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Session:
    """A connection; ``broken`` once it is not any more, and then ``why``."""

    def __init__(self, client: Client, address: str) -> None:
        self._client = client
        self.address = address
        self.broken = asyncio.Event()
        self.why = ""
        self._giving_back: set[asyncio.Task[None]] = set()

    @property
    def version(self) -> tuple[int, int]:
        """The server's version, as far as it matters."""
        version = self._client.connected_server_version
        return version.major, version.minor

    def give_up(self, why: str) -> None:
        """Have it be broken."""
        if not self.broken.is_set():
            self.why = why
            self.broken.set()

    async def ask(
        self, subject: str, payload: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Msg:
        """Return the answer to a request.

        Raises:
            Away: there was none in time, or nobody is there to answer.

        """
        limit = PATIENCE + 1  # ours ends first
        asked = self._client.request(subject, payload, limit, headers=dict(headers or {}) or None)
        return await self._in_time(asked)

    async def ask_stream(self, verb: str, payload: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
        """Ask JetStream's own interface, and return its answer.

        Raises:
            Refused: it won't.
            Away: there was no answer in time.

        """
        body = json.dumps(payload).encode() if payload is not None else b""
        answer = json.loads((await self.ask(f"$JS.API.{verb}", body)).data)
        if error := answer.get("error"):
            raise Refused(error.get("err_code", 0), error.get("description", "refused"))
        return answer

    async def tell(self, subject: str, payload: bytes = b"", reply: str = "") -> None:
        """Send a message on its way; that it left the agent is all that is known."""
        await self._in_time(self._client.publish(subject, payload, reply))

    async def next_of(self, verb: str, payload: Mapping[str, Any], limit: float) -> Msg | None:
        """Ask for one message that may come within ``limit`` seconds; None: none came.

        Raises:
            Refused: whom was asked is gone.
            Away: the connection broke meanwhile.

        """
        inbox = self._client.new_inbox()
        answer: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        heard = await self._in_time(self._client.subscribe(inbox, future=answer))
        try:
            # One answer comes in any case, be it that there is none, and ends the subscription.
            await self._in_time(heard.unsubscribe(limit=1))
            await self.tell(f"$JS.API.{verb}", json.dumps(payload).encode(), inbox)
            await first_of(answer, self.broken.wait(), limit=limit + PATIENCE)
        except asyncio.CancelledError:
            answer.add_done_callback(self._give_back)
            raise
        if not answer.done():
            self.give_up("it gave no answer")  # unless it broke: then that is why
            raise Away(self.why)
        message = answer.result()
        status = int((message.headers or {}).get(_STATUS, 0))
        if status in {404, 408}:
            return None
        if status:
            text = (message.headers or {}).get("Description", "nobody answers")
            raise Refused(status, text)
        return message

    async def all_of(self, subject: str, payload: Mapping[str, Any]) -> list[Msg]:
        """Ask for many messages at once, and return them when the last has come."""
        inbox = self._client.new_inbox()
        came: asyncio.Queue[Msg] = asyncio.Queue()
        heard = await self._in_time(self._client.subscribe(inbox, cb=came.put))
        messages: list[Msg] = []
        try:
            await self.tell(subject, json.dumps(payload).encode(), inbox)
            while True:
                message = await self._in_time(came.get())
                status = int((message.headers or {}).get(_STATUS, 0))
                if status in {204, 404}:
                    return messages
                if status:
                    why = (message.headers or {}).get("Description", "it keeps no keys")
                    self.give_up(why)
                    raise Away(why)
                messages.append(message)
        finally:
            await self._quietly(heard.unsubscribe())

    async def listen(self, subject: str, callback: Callable[[bytes], None]) -> None:
        """Have what is told under a subject come to ``callback``, until the session is over."""

        async def hear(message: Msg) -> None:
            callback(message.data)

        await self._in_time(self._client.subscribe(subject, cb=hear))

    async def caught_up(self) -> None:
        """Return once the server has heard all that was said until now.

        Raises:
            Away: it did not in time.

        """
        await self._in_time(self._client.flush(int(PATIENCE) + 1))

    async def until_broken(self) -> None:
        """Return when it is; asks the server again and again whether it is there."""
        while not self.broken.is_set():
            await first_of(self.broken.wait(), limit=_PING_EVERY)
            if not self.broken.is_set():
                with suppress(Away):
                    await self.caught_up()

    async def close(self) -> None:
        """Let go of it, whatever state it is in."""
        self.give_up("closed")
        await self._quietly(self._client.close())

    async def _in_time(self, asked: Awaitable[T]) -> T:
        if self.broken.is_set():
            _drop(asked)
            raise Away(self.why)
        try:
            async with asyncio.timeout(PATIENCE), _cancellable():
                return await asked
        except MaxPayloadError:
            raise ValueError("more than the server takes in one message") from None
        except NoRespondersError:
            self.give_up(_NO_JETSTREAM)
        except (NatsError, OSError, RuntimeError) as error:
            self.give_up(reason(error))
        except asyncio.CancelledError:
            # The client cancels who waits in it when it closes; that is no wish of ours.
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            self.give_up("the connection was closed")
        raise Away(self.why) from None

    def _give_back(self, answer: asyncio.Future[Msg]) -> None:
        """Give back a message that nobody waits for any more."""
        if not answer.cancelled() and answer.result().reply:
            task = asyncio.ensure_future(
                self._quietly(self._client.publish(answer.result().reply, b"-NAK"))
            )
            self._giving_back.add(task)
            task.add_done_callback(self._giving_back.discard)

    async def _quietly(self, asked: Awaitable[object]) -> None:
        with suppress(NatsError, OSError, RuntimeError, TimeoutError):
            async with asyncio.timeout(PATIENCE), _cancellable():
                await asked


async def connect(endpoint: Endpoint, address: str) -> Session:
    """Return a connection to one server.

    Raises:
        Away: it can't be had; says why, and what to do about it where that is known.

    """
    client = Client()
    session = Session(client, address)
    failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    async def on_error(error: Exception) -> None:
        if not failed.done():
            failed.set_result(error)
        elif not isinstance(error, SlowConsumerError):
            session.give_up(reason(error))

    async def on_closed() -> None:
        session.give_up("the connection was closed")

    def encrypted() -> bool:
        # Nothing public of the client's says it before the credentials are sent.
        return bool(client._server_info.get("tls_required"))  # noqa: SLF001

    connecting = asyncio.ensure_future(
        client.connect(
            [address],
            error_cb=on_error,
            closed_cb=on_closed,
            name="footfall",
            allow_reconnect=False,
            max_reconnect_attempts=-1,
            connect_timeout=int(PATIENCE),
            **endpoint.options(encrypted),  # type: ignore[arg-type]
        )
    )
    try:
        await first_of(connecting, failed, limit=2 * PATIENCE)
        if connecting.done() and not connecting.cancelled():
            connecting.result()
            endpoint.insist(encrypted())
            if not failed.done():
                failed.set_result(NatsError())
            return session
        why = failed.result() if failed.done() else TimeoutError()
    except (NatsError, OSError, ValueError) as error:
        why = error
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    await session.close()
    raise Away(reason(why, endpoint.means))


def reason(error: Exception, means: str = "") -> str:
    """Say what is wrong, for people; ``means`` is what was shown at the door."""
    text = str(error).removeprefix("nats: ").strip("'")
    if "authorization" in text.lower() or "authentication" in text.lower():
        if means == NOTHING:
            return (
                "the server wants credentials: `queue.credentials`, `queue.token`, or a user and "
                "password in `queue.url`"
            )
        return f"the server did not accept {means or 'the credentials any more'}"
    if "INFO" in text:
        return "it speaks no NATS, or ends connections at once"
    match error:
        case ssl.SSLCertVerificationError():
            text = (
                f"its certificate is not trusted ({error.verify_message}); "
                "`queue.ca` names an authority of your own"
            )
        case ssl.SSLError():
            text = f"no encrypted connection: {error.reason or text}"
        case socket.gaierror():
            text = "its name can't be resolved"
        case ConnectionRefusedError():
            text = "connection refused"
        case ConnectionResetError() | BrokenPipeError() | UnexpectedEOF():
            text = "the server ended the connection"
        case TimeoutError() | nats.errors.TimeoutError():
            text = f"no answer within {PATIENCE:g} s"
    return text or type(error).__name__


@asynccontextmanager
async def _cancellable() -> AsyncIterator[None]:
    """Have who is cancelled inside be cancelled.

    The client waits by ``asyncio.wait_for``, which up to Python 3.11 forgets that where the answer
    comes in the same moment: a task that was to end would go on for ever.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        yield
    finally:
        if task and task.cancelling() > before:
            raise asyncio.CancelledError


def _drop(asked: Awaitable[object]) -> None:
    if asyncio.iscoroutine(asked):
        asked.close()
