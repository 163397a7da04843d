"""What is told of a walk that failed, and what stands first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.core.outline import Asked, Outline, Raised, StepBegun, Version
from agent.runs.comparing.comparison import compare

CART, PAY = "GET /cart", "GET /pay"
PASS = Outline(
    site="https://shop.example.com",
    steps=(StepBegun("Fill", 0.4), StepBegun("Pay", 0.6)),
    asked=(
        Asked("GET /", "document", True, 1, "", ("200",), 0.1),
        Asked("GET /app.js", "script", True, 1, "GET /", ("200",), 0.1, Version(query="v=41")),
        Asked("GET /api/stock/{id}", "call", True, 1, "GET /", ("200",), 0.05),
        Asked("GET https://cdn.example.net/kit.js", "script", False, 1, "GET /", ("200",), 0.1,
              Version(tag='"a"')),
        Asked(CART, "document", True, 2, "GET /", ("200",), 0.1),
        Asked(PAY, "document", True, 2, CART, ("200",), 0.1),
        Asked("POST /pay", "document", True, 2, PAY, ("303 /done/{id}",), 0.1),
    ),
    others={"https://cdn.example.net": ""},
    release="1.4.2",
)  # fmt: skip
PASSES = [PASS] * 5
FAILED = replace(PASS, steps=(StepBegun("Fill", 0.4), StepBegun("Pay")))


def but(what: str, walk: Outline = FAILED, **changes) -> Outline:
    """A walk in which one request was otherwise."""
    asked = tuple(replace(one, **changes) if one.what == what else one for one in walk.asked)
    assert asked != walk.asked
    return replace(walk, asked=asked)


def without(*whats: str, walk: Outline = FAILED) -> Outline:
    return replace(walk, asked=tuple(one for one in walk.asked if one.what not in whats))


def plus(*asked: Asked, walk: Outline = FAILED) -> Outline:
    return replace(walk, asked=(*walk.asked, *asked))


def lines(failed: Outline, passes=PASSES) -> list[str]:
    return [one.line for one in compare(failed, passes).changes]


DIFFERENT = {
    "release": (replace(FAILED, release="1.4.3"), "another release answered: 1.4.3, before 1.4.2"),
    "script": (
        but("GET /app.js", version=Version(query="v=42")),
        "script /app.js has another version: ?v=42, before ?v=41",
    ),
    "script that raises": (
        replace(
            but("GET /app.js", version=Version(query="v=42")),
            raised=(Raised("TypeError: x is not a function", "/app.js"),),
        ),
        (
            "script /app.js has another version: ?v=42, before ?v=41; "
            "it raises TypeError: x is not a function"
        ),
    ),
    "redirect": (
        without("POST /pay", PAY, walk=but(CART, answers=("302 /closed",))),
        "GET /cart led to /closed (302), before it answered 200",
    ),
    "redirect elsewhere": (
        but("POST /pay", answers=("303 /pay",)),
        "POST /pay led to /pay (303), before it led to /done/{id} (303)",
    ),
    "status": (
        but("POST /pay", answers=("500",)),
        "POST /pay answered 500, before it led to /done/{id} (303)",
    ),
    "failed": (
        but("GET /api/stock/{id}", answers=("net::ERR_CONNECTION_REFUSED",)),
        "GET /api/stock/{id} failed (net::ERR_CONNECTION_REFUSED), before it answered 200",
    ),
    "hangs": (
        but("POST /pay", answers=("",), seconds=7.96),
        "POST /pay had no answer for 8.0 s, before 0.10 s at most",
    ),
    "slow": (
        but("GET /api/stock/{id}", seconds=3.21),
        "GET /api/stock/{id} took 3.2 s, before 0.05 s at most",
    ),
    "third party": (
        replace(
            but("GET https://cdn.example.net/kit.js", answers=("net::ERR_NAME_NOT_RESOLVED",)),
            raised=(Raised("ReferenceError: kit is not defined", "/app.js"),),
        ),
        (
            "third party cdn.example.net: GET /kit.js failed "
            "(net::ERR_NAME_NOT_RESOLVED), before it answered 200"
        ),
    ),
    "page error": (
        without("POST /pay", walk=replace(FAILED, raised=(Raised("TypeError: a", "/app.js"),))),
        "uncaught error on the page: TypeError: a at /app.js",
    ),
    "console": (
        without("POST /pay", walk=replace(FAILED, console=("payment refused",))),
        "new error in the console: payment refused",
    ),
    "moved": (
        plus(
            Asked("GET /checkout", "document", True, 2, CART, ("404",)),
            walk=without(PAY, "POST /pay"),
        ),
        "after GET /cart came GET /checkout, which answered 404, before GET /pay",
    ),
    "missing": (without("GET /api/stock/{id}"), "GET /api/stock/{id} was no longer asked for"),
    "new": (
        plus(Asked("GET /api/v2/stock", "call", True, 1, "GET /", ("200",))),
        "GET /api/v2/stock is new",
    ),
    "not reached": (without("POST /pay", PAY), "GET /pay was no longer asked for"),
    "step": (
        replace(FAILED, steps=(StepBegun("Fill", 5.0), StepBegun("Pay"))),
        'step "Fill" took 5.0 s, before 0.4 s at most',
    ),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_the_cause_stands_first(name):
    """Of each kind of difference the line says what it is, how it was and how it is."""
    failed, line = DIFFERENT[name]
    assert lines(failed)[0] == line


def test_nothing_different():
    """A walk that did what all passes did has no line, wherever it broke off."""
    assert compare(FAILED, PASSES) == compare(PASS, PASSES)
    assert compare(FAILED, PASSES).changes == ()
    assert compare(FAILED, PASSES).passes == 5
    first = replace(FAILED, steps=(StepBegun("Fill"),), asked=PASS.asked[:4])
    assert lines(first) == [], "what lies beyond the step that failed is not missed"


def test_what_varied_among_the_passes_is_left_out():
    """On both sides: an answer, a version, a release, a request and an error that vary."""
    varied = but("GET /app.js", version=Version(query="v=7"), walk=PASS)
    varied = but("POST /pay", answers=("303 /done",), walk=varied)
    varied = replace(varied, release="1.4.1", raised=(Raised("Error: a", ""),), console=("b",))
    passes = [*PASSES[:4], plus(Asked("GET /api/ad", "call", True, 1), walk=varied)]
    failed = but("GET /app.js", version=Version(query="v=8"))
    failed = replace(failed, release="1.5", raised=(Raised("Error: a", ""),), console=("b",))
    assert lines(plus(Asked("GET /api/ad", "call", True, 1), walk=failed), passes) == []
    assert lines(failed, passes) == []


def test_only_the_last_five_are_known():
    """What an older pass had otherwise is news again once five in a row had it the same way."""
    older = but("GET /app.js", version=Version(query="v=40"), walk=PASS)
    assert lines(but("GET /app.js", version=Version(query="v=40")), [*PASSES, older]) != []
    assert lines(but("GET /app.js", version=Version(query="v=42")), [*PASSES, older]) != []


def test_what_comes_and_goes_is_no_news():
    """A variant that an older pass met, and that was met now and then, doesn't explain a fail."""
    variant = plus(Asked("GET /variant.js", "script", True, 1, "GET /", ("200",)), walk=PASS)
    kept = [*PASSES, variant, PASS, variant]
    assert lines(plus(Asked("GET /variant.js", "script", True, 1, "GET /", ("200",))), kept) == []
    assert lines(plus(Asked("GET /variant.js", "script", True, 1, "GET /", ("200",)))) != []


