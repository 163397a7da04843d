"""A shop that breaks, and one that can't be measured."""

from __future__ import annotations

import json

import pytest

from agent.browsers.find import require_browser
from tests.acceptance.conftest import LOOK
from tests.support.daemon import PATIENT, Daemon


async def test_a_breakage_is_detected_confirmed_and_recovered(buying, breaking):
    """Error 500 at checkout is a fail only after a second worker has agreed, with the evidence
    of both attempts kept; once mended, the journey passes again and keeps nothing."""
    async with Daemon(buying) as daemon:
        await daemon.started()
        await daemon.finished("buy_a_mug", "pass")
        await breaking("error")
        failed = await daemon.finished("buy_a_mug", "fail", after=len(daemon.records))
        mark = len(daemon.records)
        await breaking("none")
        await daemon.finished("buy_a_mug", "pass", after=mark)
        assert await daemon.terminate() == 0
    assert failed["error_type"] == "http_status"
    runs = {run["run_id"]: run for run in buying.runs()}
    run = runs[failed["run_id"]]
    assert [attempt["result"] for attempt in run["attempts"]] == ["fail", "fail"]
    assert [attempt["error_type"] for attempt in run["attempts"]] == ["http_status"] * 2
    steps = {step["name"]: step["result"] for step in run["attempts"][0]["steps"]}
    assert steps == {
        "Find the product": "pass",
        "Add it to the cart": "pass",
        "Say where to deliver": "pass",
        "Place the order": "fail",
    }
    check_evidence(buying, run)
    healthy = [one for one in runs.values() if one["result"] == "pass"]
    assert healthy
    assert not any(evidence(one) for one in healthy)
    kept = {path.relative_to(buying.state / "artifacts").as_posix() for path in files(buying)}
    assert kept == {path for one in runs.values() for path in evidence(one)}
    assert not buying.scratch()
    check_changes(buying, run, failed)


def check_changes(home, run, logged) -> None:
    """What is different from the passes is told alike by the run, its notes and the log."""
    first = run["changes"][0]
    assert first["line"] == (
        "POST /checkout answered 500, before it led to /checkout/done/HC-{id} (303)"
    )
    assert (first["kind"], first["step"]) == ("answer", "Place the order")
    assert logged["change"] == first["line"]
    for path in evidence(run):
        if path.endswith("failure.json"):
            notes = json.loads((home.state / "artifacts" / path).read_text())
            assert (notes["changes"], notes["compared_with"]) == (
                run["changes"],
                run["compared_with"],
            )


async def test_once_compares_with_the_passes_of_the_agent(buying, breaking):
    """On its state folder, while it runs or after; without one nothing is said."""
    buying.configure(schedule={"every": "12s", "timeout": "10s", "grace": "2s"})
    await breaking("error")
    alone = await buying.footfall("once", "buy_a_mug", "--no-confirm")
    assert alone.code == 1, alone
    assert "different" not in alone.out + alone.err
    await breaking("none")
    async with Daemon(buying) as daemon:
        await daemon.started()
        await daemon.finished("buy_a_mug", "pass")
        assert await daemon.terminate() == 0
    await breaking("error")
    beside = await buying.footfall("once", "buy_a_mug", "--no-confirm")
    assert beside.code == 1, beside
    told = [line.strip() for line in (beside.out + beside.err).splitlines()]
    at = next(n for n, line in enumerate(told) if line.startswith("different from the last"))
    assert told[at + 1].startswith("POST /checkout answered 500"), beside.out


def files(home):
    return [path for path in (home.state / "artifacts").rglob("*") if path.is_file()]


def evidence(run) -> list[str]:
    return [path for attempt in run["attempts"] for path in attempt["artifacts"]]


def check_evidence(home, run) -> None:
    assert run["artifacts"] == run["attempts"][1]["artifacts"], "of the attempt that decided"
    assert len({path.split("/")[1] for path in evidence(run)}) == 1, "one folder a run"
    names = [(path.split("/")[-2], path.split("/")[-1]) for path in evidence(run)]
    # The recorder costs every run, so it is on where a failure is walked again.
    assert sorted(names) == [
        ("attempt-1", "aria.yml"),
        ("attempt-1", "failure.json"),
        ("attempt-1", "screenshot.png"),
        ("attempt-2", "aria.yml"),
        ("attempt-2", "failure.json"),
        ("attempt-2", "screenshot.png"),
        ("attempt-2", "trace.zip"),
    ]
    for path in evidence(run):
        content = (home.state / "artifacts" / path).read_bytes()
        if path.endswith(".png"):
            assert content.startswith(b"\x89PNG")
        elif path.endswith(".zip"):
            assert content.startswith(b"PK")
        elif path.endswith(".json"):
            failure = json.loads(content)
            assert "/checkout" in failure["url"]


