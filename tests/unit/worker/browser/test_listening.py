"""The agent's own listeners: none raises into a journey, and they stop once they heard enough."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from agent.core import limits
from agent.core.redact import Redactor
from agent.worker.browser.console import Console
from agent.worker.browser.listening import Listeners
from agent.worker.browser.main_documents import MainDocuments
from agent.worker.browser.outliner import Outliner
from agent.worker.browser.releases import Releases
from agent.worker.browser.traffic import Hooks, Traffic
from tests.support.build import a_site


class Emitter:
    """A context that says what the test wants."""

    def __init__(self) -> None:
        self.listening: dict[str, list[Any]] = defaultdict(list)

    def on(self, event: str, f: Any) -> None:
        self.listening[event].append(f)

    def remove_listener(self, event: str, f: Any) -> None:
        self.listening[event].remove(f)

    def say(self, event: str, *args: Any) -> None:
        for listener in list(self.listening[event]):
            listener(*args)

    @property
    def heard(self) -> set[str]:
        return {event for event, listeners in self.listening.items() if listeners}


@dataclass(eq=False)
class Message:
    text: str
    type: str = "log"
    location: dict[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class Request:
    url: str
    method: str = "GET"
    resource_type: str = "fetch"
    failure: str | None = None
    timing: dict[str, float] = field(
        default_factory=lambda: {"startTime": -1, "responseStart": -1, "responseEnd": -1}
    )


@dataclass(eq=False)
class Response:
    request: Request
    status: int = 200
    from_service_worker: bool = False
    headers: dict[str, str] = field(default_factory=dict)


def silent(event: str, error: Exception) -> None:
    raise AssertionError(f"{event}: {error!r}")


def console() -> tuple[Console, Emitter]:
    emitter, heard = Emitter(), Console(Redactor().fit, lambda _: None)
    heard.follow(emitter, Listeners(silent))  # type: ignore[arg-type]
    return heard, emitter


def traffic(*, stops: bool = False) -> tuple[Traffic, Emitter, list[str]]:
    emitter, told = Emitter(), []
    hooks = Hooks(
        is_first_party=lambda url: url.startswith("http://shop/"),
        take_tag=lambda *_: None,
        on_span=lambda _: None,
        on_request=lambda _: None,
        on_unsent=lambda _: None,
        was_stopped=lambda _: stops,
        on_enough=lambda: told.append("enough"),
        fit=Redactor().fit,
    )
    outliner = Outliner("http://shop/", hooks.is_first_party, hooks.fit)
    documents = MainDocuments({}, lambda: told.append("refusal"))
    listeners = Listeners(silent)
    releases = Releases(a_site("http://shop"), hooks.fit, calls=False)
    followed = Traffic("1" * 32, hooks, listeners, outliner, documents, releases)
    followed.follow(emitter)  # type: ignore[arg-type]
    return followed, emitter, told


def test_what_a_listener_raises_is_reported_once() -> None:
    """It never reaches whoever emits, and is told by its event, once."""
    reported: list[tuple[str, str]] = []
    listeners = Listeners(lambda event, error: reported.append((event, str(error))))
    emitter = Emitter()

    def breaks(number: int) -> None:
        raise ValueError(number)

    stop = listeners.on(emitter, "console", breaks)
    for number in range(3):
        emitter.say("console", number)
    assert reported == [("console", "0")]
    stop()
    stop()
    assert not emitter.heard


def test_a_console_without_end() -> None:
    """After the lines that are kept nobody listens any more, and the last line says so."""
    heard, emitter = console()
    for number in range(limits.MOST_LINES + 5):
        emitter.say("console", Message(f"line {number}"))
    assert len(heard.lines) == limits.MOST_LINES + 1
    assert heard.lines[-1].startswith("…")
    assert not emitter.heard


def test_a_console_of_long_lines() -> None:
    """A few lines of megabytes are as much as many short ones; each is cut."""
    heard, emitter = console()
    for _ in range(9):
        emitter.say("console", Message("x" * 400_000))
    assert len(heard.lines) == 4
    assert all(len(line) <= limits.LINE_LENGTH + 20 for line in heard.lines)
    assert not emitter.heard


def test_a_console_line_that_plays_the_browser() -> None:
    """The browser's own words with an address that makes none are a line like any other."""
    heard, emitter = console()
    emitter.say("console", Message("Failed to load resource: boo", "error", {"url": "http://[x"}))
    emitter.say("console", Message("Failed to load resource: boo", "error"))
    assert [line.split()[-1] for line in heard.lines] == ["http://[x", "boo"]


def test_requests_without_end() -> None:
    """After so many nobody listens but for answers, and a refused document is still seen."""
    followed, emitter, told = traffic()
    for number in range(limits.MOST_REQUESTS + 2):
        request = Request(f"http://shop/{number}")
        emitter.say("request", request)
        emitter.say("requestfinished", request)
    assert emitter.heard == {"response"}
    assert told == ["enough"]
    assert followed.counts["first ok"] == limits.MOST_REQUESTS
    document = Request("http://shop/", resource_type="document")
    document.frame = type("Frame", (), {"parent_frame": None})  # type: ignore[attr-defined]
    for _ in range(3):
        emitter.say("response", Response(document, 500))
    assert followed.documents.refusals == {500: "GET http://shop/"}
    assert followed.reached


def test_what_was_stopped_as_the_walk_ended() -> None:
    """That it failed may be told after the walk: it counts for nothing, and breaks nothing."""
    followed, emitter, _ = traffic(stops=True)
    before, after = (
        Request(f"http://shop/{n}", failure="net::ERR_BLOCKED_BY_CLIENT") for n in "ab"
    )
    for request in (before, after):
        emitter.say("request", request)
    emitter.say("requestfailed", before)
    followed.end("")
    emitter.say("requestfailed", after)
    assert followed.failed == []
    assert not followed.counts["first failed"]


def test_open_requests() -> None:
    """The oldest ten that are without an end are named; nothing of them is secret."""
    followed, emitter, _ = traffic()
    requests = [Request(f"http://u:pw@shop/{n}?token=x#y", "M" * 9) for n in range(20)]
    for request in requests:
        emitter.say("request", request)
    emitter.say("requestfinished", requests[0])
    named = followed.open_requests()
    assert len(named) == 10
    assert named[0].what == "MMMMMMMMM http://shop/1?token=REDACTED"
