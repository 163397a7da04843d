import pytest

from tests.support.clock import ManualClock


@pytest.fixture(scope="session")
def manual_clock():
    return ManualClock
