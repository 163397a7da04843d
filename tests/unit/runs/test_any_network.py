"""Any order of reports of any sites, under a wall clock that is set as somebody likes."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agent.core.errors import ErrorType
from agent.core.results import Result
from agent.runs.conduct import conduct
from agent.runs.network import Network
from tests.support.clock import ManualClock
from tests.support.fuzz import effort
from tests.unit.runs.conftest import record, report
from tests.unit.runs.test_conduct import Script

GONE = report(error_type=ErrorType.NAVIGATION, error="refused", unreachable=True)
ANSWERS = [
    report(requests={"first ok": 1}),
    report(error_type=ErrorType.HTTP_STATUS, error="500", requests={"first http_error": 2}),
]
MUTE = [
    report(error_type=ErrorType.TIMEOUT, error="slow", requests={"third ok": 1}),
    report(error_type=ErrorType.TIMEOUT, error="slow", requests={"first failed": 1}),
]


events = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 10.0, 59.0, 61.0, 200.0]),
        st.sampled_from([0.0, 0.0, 0.0, -3600.0, 3600.0, -30.0]),
        st.sampled_from(["shop", "depot", "blog"]),
        st.sampled_from([GONE, GONE, *ANSWERS, *MUTE]),
        st.sampled_from([60.0, 300.0]),
    ),
    max_size=12,
)


@effort(150)
@given(events)
async def test_it_is_the_network_when_two_sites_are_gone_and_none_answers(request_, events):
    """Within one interval of time that really passed, however the clock on the wall is set."""
    network, clock = Network(()), ManualClock(1000.0)
    seen = []
    for passed, step, site, told, interval in events:
        clock.advance(passed)
        clock.step(step)
        journey = replace(
            request_.journey,
            site=replace(request_.journey.site, name=site),
            interval=interval,
            timeout=interval,
            confirm=False,
        )
        now = clock.wall()
        walker = Script(clock, [record(told, started_at=now, ended_at=now)], takes=0.0)
        run = await conduct(replace(request_, journey=journey), walker, network, clock)
        seen.append((clock.now, site, told))

        recent = [(who, what) for at, who, what in seen if at >= clock.now - interval]
        gone = {who for who, what in recent if what is GONE}
        answered = any(what in ANSWERS for _, what in recent)
        if told is GONE and len(gone) >= 2 and not answered:
            assert (run.result, run.error_type) == (Result.NOT_MEASURED, ErrorType.AGENT_NETWORK)
        elif told.error_type is None:
            assert run.result is Result.PASS
        else:
            assert (run.result, run.error_type) == (Result.FAIL, told.error_type)
