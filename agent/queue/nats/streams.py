"""What the server keeps for a location: one stream of slots, one of keys, and their consumers.

Replicas agree on all of it by making it themselves. What an operator set besides, such as how
many copies a cluster keeps, stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.queue import key_names
from agent.queue.nats.session import Refused
from agent.queue.shared import Away

if TYPE_CHECKING:
    from agent.queue.nats.session import Session

_OLDEST = (2, 11)
"""Since then messages have a time to live each, and keys can be listed in one answer."""
DUPLICATES = 600.0
"""Seconds for which the server knows the ids of what was offered."""
ACK_WAIT = 10.0
"""Seconds after which a claim of which nothing is heard goes to another."""
MOST_DELIVERIES = 20
"""How often a slot is handed out; one that nobody lets go of is left to the leader then."""
_IDLE = 24 * 3600.0
"""Seconds after which the server itself removes a consumer that nobody asks."""
_SECOND = 1_000_000_000

_NOT_THERE = {10014, 10059}
"""JetStream's codes for a consumer and a stream that don't exist."""


def most_waiting(bound: int) -> dict[str, Any]:
    """Return what bounds the slots of a location that wait or are run."""
    return {"max_msgs": bound, "discard": "new"}


async def prepare(session: Session, location: str, environment: str, bound: int) -> None:
    """Have both streams be there.

    Raises:
        Away: the server can't be used; says what to do.

    """
    if session.version < _OLDEST:
        found, needed = (".".join(map(str, one)) for one in (session.version, _OLDEST))
        raise Away(f"NATS {found} is too old: {needed} or later is needed")
    name = key_names.stream(location)
    slots = {
        "subjects": [key_names.slots_of(location, "*", "*", "*")],
        "retention": "workqueue",
        "duplicate_window": int(DUPLICATES * _SECOND),
        "allow_msg_ttl": True,
        **most_waiting(bound),
    }
    keys = {
        "subjects": [f"{prefix_of(location)}>"],
        "retention": "limits",
        "max_msgs_per_subject": 1,
        "allow_msg_ttl": True,
        "allow_direct": True,
        "allow_rollup_hdrs": True,
        "discard": "new",
    }
    await _ensure(session, name, slots, location, environment)
    await _ensure(session, bucket(location), keys, location, environment)


def bucket(location: str) -> str:
    """Name the stream of a location's keys, so that the server's own tools find them."""
    return "KV_" + key_names.stream(location)


def prefix_of(location: str) -> str:
    """Return what the subjects of a location's keys begin with."""
    return f"$KV.{key_names.stream(location)}."


async def ensure_consumer(session: Session, location: str, name: str, subject: str) -> None:
    """Have the replicas of a bundle claim the slots of one lane from one place."""
    stream = key_names.stream(location)
    config = {
        "durable_name": name,
        "filter_subject": subject,
        "ack_policy": "explicit",
        "ack_wait": int(ACK_WAIT * _SECOND),
        "deliver_policy": "all",
        "max_deliver": MOST_DELIVERIES,
        "max_ack_pending": -1,
        "inactive_threshold": int(_IDLE * _SECOND),
    }
    verb = f"CONSUMER.CREATE.{stream}.{name}.{subject}"
    await session.ask_stream(verb, {"stream_name": stream, "config": config})


async def consumers(session: Session, location: str) -> list[dict[str, Any]]:
    """Return what the server says of each consumer of the slots."""
    found: list[dict[str, Any]] = []
    while True:
        page = await session.ask_stream(
            f"CONSUMER.LIST.{key_names.stream(location)}", {"offset": len(found)}
        )
        found += page["consumers"] or []
        if not page["consumers"] or len(found) >= page["total"]:
            return found


async def remove_consumer(session: Session, location: str, name: str) -> None:
    """Remove one, if it is still there."""
    try:
        await session.ask_stream(f"CONSUMER.DELETE.{key_names.stream(location)}.{name}")
    except Refused as refused:
        if refused.code not in _NOT_THERE:
            raise


async def _ensure(
    session: Session, name: str, wanted: dict[str, Any], location: str, environment: str
) -> None:
    """Make a stream, or have one that is there be as it should.

    Two environments whose agents give one name to their locations must not share slots.
    """
    tags = {"footfall_location": location, "footfall_environment": environment}
    try:
        config = (await session.ask_stream(f"STREAM.INFO.{name}"))["config"]
    except Refused as refused:
        if refused.code not in _NOT_THERE:
            raise
        new = {"name": name, "storage": "file", "metadata": tags, **wanted}
        config = (await session.ask_stream(f"STREAM.CREATE.{name}", new))["config"]
    kept = config.get("metadata", {})
    if (other := kept.get("footfall_environment", environment)) != environment:
        raise Away(
            f'its location "{location}" belongs to the environment "{other}": '
            "give this one another `location`, or the server another account"
        )
    if any(config.get(key) != value for key, value in wanted.items()):
        await session.ask_stream(f"STREAM.UPDATE.{name}", {**config, **wanted})
