"""A run's row is bounded, whatever is in it, and keeps what leads to the cause."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.storage.fitting import fit

LIMIT = 4000
PLAIN = {"run_id": "0a" * 16, "journey": "buy", "result": "fail", "duration": 1.5, "trace_id": "7"}
values = st.recursive(
    st.none() | st.integers() | st.text(max_size=9) | st.text(max_size=9).map(lambda t: t * 300),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


def attempt(steps=3, error="no", artifacts=2):
    named = [{"name": f"Step {n}", "result": "pass", "duration": 0.5} for n in range(steps)]
    named.append({"name": "Pay", "result": "fail", "duration": 0.5})
    files = [f"buy/run/attempt-1/{n}.png" for n in range(artifacts)]
    return {"result": "fail", "error": error, "steps": named, "artifacts": files}


def run(*attempts, beacons=0, **more):
    listed = [{"vendor": "V", "url": f"https://v.test/{n}/" + "x" * 200} for n in range(beacons)]
    return {**PLAIN, "attempts": list(attempts), "beacons": listed, **more}


def test_what_fits_stays_word_for_word():
    """Not a sign of it changes."""
    document = run(attempt(), error="ü")
    assert json.loads(fit(document, LIMIT)) == document


@pytest.mark.parametrize(
    "document",
    [
        run(attempt(), attempt(), beacons=400),
        run(attempt(steps=10_000), attempt(steps=10_000)),
        run(attempt(error="x" * 10**6), attempt(error="ü" * 10**6), error="y" * 10**6),
        run(attempt(artifacts=5000)),
        run(*[attempt() for _ in range(500)]),
        run(attempt(steps=2000), beacons=400, error="z" * 50_000, unknown={"a": [["b" * 9999]]}),
    ],
    ids=["beacons", "steps", "errors", "artifacts", "attempts", "everything"],
)
def test_what_is_too_large_loses_the_middle_of_its_lists_and_the_end_of_its_texts(document):
    """What identifies the run stays, attempts keep their result, and it says that it was cut."""
    text = fit(document, LIMIT)
    fitted = json.loads(text)
    assert LIMIT / 3 < len(text) <= LIMIT
    assert fitted["cut"] is True
    assert {key: fitted[key] for key in PLAIN} == PLAIN
    assert len(fitted["attempts"]) >= min(2, len(document["attempts"]))
    for one in fitted["attempts"]:
        assert one["result"] == "fail"
        assert one["error"]
        assert one["steps"][-1]["name"] == "Pay", "the step that failed, which is the last"


def test_the_longest_is_cut_first():
    """A flood of beacons costs no step."""
    fitted = json.loads(fit(run(attempt(), beacons=400), LIMIT))
    assert fitted["attempts"] == [attempt()]
    assert 0 < len(fitted["beacons"]) < 400


def test_what_can_not_be_cut_leaves_the_plain_values():
    """An object of twenty thousand keys, say."""
    document = run(counts={str(number): number for number in range(20_000)})
    empty = {"attempts": [], "beacons": [], "counts": {}}
    assert json.loads(fit(document, LIMIT)) == {**PLAIN, **empty, "cut": True}


@settings(max_examples=50)
@given(st.dictionaries(st.text(max_size=5), values, max_size=8), st.integers(300, 3000))
def test_any_object_fits(document, limit):
    """Whatever shape it has: it ends, and gives an object within the bound."""
    text = fit({**PLAIN, **document, **PLAIN}, limit)
    assert len(text) <= limit
    assert json.loads(text)["run_id"] == PLAIN["run_id"]
