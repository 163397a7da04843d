"""`footfall status`: the worst first, each with what leads to its cause, on any terminal."""

from __future__ import annotations

import io
import json
import re
import socket
import sys

import pytest
from aiohttp import web

from agent.cli.main import main
from agent.cli.running_agent import Agent, find
from agent.cli.status import ask, status
from agent.core.certificate import Certificate
from agent.core.errors import AgentUnreachable, ConfigError
from agent.core.model import SkipReason
from agent.core.standing import State, by_urgency, is_well, state_of
from agent.server.health import Check
from tests.support.api import PLACE, Served, journey
from tests.support.origin import Origin

TOKEN = "0123456789abcdef-token"
NAMES = ("fails", "lost", "silent", "fresh", "flakes", "passes")


@pytest.fixture
async def served(tmp_path):
    """An agent that has a journey of every kind."""
    journeys = [*map(journey, NAMES), journey("off", enabled=False)]
    async with Served(tmp_path, token=TOKEN, journeys=journeys) as served:
        served.ran("fails", "pass", ago=600)
        served.ran("fails", "fail", ago=125)
        served.ran("fails", "fail", ago=5, error="POST /checkout \x1b[31manswered 500\nat once")
        served.ran("lost", "pass", ago=300)
        served.ran("lost", "fail", ago=200)
        served.ran("lost", "pass", ago=150)
        served.ran("lost", "not_measured", ago=7, error_type="canary", error="no loopback")
        served.skipped("silent", SkipReason.CAPACITY, ago=30, count=3)
        served.ran("flakes", "flaky", ago=20)
        served.ran("passes", "pass", ago=20)
        yield served


@pytest.fixture
def shown(served, monkeypatch, capsys):
    """What the command prints, at a width."""

    async def show(*names, width=0, **options):
        monkeypatch.setenv("COLUMNS", str(width)) if width else monkeypatch.delenv("COLUMNS", False)
        await status(Agent(served.url, TOKEN), names, json=options.get("json", False))
        return capsys.readouterr().out

    return show


def test_which_state_is_worse():
    """Fails before what could not be measured, before silence; of fails those that page first."""
    last = {"result": "pass"}
    well = {"enabled": True, "up": True, "last_run": last, "skipped": [], "severity": "page"}
    well |= {"failing_since": None, "journey": "well", "consecutive_slow": 0}
    ordered = [
        {**well, "up": False, "failing_since": "1", "journey": "z"},
        {**well, "up": False, "failing_since": "2", "journey": "a"},
        {**well, "up": False, "failing_since": "0", "severity": "ticket"},
        # The last that was measured failed, so it fails.
        {**well, "up": True, "last_run": {"result": "not_measured"}},
        {**well, "up": None, "last_run": {"result": "pass"}},
        {**well, "up": None, "last_run": None, "skipped": [{"reason": "overrun"}], "journey": "x"},
        {**well, "consecutive_slow": 2},
        {**well, "up": None, "last_run": None},
        {**well, "last_run": {"result": "flaky"}},
        {**well, "consecutive_slow": 1},
        {**well, "up": False, "suspended": {"cause": "pause", "mode": "stop", "over": False}},
        {**well, "up": None, "suspended": {"cause": "maintenance", "mode": "stop", "over": False}},
        {**well, "enabled": False, "up": None},
    ]
    ordered.reverse()
    assert sorted(ordered, key=by_urgency) == ordered[::-1]
    assert state_of({**ordered[-1], "last_run": {"result": "not_measured"}}) is State.FAILS
    assert {state_of(one) for one in ordered} == set(State)


async def test_the_worst_first_with_what_leads_to_the_cause(shown, served):
    """Row by row; under what is not well its error, since when, owner, runbook and evidence."""
    text = await shown()
    rows = [line.split()[0] for line in text.splitlines() if line and not line.startswith(" ")]
    states = ["FAIL", "NOT", "SILENT", "no", "flaky", "pass", "disabled"]
    assert rows == ["Footfall", "The", *states, "last", "These", "agent"]
    assert f"{PLACE}, {served.url}: 1 FAIL, 1 NOT MEASURED, 1 SILENT, 1 no run yet" in text
    fails = text.partition("FAIL   ")[2].partition("\n\n")[0]
    run = (await told(served, "fails"))["last_failure"]
    lines = [" ".join(line.split()) for line in fails.splitlines()]
    assert re.match(r"fails \d+s ago in ", lines[0])
    assert re.search(r"UTC, 2m\d+s ago; 2 runs in a row$", lines[1]), "a busy machine takes seconds"
    assert lines[2:] == [
        'error http_status in "Pay"',
        "POST /checkout [31manswered 500",
        "at once",
        "at journeys/buy.py:17: await pay(page)",
        "owner checkout (page)",
        "runbook https://runbooks.example.com/mug",
        f"screenshot {served.url}{run['screenshot']}",
        f"failure {served.url}{run['links'][run['artifacts'][1]]}",
        f"trace id {'0a' * 16}",
    ]
    lost = text.partition("NOT MEASURED  lost")[2].partition("\n\n")[0]
    assert 'canary in "Pay"' in lost
    assert "last pass" in lost
    assert "last fail   3m20s ago: fail, http_status: POST /checkout answered 500" in lost
    assert "skipped     3 capacity, the last 30s ago" in text
    assert "\x1b" not in text, "a page's words must not steer the terminal"
    assert TOKEN not in text


