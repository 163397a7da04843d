"""A deploy that breaks a site: on time lines, in words of the incident and of log records."""

from __future__ import annotations

import aiohttp

from tests.acceptance.test_control import post
from tests.support.daemon import Daemon
from tests.support.demo import DemoShop
from tests.support.otlp import OtlpReceiver

BUYS = """
async with run.step("Open the shop"):
    await run.page.goto("/")
async with run.step("Order"):
    answer = await run.api.post("/checkout", max_redirects=0)
    assert answer.status != 500, "checkout is broken"
"""


async def test_an_incident_after_a_deploy_says_so(home):
    """The release that a pipeline told of stands in the incident's words and time line, on the run
    and the journey, and in the log records; that one walks met, and the deploy that mended it, too.
    """
    with DemoShop() as shop:
        async with OtlpReceiver() as otlp:
            home.environment.clear()
            home.sites["shop"] = shop.url
            home.journey("buys", BUYS)
            every = {"every": "4s", "confirm": False, "timeout": "3s", "grace": "1s"}
            home.configure(journey__buys=every, telemetry={"endpoint": otlp.http_endpoint})
            async with Daemon(home) as daemon:
                await _tell(home, shop, daemon, otlp)


async def _deploy(shop, release: str):
    async with (
        aiohttp.ClientSession(shop.url) as session,
        session.post(f"/demo/deploy/{release}") as answer,
    ):
        assert answer.ok


async def _tell(home, shop, daemon, otlp):
    await daemon.started()
    token = (home.state / "token").read_text().strip()
    run = await daemon.finished("buys", "pass")
    _, told = await daemon.get(f"/api/v1/runs/{run['run_id']}")
    assert told["run"]["release"] == "1.4.2"
    await _deploy(shop, "1.5.0")
    deploy = {"site": "shop", "release": "1.5.0", "url": "https://ci.test/42"}
    assert (await post(home, "/api/v1/deploys", token, deploy))[0] == 201
    assert (await post(home, "/api/v1/deploys", token, deploy))[0] == 200
    await daemon.wait_for("journey.down")
    _, incident = await daemon.get("/api/v1/incidents/1")
    assert incident["deploy"]["release"] == "1.5.0"
    assert incident["deploy"]["told"].endswith("after release 1.5.0")
    assert [one["kind"] for one in incident["timeline"]] == ["deploy", "fail", "down"]
    await otlp.wait_for(lambda seen: any(log.event_name == "journey.down" for log in seen.logs))
    for log in otlp.logs:
        if log.severity == "ERROR":
            assert f"; began {incident['deploy']['told']}" in log.body or "run." in log.event_name
            assert log.attributes["footfall.deploy.release"] == "1.5.0"
            assert log.attributes["footfall.deploy.seconds"] > 0
    _, failed = await daemon.get(f"/api/v1/runs/{incident['run_id']}")
    assert (failed["run"]["release"], failed["deploy"]["release"]) == ("1.5.0", "1.5.0")
    _, journey = await daemon.get("/api/v1/journeys/buys")
    (listed,) = journey["deploys"]
    assert (listed["release"], listed["url"]) == ("1.5.0", "https://ci.test/42")
    # A walk may begin between the deploy and its telling: nothing is seen before it is told.
    begun = max(failed["run"]["started_at"], listed["at"])
    assert begun <= listed["seen_at"] < incident["timeline"][-1]["at"]
    await _deploy(shop, "1.4.3")
    await daemon.wait_for("journey.up")
    _, journey = await daemon.get("/api/v1/journeys/buys")
    assert [(one["release"], one["source"]) for one in journey["deploys"]] == [
        ("1.4.3", "walk"),
        ("1.5.0", "api"),
    ]
