"""Pauses as people set them: some, all, over each other, and let go again."""

from __future__ import annotations

import pytest

from agent.core.suspension import Mode
from agent.schedule.pauses import Pause, Pauses

NOW = 1_800_000_000.0
DAY = 86_400.0


def a_pause(*journeys: str, name: str = "one", **changes) -> Pause:
    given = {
        "mode": Mode.STOP,
        "reason": "migration",
        "who": "anna",
        "since": NOW,
        "until": None,
    }
    return Pause(name, journeys or None, **(given | changes))


def held(pauses: Pauses, journey: str, now: float) -> list[str]:
    return [one.id for one in pauses.known if one.holds(journey, now)]


def test_a_pause_holds_what_it_names():
    """A journey that isn't named goes on."""
    pauses = Pauses([a_pause("buy", "search")])
    assert held(pauses, "buy", NOW) == held(pauses, "search", NOW) == ["one"]
    assert held(pauses, "login", NOW) == []


def test_a_pause_of_all_holds_what_comes_later():
    """A journey that nobody knew when it was set is held as well."""
    assert held(Pauses([a_pause()]), "brand_new", NOW + DAY) == ["one"]


def test_a_pause_ends_by_itself():
    """It holds to before its end, and one without an end holds for ever."""
    pauses = Pauses([a_pause("buy", until=NOW + 60), a_pause("buy", name="open")])
    assert held(pauses, "buy", NOW + 59.999) == ["one", "open"]
    assert held(pauses, "buy", NOW + 60) == ["open"]
    assert held(pauses, "buy", NOW + 1000 * DAY) == ["open"]


def test_some_are_resumed():
    """What is resumed goes on, the others are held still, and the pause isn't over."""
    pauses = Pauses([a_pause("buy", "search")])
    (changed,) = pauses.resume(["buy"], NOW + 5)
    assert held(pauses, "buy", NOW + 5) == []
    assert held(pauses, "search", NOW + 5) == ["one"]
    assert changed.end_of("buy") == NOW + 5
    assert not changed.is_over(NOW + 5)


def test_the_last_one_resumed_ends_a_pause():
    """A pause of which nothing is left is over."""
    pauses = Pauses([a_pause("buy", "search")])
    pauses.resume(["buy"], NOW + 5)
    (changed,) = pauses.resume(["search"], NOW + 6)
    assert changed.is_over(NOW + 6)
    assert pauses.in_force(NOW + 6) == []


def test_one_is_resumed_out_of_a_pause_of_all():
    """The others, and those to come, are held still."""
    pauses = Pauses([a_pause()])
    pauses.resume(["buy"], NOW + 5)
    assert held(pauses, "buy", NOW + 6) == []
    assert held(pauses, "brand_new", NOW + 6) == ["one"]


def test_a_journey_is_paused_again_after_it_was_resumed():
    """A pause that let it go doesn't hold it against a new one."""
    pauses = Pauses([a_pause()])
    pauses.resume(["buy"], NOW + 5)
    pauses.set(a_pause("buy", name="two", since=NOW + 6))
    assert held(pauses, "buy", NOW + 7) == ["two"]


def test_resuming_lets_go_out_of_every_pause():
    """Pauses over each other all let go: who resumes a journey has it walk."""
    pauses = Pauses([a_pause(), a_pause("buy", name="two", until=NOW + 60)])
    assert [one.id for one in pauses.resume(["buy"], NOW + 5)] == ["one", "two"]
    assert held(pauses, "buy", NOW + 5) == []


def test_a_longer_pause_goes_on_after_a_shorter_one():
    """The end of one is not the end of another."""
    pauses = Pauses([a_pause("buy", until=NOW + 60)])
    pauses.set(a_pause("buy", name="two", since=NOW + 5, until=NOW + 600))
    assert held(pauses, "buy", NOW + 61) == ["two"]


def test_all_are_resumed():
    """Whatever was paused, nothing is afterwards; and there is nothing to resume twice."""
    pauses = Pauses([a_pause(), a_pause("buy", name="two")])
    assert len(pauses.resume(None, NOW + 5)) == 2
    assert pauses.in_force(NOW + 5) == []
    assert pauses.resume(None, NOW + 6) == []
    assert {one.ended for one in pauses.known} == {NOW + 5}


@pytest.mark.parametrize("who", [["login"], [], ["buy"]])
def test_what_is_not_paused_is_not_resumed(who):
    """One that was over, or never held it, stays as it was."""
    pauses = Pauses([a_pause("buy", until=NOW + 60), a_pause("search", name="two")])
    assert pauses.resume(who, NOW + 61) == []


def test_what_is_over_is_forgotten_in_the_end():
    """After a month, and beyond the newest two hundred; what holds never is."""
    old = [a_pause(name=f"old {n}", until=NOW + n) for n in range(300)]
    pauses = Pauses([a_pause(name="open"), *old])
    pauses.set(a_pause(name="new", since=NOW + 400))
    assert [one.id for one in pauses.known] == [
        "open",
        *(f"old {n}" for n in range(100, 300)),
        "new",
    ]
    pauses.set(a_pause(name="later", since=NOW + 32 * DAY))
    assert [one.id for one in pauses.known] == ["open", "new", "later"]


def test_a_clock_that_is_set_back_brings_no_pause_back():
    """What was resumed stays resumed, and from then on it was so just now."""
    pauses = Pauses([a_pause("buy", "search")])
    pauses.resume(["buy"], NOW + 5)
    pauses.settle(NOW - 3600)
    assert held(pauses, "buy", NOW - 3600) == []
    assert held(pauses, "search", NOW - 3600) == ["one"]
    assert pauses.known[0].end_of("buy") == NOW - 3600