async def told(served, name):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    _, body = await served.get("/api/v1/journeys", **headers)
    return next(one for one in body["journeys"] if one["journey"] == name)


async def test_it_fits_any_terminal(shown):
    """Nothing is wider but single words, of which a link must stay whole; nothing is lost."""
    for width in (140, 80, 40, 20):
        text = await shown(width=width)
        for line in text.splitlines():
            assert len(line) <= width or len(line[16:].split()) <= 1 or "curl" in line, line
        for name in NAMES:
            assert name in text
        assert " ".join(text.split()).count("in a row") == 1
        assert text.count("/artifacts/fails/") == 2


async def test_a_terminal_that_has_few_characters_shows_those(served, monkeypatch):
    """Whatever a page said: the rest becomes question marks, and nothing breaks."""
    served.ran("fails", "fail", ago=1, error="für Ωmega")
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="latin-1"))
    await status(Agent(served.url, TOKEN), ("fails",), json=False)
    sys.stdout.flush()
    assert "für ?mega" in raw.getvalue().decode("latin-1")


async def test_the_last_results_stand_in_the_row(shown, served):
    """The newest on the right, a mark each, where there is room; at 80 columns there is."""
    text = await shown(width=80)
    (row,) = (line for line in text.splitlines() if line.startswith("NOT MEASURED"))
    assert row.split()[2:3] == ["lost"]
    assert ".F.?" in row
    assert "last results, the newest on the right: . pass" in text
    assert ".F.?" not in await shown(width=40)
    assert (await told(served, "lost"))["history"] == ["pass", "fail", "pass", "not_measured"]


async def test_uptime_is_never_told_without_what_it_stands_on(shown, served):
    """The day's share of measured slots goes with it, and says where that is too little."""
    for ago, result in enumerate(["pass", "fail", "pass", "not_measured"][::-1]):
        served.slot("fails", result, ago=100.0 - ago)
    served.skipped("fails", SkipReason.CAPACITY, ago=20, count=2)
    assert (await told(served, "fails"))["day"] == {
        "slots": 6,
        "uptime": 66.666,
        "measured": 50.0,
    }
    text = await shown()
    expected = "up 66.666 % of what was measured, 50 % of 6 slots; that is too little to go by"
    assert expected in text
    assert "24 h        nothing was measured, 0 % of 3 slots" in text, "of the silent one"


@pytest.mark.parametrize(
    ("names", "code"),
    [(("passes", "flakes"), 0), (("off",), 0), (("passes", "lost"), 3), (("fresh",), 3),
     (("silent",), 3), (("fails", "lost"), 1), ((), 1)],
)  # fmt: skip
async def test_exit_codes_tell_how_it_stands(served, names, code):
    """1 where something fails, whatever else there is; 3 where something is not measured, or
    never was; a mark such as flaky is none of both."""
    assert (await ask(Agent(served.url, TOKEN), names)).exit_code == code


async def test_an_agent_that_cant_measure_is_not_well(served):
    """Its last results may be good: what it says now is not measured."""
    served.checks["workers"] = Check(False, "no browser starts")
    assert (await ask(Agent(served.url, TOKEN), ("passes",))).exit_code == 3


async def test_journeys_asked_for_by_name_are_told_whole(shown):
    """Only those, and all of them, also what is well."""
    text = await shown("passes", "off")
    assert "fails" not in text
    assert text.count("owner       checkout (page)") == 2
    with pytest.raises(ConfigError, match="nothing: the agent has no such journey; known: fails"):
        await shown("passes", "nothing")


async def test_as_json_it_is_one_object(shown, served):
    """The API's journeys, worst first, with links that lead there, and the agent's health."""
    served.checks["spool"] = Check(False, "full")
    body = json.loads(await shown(json=True))
    assert (body["url"], body["location"], body["ready"]) == (served.url, PLACE, False)
    assert body["checks"]["spool"] == {"ok": False, "detail": "full"}
    assert body["checks"]["schedule"]["ok"]
    assert [one["journey"] for one in body["journeys"]][:2] == ["fails", "lost"]
    run = body["journeys"][0]["last_failure"]
    assert run["screenshot"] == run["links"][run["artifacts"][0]]
    assert run["screenshot"].startswith(f"{served.url}/artifacts/fails/")
    plain = await told(served, "passes")
    same = next(one for one in body["journeys"] if one["journey"] == "passes")
    assert replaced(same) == replaced(plain)


