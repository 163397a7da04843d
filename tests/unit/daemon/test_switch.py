"""The switch: what holds at once, what is written, and what is told when."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import structlog

from agent.core.results import Result
from agent.core.suspension import Maintenance, Mode
from agent.daemon.pausing import Pausing
from agent.daemon.switch import PauseOrder, Switch
from agent.pool.stops import Stops
from agent.schedule import pause_record
from agent.schedule.maintenance import Window
from agent.schedule.pauses import Pauses
from agent.schedule.suspensions import Suspensions
from agent.server.control import Refused
from agent.server.pause_body import PauseBody, ResumeBody
from tests.support.build import a_journey, a_run, an_attempt
from tests.support.clock import ManualClock

JOURNEYS = [a_journey("buy"), a_journey("buy_two", owner="mugs"), a_journey("look")]
NOW = 1_800_000_000.0


class Stations:
    """As much of an agent as the switch sees: what it has stopped, and when it collected."""

    def __init__(self, folder, *windows):
        self.clock = ManualClock(NOW)
        self.file = folder / "pauses.json"
        self.collected = 0
        self.suspensions = Suspensions(Pauses(pause_record.read(self.file, NOW)), windows, 15.0)
        self.stopped = []
        self.engine = SimpleNamespace(stops=Stops(), stop_runs=self._stop_runs)
        telemetry = SimpleNamespace(collect_at_once=self._collect)
        self.changed = 0
        self.switch = Switch(
            self.suspensions, self.file, self.engine, telemetry, self.clock, self._change
        )
        self.dispatcher = SimpleNamespace(journeys={one.name: one for one in JOURNEYS})
        self.replica = None
        self.pausing = Pausing(self, self.clock)

    async def _stop_runs(self, journeys, why):
        # What is stopped must not begin again.
        assert self.suspensions.pauses.known
        self.stopped.append((journeys, why))
        return ["buy"]

    def _change(self):
        self.changed += 1

    def _collect(self):
        self.collected += 1

    def tick(self, seconds=1.0):
        """Let time pass; return how often metrics were collected for it."""
        before = self.collected
        self.clock.advance(seconds)
        self.switch.tick(JOURNEYS)
        return self.collected - before

    def held(self):
        now = self.clock.wall()
        return [one.name for one in JOURNEYS if self.suspensions.obstacle(one, now)]


@pytest.fixture
def stations(tmp_path):
    return Stations(tmp_path)


def order(*journeys, **changes):
    given = {"mode": Mode.STOP, "reason": "so", "who": "anna", "until": None, "now": False}
    return PauseOrder(journeys or None, **(given | changes))


async def test_a_pause_holds_and_is_written(stations, tmp_path):
    """At once, and for the next agent on the same folder."""
    await stations.switch.pause(order("buy"))
    assert stations.held() == ["buy"]
    assert stations.collected == 1
    assert stations.stopped == []
    assert Stations(tmp_path).held() == ["buy"]
    await stations.switch.resume(["buy"], "bert")
    assert stations.held() == []
    assert Stations(tmp_path).held() == []


async def test_now_ends_what_runs_once_nothing_begins(stations):
    """With who and why, for whoever reads the run."""
    _, stopped = await stations.switch.pause(order("buy", now=True))
    assert stopped == ["buy"]
    assert stations.stopped == [(("buy",), "stopped by anna: so")]


async def test_what_other_replicas_walk_is_told(stations):
    """Under way still, or ended as soon as they hear of it; a pause that silences ends nothing."""
    walking = SimpleNamespace(walking=lambda: {"buy", "buy_two"})
    stations.replica = SimpleNamespace(presence=walking)

    async def told(**given):
        answer = await stations.pausing.pause(PauseBody(journeys=["buy"], reason="so", **given))
        return answer["stopping"], answer["running"]

    assert await told() == ([], ["buy"])
    assert await told(now=True) == (["buy"], [])
    assert await told(mode="silence") == ([], [])


async def test_a_disk_that_refuses_keeps_nobody_from_pausing(stations, monkeypatch):
    """It holds, and whoever asked is told that it would not outlive the agent; once the disk
    takes it again, it would."""

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pause_record, "write", refuse)
    told = await stations.pausing.pause(PauseBody(journeys=["buy"], reason="so"))
    assert stations.held() == ["buy"]
    assert "not over a restart" in told["warning"]
    assert "No space left" in told["warning"]
    monkeypatch.undo()
    told = await stations.pausing.pause(PauseBody(journeys=["look"], reason="so"))
    assert told["warning"] == ""
    assert len(pause_record.read(stations.file, NOW)) == 2


async def test_what_changes_is_told_at_once_and_once(stations):
    """A pause's end, the end of what alerts wait for, and that it was: a collection each, and
    none in between."""
    await stations.switch.pause(order("buy", until=NOW + 60))
    assert stations.tick() == 1
    assert stations.tick(58) == 0
    with structlog.testing.capture_logs() as logs:
        stations.tick()
    assert [(one["event"], one["reason"], one["over"]) for one in logs] == [
        ("pause.ended", "so", True)
    ]
    assert stations.tick(298) == 0
    assert stations.tick(2) == 1
    assert stations.tick(3500) == 0
    assert stations.tick(100) == 1
    assert stations.tick(100) == 0


async def test_pages_hear_of_each_change_once(stations):
    """When something begins to hold a journey, and when it ends, whatever alerts still wait for."""
    stations.tick()
    before = stations.changed
    await stations.switch.pause(order("buy", until=NOW + 60))
    for seconds, changes in ((1, 1), (30, 1), (30, 2), (1, 2)):
        stations.tick(seconds)
        assert stations.changed - before == changes
    await stations.switch.pause(order("look"))
    stations.tick()
    await stations.switch.resume(None, "anna")
    stations.tick()
    assert stations.changed - before == 4


async def test_the_first_verdict_after_it_is_told_at_once(stations):
    """Not one that began before the end, nor what could not be measured, nor a second one."""
    await stations.switch.pause(order("buy"))
    stations.tick()
    await stations.switch.resume(None, "anna")
    stations.tick()
    before = stations.collected
    buy = JOURNEYS[0]

    def collections_after(began, result):
        run = a_run(an_attempt(result), started_at=began)
        stations.switch.on_run(replace(run, journey=buy))
        return stations.collected - before

    assert collections_after(NOW, Result.PASS) == 0
    assert collections_after(NOW + 60, Result.NOT_MEASURED) == 0
    assert collections_after(NOW + 120, Result.FAIL) == 1
    assert collections_after(NOW + 180, Result.PASS) == 1


async def test_windows_are_logged_as_they_begin_and_end(tmp_path):
    """With why, until when, and which journeys; one that is dropped by a reload as well."""
    told = Maintenance(("buy*",), None, NOW + 30, "UTC", 60.0, Mode.SILENCE, "release")
    stations = Stations(tmp_path, Window(told))
    with structlog.testing.capture_logs() as logs:
        for _ in range(5):
            stations.tick(29)
    events = [(one["event"], one["reason"], one["journeys"], one["mode"]) for one in logs]
    assert events == [
        ("window.began", "release", ["buy", "buy_two"], "silence"),
        ("window.ended", "release", ["buy", "buy_two"], "silence"),
    ]
    stations = Stations(tmp_path, Window(told))
    stations.tick(40)
    with structlog.testing.capture_logs() as logs:
        stations.switch.replace_windows([])
        stations.tick()
    assert [one["event"] for one in logs] == ["window.ended"]


@pytest.mark.parametrize(
    ("selectors", "names"),
    [
        (["buy"], ["buy"]),
        (["buy*"], ["buy", "buy_two"]),
        (["owner=mugs", "look"], ["buy_two", "look"]),
        (["*"], ["buy", "buy_two", "look"]),
        (["buy", "buy*"], ["buy", "buy_two"]),
    ],
)
async def test_which_journeys_are_meant(stations, selectors, names):
    """Names, globs and owners, as they are at that moment; all is those to come as well."""
    told = await stations.pausing.pause(PauseBody(journeys=selectors, reason="so"))
    assert told["pause"]["journeys"] == names
    told = await stations.pausing.resume(ResumeBody(journeys=selectors))
    assert told["resumed"] == names
    told = await stations.pausing.pause(PauseBody(all=True, reason="so"))
    assert told["pause"]["journeys"] is None


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ({"journeys": ["gone"]}, 404, "no journey is called 'gone'; known: buy, buy_two, look"),
        ({"journeys": ["buy", "x*"]}, 404, "no journey is called 'x*'"),
        ({"journeys": ["owner=nobody"]}, 404, "owner=nobody"),
        ({"all": True, "until": "2020-01-01T00:00:00Z"}, 422, "is over"),
    ],
)
async def test_what_can_not_be_paused(stations, body, status, why):
    """It says so, and nothing is paused."""
    with pytest.raises(Refused, match=why.replace("*", r"\*")) as told:
        await stations.pausing.pause(PauseBody(reason="so", **body))
    assert told.value.status == status
    assert not stations.suspensions.pauses.known


async def test_a_journey_that_is_gone_can_be_resumed(stations):
    """Its name is in a pause still, and would be paused when it comes back."""
    await stations.switch.pause(order("gone"))
    await stations.pausing.resume(ResumeBody(journeys=["gone"]))
    assert stations.suspensions.pauses.in_force(NOW) == []


async def test_a_window_is_not_resumed_and_said_so(tmp_path):
    """Who resumes a journey that a window holds is told until when and why."""
    told = Maintenance(("buy",), None, NOW - 30, "UTC", 60.0, Mode.STOP, "release")
    stations = Stations(tmp_path, Window(told))
    await stations.switch.pause(order())
    said = await stations.pausing.resume(ResumeBody(all=True))
    assert said["resumed"] == ["buy", "buy_two", "look"]
    assert [(one["journey"], one["reason"]) for one in said["held"]] == [("buy", "release")]
    assert stations.held() == ["buy"]


async def test_somebodys_loop_is_stopped(stations):
    """A thousand pauses at once are enough."""
    pause, _ = await stations.switch.pause(order("buy"))
    for number in range(999):
        stations.suspensions.pauses.set(replace(pause, id=f"{number}"))
    with pytest.raises(Refused, match="1000 pauses hold already"):
        await stations.pausing.pause(PauseBody(all=True, reason="so"))
