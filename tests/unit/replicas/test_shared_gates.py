"""Gates and deploys of a location: one replica has them, and all tell of them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from agent.core.deploy import Deploy
from agent.core.gate import GateOrder
from agent.replicas.board import Board
from agent.replicas.shared_deploys import SharedDeploys
from agent.replicas.shared_gates import SharedGates
from agent.storage import deploys, gates
from agent.storage.database import Database
from tests.support.asked_gates import gate_document
from tests.support.build import START


class Place:
    """One replica, and which others it hears."""

    def __init__(self, name, store, database, clock):
        self.database = database
        self.board = Board(store, clock)
        self.hears = {"a", "b"}
        heard = self.hears.__contains__
        self.gates = SharedGates(store, self.board, database, name, heard, clock)
        self.deploys = SharedDeploys(self.board, database)
        self.new = 0
        self.deploys.on_heard = self._on_heard

    def _on_heard(self):
        self.new += 1

    async def read(self, work, *values):
        return await self.database.transaction(lambda connection: work(connection, *values))


@pytest.fixture
async def pair(server, clock, tmp_path):
    async with AsyncExitStack() as stack:
        found = []
        for name in ("a", "b"):
            path = tmp_path / f"{name}.db"
            database = Database(path, (gates.SCHEMA, deploys.SCHEMA), clock)
            await database.open()
            stack.push_async_callback(database.close)
            found.append(Place(name, server.store(), database, clock))
        yield found


def a_gate(verdict="pending", **changes):
    return {**gate_document(GateOrder("shop", ("buy",))), "verdict": verdict, **changes}


async def test_a_key_stands_for_one_gate_wherever_it_is_asked(pair):
    """Of two that come at once one is the first, and both are told which."""
    one, other = pair
    first, second = await asyncio.gather(
        one.gates.first("k", "gate-1", "d"), other.gates.first("k", "gate-2", "d")
    )
    assert first == second
    assert (await one.gates.first("another", "gate-3", "e")) == ("gate-3", "e")


async def test_a_gate_is_told_of_by_all(pair):
    """While it goes on and after it; to whoever waits at once."""
    one, other = pair
    heard = other.gates.heard
    await one.gates.tell(a_gate())
    await other.board.read_all()
    assert heard.is_set()
    gate = a_gate()["id"]
    assert (await other.read(gates.find, gate))["verdict"] == "pending"
    assert (await other.gates.find(gate))["verdict"] == "pending"
    await one.gates.tell(a_gate("pass"))
    assert (await other.gates.find(gate))["verdict"] == "pass"
    await other.board.read_all()
    assert (await other.read(gates.find, gate))["verdict"] == "pass"
    assert await one.gates.find(gate) is None


async def test_a_gate_is_ended_by_none_but_its_own_replica(pair):
    """At a start the others neither give up what still goes on, nor call its hook again."""
    one, other = pair
    await one.gates.tell(a_gate(hook={"state": "calling"}))
    await other.board.read_all()
    assert await other.read(gates.pending) == []
    assert await other.read(gates.calling) == []


async def test_a_replica_does_not_write_over_its_own_gate(pair):
    """What is heard of it is older than what it knows."""
    one, _ = pair
    asked = gates.Asked("k", "d", START, a_gate())
    await one.read(gates.ask, asked)
    await one.read(gates.copy, [a_gate("fail")])
    assert (await one.read(gates.find, a_gate()["id"]))["verdict"] == "pending"


async def test_a_gate_whose_replica_is_gone_is_no_longer_pending(pair, clock):
    """Once it was not heard for a while; one that is heard again goes on."""
    one, other = pair
    await one.gates.tell(a_gate())
    gate = a_gate()["id"]
    other.hears.discard("a")
    assert (await other.gates.find(gate))["verdict"] == "pending"
    clock.advance(20)
    other.hears.add("a")
    assert (await other.gates.find(gate))["verdict"] == "pending"
    other.hears.discard("a")
    clock.advance(20)
    assert (await other.gates.find(gate))["verdict"] == "pending"
    clock.advance(31)
    gone = await other.gates.find(gate)
    assert gone["verdict"] == "error"
    assert "is gone" in gone["reasons"][0]


async def test_without_the_server_each_judges_by_itself(pair, server):
    """A release isn't kept waiting for it."""
    one, _ = pair
    server.stop()
    assert await one.gates.first("k", "gate-1", "d") == ("gate-1", "d")
    await one.gates.tell(a_gate())
    assert await one.gates.find("gate-1") is None


async def test_a_deploy_is_known_to_all_once(pair):
    """However often it is heard, and where it was told of at both."""
    one, other = pair
    deploy = Deploy("shop", "1.4.3", START, "argo", "https://ci/7")
    await one.read(deploys.note, deploy)
    await one.deploys.tell(deploy)
    await other.board.read_all()
    await other.read(deploys.note, Deploy("shop", "1.4.3", START + 5, "api"))
    await other.read(deploys.note, Deploy("shop", "1.4.4", START + 60, "api"))
    await other.board.read_all()
    known = await other.read(deploys.newest, 10)
    assert [(told.release, told.source) for told in known] == [("1.4.4", "api"), ("1.4.3", "argo")]
    assert other.new == 1
    await one.board.read_all()
    assert len(await one.read(deploys.newest, 10)) == 1
    assert one.new == 0
