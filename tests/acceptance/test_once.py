"""`footfall once`: journeys now, for a person, a build server and a script."""

from __future__ import annotations

import io
import json
import re
import time
import xml.etree.ElementTree as ET
from datetime import datetime
from zipfile import ZipFile

import pytest
from aiohttp import web

from tests.acceptance.conftest import LOOK
from tests.support.daemon import PATIENT
from tests.support.origin import Origin
from tests.support.service import free_port

FAILS = """
async with run.step("Look for what is not there"):
    await run.page.goto("/")
    await expect(run.page.get_by_text("no such text")).to_be_visible(timeout=200)
async with run.step("Never reached"):
    await run.page.goto("/")
"""
DEFECT = 'raise ValueError("a defect of the script")'


@pytest.fixture
def home(home):
    home.journey("look", LOOK)
    home.schedule |= PATIENT
    home.configure()
    return home


async def test_exit_codes_tell_what_became_of_the_runs(home):
    """0 all pass; 3 some not measured; 1 some fail, whatever else there is; 2 nothing matched."""
    home.journey("fails", FAILS)
    home.journey("defect", DEFECT)
    assert (await home.footfall("once", "look")).code == 0
    assert (await home.footfall("once", "look", "defect")).code == 3
    everything = await home.footfall("once", "--json")
    assert everything.code == 1, everything
    assert {run["journey"]: run["result"] for run in everything.objects} == {
        "look": "pass",
        "fails": "fail",
        "defect": "not_measured",
    }
    unknown = await home.footfall("once", "no_such_journey")
    assert unknown.code == 2
    assert "no_such_journey" in unknown.err
    assert "look" in unknown.err


async def test_a_blip_does_not_confirm_itself(home):
    """A site that answers 502 for less than confirm_after is flaky."""
    asked: list[float] = []

    async def blips(_: web.Request) -> web.Response:
        asked.append(time.monotonic())
        down = asked[-1] < asked[0] + 1.5
        return web.Response(status=502 if down else 200, text="hello", content_type="text/html")

    async with Origin(pages={"/": blips}) as origin:
        home.sites["shop"] = origin.url
        home.configure(schedule={"confirm_after": "2s"})
        home.journey("open", 'await run.page.goto("/")')
        [run] = (await home.footfall("once", "open", "--json")).objects
    assert (run["result"], run["error_type"]) == ("flaky", "http_status")
    assert asked[-1] - asked[0] > 2


SOMETIMES = """
async with run.step("Open"):
    await run.page.goto("/")
async with run.step("Count"):
    number = int(await run.page.locator("h1").inner_text())
    assert number % 4, number
"""


