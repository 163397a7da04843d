"""What is kept of a walk's requests, and what must not be in it."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from agent.core.limits import NAME_LENGTH
from agent.core.outline import MOST_OUTLINED, OUTLINE, StepBegun, Version
from agent.core.redact import Redactor
from agent.worker.browser.outliner import Outliner
from agent.worker.browser.page_errors import PageError

HOME = "https://shop.test"


@pytest.fixture
def redactor():
    return Redactor()


@pytest.fixture
def outliner(redactor):
    return Outliner(HOME, lambda url: url.startswith(HOME), redactor.fit)


def ask(outliner, url, kind="fetch", status=200, *, method="GET", main=False, **headers):
    note = outliner.began(method, url, kind, main=main)
    if status:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        outliner.answered(note, status, named)
    outliner.ended(note)
    return note


def outlined(outliner, *, raised=(), console=(), releases=()):
    return outliner.outline([StepBegun("Pay", 0.5)], raised, console, releases)


def test_requests_that_are_alike_are_one(outliner):
    """By method, address without ids, step and page; with all that they came to, in order."""
    ask(outliner, f"{HOME}/", "document", main=True)
    for number, status in ((17, 200), (18, 404), (19, 404)):
        ask(outliner, f"{HOME}/api/orders/{number}?x={number}", status=status)
    outliner.steps_begun = lambda: 1
    ask(outliner, f"{HOME}/api/orders/20")
    first, orders, later = outlined(outliner).asked
    assert (first.what, first.kind, first.page, first.own) == ("GET /", "document", "", True)
    assert (orders.what, orders.step, orders.page) == ("GET /api/orders/{id}", 0, "GET /")
    assert orders.answers == ("200", "404")
    assert (later.what, later.step) == ("GET /api/orders/{id}", 1)


def test_a_redirect_names_where_it_leads(outliner):
    """Without query and ids, and whole where it is another origin's."""
    ask(outliner, f"{HOME}/pay", "document", 303, main=True, location="/done/77?token=1")
    ask(outliner, f"{HOME}/out", "document", 302, main=True, location="https://bank.test/pay")
    ask(outliner, f"{HOME}/bad", "document", 302, main=True, location="http://[")
    assert [one.answers for one in outlined(outliner).asked] == [
        ("303 /done/{id}",),
        ("302 https://bank.test/pay",),
        ("302",),
    ]


def test_versions_of_scripts(outliner):
    """By name, query and ETag, and by length where there is no ETag; of pages none."""
    ask(outliner, f"{HOME}/a.3f2a9c1b.js?v=2", "script", etag='"x"', content_length="9")
    ask(outliner, f"{HOME}/b.js", "script", content_length="9")
    ask(outliner, f"{HOME}/c", "document", main=True, etag='"y"')
    assert [one.version for one in outlined(outliner).asked] == [
        Version("/a.3f2a9c1b.js", "v=2", '"x"', ""),
        Version("", "", "", "9"),
        None,
    ]


def test_only_what_failed_of_pictures(outliner):
    """There are hundreds, and those that come say nothing."""
    ask(outliner, f"{HOME}/a.png", "image")
    ask(outliner, f"{HOME}/b.png", "image", 404)
    assert [one.what for one in outlined(outliner).asked] == ["GET /b.png"]


def test_third_parties_by_origin(outliner):
    """One that answered anything did well; one that answered nothing is named with why."""
    ask(outliner, "https://a.test/x.png", "image")
    outliner.ended(outliner.began("GET", "https://a.test/y", "fetch"), "net::ERR_FAILED")
    outliner.ended(outliner.began("GET", "https://b.test/y", "fetch"), "net::ERR_FAILED")
    outliner.ended(outliner.began("GET", "https://c.test/y", "fetch"), "net::ERR_ABORTED")
    outliner.dropped(ask(outliner, "https://d.test/beacon", "fetch", 0))
    assert outlined(outliner).others == {"https://a.test": "", "https://b.test": "net::ERR_FAILED"}
    assert not any("d.test" in one.what for one in outlined(outliner).asked)


def test_which_releases_answered(outliner):
    """In one order, so that walks through one fleet are alike."""
    said = outlined(outliner, releases=("1.4.3", "1.4.2")).release
    assert said == "1.4.2, 1.4.3"
    long = [str(n) * NAME_LENGTH for n in range(5)]
    assert len(outlined(outliner, releases=long).release) == NAME_LENGTH


def test_errors_of_pages_and_consoles(outliner):
    """Each once, without numbers; what the browser says of an answer the requests say better."""
    raised = [PageError(f"Error: order {n}", f"{HOME}/a.js?v={n}:{n}:9", "first") for n in (1, 2)]
    console = [
        "error: refused 17",
        "error: refused 18",
        "warning: old",
        f"error: Failed to load resource: 404 {HOME}/x",
    ]
    found = outlined(outliner, raised=raised, console=console)
    assert [(one.error, one.at) for one in found.raised] == [("Error: order #", "/a.js")]
    assert found.console == ("refused #",)


@pytest.mark.parametrize("secret", ["hunter2-4711", "s3cr&t wörd!", "0f3a9c1b77aa00ff"])
def test_no_secret_stands_in_it(outliner, redactor, secret):
    """In no address, version, release, target or error, though its parts look like ids; it may
    be learnt after the request."""
    spelt = quote(secret, safe="")
    ask(outliner, f"{HOME}/u/{spelt}/x", "document", main=True, x_release=secret)
    ask(outliner, f"{HOME}/a-{spelt}.js?k={spelt}", "script", etag=secret)
    ask(outliner, f"{HOME}/pay", status=302, location=f"/done/{spelt}")
    outliner.ended(outliner.began("GET", f"https://b.test/{spelt}", "fetch"), f"failed {secret}")
    redactor.add(secret)
    raised = [PageError(f"Error: {secret}", f"{HOME}/{spelt}.js:1:2", "first")]
    found = outlined(outliner, raised=raised, console=[f"error: {secret}"])
    whole = OUTLINE.dump_json(found).decode().lower()
    for part in (secret, spelt, secret[:7], secret[-7:]):
        assert part.lower() not in whole


def test_a_walk_without_end_is_bounded(outliner):
    """In requests, and in the length of each, whatever a page asks for."""
    for number in range(MOST_OUTLINED + 50):
        name = f"{number:o}".translate(str.maketrans("01234567", "abcdefgh"))
        ask(outliner, f"{HOME}/{name}/{'x' * number}")
    ask(outliner, f"data:text/html,{'x' * 100_000}")
    found = outlined(outliner, console=[f"error: {'y' * 5000}{n * 'z'}" for n in range(200)])
    assert len(found.asked) == MOST_OUTLINED
    assert all(len(one.what) <= NAME_LENGTH for one in found.asked)
    assert len(OUTLINE.dump_json(found)) < 200_000
