"""What people do by forms: it is what the API does, and leads back to a page."""

from __future__ import annotations

import pytest

from agent.server.control import Refused
from tests.support.api import STATE_TOKEN

OWN = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


@pytest.fixture
async def send(served):
    shown = {}

    async def post(path, **fields):
        asking = served.session.post(path, data=fields, headers=OWN | shown, allow_redirects=False)
        async with asking as response:
            cookie = response.headers.get("set-cookie", "").partition(";")[0]
            if cookie:
                shown["Cookie"] = cookie
            return response.status, response.headers.get("location"), await response.text()

    await post("/sign-in", token=STATE_TOKEN)
    return post


async def test_each_does_what_its_twin_does(served, send):
    """What isn't filled in isn't said; no journey is all of them."""
    pause = {"reason": "a fire", "for": "1h", "mode": "stop", "who": "anna", "next": "/"}
    assert await send("/pause", journey="buy", **pause) == (303, "/", "")
    left = {"journey": "", "for": "", "who": " ", "now": "1", "next": "//evil.example"}
    assert (await send("/pause", **pause | left))[:2] == (303, "/")
    place = {"next": "/journeys/buy"}
    assert (await send("/resume", journey="buy", **place))[:2] == (303, "/journeys/buy")
    assert (await send("/resume", who="anna"))[:2] == (303, "/")
    status, place, _ = await send("/journeys/buy/runs")
    assert (status, place) == (303, "/runs/%3Cid%3E")
    told = served.control.verbs
    assert told[0][1] | {"until": None} == {
        "journeys": ["buy"],
        "all": False,
        "who": "anna",
        "reason": "a fire",
        "mode": "stop",
        "for": "1h",
        "until": None,
        "now": False,
    }
    assert (told[1][1]["all"], told[1][1]["for"], told[1][1]["now"]) == (True, None, True)
    assert told[1][1]["who"] == "somebody, by the API"
    assert (told[2][1]["journeys"], told[3][1]["all"]) == (["buy"], True)
    assert told[4] == ("run", "buy")


async def test_a_note_is_added_to_its_incident(served, send):
    """In lines as it was typed; what says nothing is refused."""
    status, place, _ = await send("/incidents/7/notes", text=" It is the\r\ncache. ", who="anna")
    assert (status, place) == (303, "/incidents/7")
    ((_, number, said),) = served.control.verbs
    assert (number, said["text"], said["who"]) == (7, "It is the\ncache.", "anna")
    for fields in ({"text": " "}, {"who": "anna"}, {"text": "a\x1b[2J"}, {"text": "a" * 3000}):
        status, _, text = await send("/incidents/7/notes", **fields)
        assert (status, "<h1>" in text) == (400, True)
    assert len(served.control.verbs) == 1


async def test_what_is_refused_is_told_on_a_page(served, send):
    """In words, as text; nothing is done where a field makes no sense."""
    for fields in (
        {"journey": "buy"},
        {"journey": "buy", "reason": "a\nb"},
        {"journey": "buy", "reason": "so", "for": "soon"},
        {"journey": "buy", "reason": "so", "mode": "off"},
        {"journey": "buy", "reason": "so", "sort": "1"},
    ):
        status, _, text = await send("/pause", **fields)
        assert status == 400, fields
        assert "<h1>" in text
    assert served.control.verbs == []
    served.control.refuses = Refused(409, "a run of <b> is under way")
    status, _, text = await send("/journeys/buy/runs")
    assert (status, "a run of &lt;b&gt; is under way" in text, "<b>" in text) == (409, True, False)


async def test_who_is_not_signed_in_any_more_is_told_so(served, send):
    """What was filled in isn't lost: the page says how to send it again."""
    assert (await send("/sign-out"))[0] == 303
    status, _, text = await send("/pause", journey="buy", reason="so")
    assert (status, "go back" in text) == (401, True)
    assert served.control.verbs == []