def replaced(one):
    """A journey without what differs between two questions."""
    return {**one, "next_at": "", "skipped_since": "", "day": {}}


async def test_telemetry_that_is_being_lost_is_told_in_words(shown, served):
    """An agent that is degraded goes on, and says what somebody should look at."""
    lost = "traces refused since 2026-11-26T21:00:00Z: HTTP 400: no"
    served.checks["telemetry"] = Check(True, lost, degraded=True)
    text = await shown()
    assert "agent  degraded: telemetry" in text
    assert f"LOOK: {lost}" in text
    body = json.loads(await shown(json=True))
    assert (body["ready"], body["degraded"]) == (True, True)


async def test_an_agent_that_is_not_ready_is_told_last_and_in_words(shown, served):
    """Beside the reasons; the command succeeds, since it was answered."""
    assert "agent  ready\n    workers     2 idle\n    schedule    ticked\n" in await shown()
    served.checks["workers"] = Check(False, "no browser starts")
    text = await shown()
    assert text.endswith(
        "agent  NOT READY: workers\n    workers     FAILS: no browser starts\n"
        "    schedule    ticked\n"
    )


async def test_slots_without_a_worker_are_told_before_the_journeys(shown):
    """As the agent's own trouble, with when the last was."""
    before, _, _ = (await shown(width=100)).partition("journey  ")
    assert "The agent itself: 1 journey had slots for which no worker was free, the last" in before


async def test_without_the_token_it_says_what_is_missing(served):
    """A wrong one and none: what to set, and neither of them."""
    for token, sent in {
        "": "a token is needed",
        TOKEN[:-1] + "x": "token rejected",
    }.items():
        with pytest.raises(ConfigError) as caught:
            await Agent(served.url, token).get("/api/v1/journeys")
        assert "FOOTFALL_SERVER__TOKEN" in str(caught.value)
        assert sent in str(caught.value)
        assert TOKEN[:12] not in str(caught.value)
    assert TOKEN not in repr(Agent(served.url, TOKEN))


async def test_a_redirect_does_not_get_the_token():
    """Whatever answers, what is shown to the agent goes to its address alone."""
    async with Origin() as elsewhere, Origin() as here:

        async def away(_):
            raise web.HTTPFound(f"{elsewhere.url}/api/v1/journeys")

        here.pages["/api/v1/journeys"] = away
        with pytest.raises(AgentUnreachable, match="is no agent of this version"):
            await Agent(here.url, TOKEN).get("/api/v1/journeys")
        assert elsewhere.seen == []


@pytest.mark.parametrize(
    "answer", [{}, [], {"journeys": []}, {"status": "ok", "checks": {}}, {"error": "none such"}]
)
async def test_what_answers_everything_is_told_from_an_agent(answer):
    """Another service's JSON ends in a word on where the agent may be, not in a traceback."""

    async def same(_):
        return web.json_response(answer)

    async with Origin() as other:
        for path in ("/api/v1/journeys", "/readyz", "/healthz"):
            other.pages[path] = same
        with pytest.raises(AgentUnreachable, match="is no agent of this version"):
            await status(Agent(other.url), (), json=False)


