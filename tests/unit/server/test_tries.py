"""How often somebody may try a token."""

from __future__ import annotations

import pytest

from agent.server.tries import Tries


class Now:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def tries(now):
    return Tries(now)


def spend(tries, address, most=100):
    """Try wrong tokens until told to wait; return how many."""
    for count in range(most):
        if tries.wait(address):
            return count
        tries.wrong(address)
    return most


def test_ten_at_once_and_then_one_in_half_a_minute(tries, now):
    """However long somebody goes on; who stops for five minutes has all ten again."""
    assert spend(tries, "10.0.0.7") == 10
    assert tries.wait("10.0.0.7") == pytest.approx(30)
    for _ in range(3):
        now.now += 30
        assert spend(tries, "10.0.0.7") == 1
    now.now += 300
    assert spend(tries, "10.0.0.7") == 10


def test_each_address_has_its_own(tries):
    """One that guesses keeps nobody else out; an IPv6 network is one address, and one written
    in either way as well."""
    spend(tries, "10.0.0.7")
    assert spend(tries, "10.0.0.8") == 10
    spend(tries, "2001:db8::1")
    assert tries.wait("2001:db8::ffff:1")
    assert not tries.wait("2001:db8:0:1::1")
    assert tries.wait("::ffff:10.0.0.7")
    assert not tries.wait("")


def test_however_many_addresses_try_little_is_kept(tries):
    """The one that tried longest ago goes first."""
    spend(tries, "10.0.0.7")
    for number in range(5000):
        tries.wrong(f"10.1.{number // 256}.{number % 256}")
    assert len(tries._full_at) <= 4096
    assert not tries.wait("10.0.0.7")