async def test_attempts_stand_in_different_workers(buying, breaking):
    """What a failing attempt's worker may have got wrong, its confirming one did not share."""
    await breaking("error")
    process = "open(os.environ['HOME'] + '/pids', 'a').write(f'{os.getpid()}\\n')"
    buying.environment["HOME"] = str(buying.path)
    buying.journey("buy", f'{process}\nawait run.page.goto("/nowhere")')
    (buying.journeys / "buy_a_mug.py").unlink()
    buying.configure(schedule={"every": "6s", "timeout": "4s"})
    async with Daemon(buying) as daemon:
        await daemon.started()
        failed = await daemon.finished("buy", "fail")
    assert failed["error_type"] == "http_status"
    pids = (buying.path / "pids").read_text().split()
    assert len(pids) >= 2
    assert pids[0] != pids[1]


@pytest.fixture
def browserless(home):
    """A configured browser that ends at once."""
    home.journey("look", LOOK)
    fake = home.path / "no-browser"
    fake.write_text("#!/bin/sh\necho 'no display' >&2\nexit 9\n")
    fake.chmod(0o755)
    home.configure(browser={"executable": str(fake)}, schedule={"every": "5s"})
    return home


async def test_a_browser_that_does_not_start_is_never_the_targets_failure(browserless):
    """Every such run is not_measured/browser_launch, and /readyz says why it is not ready."""
    async with Daemon(browserless) as daemon:
        await daemon.started()
        first = await daemon.finished("look")
        status, body = await daemon.get("/readyz")
        assert status == 503
        assert not body["checks"]["workers"]["ok"]
        assert body["checks"]["workers"]["detail"]
        assert (await daemon.get("/healthz"))[0] == 200
        assert await daemon.terminate() == 0, daemon.story()
    assert (first["result"], first["error_type"]) == ("not_measured", "browser_launch")
    assert {run["result"] for run in browserless.runs()} == {"not_measured"}
    assert not browserless.processes()


async def test_a_browser_that_vanishes_is_never_the_targets_failure(home):
    """Where the browser is uninstalled under the agent, runs are not measured; once it is
    back, they pass."""
    home.journey("look", LOOK)
    real = require_browser()
    link = home.path / "browser-headless"
    link.symlink_to(real)
    home.configure(
        browser={"executable": str(link)},
        schedule={"every": "5s", "timeout": "4s", "grace": "1s"},
    )
    async with Daemon(home) as daemon:
        await daemon.started()
        await daemon.finished("look", "pass")
        link.unlink()
        lost = await daemon.finished("look", "not_measured", after=len(daemon.records))
        assert lost["error_type"] == "browser_launch"
        mark = len(daemon.records)
        link.symlink_to(real)
        await daemon.finished("look", "pass", after=mark)
        assert await daemon.terminate() == 0
    assert not {run["result"] for run in home.runs()} & {"fail", "flaky"}


async def test_half_a_character_on_a_page_hides_no_failure(home):
    """A page may hold a lone surrogate, and an error quotes it: it is still the target's fail."""
    home.journey(
        "reads",
        """
        async with run.step("Read half a character"):
            await run.page.goto("/")
            await run.page.evaluate("document.title = 'half ' + String.fromCharCode(0xd800)")
            title = await run.page.title()
            run.log.info("read " + title, title=title)
            assert title == "whole", f"wrong title: {title}"
        """,
    )
    home.configure(schedule=PATIENT)
    finished = await home.footfall("once", "reads", "--json", "--junit", "report.xml")
    assert finished.code == 1, finished
    (run,) = finished.objects
    assert (run["result"], run["error_type"]) == ("fail", "assertion")
    assert "wrong title: half" in run["error"]
    assert [attempt["error_type"] for attempt in run["attempts"]] == ["assertion"] * 2


async def test_evidence_that_can_not_be_kept_changes_no_verdict(home):
    """Where the artifacts can't be written a failure is still a fail, and the trouble is told."""
    home.journey("misses", LOOK + "\nassert False, 'not there'\n")
    blocked = home.state / "artifacts" / "misses"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where a folder should be")
    async with Daemon(home) as daemon:
        await daemon.started()
        failed = await daemon.finished("misses", "fail")
        assert failed["attempts"] == 2
        told = await daemon.wait_for("artifacts.not_kept")
        assert told["level"] == "error"
        assert await daemon.terminate() == 0


async def test_what_a_page_sends_can_not_stop_the_agent(home, otlp):
    """A page's nonsense for a traceparent costs neither its run nor the agent."""
    body = """
    await run.page.goto("/")
    header = "00-" + "z" * 32 + "-" + "y" * 16 + "-01"
    ask = "h => fetch('/', {headers: {traceparent: h}}).then(answer => answer.text())"
    await run.page.evaluate(ask, header)
    run.log.info("sent", action="of the author's own")
    """
    home.journey("nonsense", body)
    home.environment = {}
    home.configure(telemetry={"endpoint": otlp.http_endpoint})
    async with Daemon(home) as daemon:
        await daemon.started()
        await daemon.finished("nonsense", "pass")
        await otlp.wait_for(lambda got: any(s.name == "journey nonsense" for s in got.spans))
        assert await daemon.terminate() == 0
