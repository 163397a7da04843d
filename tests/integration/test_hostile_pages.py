"""What a page says breaks neither the walk nor the agent, and what is kept of it is bounded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from agent.core.errors import ErrorType
from agent.protocol.messages import FROM_WORKER
from agent.protocol.messages import Walked as WalkedMessage
from tests.support.hostile import HEAVY, HOSTILE, journey, pages
from tests.support.origin import Origin
from tests.support.walking import Walked, Walker, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

_MOST_TOLD = 300_000
"""Characters of a report."""
_MOST_KEPT = 1_500_000
"""Bytes of ``failure.json``."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def origin() -> AsyncIterator[Origin]:
    async with Origin(pages=pages()) as serving:
        yield serving


def expect_outcome(walked: Walked, *, fails: bool) -> None:
    assert walked.record.report is not None, walked.record
    report = walked.report
    assert report.error_type == (ErrorType.ASSERTION if fails else None), report.error
    assert report.canary is None
    told = FROM_WORKER.dump_json(WalkedMessage(report)).decode()
    assert len(told) < _MOST_TOLD
    assert len(report.error) <= 4000
    for text in (told, *(line for _, _, fields in walked.heard.logs for line in map(str, fields))):
        assert not {"\x1b", "\x9b", "\x00"} & set(text)
    if fails:
        notes = (walked.scratch / "failure.json").read_text()
        assert len(notes) < _MOST_KEPT
        assert not {"\x1b", "\x9b", "\x00"} & set(notes)
        assert json.loads(notes)["error"]


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_page(walker: Walker, origin: Origin, name: str) -> None:
    """A page that says what breaks others is measured like any other."""
    walked = await walker.walk(journey(name), site(origin.url))
    expect_outcome(walked, fails=HOSTILE[name].fails)
    assert [log for log in walked.heard.logs if log[1] == "agent.listener_failed"] == []


LEADING = ["nowhere", "far", "to_no_host", "to_a_script", "to_a_file"]


@pytest.mark.parametrize("path", [f"leads_{where}" for where in LEADING])
async def test_an_api_that_leads_nowhere(walker: Walker, origin: Origin, path: str) -> None:
    """A redirect to what is no address, or to a closed door of any kind, is the target's fault."""
    walked = await walker.walk(f'await run.api.get("/{path}")', site(origin.url))
    assert walked.report.error_type is ErrorType.NAVIGATION, walked.report.error


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("record", [False, True])
@pytest.mark.parametrize("name", HEAVY)
async def test_a_heavy_page(walker: Walker, origin: Origin, name: str, record: bool) -> None:
    """A failure on a page that is heavy is the target's, recorded or not."""
    walked = await walker.walk(
        journey(name), site(origin.url), record_trace=record, timeout=20.0, grace=2.0
    )
    assert walked.report.error_type in {ErrorType.ASSERTION, ErrorType.TIMEOUT}
    assert walked.report.canary is None
