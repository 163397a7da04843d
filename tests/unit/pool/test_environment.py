"""Workers, drivers and browsers are given no secret by their environment."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agent.pool.environment import worker_environment
from agent.pool.process_tree import MARK

OWN = Path("own")


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "FOOTFALL_SECRET_PW",
                "FOOTFALL_TELEMETRY__HEADERS",
                "OTEL_EXPORTER_OTLP_HEADERS",
                "AWS_SECRET_ACCESS_KEY",
                "HTTPS_PROXY",
                "SSH_AUTH_SOCK",
            ]
        )
        | st.from_regex(r"[A-Z_]{1,12}", fullmatch=True).map(lambda name: f"X_{name}"),
        st.text(),
    )
)
def test_no_secret(environ: dict[str, str]) -> None:
    """What isn't known to be harmless stays with the supervisor."""
    given_on = worker_environment({**environ, "PATH": "/bin", "TZ": "UTC"}, "agent-1", OWN)
    assert given_on == {
        "PATH": "/bin",
        "TZ": "UTC",
        MARK: "agent-1",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": "own",
    }


def test_the_mark_is_ours() -> None:
    """The mark names this agent, whoever started it."""
    assert worker_environment({MARK: "another"}, "agent-1", OWN)[MARK] == "agent-1"
