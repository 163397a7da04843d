"""The agent's own log, on a terminal and off it."""

import io

import pytest
import structlog

from agent.cli import log_output

SECRET = "sesame-open-wide"


@pytest.fixture(autouse=True)
def as_before():
    """Leaves structlog as it was."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_traceback_shows_no_local_variable(monkeypatch, terminal):
    """Whatever went wrong, and wherever it is read: a variable may hold a secret."""
    stderr = io.StringIO()
    monkeypatch.setattr(stderr, "isatty", lambda: terminal)
    monkeypatch.setattr("sys.stderr", stderr)
    log_output.configure()

    def look(password):
        raise RuntimeError(f"{len(password)} letters")

    try:
        look(SECRET)
    except RuntimeError:
        structlog.get_logger("test").exception("went.wrong", action="look")
    assert "16 letters" in stderr.getvalue()
    assert "in look" in stderr.getvalue()
    assert SECRET not in stderr.getvalue()
