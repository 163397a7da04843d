"""What suspends a journey at a moment, and what rules are told of it."""

from __future__ import annotations

import pytest

from agent.core.model import SkipReason
from agent.core.suspension import Cause, Maintenance, Mode
from agent.schedule.maintenance import Window
from agent.schedule.pauses import Pause, Pauses
from agent.schedule.suspensions import Mark, Suspensions
from agent.storage.journey_state import JourneyState
from tests.support.build import a_journey

NOW = 1_800_000_000.0
BUY = a_journey("buy")  # each minute: a verdict speaks for five
NEVER = JourneyState()
OPEN = Mark(Cause.PAUSE, Mode.STOP, is_open=True)
TIMED = Mark(Cause.PAUSE, Mode.STOP, is_open=False)
WINDOW = Mark(Cause.MAINTENANCE, Mode.STOP, is_open=False)


def a_pause(*journeys, mode=Mode.STOP, until=None, since=NOW):
    return Pause(f"{since}", journeys or None, mode, "migration", "anna", since, until)


def a_window(begin=NOW, lasts=600.0, mode=Mode.STOP, journeys=("*",)):
    return Window(Maintenance(journeys, None, begin, "UTC", lasts, mode, "release"))


def suspensions(*what):
    pauses = [one for one in what if isinstance(one, Pause)]
    return Suspensions(Pauses(pauses), [one for one in what if isinstance(one, Window)], 15.0)


def measured(began):
    return JourneyState(verdict_at=began + 5, verdict_began=began)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ([a_pause()], SkipReason.PAUSED),
        ([a_pause("buy")], SkipReason.PAUSED),
        ([a_pause("search")], None),
        ([a_pause(mode=Mode.SILENCE)], None),
        ([a_window()], SkipReason.MAINTENANCE),
        ([a_window(mode=Mode.SILENCE)], None),
        ([a_window(journeys=("owner=checkout",))], SkipReason.MAINTENANCE),
        ([a_window(journeys=("search",))], None),
        ([a_pause(), a_window()], SkipReason.PAUSED),
        ([a_pause(mode=Mode.SILENCE), a_window()], SkipReason.MAINTENANCE),
        ([a_pause(), a_window(mode=Mode.SILENCE)], SkipReason.PAUSED),
        ([a_window(), a_window(mode=Mode.SILENCE)], SkipReason.MAINTENANCE),
        ([], None),
    ],
)
def test_what_keeps_a_journey_from_being_walked(what, reason):
    """What stops wins over what only silences; a pause wins over a window."""
    assert suspensions(*what).obstacle(BUY, NOW + 1) is reason


def test_a_pause_is_told_until_it_ends():
    """From its first moment on, with whether it has an end; nothing was told before."""
    both = suspensions(a_pause("buy", since=NOW), a_pause("buy", since=NOW + 5, until=NOW + 60))
    assert both.told(BUY, NEVER, NOW + 10) == {OPEN: True, TIMED: True}
    assert both.told(a_journey("search"), NEVER, NOW + 10) == {}


def test_a_window_is_told_ahead():
    """One interval of metrics and one of rules before it begins, while it is walked still."""
    one = suspensions(a_window(NOW + 100))
    assert one.told(BUY, NEVER, NOW + 69.9) == {}
    assert one.told(BUY, NEVER, NOW + 70) == {WINDOW: True}
    assert one.obstacle(BUY, NOW + 99.9) is None
    assert one.obstacle(BUY, NOW + 100) is SkipReason.MAINTENANCE


ENDS = {
    "a pause that ran out": (lambda: suspensions(a_pause(until=NOW + 600)), TIMED),
    "a window": (lambda: suspensions(a_window()), WINDOW),
}


