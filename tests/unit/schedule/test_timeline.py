import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.schedule.timeline import Timeline


def test_it_follows_the_wall_clock_forward(manual_clock):
    """While the wall clock runs or is set forward, the schedule's time is the wall's."""
    clock = manual_clock()
    timeline = Timeline(clock)
    for seconds in (0.5, 3600, 0.001):
        clock.advance(seconds)
        assert timeline.now() == clock.wall()
    clock.step(7200)
    assert timeline.now() == clock.wall()


def test_a_clock_set_back_slows_it_until_the_wall_has_caught_up(manual_clock):
    """Set back by 30 s it goes on at nine tenths of the pace, and is the wall's after 300 s."""
    clock = manual_clock()
    timeline = Timeline(clock)
    before = timeline.now()
    clock.step(-30)
    assert timeline.now() == before
    clock.advance(100)
    assert timeline.now() == pytest.approx(before + 90)
    clock.advance(199)
    assert timeline.now() == pytest.approx(before + 269.1)
    clock.advance(2)
    assert timeline.now() == clock.wall()


def test_it_starts_where_the_last_process_had_decided(manual_clock):
    """Time starts at the later of the wall clock and what was decided before."""
    clock = manual_clock()
    assert Timeline(clock, clock.wall() - 60).now() == clock.wall()
    ahead = Timeline(clock, clock.wall() + 60)
    assert ahead.now() == clock.wall() + 60
    clock.advance(10)
    assert ahead.now() == pytest.approx(clock.wall() + 59)


def test_its_moments_are_told_by_the_wall_clock(manual_clock):
    """As they are; once it was set back by 30 s, by as much as it still lags behind."""
    clock = manual_clock()
    timeline = Timeline(clock)
    at = timeline.now() + 5
    assert timeline.on_wall(at) == at
    clock.step(3600)
    assert timeline.on_wall(at) == at
    clock.step(-30)
    assert timeline.on_wall(at) == pytest.approx(at - 30)
    clock.advance(100)
    assert timeline.on_wall(at) == pytest.approx(at - 20)
    clock.advance(201)
    assert timeline.on_wall(at) == at


@given(st.lists(st.tuples(st.floats(0, 1e5), st.floats(-1e6, 1e6))))
def test_it_never_goes_back_nor_stands_still(manual_clock, steps):
    """However the wall clock is set, time goes on at nine tenths of the pace at least."""
    clock = manual_clock()
    timeline = Timeline(clock)
    now = timeline.now()
    for passed, step in steps:
        clock.advance(passed)
        clock.step(step)
        later = timeline.now()
        assert later >= now
        assert later - now >= 0.9 * passed - 1e-5
        assert later >= clock.wall()
        now = later
