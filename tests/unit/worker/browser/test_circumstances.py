"""What an error is to say besides its cause."""

from __future__ import annotations

from agent.worker.browser.circumstances import Circumstances
from agent.worker.browser.traffic import OpenRequest


def test_nothing_worth_a_word() -> None:
    """Where nothing was open or stopped, and for requests that are young, nothing is said."""
    assert list(Circumstances((), (), {}).lines(waited=True)) == []
    young = Circumstances([OpenRequest("GET http://shop/", 0.3)], (), {})
    assert list(young.lines(waited=True)) == []
    assert young.facts()["open_requests"] == [{"request": "GET http://shop/", "seconds": 0.3}]


def test_what_is_said() -> None:
    """Dialogs first, then what was waited for, then what the agent did; each bounded."""
    requests = [OpenRequest(f"GET http://shop/{n}", 9.0 - n) for n in range(6)]
    stopped = {"Google Analytics": 1, "Hotjar": 7}
    stood = Circumstances(requests, ["alert: Quota exceeded"], stopped)
    assert list(stood.lines(waited=True)) == [
        "a dialog is open, to which the journey gave no answer: alert: Quota exceeded",
        f"still open: {', '.join(map(str, requests[:3]))} and 3 more",
        "beacons that the agent stopped before: Hotjar (7 times), Google Analytics",
    ]
    assert len(list(stood.lines(waited=False))) == 2