def test_without_an_agent_it_exits_4_and_says_what_to_do(tmp_path, monkeypatch, capsys):
    """Where it asked, why that failed, how to start one, how to name another."""
    monkeypatch.chdir(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr("sys.argv", ["footfall", "status", "--url", f"http://127.0.0.1:{port}"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 4
    said = capsys.readouterr().err
    for part in (f"http://127.0.0.1:{port}: Connection refused", "`footfall run`", "--url URL"):
        assert part in said


@pytest.fixture
def config(tmp_path):
    def write(text):
        file = tmp_path / "config.toml"
        file.write_text(text)
        return file

    return write


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:9"),
        ("0.0.0.0", "http://127.0.0.1:9"),
        ("::", "http://[::1]:9"),
        ("10.0.0.7", "http://10.0.0.7:9"),
        ("localhost", "http://localhost:9"),
    ],
)
def test_the_agent_is_where_it_was_told_to_listen(config, host, url):
    """Who listens everywhere answers here too."""
    assert find(config(f'[server]\nhost = "{host}"\nport = 9\n'), {}, "").url == url


def test_an_address_given_wins_and_the_token_goes_along(config):
    """With or without a slash at its end; the token is the configuration's or a variable's."""
    file = config(f'[server]\ntoken = "{TOKEN}"\n')
    assert find(file, {}, "https://agent.example.com/footfall/") == Agent(
        "https://agent.example.com/footfall", TOKEN
    )
    other = {"FOOTFALL_SERVER__TOKEN": TOKEN[::-1]}
    assert find(file, other, "").token == TOKEN[::-1]


def test_without_a_configuration_the_variables_and_defaults_stand(tmp_path, monkeypatch):
    """As in a container, whose shell is in another folder than the file."""
    monkeypatch.chdir(tmp_path)
    assert find(None, {}, "") == Agent("http://127.0.0.1:8080")
    environ = {"FOOTFALL_SERVER__PORT": "9", "FOOTFALL_SERVER__TOKEN": TOKEN}
    assert find(None, environ, "") == Agent("http://127.0.0.1:9", TOKEN)


def test_faults_elsewhere_in_the_configuration_hinder_nobody(config):
    """Somebody may be at work on it while the page comes; a file that was named must be there."""
    file = config('[schedule]\nevery = "often"\n[server]\nport = 9\n')
    assert find(file, {}, "").url == "http://127.0.0.1:9"
    for text in ('[server]\nport = "nine"\n', '[server]\ntoken = "short"\n', "no TOML"):
        with pytest.raises(ConfigError):
            find(config(text), {}, "")
    with pytest.raises(ConfigError, match="no such file"):
        find(file.with_name("mine.toml"), {}, "")


@pytest.mark.parametrize(
    ("text", "url", "told"),
    [
        ("[server]\nport = 0\n", "", "server.port: is 0, so that nobody knows it: give --url URL"),
        ("", "localhost:8080", "--url: must be an absolute address"),
        ("", "http://me:pw@localhost", "must not hold a user name or password"),
    ],
)
def test_an_address_that_can_not_be_told_is_refused(config, text, url, told):
    """With what to give instead, and no password repeated."""
    with pytest.raises(ConfigError) as caught:
        find(config(text), {}, url)
    assert told in str(caught.value)
    assert "pw" not in str(caught.value)


async def test_a_certificate_that_ends_soon(served, shown):
    """It is told with its end and how long it holds; one that holds for long is not."""
    day, now = 86_400.0, served.clock.wall()
    served.met(Certificate("shop.example.com", now + 50 * day, 90 * day))
    assert "certificate" not in await shown()
    served.met(Certificate("shop.example.com", now + 5.2 * day, 90 * day))
    out = " ".join((await shown()).split())
    assert "certificate shop.example.com ends in 5d4h, at " in out
    assert "; it holds 90d in all agent" in out
    [told] = json.loads(await shown(json=True))["certificates"]
    assert (told["host"], told["lifetime"], told["near"]) == ("shop.example.com", 90 * day, True)


@pytest.mark.parametrize(
    ("mode", "over", "up", "state", "quiet"),
    [
        ("stop", False, False, State.PAUSED, True),
        ("stop", False, None, State.PAUSED, True),
        ("silence", False, True, State.PAUSED, True),
        ("silence", False, False, State.PAUSED, False),
        ("stop", True, False, State.WAITS, True),
        ("stop", True, None, State.WAITS, True),
        ("stop", True, True, State.PASSES, True),
    ],
)
def test_how_a_paused_journey_stands(mode, over, up, state, quiet):
    """It is paused, not failing or silent, and need not be explained unless it is walked and
    fails; once the pause is over it waits for its first verdict."""
    last = {"result": "pass", "started_at": "2026-11-27T05:00:00.000Z"}
    one = {"enabled": True, "up": up, "last_run": last, "skipped": []}
    one |= {"consecutive_slow": 0}
    until = "2026-11-27T05:24:22.000Z"
    one |= {"suspended": {"cause": "pause", "mode": mode, "until": until, "over": over}}
    assert state_of(one) is state
    assert is_well(one) is quiet


@pytest.mark.parametrize("up", [None, False])
@pytest.mark.parametrize(
    ("started_at", "state"),
    [
        ("2026-11-27T05:24:21.999Z", State.WAITS),
        ("2026-11-27T05:24:22.000Z", State.NOT_MEASURED),
    ],
)
def test_what_is_not_measured_after_a_pause_is_told(up, started_at, state):
    """It has run since, so it doesn't wait for that; what it came to before stays out of it."""
    last = {"result": "not_measured", "started_at": started_at}
    until = "2026-11-27T05:24:22.000Z"
    told = {"cause": "pause", "mode": "stop", "until": until, "over": True}
    one = {"enabled": True, "up": up, "last_run": last, "skipped": [], "suspended": told}
    assert state_of(one) is state
