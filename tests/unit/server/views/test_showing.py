"""What is shown at length, and what in the least room."""

from __future__ import annotations

from agent.core.crowding import Crowded
from agent.server.views.showing import overview, run
from tests.gallery import scenes


def names(journeys) -> list[str]:
    return [one["journey"] for one in journeys]


def error(text: str) -> dict:
    return {"last_run": (made := scenes.brief("fail", error=text)), "last_failure": made}


def test_what_fails_alike_is_told_once() -> None:
    """Journeys with one cause stand behind the first of them; another cause is told by itself."""
    ill = [scenes.failing(name) for name in "abc"]
    other = scenes.failing("d") | error("net::ERR_CONNECTION_REFUSED")
    told = overview(scenes.overview(*ill, other, scenes.standing("e")))
    assert names(told["troubles"]) == ["a", "d"]
    assert [(group.text, names(group.journeys)) for group in told["groups"]] == [
        ("2 more, for the same reason as a", ["b", "c"])
    ]
    assert names(told["rows"]) == ["e"]


def test_no_journey_is_left_out() -> None:
    """However many there are and however they stand, each is told of exactly once."""
    ill = [scenes.failing(f"f{n:03}") | error(f"another error {n}") for n in range(40)]
    well = [scenes.standing(f"w{n:03}") for n in range(160)]
    silent = scenes.paused("p", mode="silence") | {"up": False} | error("x")
    told = overview(scenes.overview(*ill, *well, silent, scenes.new("n"), scenes.slow("s")))
    shown = [*told["troubles"], *told["rows"]]
    shown += [one for group in told["groups"] for one in group.journeys]
    assert sorted(names(shown)) == sorted(
        names([*ill, *well, silent, {"journey": "n"}, {"journey": "s"}])
    )
    assert len(told["troubles"]) == 6
    assert [group.text for group in told["groups"]] == [
        "4 failing",
        "1 slow",
        "1 without a run yet",
        "160 passing",
        "1 paused",
    ]


def test_few_journeys_have_a_line_each() -> None:
    """Thirty that are well are listed with their figures."""
    told = overview(scenes.overview(*(scenes.standing(f"w{n:02}") for n in range(30))))
    assert len(told["rows"]) == 30
    assert told["groups"] == []


def test_slots_without_a_worker_are_the_agents_trouble() -> None:
    """Lately: how many journeys had one, and when the last was; what is longer ago, or was skipped
    for another reason, is not told."""

    def crowded(*skipped):
        ill = (
            scenes.standing(name, skipped=[one]) for name, one in zip("abc", skipped, strict=False)
        )
        return overview(scenes.overview(*ill))["crowded"]

    lately = scenes.skipped("capacity", 3, minutes=14), scenes.skipped("capacity", 1, minutes=2)
    long_ago, paused = scenes.skipped("capacity", 9, minutes=16), scenes.skipped("paused", 9)
    assert crowded(*lately, long_ago) == Crowded(2, scenes.ago(minutes=2))
    assert crowded(long_ago, paused) is None
    assert crowded() is None


def test_requests_stand_below_their_steps() -> None:
    """Each request is shown once: in its step, or outside of all."""
    document = scenes.run("pass")
    document["walks"][0]["requests"].append(scenes.asked("/early", 0.0, 0.1, None))
    (walk,) = run(document)["walks"]
    steps = [None, *range(len(document["walks"][0]["steps"]))]
    shown = [one["url"] for step in steps for one in walk.requests_of(step)]
    assert sorted(shown) == sorted(one["url"] for one in document["walks"][0]["requests"])
