"""Cookies of sessions: who holds the token makes them, and they end."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from agent.server.sessions import Sessions
from tests.support.entrance import SignOutsInMemory

TOKEN = "0123456789abcdef-token"


class Wall:
    now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def wall():
    return Wall()


def shown(cookie):
    return Headers({"cookie": cookie})


def begun(sessions):
    return sessions.begin().partition(";")[0]


def test_it_ends_after_twelve_hours(wall):
    """And not before, nor does using it make it longer."""
    sessions = Sessions(TOKEN, "", 8080, wall, SignOutsInMemory())
    cookie = begun(sessions)
    wall.now += 12 * 3600 - 1
    assert sessions.of(shown(cookie))
    wall.now += 2
    assert sessions.of(shown(cookie)) is None


def test_a_clock_that_was_set_back_gives_nobody_more(wall):
    """A session of the future holds no longer than the clock's own play."""
    sessions = Sessions(TOKEN, "", 8080, wall, SignOutsInMemory())
    cookie = begun(sessions)
    wall.now -= 60
    assert sessions.of(shown(cookie))
    wall.now -= 3600
    assert sessions.of(shown(cookie)) is None


def test_it_outlives_the_agent(wall):
    """A restart signs nobody out; another token does."""
    cookie = begun(Sessions(TOKEN, "", 8080, wall, SignOutsInMemory()))
    assert Sessions(TOKEN, "", 8080, wall, SignOutsInMemory()).of(shown(cookie))
    assert Sessions(TOKEN + "x", "", 8080, wall, SignOutsInMemory()).of(shown(cookie)) is None


def test_it_is_of_one_place(wall):
    """An agent takes none of another on the same host, under either's name."""
    cookie = begun(Sessions(TOKEN, "", 8080, wall, SignOutsInMemory()))
    other = Sessions(TOKEN, "", 8081, wall, SignOutsInMemory())
    assert other.of(shown(cookie)) is None
    assert other.of(shown(cookie.replace("footfall-8080", "footfall-8081"))) is None
    secure = Sessions(TOKEN, "https://footfall.example.com:8080", 1, wall, SignOutsInMemory())
    assert secure.of(shown("__Host-" + cookie)) is None


def test_no_change_to_it_goes_unnoticed(wall):
    """A character more, less or other in any place of it."""
    sessions = Sessions(TOKEN, "", 8080, wall, SignOutsInMemory())
    name, _, value = begun(sessions).partition("=")
    for place in range(len(value)):
        other = "1" if value[place] != "1" else "2"
        for changed in (
            value[:place] + value[place + 1 :],
            value[:place] + other + value[place:],
            value[:place] + other + value[place + 1 :],
        ):
            assert sessions.of(shown(f"{name}={changed}")) is None, place
    for junk in ("", ".", "..", "0.0.0", "ÿ" * 80, '"', value + ".", " " * 90):
        assert sessions.of(Headers(raw=[(b"cookie", f"{name}={junk}".encode())])) is None


def test_others_on_the_host_can_keep_nobody_out_by_a_cookie(wall):
    """Of the same name beside it, in one line or in several: the one that holds counts."""
    sessions = Sessions(TOKEN, "", 8080, wall, SignOutsInMemory())
    name, _, value = begun(sessions).partition("=")
    assert sessions.of(shown(f"{name}=x; a=b;{name}={value}; {name}="))
    lines = [(b"cookie", f"{name}=planted".encode()), (b"cookie", f"{name}={value}".encode())]
    assert sessions.of(Headers(raw=lines))
    assert sessions.of(shown(f"x{name}={value}")) is None


def test_replicas_of_a_location_know_each_others(wall):
    """Whatever their ports are; who signed out is so where that is known."""
    outs = SignOutsInMemory()
    one = Sessions(TOKEN, "", 8080, wall, outs, "eu")
    other = Sessions(TOKEN, "", 8081, wall, outs, "eu")
    cookie = begun(one)
    session = other.of(shown(cookie))
    assert session
    other.end(session)
    assert one.of(shown(cookie)) is None
    elsewhere = Sessions(TOKEN, "", 8080, wall, outs, "us")
    assert elsewhere.of(shown(begun(one))) is None
