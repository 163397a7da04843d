"""Deploys as they are told over the API: what is taken, what is refused, and what is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agent.daemon.deploy_book import DeployBook
from agent.server.app import MoreRoutes
from agent.server.deploys import deploy_routes
from agent.storage import deploys
from agent.storage.database import Database
from agent.storage.reader import Reader
from tests.support.api import STATE_TOKEN, Served
from tests.support.asked_gates import AskedGates
from tests.support.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PATH = "/api/v1/deploys"
SHOWN = {"Authorization": f"Bearer {STATE_TOKEN}"}


class Told(Served):
    """A server with deploys, and what they told."""

    clock_of_deploys: ManualClock
    changes: list[str]

    async def say(self, **body: Any) -> tuple[int, Any]:
        async with self.session.post(PATH, json=body, headers=SHOWN) as response:
            return response.status, await response.json()

    async def ask(self, query: str = "") -> tuple[int, Any]:
        async with self.session.get(PATH + query, headers=SHOWN) as response:
            return response.status, await response.json()


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[Told]:
    clock, changes = ManualClock(), []
    database = Database(tmp_path / "deploys.db", [deploys.SCHEMA], clock)
    await database.open()
    reader = Reader(tmp_path / "deploys.db")
    book = DeployBook(
        database, reader, lambda: ["shop", "blog"], clock, lambda: changes.append("changed")
    )
    async with Told(tmp_path, more=MoreRoutes(AskedGates(), api=deploy_routes(book))) as served:
        served.clock_of_deploys, served.changes = clock, changes
        yield served
    reader.close()
    await database.close()


async def test_a_deploy_is_noted_once(told: Told) -> None:
    """201 when it is new, 200 with the same answer when it is told again; pages hear of it."""
    status, first = await told.say(site="shop", release="1.4.3", url="https://ci.test/42")
    assert (status, first["release"], first["source"]) == (201, "1.4.3", "api")
    told.clock_of_deploys.advance(5)
    assert await told.say(site="shop", release="1.4.3") == (200, first)
    assert told.changes == ["changed"]
    moment = first["at"].replace("Z", "+00:00")
    assert (await told.say(site="blog", release="7", at=moment))[0] == 201
    _, listed = await told.ask()
    assert [one["site"] for one in listed["deploys"]] == ["blog", "shop"]
    _, listed = await told.ask("?site=shop&limit=1")
    assert listed["deploys"] == [first]
    assert (await told.ask("?site=nobody"))[1]["deploys"] == []


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ({"release": "1"}, 400, "'site' is missing"),
        ({"site": "shop"}, 400, "'release' is missing"),
        ({"site": "shop", "release": ""}, 400, "'release'"),
        ({"site": "shop", "release": "a\nb"}, 400, "one line of text"),
        ({"site": "shop", "release": "x" * 201}, 400, "200 characters or less"),
        ({"site": "shop", "release": 14}, 400, "'release'"),
        ({"site": "shop", "release": "1", "at": "yesterday"}, 400, "a time with its zone"),
        ({"site": "shop", "release": "1", "at": "2026-12-01T03:00:00"}, 400, "its zone"),
        ({"site": "shop", "release": "1", "at": "2999-01-01T00:00:00Z"}, 422, "still to come"),
        ({"site": "shop", "release": "1", "at": "9999-12-31T23:59:59-14:00"}, 422, "to come"),
        ({"site": "shop", "release": "1", "at": "0001-01-01T00:00:00+14:00"}, 422, "90 days"),
        ({"site": "shop", "release": "1", "url": "javascript:alert(1)"}, 400, "a web address"),
        ({"site": "shop", "release": "1", "who": "me"}, 400, "unknown; known: site, release"),
        ({"site": "nobody", "release": "1"}, 404, "known: blog, shop"),
    ],
)
async def test_what_is_refused(told: Told, body: dict[str, Any], status: int, why: str) -> None:
    """With the reason, and nothing is noted."""
    answered, answer = await told.say(**body)
    assert (answered, why in answer["error"]) == (status, True), answer
    assert (await told.ask())[1]["deploys"] == []


async def test_who_shows_no_token_tells_and_learns_nothing(told: Told) -> None:
    """A deploy on a time line is somebody's word: it takes the token."""
    async with told.session.post(PATH, json={"site": "shop", "release": "1"}) as response:
        assert response.status == 401
    assert (await told.ask())[1]["deploys"] == []