@pytest.mark.parametrize("which", ENDS)
def test_alerts_wait_for_a_verdict_from_after_the_end(which):
    """No run of before it counts, also not one that ended after; the first from after it does."""
    make, mark = ENDS[which]
    over, end = make(), NOW + 600
    assert over.told(BUY, measured(end - 60), end + 10) == {mark: True}
    assert over.told(BUY, measured(end - 2), end + 10) == {mark: True}
    assert over.told(BUY, measured(end), end + 10) == {mark: False}
    assert over.lingering(BUY, measured(end - 2), end + 10).until == end
    assert over.lingering(BUY, measured(end), end + 10) is None


@pytest.mark.parametrize("which", ENDS)
def test_nothing_measured_after_the_end_does_not_silence_for_ever(which):
    """Alerts wait for as long as an old verdict would speak; then it is over all the same."""
    make, mark = ENDS[which]
    over, end = make(), NOW + 600
    assert over.told(BUY, NEVER, end + 299) == {mark: True}
    assert over.told(BUY, NEVER, end + 300) == {mark: False}
    slow = a_journey("slow", 600.0, interval=600.0)
    assert over.told(slow, NEVER, end + 1799) == {mark: True}
    assert over.told(slow, NEVER, end + 1800) == {mark: False}


@pytest.mark.parametrize("which", ENDS)
def test_that_it_is_over_is_told_for_an_hour(which):
    """So that every store hears it; afterwards nothing is left behind."""
    make, mark = ENDS[which]
    over, end = make(), NOW + 600
    assert over.told(BUY, measured(end), end + 300 + 3599) == {mark: False}
    assert over.told(BUY, measured(end), end + 300 + 3600) == {}


def test_who_resumes_ends_it_for_that_journey():
    """From then on its alerts wait for a verdict; another journey is held still."""
    one = suspensions(a_pause())
    one.pauses.resume(["buy"], NOW + 60)
    assert one.told(BUY, measured(NOW), NOW + 70) == {OPEN: True}
    assert one.told(BUY, measured(NOW + 61), NOW + 70) == {OPEN: False}
    assert one.told(a_journey("search"), measured(NOW + 61), NOW + 70) == {OPEN: True}


def test_a_window_that_comes_again_is_not_told_as_over():
    """While one holds, the end of the one before it is no news."""
    twice = suspensions(a_window(NOW, 600), a_window(NOW + 700, 600))
    assert twice.told(BUY, measured(NOW + 650), NOW + 660) == {WINDOW: False}
    assert twice.told(BUY, measured(NOW + 650), NOW + 671) == {WINDOW: True}


def test_a_window_that_the_configuration_drops_is_over():
    """Its alerts wait for a verdict as after any end, and one that stays goes on."""
    dropped, kept = a_window(), a_window(mode=Mode.SILENCE)
    both = suspensions(dropped, kept)
    both.replace_windows([Window(kept.maintenance)], NOW + 60)
    assert both.obstacle(BUY, NOW + 60) is None
    silent = Mark(Cause.MAINTENANCE, Mode.SILENCE, is_open=False)
    assert both.told(BUY, measured(NOW), NOW + 61) == {WINDOW: True, silent: True}
    assert both.told(BUY, measured(NOW + 60), NOW + 66) == {WINDOW: False, silent: True}


def test_a_window_that_was_over_before_it_was_dropped_keeps_its_end():
    """A reload long after it doesn't have alerts wait again."""
    one = suspensions(a_window())
    one.replace_windows([], NOW + 660)
    assert one.told(BUY, measured(NOW + 601), NOW + 661) == {WINDOW: False}


def test_an_agent_that_starts_after_a_window_knows_of_it():
    """A restart between the end and the first verdict changes nothing."""
    assert suspensions(a_window()).told(BUY, measured(NOW - 60), NOW + 610) == {WINDOW: True}


def test_a_clock_that_is_set_back_leaves_a_pause_told():
    """What holds is told, also when it was set at a time that is yet to come now."""
    one = suspensions(a_pause())
    one.pauses.settle(NOW - 3600)
    assert one.obstacle(BUY, NOW - 3600) is SkipReason.PAUSED
    assert one.told(BUY, NEVER, NOW - 3600) == {OPEN: True}
