"""A window needs a screen, and who has none is told before anything is walked."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from agent.cli.screen import require_screen
from agent.core.errors import ConfigError

NOWHERE = ":65123"


@pytest.mark.parametrize("environ", [{}, {"DISPLAY": ""}, {"DISPLAY": NOWHERE}])
def test_no_screen(environ: dict[str, str]) -> None:
    """Neither variable, or nothing that answers: the option, why, and what to do instead."""
    with pytest.raises(ConfigError) as refused:
        require_screen("--debug", environ)
    [problem] = refused.value.problems
    assert problem.where == "--debug"
    assert ("DISPLAY=:65123" in problem.message) is bool(environ.get("DISPLAY"))
    assert "without --debug" in problem.message


@pytest.mark.parametrize("environ", [{"WAYLAND_DISPLAY": "wayland-0"}, {"DISPLAY": "host:1"}])
def test_a_screen_that_may_be_one(environ: dict[str, str]) -> None:
    """Wayland's, and one on another machine, are left to the browser."""
    require_screen("--debug", environ)


def test_a_screen_that_answers() -> None:
    """A display of this machine is one as soon as somebody listens there."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as server:
        server.bind("\0/tmp/.X11-unix/X65124")
        server.listen()
        require_screen("--headed", {"DISPLAY": ":65124.0"})
