"""When windows hold: by their own clocks, over midnight, over nights on which clocks are set."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.suspension import Maintenance, Mode
from agent.schedule.maintenance import Turn, Window, selects
from tests.support.build import a_journey

BERLIN = "Europe/Berlin"
HOUR = 3600.0


def at(text: str, zone: str = BERLIN) -> float:
    """Unix time of what clocks show; a fold is written with an offset."""
    told = datetime.fromisoformat(text)
    return (told if told.tzinfo else told.replace(tzinfo=ZoneInfo(zone))).timestamp()


def window(cron: str | None = None, lasts: float = HOUR, **changes) -> Window:
    given = {"journeys": ("*",), "starts": None, "timezone": BERLIN, "mode": Mode.STOP}
    return Window(Maintenance(cron=cron, lasts=lasts, **(given | changes)))


def holds(one: Window, now: float) -> bool:
    turn = one.latest(now)
    return turn is not None and now < turn.end


def fresh(one: Window) -> Window:
    return Window(one.maintenance)


def edges(one: Window, begin: float, end: float) -> None:
    """The window holds from ``begin`` to before ``end``; also for an agent that starts then."""
    for asked in (one, None):
        for moment, held in ((begin - 0.001, False), (begin, True), (end - 0.001, True)):
            assert holds(asked or fresh(one), moment) is held, moment
        assert not holds(asked or fresh(one), end)


def test_a_window_holds_from_its_begin_to_before_its_end():
    """Each week anew: not a moment before, to its last, and not at its end."""
    one = window("0 3 * * 0")
    edges(one, at("2026-11-29T03:00"), at("2026-11-29T04:00"))
    edges(one, at("2026-12-06T03:00"), at("2026-12-06T04:00"))
    assert not holds(one, at("2026-12-07T03:30"))


def test_a_window_goes_on_over_midnight():
    """One that begins on Saturday evening holds on Sunday morning, and is one turn."""
    one = window("30 22 * * 6", lasts=5 * HOUR)
    edges(one, at("2026-11-28T22:30"), at("2026-11-29T03:30"))
    assert one.latest(at("2026-11-29T01:00")).begin == at("2026-11-28T22:30")


def test_the_night_on_which_clocks_are_set_forward():
    """A time that doesn't exist begins at the jump; a window over it lasts as long as ever."""
    edges(window("30 2 * * *"), at("2026-03-29T03:00"), at("2026-03-29T04:00"))
    over = window("0 1 * * *", lasts=4 * HOUR)
    edges(over, at("2026-03-29T01:00"), at("2026-03-29T06:00"))


def test_the_night_on_which_clocks_are_set_back():
    """A time that comes twice begins a window once, at the first; it lasts as long as ever."""
    first, second = at("2026-10-25T02:30+02:00"), at("2026-10-25T02:30+01:00")
    one = window("30 2 * * *")
    edges(one, first, second)
    assert not holds(one, second + 60)
    over = window("0 1 * * *", lasts=4 * HOUR)
    edges(over, at("2026-10-25T01:00"), at("2026-10-25T04:00"))


def test_a_window_has_a_zone_of_its_own():
    """The same line begins at another moment elsewhere, whatever the machine's zone is."""
    assert window("0 3 * * *", timezone="Asia/Tokyo").next(at("2026-06-01T00:00", "UTC")).begin == (
        at("2026-06-01T18:00", "UTC")
    )
    assert window("0 3 * * *").next(at("2026-06-01T00:00", "UTC")).begin == (
        at("2026-06-01T01:00", "UTC")
    )


def test_a_window_that_comes_once():
    """It holds once, ahead of it comes nothing more, and long after it nothing is known of it."""
    begin = at("2026-12-01T03:00")
    one = window(starts=begin, lasts=2 * HOUR)
    assert one.next(begin - 1) == Turn(begin, begin + 2 * HOUR)
    edges(one, begin, begin + 2 * HOUR)
    assert one.next(begin) is None
    assert fresh(one).latest(begin + 30 * 86_400) is None