def test_recommendations_side_by_side():
    """Where passes asked for one or another in one place, what stands beside them is no news."""
    passes = [
        plus(Asked(f"GET /api/products/{name}", "call", True, 1, "GET /", ("200",)), walk=PASS)
        for name in ("cup", "bowl", "jug", "vase", "cup")
    ]
    fifth = plus(Asked("GET /api/products/lamp", "call", True, 1, "GET /", ("200",)))
    assert lines(fifth, passes) == []


@pytest.mark.parametrize("count", [1, 3])
def test_fewer_than_five(count):
    """It is said, last, and only where there is something to doubt."""
    told = compare(replace(FAILED, release="2"), PASSES[:count])
    assert told.passes == count
    assert [one.kind for one in told.changes] == ["release", "few_passes"]
    assert compare(FAILED, PASSES[:count]).changes == ()


def test_nothing_to_compare_with():
    """Without passes, or with those of another address, nothing is said."""
    assert compare(replace(FAILED, release="2"), []).passes == 0
    staging = replace(FAILED, release="2", site="https://staging.example.com")
    assert compare(staging, PASSES) == compare(FAILED, [])


def test_a_consequence_is_no_change():
    """What a page that broke would have asked for, and what a new page asks for, isn't listed."""
    extra = Asked("GET /api/pay", "call", True, 2, PAY, ("200",))
    passes = [plus(extra, walk=PASS)] * 5
    assert lines(without("POST /pay", walk=but(PAY, answers=("500",))), passes) == [
        "GET /pay answered 500, before it answered 200"
    ]
    led = [
        Asked("GET /closed", "document", True, 2, CART, ("200",)),
        Asked("GET /closed.js", "script", True, 0, "GET /closed", ("200",), 0.0, Version()),
    ]
    failed = plus(*led, walk=without(PAY, "POST /pay", walk=but(CART, answers=("302 /closed",))))
    assert lines(failed) == ["GET /cart led to /closed (302), before it answered 200"]


def test_a_cache_buster_is_no_new_version():
    """The same content under another query, name and all, is the same script."""
    busted = [
        but("GET /app.js", version=Version("/a1", "v=1", '"same"'), walk=PASS) for _ in range(5)
    ]
    failed = but("GET /app.js", version=Version("/a2", "v=2", '"same"'))
    assert lines(failed, busted) == []


def test_at_most_ten_are_told():
    """A page that was replaced altogether is told in ten lines."""
    new = [Asked(f"GET /n{n}/x", "call", True, 1, "GET /", ("200",)) for n in range(30)]
    assert len(lines(plus(*new))) == 10
