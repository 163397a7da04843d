"""Incidents: what is down together is one, none is opened in silence, none stays open for ever."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.results import Result
from agent.core.suspension import Cause, Mode, Suspension
from agent.storage import incident, incident_moments, incidents, journey_state
from agent.storage.run_end import RunEnd
from tests.support.build import a_journey, a_site

PLACE = "eu"
NOW = 1_700_000_000.0
SITES = {"buy": "shop", "search": "shop", "read": "blog"}
JOURNEYS = {
    name: a_journey(name, site=a_site(name=site), severity="page" if name == "buy" else "ticket")
    for name, site in SITES.items()
}


def opened():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.executescript(journey_state.SCHEMA + incidents.SCHEMA)
    return connection


@pytest.fixture
def table():
    with closing(opened()) as connection:
        yield connection


def ran(table, name, result, at, over=(), **more):
    run = RunEnd(name, PLACE, Result(result), at, at + 1.0, **more)
    journey_state.note(table, run)
    incidents.note(table, run, JOURNEYS[name], over)


def down(table, name, at):
    for number in range(2):
        ran(table, name, "fail", at + 60.0 * number)


def held(since, until, mode=Mode.SILENCE, cause=Cause.PAUSE):
    return Suspension(cause, mode, "release", "ada", since, until, is_open=until is None)


def listed(table):
    return incident.newest(table, PLACE, 100)


@pytest.mark.parametrize(("later", "count"), [(899.0, 1), (901.0, 2)])
def test_outages_of_one_site_within_a_quarter_of_an_hour_are_one_incident(table, later, count):
    """From the end of the one to the true beginning of the next, of whichever journey."""
    down(table, "buy", NOW)
    ran(table, "buy", "pass", NOW + 120)
    down(table, "search", NOW + 121 + later)
    assert len(listed(table)) == count
    assert listed(table)[0].ended_at is None


def test_one_that_is_open_takes_in_what_goes_down_at_its_site(table):
    """However much later; another site's outage is another incident."""
    down(table, "buy", NOW)
    down(table, "search", NOW + 50_000)
    down(table, "read", NOW + 50_000)
    sites = {one.site: {outage.journey for outage in one.outages} for one in listed(table)}
    assert sites == {"shop": {"buy", "search"}, "blog": {"read"}}
    assert incident.numbers(table, PLACE) == {"buy": 1, "search": 1, "read": 2}


def test_an_incident_goes_on_where_its_journey_goes_down_again(table):
    """It flaps: the incident is open again, with a second outage."""
    for number in range(3):
        down(table, "buy", NOW + number * 300)
        ran(table, "buy", "flaky", NOW + number * 300 + 120)
    (one,) = listed(table)
    assert [outage.ended_by for outage in one.outages] == ["pass"] * 3
    assert (one.began_at, one.ended_at) == (NOW, NOW + 721)


def test_it_takes_as_many_fails_as_make_the_journey_down(table):
    """Three, where a fail is not confirmed; what could not be measured is none, nor a pass."""
    for number, result in enumerate(["fail", "not_measured", "fail", "not_measured", "fail"]):
        assert listed(table) == []
        ran(table, "buy", result, NOW + 60 * number, down_after=3, run_id=f"run-{number}")
    (one,) = listed(table)
    assert (one.opened_at, one.outages[0].fails, one.outages[0].run_id) == (NOW + 241, 3, "run-0")


@pytest.mark.parametrize("mode", list(Mode))
def test_none_is_opened_while_something_holds_the_journey(table, mode):
    """Nor by a run that began before its end; the next fail opens it, with its beginning. One
    that is over by then is none at all."""
    for number in range(5):
        ran(table, "buy", "fail", NOW + 60 * number, [held(NOW - 9, None, mode)])
    assert listed(table) == []
    over = [held(NOW - 9, NOW + 300.5, mode)]
    ran(table, "buy", "fail", NOW + 300, over)
    assert listed(table) == []
    ran(table, "buy", "fail", NOW + 360, over)
    (one,) = listed(table)
    assert (one.began_at, one.opened_at) == (NOW, NOW + 361)
    assert [moment.kind for moment in one.moments] == ["suspended", "fail", "resumed", "down"]


def test_what_passes_before_the_silence_ends_was_no_incident(table):
    """Nobody was paged, and nobody would have been."""
    silence = [held(NOW - 9, None)]
    for number in range(3):
        ran(table, "buy", "fail", NOW + 60 * number, silence)
    ran(table, "buy", "pass", NOW + 200, silence)
    ran(table, "buy", "fail", NOW + 260, [held(NOW - 9, NOW + 210)])
    assert listed(table) == []


def test_an_open_one_ends_in_silence_too(table):
    """A pass is a pass."""
    down(table, "buy", NOW)
    ran(table, "buy", "pass", NOW + 200, [held(NOW + 100, None)])
    assert listed(table)[0].ended_at == NOW + 201


