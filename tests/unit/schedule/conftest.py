import pytest


class ManualClock:
    """A clock that moves only when told to; a sleep moves both of its hands at once."""

    def __init__(self, wall=1_700_000_000.0):
        self._wall = wall
        self._monotonic = 100.0

    def wall(self):
        return self._wall

    def monotonic(self):
        return self._monotonic

    async def sleep(self, seconds):
        self.pass_by(seconds)

    def pass_by(self, seconds):
        self._wall += seconds
        self._monotonic += seconds

    def step(self, seconds):
        """Set the wall clock forward or back, or suspend: nothing else moves."""
        self._wall += seconds


@pytest.fixture(scope="session")
def manual_clock():
    return ManualClock
