"""A page says first what is wrong: in its heading, its title and its icon."""

from __future__ import annotations

import pytest

from agent.server.views.headline import headline
from tests.gallery import scenes

WELL = (scenes.standing("a"), scenes.standing("b"))


@pytest.mark.parametrize(
    ("journeys", "text", "title", "shape", "tone"),
    [
        ((), "No journey is loaded", "No journeys", "question", "unknown"),
        ((scenes.standing("a"),), "1 journey passes", "All pass", "tick", "pass"),
        (WELL, "All 2 journeys pass", "All pass", "tick", "pass"),
        ((*WELL, scenes.new("c")), "2 journeys pass", "All pass", "tick", "pass"),
        ((scenes.new("a"),), "No journey has run yet", "No run yet", "ring", "rest"),
        ((*WELL, scenes.paused("c")), "2 journeys pass", "All pass", "tick", "pass"),
        ((scenes.paused("a"),), "Everything is paused", "Paused", "pause", "rest"),
        (
            (scenes.paused("a", cause="maintenance"),),
            "Everything is in maintenance",
            "In maintenance",
            "diamond",
            "rest",
        ),
        ((scenes.standing("a", enabled=False),), "Every journey is disabled", "Disabled", "dash",
         "rest"),
        ((*WELL, scenes.flaky("c")), "1 of 3 journeys is flaky", "1 flaky", "half", "flaky"),
        (
            (*WELL, scenes.flaky("c"), scenes.slow("d")),
            "2 of 4 journeys are slow or flaky",
            "2 slow or flaky",
            "clock",
            "flaky",
        ),
        (
            (scenes.flaky("a"), scenes.unmeasured("b")),
            "1 of 2 journeys is not measured",
            "1 not measured",
            "hatched",
            "unknown",
        ),
        (
            (scenes.failing("a"), scenes.unmeasured("b"), *WELL),
            "1 of 4 journeys fails",
            "1 failing",
            "cross",
            "fail",
        ),
        ((scenes.failing("a"), scenes.failing("b")), "2 journeys fail", "2 failing", "cross",
         "fail"),
    ],
)  # fmt: skip
def test_the_worst_comes_first(journeys, text, title, shape, tone) -> None:
    """However many journeys are well, the worst state that there is gives the sentence."""
    said = headline(scenes.overview(*journeys))
    assert (said.text, said.title, said.shape, said.tone) == (text, title, shape, tone)


def test_an_agent_in_trouble_is_no_green_page() -> None:
    """Journeys that passed say nothing while the agent can't measure; that one fails stays so."""
    said = headline(scenes.overview(*WELL, agent=scenes.IN_TROUBLE))
    assert (said.title, said.tone) == ("Agent in trouble", "unknown")
    said = headline(scenes.overview(scenes.failing(), agent=scenes.IN_TROUBLE))
    assert (said.title, said.tone) == ("1 failing", "fail")


def test_what_else_there_is_follows() -> None:
    """All states are counted below the sentence, where there are several."""
    journeys = (scenes.failing("a"), scenes.paused("b"), scenes.new("c"), *WELL[1:])
    assert headline(scenes.overview(*journeys)).rest == (
        "1 failing · 1 without a run yet · 1 passing · 1 paused"
    )
    assert headline(scenes.overview(*WELL)).rest == ""
