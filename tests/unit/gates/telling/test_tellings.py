"""Telling of verdicts: whom the configuration names, and what became of it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from agent.config.gate_sections import CdEventsSection, GateSection, HookSection
from agent.config.sections import ServerSection
from agent.gates.telling.tellings import Tellings
from tests.support.deploy_tools import a_verdict

SECRET = "hook-0123456789abcdef"


@pytest.fixture
def section():
    """What ``[gate]`` says; a test changes it."""
    return SimpleNamespace(now=GateSection())


@pytest.fixture
async def tellings(section, poster, clock):
    def settings():
        return SimpleNamespace(
            gate=section.now,
            environment="production",
            location="eu-west-1",
            server=ServerSection(),
        )

    telling = Tellings(settings, poster, clock)
    yield telling
    await telling.end()


class Kept:
    def __init__(self):
        self.hooks = []

    async def __call__(self, gate_id, hook):
        self.hooks.append((gate_id, hook))


def hooked(url):
    return GateSection(hook=HookSection(url=url, secret=SECRET))


async def told(tellings, verdict, kept):
    gate = a_verdict(verdict)
    gate["hook"] = tellings.hook(verdict)
    tellings.tell(gate, kept)
    await tellings.end()
    return gate


async def test_nobody_is_told_where_nobody_is_named(receiver, tellings):
    """That is so by default."""
    kept = Kept()
    for verdict in ("pass", "fail", "error"):
        assert (await told(tellings, verdict, kept))["hook"] is None
    assert (receiver.received, kept.hooks) == ([], [])


async def test_the_hook_is_called_for_a_failed_gate_alone(receiver, tellings, section):
    """What was not measured is never rolled back."""
    section.now = hooked(f"{receiver.url}/roll-back")
    kept = Kept()
    for verdict in ("pass", "error", "fail"):
        gate = await told(tellings, verdict, kept)
    (one,) = receiver.received
    assert (one.path, json.loads(one.body)["gate"]["verdict"]) == ("/roll-back", "fail")
    assert gate["hook"]["state"] == "calling"
    ((gate_id, hook),) = kept.hooks
    assert (gate_id, hook["host"], hook["state"]) == (gate["id"], "127.0.0.1", "called")
    assert (hook["tries"], hook["error"]) == (1, None)


async def test_a_hook_that_nobody_takes_is_told(receiver, tellings, section):
    """How often it was tried, and why; never its address or secret."""
    receiver.answers.extend([(500, b"", {})] * 9)
    section.now = hooked(f"{receiver.url}/T0000/secret-path")
    kept = Kept()
    await told(tellings, "fail", kept)
    ((_, hook),) = kept.hooks
    assert (hook["state"], hook["tries"]) == ("failed", 5)
    assert hook["error"] == "127.0.0.1 answered 500"
    assert "secret-path" not in json.dumps(hook)


async def test_a_sink_gets_every_verdict(receiver, tellings, section):
    """As an event each."""
    section.now = GateSection(cdevents=CdEventsSection(sink=f"{receiver.url}/sink"))
    for verdict in ("pass", "fail", "error"):
        await told(tellings, verdict, Kept())
    outcomes = [
        json.loads(one.body)["data"]["subject"]["content"]["outcome"] for one in receiver.received
    ]
    assert outcomes == ["success", "failure", "error"]


async def test_books_that_refuse_cost_no_roll_back(receiver, tellings, section):
    """It was called; that nobody could write it down stands in the log."""

    async def refuse(gate_id, hook):
        raise OSError("disk full")

    section.now = hooked(receiver.url)
    await told(tellings, "fail", refuse)
    assert len(receiver.received) == 1


async def test_a_call_that_was_cut_is_made_again(receiver, tellings, section, clock):
    """By the agent that starts after it, unless that is too late or it is no longer configured:
    what was wrong ten minutes ago may long be mended."""
    section.now = hooked(receiver.url)
    kept, gate = Kept(), a_verdict("fail")
    gate["hook"] = tellings.hook("fail")
    clock.advance(599)
    tellings.call(gate, kept)
    await tellings.end()
    assert len(receiver.received) == 1
    clock.advance(2)
    tellings.call(gate, kept)
    await tellings.end()
    clock.step(-60)
    section.now = GateSection()
    tellings.call(gate, kept)
    await tellings.end()
    assert len(receiver.received) == 1
    assert [hook["state"] for _, hook in kept.hooks] == ["called", "failed", "failed"]
    assert "too late" in kept.hooks[1][1]["error"]
    assert "no longer configured" in kept.hooks[2][1]["error"]