async def test_many_walks_are_compared(home):
    """Each is walked once and told by itself; then how they passed, and how many were enough."""
    asked = 0

    async def count(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(text=f"<h1>{asked}</h1>", content_type="text/html")

    async with Origin(pages={"/": count}) as origin:
        home.sites["shop"] = origin.url
        home.configure()
        home.journey("counts", SOMETIMES)
        enough = await home.footfall("once", "cou*", "--repeat", "4", "--at-least", "75")
        too_few = await home.footfall(
            "once", "counts", "--repeat", "4", "--at-least", "76", "--json"
        )
    assert asked == 8, "no walk was confirmed"
    assert enough.code == 0, enough
    assert "counts  3 of 4 walks passed, 75 %" in enough.out
    assert re.search(r"Open +4/4 ", enough.out)
    assert re.search(r"Count +3/4 ", enough.out)
    assert '1x assertion in "Count"' in enough.out
    assert "4 runs: 3 passed, 1 failed; " in enough.out
    assert too_few.code == 1
    assert [run["result"] for run in too_few.objects] == ["pass", "pass", "pass", "fail"]


async def test_a_file_is_all_of_its_journeys(home):
    """As a shell completes it; one that can't be read is told as that alone."""
    home.file("two.py", (home.path / "journeys/look.py").read_text().replace("look", "second"))
    home.file("wrong.py", "from nowhere import nothing")
    walked = await home.footfall("once", str(home.path / "journeys/two.py"), "--json")
    assert [run["journey"] for run in walked.objects] == ["second"]
    wrong = await home.footfall("once", "wrong.py")
    assert wrong.code == 2
    assert "nowhere" in wrong.err
    assert "no such journey" not in wrong.err
    unknown = await home.footfall("once", "oth*", "third.py")
    assert (unknown.code, unknown.err.count("there is no such journey")) == (2, 2)


KEYS = {
    "run_id": str,
    "journey": str,
    "site": str,
    "location": str,
    "trigger": str,
    "scheduled_at": type(None),
    "started_at": str,
    "duration": float,
    "result": str,
    "trace_id": str,
    "attempts": list,
    "artifacts": list,
}


async def test_json_is_one_object_a_run(home):
    """Every key of the published object is there, typed as published, and nothing else is
    printed to standard output."""
    home.journey("fails", FAILS)
    finished = await home.footfall("once", "look", "fails", "--json")
    assert finished.code == 1
    passed, failed = sorted(finished.objects, key=lambda run: run["result"], reverse=True)
    for run in (passed, failed):
        assert KEYS.keys() | {"error_type", "error"} <= run.keys()
        for key, kind in KEYS.items():
            assert isinstance(run[key], kind), (key, run[key])
        assert run["started_at"].endswith("Z")
        assert datetime.fromisoformat(run["started_at"]).utcoffset().total_seconds() == 0
        assert re.fullmatch(r"[0-9a-f]{32}", run["trace_id"])
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-.*", run["run_id"])
        for attempt in run["attempts"]:
            assert attempt.keys() >= {"result", "error_type", "error", "duration", "steps"}
            for step in attempt["steps"]:
                assert step.keys() == {"name", "result", "duration", "optional"}
    assert (passed["journey"], passed["result"], passed["error_type"]) == ("look", "pass", None)
    assert passed["artifacts"] == []
    assert (failed["result"], failed["error_type"]) == ("fail", "assertion")
    assert "no such text" in failed["error"]
    assert len(failed["attempts"]) == 2
    assert [(s["name"], s["result"]) for s in failed["attempts"][0]["steps"]] == [
        ("Look for what is not there", "fail"),
        ("Never reached", "skipped"),
    ]
    assert failed["attempts"][0]["steps"][1]["duration"] is None
    assert failed["artifacts"], "of the attempt that decided"
    assert all("/attempt-2/" in path for path in failed["artifacts"])
    assert len({path.split("/")[1] for path in failed["artifacts"]}) == 1


async def test_progress_tells_steps_results_and_evidence(home):
    """A person reads each step with its mark and time, the result, and where to look."""
    home.journey("fails", FAILS)
    finished = await home.footfall("once", "look", "fails")
    assert finished.code == 1
    assert re.search(r"✓ Look around +\d+\.\d\d s", finished.out)
    assert re.search(r"✗ Look for what is not there +\d+\.\d\d s", finished.out)
    assert "PASS" in finished.out
    assert re.search(r"FAIL +assertion", finished.out)
    assert "attempt 2, in a fresh worker" in finished.out
    paths = re.findall(r"(\S+): .*screenshot\.png", finished.out)
    assert len(paths) == 2
    assert all((home.path / path / "screenshot.png").is_file() for path in paths)
    assert len(re.findall(r"trace [0-9a-f]{32}", finished.out)) == 2


async def test_junit_is_what_build_servers_read(home):
    """A fail is a failure, a run that was not measured an error, a pass neither."""
    home.journey("fails", FAILS)
    home.journey("defect", DEFECT)
    await home.footfall("once", "--junit", "reports/footfall.xml")
    suite = ET.parse(home.path / "reports" / "footfall.xml").getroot()
    assert suite.attrib["tests"] == "3"
    assert suite.attrib["failures"] == "1"
    assert suite.attrib["errors"] == "1"
    cases = {case.attrib["name"]: case for case in suite.iter("testcase")}
    assert cases.keys() == {"look", "fails", "defect"}
    assert cases["look"].find("failure") is None
    assert cases["look"].find("error") is None
    assert cases["fails"].find("failure").attrib["type"] == "assertion"
    assert cases["defect"].find("error").attrib["type"] == "script_error"
    assert "a defect of the script" in cases["defect"].find("error").text


async def test_a_laptop_needs_no_configuration(home, shop):
    """With --site and a journeys folder there is nothing to configure."""
    home.config.unlink()
    finished = await home.footfall("once", "look", "--site", f"shop={shop.url}", "--json")
    assert finished.code == 0, finished
    assert finished.objects[0]["result"] == "pass"


async def test_a_site_points_elsewhere_for_this_once(home, shop):
    """--site wins over the configuration, so that one file runs anywhere."""
    home.sites = {"shop": f"http://127.0.0.1:{free_port()}"}
    home.configure()
    assert (await home.footfall("once", "look")).code == 1
    moved = await home.footfall("once", "look", "--site", f"shop={shop.url}")
    assert moved.code == 0, moved


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("shop", "--site: write it as NAME=URL"),
        ("=http://127.0.0.1:1", "--site: write it as NAME=URL"),
        ("shop=", "--site shop: must be an absolute address"),
        ("shop=ftp://u:hunter2@x", "--site shop: must be an absolute address"),
    ],
)
async def test_a_site_that_makes_no_sense_is_bad_usage(home, wrong, told):
    """Exit 2 and what is wrong with it, without the address: a password may stand in that."""
    refused = await home.footfall("once", "look", "--site", wrong)
    assert refused.code == 2, refused
    assert told in refused.err
    assert "hunter2" not in refused.err
    assert "Traceback" not in refused.err