def test_an_error_that_becomes_another_one_is_told(table):
    """With its run; the same one again is not."""
    down(table, "buy", NOW)
    for number, (kind, step) in enumerate([("timeout", "Pay"), ("timeout", "Pay"), ("", "")]):
        more = {
            "error_type": kind,
            "step": step,
            "error": f"error {number}",
            "run_id": f"r{number}",
        }
        ran(table, "buy", "fail", NOW + 200 + 60 * number, **more)
    (one,) = listed(table)
    told = [(moment.text, moment.run_id) for moment in one.moments if moment.kind == "fail"]
    assert told[1:] == [("error 0", "r0"), ("error 2", "r2")]


def test_a_journey_that_is_gone_keeps_none_open(table):
    """It would never pass."""
    down(table, "buy", NOW)
    down(table, "search", NOW)
    incidents.end_gone(table, PLACE, {"search"}, NOW + 500)
    assert listed(table)[0].ended_at is None
    incidents.end_gone(table, PLACE, (), NOW + 600)
    (one,) = listed(table)
    assert one.ended_at == NOW + 600
    assert {outage.ended_by for outage in one.outages} == {"gone"}


def test_notes_stand_on_the_time_line_up_to_a_number(table):
    """By whoever says them; none for an incident that isn't there."""
    down(table, "buy", NOW)
    assert incidents.is_known(table, 1)
    assert not incidents.is_known(table, 2)
    assert all(incident_moments.add_note(table, 1, NOW + 200, "ada", "seen") for _ in range(100))
    assert not incident_moments.add_note(table, 1, NOW + 200, "ada", "once more")
    (last,) = {(m.kind, m.who, m.text) for m in listed(table)[0].moments[2:]}
    assert last == ("note", "ada", "seen")


def test_a_time_line_is_bounded(table):
    """A journey whose error is another one each time, for days."""
    down(table, "buy", NOW)
    for number in range(400):
        ran(table, "buy", "fail", NOW + 200 + number, error_type=str(number))
    ran(table, "buy", "pass", NOW + 900)
    (one,) = listed(table)
    assert len(one.moments) <= 301
    assert (one.moments[-1].kind, one.outages[0].fails) == ("pass", 402)


def test_the_newest_incidents_are_kept(table):
    """Two thousand, and nothing is left of the others."""
    table.execute("BEGIN")
    for number in range(2010):
        at = NOW + number * 2000
        down(table, "buy", at)
        ran(table, "buy", "pass", at + 120)
    table.execute("COMMIT")
    (count,) = table.execute("SELECT count(*) FROM incidents").fetchone()
    assert count <= 2001
    oldest = table.execute("SELECT min(id) FROM incidents").fetchone()[0]
    for part in ("outages", "incident_moments"):
        assert table.execute(f"SELECT min(incident) FROM {part}").fetchone()[0] == oldest


def test_a_clock_that_was_set_back(table):
    """What is from the future comes along, and lasted as long."""
    down(table, "buy", NOW)
    incidents.set_back(table, 3600.0, NOW - 3000)
    (one,) = listed(table)
    assert (one.began_at, one.opened_at) == (NOW - 3600, NOW - 3539)
    assert max(moment.at for moment in one.moments) == NOW - 3539


@pytest.mark.parametrize("lost", ["incidents", "outages", "incident_moments"])
def test_after_damage_none_stays_open_for_ever(table, lost):
    """Whichever part was lost: what is still down opens anew with its next fail, or goes on."""
    down(table, "buy", NOW)
    table.execute(f"DELETE FROM {lost}")
    incidents.repair(table)
    ran(table, "buy", "fail", NOW + 200)
    assert [one.ended_at for one in listed(table)] == [None]
    ran(table, "buy", "pass", NOW + 300)
    assert [one.ended_at for one in listed(table)] == [NOW + 301]


ends = st.tuples(
    st.sampled_from(sorted(SITES)),
    st.sampled_from(["pass", "flaky", "fail", "fail", "fail", "not_measured"]),
    st.sampled_from([10.0, 60.0, 400.0, 2000.0]),
    st.booleans(),
)


@settings(max_examples=150)
@given(st.lists(ends, max_size=40))
def test_whatever_happens(steps):
    """A journey is in an open incident exactly from its second fail in a row, outside of silence,
    to the first pass; an incident is open while any of its outages is, and outages of one site
    that lie within 15 minutes of each other are in one incident."""
    with closing(opened()) as table:
        at, fails, is_down = NOW, dict.fromkeys(SITES, 0), set()
        for name, result, passed, silent in steps:
            at += passed
            over = [held(NOW - 1, None)] if silent else []
            ran(table, name, result, at, over)
            if result == "fail":
                fails[name] += 1
                is_down |= {name} if fails[name] >= 2 and not silent else set()
            elif result != "not_measured":
                fails[name] = 0
                is_down -= {name}
            assert set(incident.numbers(table, PLACE)) == is_down
        found = incident.newest(table, PLACE, 100)
        for one in found:
            ended = [outage.ended_at for outage in one.outages]
            assert one.ended_at == (None if None in ended else max(ended))
            assert one.began_at == min(outage.began_at for outage in one.outages)
            assert {SITES[outage.journey] for outage in one.outages} == {one.site}
        for one in found:
            for other in found:
                if one.number < other.number and one.site == other.site:
                    first = min(outage.began_at for outage in other.outages)
                    assert one.ended_at is not None
                    assert first > one.ended_at + 900
