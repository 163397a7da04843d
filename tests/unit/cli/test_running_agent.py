"""Which token the commands show, and what they say where there is none."""

from __future__ import annotations

import os

import pytest

from agent.cli.running_agent import Agent, find
from agent.core.errors import AgentUnreachable, ConfigError
from agent.storage import access_token
from tests.support.api import STATE_TOKEN, Served, journey

TOKEN = "0123456789abcdef-token"


@pytest.fixture
def config(tmp_path):
    def write(text=""):
        file = tmp_path / "config.toml"
        file.write_text(text)
        return file

    return write


def test_the_token_of_the_state_folder_is_for_this_machine_alone(config, tmp_path):
    """It goes along to the configured address and to loopback, never to another host; one that is
    configured wins and goes wherever is asked."""
    (tmp_path / "state").mkdir()
    token = access_token.keep(tmp_path / "state")
    file = config('state = "state"\n')
    assert find(file, {}, "") == Agent("http://127.0.0.1:8080", token)
    for url in ("http://localhost:9", "http://127.0.0.9:9", "http://[::1]:9"):
        assert find(file, {}, url).token == token
    for url in ("https://agent.example.com", "http://10.0.0.7:8080", "http://localhost.evil.test"):
        assert find(file, {}, url).token == ""
    # Of a folder that can't be told, none is taken.
    assert find(config("state = 7\n"), {}, "").token == ""
    configured = {"FOOTFALL_SERVER__TOKEN": TOKEN}
    assert find(config(), configured, "https://agent.example.com").token == TOKEN


async def test_a_token_that_is_missing_is_told_with_its_file(config, tmp_path):
    """Reading on this machine goes on without."""
    async with Served(tmp_path / "served", journeys=[journey("buy")]) as served:
        agent = find(config('state = "state"\n'), {}, served.url)
        await agent.get("/api/v1/journeys")
        with pytest.raises(ConfigError, match=rf"there is none in {tmp_path}/state/token\); give"):
            await agent.post("/api/v1/reload", {})
        assert served.control.verbs == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be made another user")
def test_a_token_that_is_anothers_is_told_with_its_owner(config, tmp_path):
    """By the folder, where nobody else may look into it; other commands go on without."""
    state = tmp_path / "state"
    state.mkdir()
    access_token.keep(state)
    file = config('state = "state"\n')
    os.chown(state, 12345, 12345)
    state.chmod(0o700)
    file.chmod(0o644)
    for folder in (tmp_path, *tmp_path.parents):
        folder.chmod(folder.stat().st_mode | 0o111)
    os.seteuid(54321)
    try:
        agent = find(file, {}, "")
    finally:
        os.seteuid(0)
    assert agent.token == ""
    assert agent.why_none == f"{state}/token is user 12345's: run this as that user"


async def test_what_an_agent_says_is_told_from_what_others_say(tmp_path):
    """A refusal of the agent's own is an answer; a route that it doesn't have is another version;
    a token that is not its own is bad usage, an end that is near is unreachable."""
    async with Served(tmp_path, journeys=[journey("buy")]) as served:
        agent = Agent(served.url, STATE_TOKEN)
        answer = await agent.post("/api/v1/reload", {"jurney": "buy"})
        assert (answer.status, answer.error) == (400, "'jurney' unknown; known: none")
        with pytest.raises(AgentUnreachable, match="no agent of this version"):
            await agent.post("/api/v1/nothing", {})
        with pytest.raises(ConfigError, match="token rejected"):
            await Agent(served.url, TOKEN).post("/api/v1/reload", {})
        with pytest.raises(ConfigError, match="no journey is called 'by'; known: buy"):
            await agent.get("/api/v1/runs?journey=by")
        assert served.control.verbs == []