async def test_a_broken_file_is_told_and_the_others_run(home):
    """The good journeys run; the exit code still says that something was wrong."""
    home.file("broken.py", "def broken(:\n")
    finished = await home.footfall("once", "--json")
    assert [run["journey"] for run in finished.objects] == ["look"]
    assert "journeys/broken.py:1" in finished.err
    assert finished.code == 2


async def test_once_sends_only_where_an_endpoint_is_given(home, otlp):
    """Not to the configuration's endpoint, which is production's; to OTEL_… or --endpoint it
    sends spans and the log record, marked as `once`, and never a metric."""
    home.environment = {}
    home.configure(telemetry={"endpoint": otlp.http_endpoint})
    assert (await home.footfall("once", "look")).code == 0
    assert not otlp.requests

    assert (await home.footfall("once", "look", "--endpoint", otlp.http_endpoint)).code == 0
    await otlp.wait_for(lambda o: o.logs and o.spans)
    home.environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp.http_endpoint}
    assert (await home.footfall("once", "look")).code == 0
    await otlp.wait_for(lambda o: len(o.logs) == 2)

    roots = [span for span in otlp.spans if span.parent_id is None]
    assert [root.attributes["footfall.run.trigger"] for root in roots] == ["once", "once"]
    assert [log.attributes["footfall.run.trigger"] for log in otlp.logs] == ["once", "once"]
    assert not otlp.metrics


async def test_secrets_reach_the_journey_and_nothing_else(home):
    """A secret works in the journey, and shows up in no output, report or file."""
    home.journey(
        "tells",
        """
        run.log.info("about to sign in", password=run.secret("PW"))
        print("printed", run.secret("PW"))
        await run.page.goto("/?q=" + run.secret("PW"))
        assert run.secret("PW") == "not it", f"wrong: {run.secret('PW')}"
        """,
    )
    home.environment["FOOTFALL_SECRET_PW"] = "s3cr3t-value-of-the-test"
    finished = await home.footfall("once", "tells", "--json", "--junit", "report.xml")
    assert finished.code == 1, finished
    assert finished.objects[0]["error_type"] == "assertion"
    needle = "s3cr3t-value"
    assert needle not in finished.out
    assert needle not in finished.err
    files = {path.name: path.read_bytes() for path in home.path.rglob("*") if path.is_file()}
    assert {"failure.json", "screenshot.png", "report.xml"} <= files.keys(), files["failure.json"]
    if "trace.zip" in files:
        # Cleaned of what the journey used; where there was no time for that, it isn't kept.
        with ZipFile(io.BytesIO(files["trace.zip"])) as trace:
            files |= {name: trace.read(name) for name in trace.namelist()}
    assert not [name for name, content in files.items() if needle.encode() in content]


async def test_new_writes_a_journey_that_runs(home, shop):
    """`new` writes a skeleton for the configured site, and it walks as it is; a second time
    nothing is overwritten."""
    written = await home.footfall("new", "first_look", "--url", f"{shop.url}/search?q=mug")
    assert written.code == 0, written
    assert (home.journeys / "first_look.py").is_file()
    ran = await home.footfall("once", "first_look", "--json")
    assert ran.code == 0, ran
    assert json.loads(ran.out)["result"] == "pass"
    before = (home.journeys / "first_look.py").read_text()
    again = await home.footfall("new", "first_look", "--url", shop.url)
    assert again.code == 2
    assert (home.journeys / "first_look.py").read_text() == before


async def test_once_beside_a_running_schedule_leaves_its_state_alone(home):
    """`once` takes no lock and writes no slot, history or total into the state folder."""
    assert (await home.footfall("once", "look")).code == 0
    assert not (home.state / "footfall.db").exists()
    assert not (home.state / "lock").exists()
