"""The JUnit report: valid XML, whatever a page wrote into an error."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cli.junit import _clean, write_junit
from agent.core.results import Result
from tests.support.build import TRACE

ARTIFACTS = Path("var/artifacts")


@pytest.fixture
def report(tmp_path):
    def write(*runs):
        path = tmp_path / "made" / "on" / "the" / "way" / "report.xml"
        write_junit(path, runs, ARTIFACTS)
        return ET.parse(path).getroot()

    return write


def test_counts_and_times(make_run, report):
    """Tests, failures and errors; a flaky run is neither of the two."""
    suite = report(
        make_run(Result.PASS),
        make_run(Result.FAIL, Result.PASS),
        make_run(Result.FAIL, Result.FAIL),
        make_run(Result.NOT_MEASURED),
    )
    assert suite.tag == "testsuite"
    assert {key: suite.attrib[key] for key in ("name", "tests", "failures", "errors", "time")} == {
        "name": "footfall",
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "time": "5.000",
    }
    troubles = [[child.tag for child in case if child.tag != "system-out"] for case in suite]
    assert troubles == [[], [], ["failure"], ["error"]]


def test_a_case_says_where_and_why(make_run, report):
    """Site, journey, file, type and message; steps, trace and attachments in its output."""
    (case,) = report(make_run(Result.FAIL, Result.FAIL, error="no button\nsecond line"))
    assert case.attrib == {
        "classname": "shop",
        "name": "buy_a_mug",
        "file": "shop/buy.py",
        "time": "1.250",
    }
    failure = case.find("failure")
    assert failure.attrib == {"type": "assertion", "message": "no button"}
    assert failure.text == ("no button\nsecond line\nat journeys/shop/buy.py:17: await pay(['x'])")
    assert case.find("system-out").text.splitlines() == [
        "pass: Open [it]",
        "fail: Pay",
        "skipped: Read",
        f"trace {TRACE}",
        "[[ATTACHMENT|var/artifacts/buy/r/attempt-1/s.png]]",
        "[[ATTACHMENT|var/artifacts/buy/r/attempt-2/s.png]]",
    ]


def test_a_slow_pass_has_a_property(make_run, report):
    """What was above its limit stands in the case's properties; a pass in time has none."""
    quick = make_run(Result.PASS)
    slow = replace(quick, journey=replace(quick.journey, slow=1.0))
    first, second = report(quick, slow)
    assert first.find("properties") is None
    (told,) = second.find("properties")
    assert told.attrib == {"name": "slow", "value": "1.25 s, above its limit of 1s"}


def test_a_run_without_attempts_is_a_case_too(make_run, report):
    """An agent that was stopped under a run still reports it."""
    (case,) = report(replace(make_run(), error="the agent was stopped under the run"))
    assert case.find("error").text == "the agent was stopped under the run"


@given(st.text(st.characters() | st.sampled_from("\x00\x1b\ud800\udfff\ufffe\uffff")))
def test_any_text_becomes_valid_xml(text):
    """Nothing that a page can write breaks the report."""
    cleaned = _clean(text)
    element = ET.Element("x")
    element.text = cleaned
    written = ET.tostring(element, encoding="utf-8", xml_declaration=True)
    read = ET.fromstring(written).text or ""
    assert read.split() == cleaned.split()
