"""Time that nobody sets."""

from agent.core.clock import SteadyTime
from tests.support.clock import ManualClock


def test_it_passes_whatever_is_done_to_the_wall_clock():
    """It begins as the wall clock's, and no step moves it."""
    clock = ManualClock(1000.0)
    time = SteadyTime(clock)
    for step in (-3600.0, 86_400.0, -0.5):
        clock.step(step)
        clock.advance(2.0)
    assert time.started_at == 1000.0
    assert time.passed() == 6.0
    assert time.now() == 1006.0
