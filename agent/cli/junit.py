"""Runs as a JUnit report, for build servers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from agent.core.results import Result
from agent.core.slowness import too_slow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agent.core.results import RunResult, Step

_NOT_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, runs: Sequence[RunResult], artifacts: Path) -> None:
    """Write one test case a run: a failing one as failure, an unmeasured one as error."""
    failed = sum(run.result is Result.FAIL for run in runs)
    unmeasured = sum(run.result is Result.NOT_MEASURED for run in runs)
    suite = ET.Element(
        "testsuite",
        name="footfall",
        tests=str(len(runs)),
        failures=str(failed),
        errors=str(unmeasured),
        time=f"{sum(run.duration for run in runs):.3f}",
    )
    for run in runs:
        suite.append(_case(run, artifacts))
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def _case(run: RunResult, artifacts: Path) -> ET.Element:
    case = ET.Element(
        "testcase",
        classname=run.journey.site.name,
        name=run.journey.name,
        file=run.journey.file,
        time=f"{run.duration:.3f}",
    )
    if slow := too_slow(run):
        properties = ET.SubElement(case, "properties")
        for one in slow:
            ET.SubElement(properties, "property", name="slow", value=_clean(one.shown))
    error_type = run.error_type.value if run.error_type else ""
    lines = [_step(step) for step in run.attempts[run.decided_by].steps] if run.attempts else []
    if run.result in {Result.FAIL, Result.NOT_MEASURED}:
        kind = "failure" if run.result is Result.FAIL else "error"
        trouble = ET.SubElement(
            case, kind, type=error_type, message=_clean(run.error.partition("\n")[0])
        )
        trouble.text = _clean(run.error + (f"\n{run.place.shown}" if run.place else ""))
    lines.append(f"trace {run.trace_id}")
    lines += [
        f"[[ATTACHMENT|{artifacts / path}]]"
        for attempt in run.attempts
        for path in attempt.artifacts
    ]
    ET.SubElement(case, "system-out").text = _clean("\n".join(lines))
    return case


def _step(step: Step) -> str:
    note = " (optional)" if step.optional else ""
    return f"{step.result.value}: {step.name}{note}"


def _clean(text: str) -> str:
    """Drop what XML can't hold."""
    return _NOT_XML.sub("", text)
