"""The location's store on JetStream's key-value form: a stream with one message a key.

The library's own has no time to live on anything but a creation, and lists keys by a consumer
that outlives its asker; here all is asked for and answered, so nothing can be left behind.
"""

from __future__ import annotations

import base64
import json
import math
from datetime import datetime
from typing import TYPE_CHECKING

from agent.queue import key_names
from agent.queue.nats import streams
from agent.queue.nats.session import Refused
from agent.queue.shared import Away, Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.queue.nats.uplink import Uplink

_MOVED_ON = {10071, 10164}
"""JetStream's codes for another revision than the expected one."""
_NO_MESSAGE = 10037
_PAGE = 256
"""How many entries are asked for at once."""
_BYTES = 4 << 20
_EXPECTED = "Nats-Expected-Last-Subject-Sequence"


class KeyValues:
    """A location's keys on the server that ``uplink`` leads to."""

    def __init__(self, uplink: Uplink, location: str) -> None:
        self._uplink = uplink
        self.location = location
        self._stream = streams.bucket(location)
        self._prefix = streams.prefix_of(location)

    @property
    def connected(self) -> bool:
        """Whether the server answered lately."""
        return self._uplink.connected

    @property
    def trouble(self) -> str:
        """Why the server is away; "" while it is not."""
        return self._uplink.trouble

    async def until_connected(self, after: int = 0) -> int:
        """Wait until the server has been there more than ``after`` times; return how often."""
        return await self._uplink.until_connected(after)

    async def create(self, key: str, value: bytes, ttl: float | None = None) -> int | None:
        """Write a key that isn't there; None: it is."""
        return await self.update(key, value, 0, ttl)

    async def get(self, key: str) -> Entry | None:
        """Return what stands under a key; None: nothing."""
        asked = {"last_by_subj": self._prefix + key}
        try:
            verb = f"STREAM.MSG.GET.{self._stream}"
            found = (await self._uplink.session.ask_stream(verb, asked))["message"]
        except Refused as refused:
            if refused.code == _NO_MESSAGE:
                return None
            raise self._unusable(refused) from None
        value = base64.b64decode(found.get("data", ""))
        return Entry(value, found["seq"], _unix(found["time"]))

    async def put(self, key: str, value: bytes, ttl: float | None = None) -> int:
        """Write a key whatever stands there, and return its revision."""
        try:
            return await self._write(key, value, ttl, {})
        except Refused as refused:
            raise self._unusable(refused) from None

    async def update(
        self, key: str, value: bytes, revision: int, ttl: float | None = None
    ) -> int | None:
        """Write a key if it still has this revision; None: it moved on."""
        try:
            return await self._write(key, value, ttl, {_EXPECTED: str(revision)})
        except Refused as refused:
            if refused.code in _MOVED_ON:
                return None
            raise self._unusable(refused) from None

    async def delete(self, key: str, revision: int | None = None) -> bool:
        """Take a key away, or one revision of it; return whether there was one.

        A purge, since it leaves no mark behind that all who list would have to step over.
        """
        asked: dict[str, object] = {"filter": self._prefix + key}
        if revision is not None:
            asked["seq"] = revision + 1
        try:
            verb = f"STREAM.PURGE.{self._stream}"
            return bool((await self._uplink.session.ask_stream(verb, asked))["purged"])
        except Refused as refused:
            raise self._unusable(refused) from None

    async def list(self, prefix: str) -> dict[str, Entry]:
        """Return all whose keys begin with ``prefix``, the oldest revision first."""
        found: dict[str, Entry] = {}
        after = 0
        while True:
            page = await self._uplink.session.all_of(
                f"$JS.API.DIRECT.GET.{self._stream}",
                {
                    "seq": after + 1,
                    "next_by_subj": f"{self._prefix}{prefix}>",
                    "batch": _PAGE,
                    "max_bytes": _BYTES,
                },
            )
            for message in page:
                headers = message.headers or {}
                after = int(headers["Nats-Sequence"])
                key = headers["Nats-Subject"].removeprefix(self._prefix)
                found.pop(key, None)  # one that was written meanwhile comes a second time
                found[key] = Entry(message.data, after, _unix(headers["Nats-Time-Stamp"]))
            if not page or not int((page[-1].headers or {})["Nats-Num-Pending"]):
                return found

    async def publish(self, subject: str, data: bytes) -> None:
        """Tell all replicas that listen now."""
        await self._uplink.session.tell(key_names.told(self.location, subject), data)

    def subscribe(self, subject: str, callback: Callable[[bytes], None]) -> Callable[[], None]:
        """Hear what is told from now on; return what ends it."""
        return self._uplink.listen(key_names.told(self.location, subject), callback)

    async def _write(
        self, key: str, value: bytes, ttl: float | None, headers: dict[str, str]
    ) -> int:
        if ttl is not None:
            headers["Nats-TTL"] = f"{max(math.ceil(ttl), 1)}s"
        answer = await self._uplink.session.ask(self._prefix + key, value, headers)
        told = json.loads(answer.data)
        if error := told.get("error"):
            raise Refused(error.get("err_code", 0), error.get("description", "refused"))
        return int(told["seq"])

    def _unusable(self, refused: Refused) -> Away:
        """Say that the server is there and doesn't do it: full, or without a leader."""
        return Away(f"its store does not take it: {refused}")


def _unix(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()