def test_turns_that_overlap_are_one():
    """Where it lasts longer than to its next begin, it goes on, from the first begin."""
    one = window("0 22,23 * * *", lasts=1.5 * HOUR)
    begin = at("2026-11-28T22:00")
    edges(one, begin, at("2026-11-29T00:30"))
    assert one.latest(at("2026-11-29T00:00")) == Turn(begin, at("2026-11-29T00:30"))


def test_a_window_that_touches_its_next_turn_never_ends():
    """A window of an hour each hour holds at every moment."""
    one = window("0 * * * *", lasts=HOUR)
    start = at("2026-11-28T22:00")
    assert all(holds(one, start + 600 * step) for step in range(30))


def test_an_agent_that_starts_inside_a_long_window_is_inside_it():
    """A window that began days ago holds for an agent that starts now."""
    one = window("0 0 1 * *", lasts=20 * 86_400.0)
    assert holds(one, at("2026-11-19T12:00"))
    assert not holds(fresh(one), at("2026-11-21T12:00"))


def test_a_clock_that_goes_back_is_asked_anew():
    """A moment before the last one is answered as by a fresh window."""
    one = window("0 3 * * 0")
    assert not holds(one, at("2026-11-29T05:00"))
    assert holds(one, at("2026-11-29T03:30"))


def test_what_is_upcoming_begins_with_what_holds():
    """The turn that holds now counts as the first of those to come."""
    begins = [turn.begin for turn in window("0 3 * * 0").upcoming(at("2026-11-29T03:30"), 3)]
    assert begins == [at(f"2026-{day}T03:00") for day in ("11-29", "12-06", "12-13")]


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        ("buy_a_mug", True),
        ("buy", False),
        ("buy_*", True),
        ("*", True),
        ("*_A_*", False),
        ("owner=checkout", True),
        ("owner=check*", True),
        ("owner=buy_a_mug", False),
        ("owner=", False),
    ],
)
def test_what_a_selector_means(selector, chosen):
    """A name is the whole name, a glob is by case, an owner is never a name."""
    assert selects(selector, a_journey("buy_a_mug", owner="checkout")) is chosen


@pytest.mark.parametrize(
    ("selector", "chosen"), [("buy", True), ("buy-de", True), ("buy-fr", False), ("", False)]
)
def test_what_a_declarations_name_means(selector, chosen):
    """The name under which variants are declared means each of them."""
    assert selects(selector, a_journey("buy-de", base="buy")) is chosen


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    lasts=st.integers(1, 60 * 30),
    moments=st.lists(st.integers(0, 366 * 24 * 60), min_size=1, max_size=20),
)
def test_a_window_holds_as_its_turns_say(minute, hour, lasts, moments):
    """However moments come, a window holds exactly while one of its turns does."""
    one = window(f"{minute} {hour} * * *", lasts=lasts * 60.0)
    start = at("2026-01-01T00:00", "UTC")
    for moment in sorted(moments):
        now = start + moment * 60
        (turn,) = one.upcoming(now, 1)
        assert turn.end > now
        assert holds(one, now) is (turn.begin <= now)


@given(st.integers(0, 366), st.integers(0, 23), st.integers(0, 59))
def test_a_daily_window_begins_by_the_clock_on_the_wall(day, hour, minute):
    """On each day of the year clocks show its time as it begins, or have just jumped over it."""
    one = window(f"{minute} {hour} * * *")
    begin = one.next(at("2026-01-01T00:00") + day * 86_400).begin
    shown = datetime.fromtimestamp(begin, ZoneInfo(BERLIN))
    if (shown.hour, shown.minute) != (hour, minute):
        before = datetime.fromtimestamp(begin - 60, ZoneInfo(BERLIN))
        assert before.utcoffset() != shown.utcoffset()
        assert before.replace(tzinfo=UTC) < datetime.combine(
            shown.date(), shown.time().replace(hour=hour, minute=minute), UTC
        )
