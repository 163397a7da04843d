"""The roll-back hook: signed as GitHub signs, with what is needed to roll back."""

from __future__ import annotations

import hashlib
import hmac
import json

from agent.gates.telling.rollback_hook import RollbackHook, Sender
from tests.support.deploy_tools import a_verdict

SECRET = "hook-0123456789abcdef"
SENDER = Sender("production", "eu-west-1", "https://footfall.example.com")


async def test_what_it_sends_is_signed(receiver, poster):
    """The HMAC of the body as it went over the wire, where GitHub has it; the id is the gate's."""
    gate = a_verdict("fail")
    posted = await RollbackHook(f"{receiver.url}/x", SECRET).call(gate, SENDER, poster)
    assert (posted.tries, posted.error) == (1, "")
    (one,) = receiver.received
    signature = hmac.new(SECRET.encode(), one.body, hashlib.sha256).hexdigest()
    assert one.headers["X-Hub-Signature-256"] == f"sha256={signature}"
    assert one.headers["X-Footfall-Delivery"] == gate["id"]
    assert one.headers["Content-Type"] == "application/json"
    told = json.loads(one.body)
    assert (told["event"], told["environment"], told["location"]) == (
        "gate.failed",
        "production",
        "eu-west-1",
    )
    assert told["gate"]["release"] == "1.4.3"
    assert told["gate"]["reasons"] == gate["reasons"]
    address = f"https://footfall.example.com/api/v1/gates/{gate['id']}"
    assert told["gate"]["address"] == address
    assert set(told["gate"]) == {
        "address",
        "asked_at",
        "ended_at",
        "id",
        "reasons",
        "release",
        "site",
        "source",
        "url",
        "verdict",
    }


def test_its_secret_is_never_shown():
    """Whoever prints it."""
    assert SECRET not in repr(RollbackHook("https://x.example.com", SECRET))
