"""The link that signs one person in: printed, and opened where somebody sees it."""

from __future__ import annotations

import json
import stat
import webbrowser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from agent.cli.open_pages import open_pages
from agent.cli.running_agent import Agent
from tests.support.api import STATE_TOKEN, Served, journey


@pytest.fixture
def opened(monkeypatch):
    found = []
    monkeypatch.setattr(webbrowser, "open", lambda url: found.append(url) or True)
    return found


def kept(address):
    file = Path(unquote(urlsplit(address).path))
    return file.stat().st_mode, file.read_text()


async def test_the_link_leads_to_where_people_reach_the_agent(tmp_path, capsys, opened):
    """Alone on its line; to `server.url` where that is set, else to where the command asked; and
    nothing is opened where nobody would see it."""
    for number, url in enumerate(["", "https://footfall.example.com"]):
        folder = tmp_path / str(number)
        async with Served(folder, public_url=url, journeys=[journey("buy")]) as served:
            await open_pages(Agent(served.url, STATE_TOKEN), (), {}, json=False)
            first, second = capsys.readouterr().out.splitlines()
            assert first.startswith(f"{url or served.url}/sign-in?link=")
            assert "once, within 60 s" in second
            path = urlsplit(first)
            shown = served.session.get(f"{path.path}?{path.query}", headers={"Accept": "text/html"})
            async with shown as response:
                assert response.status == 200
            await open_pages(Agent(served.url, STATE_TOKEN), ("buy",), {}, json=True)
            told = json.loads(capsys.readouterr().out)
            assert told["link"].endswith("&next=%2Fjourneys%2Fbuy")
    assert opened == []


async def test_it_is_opened_without_showing_it_to_others(tmp_path, capsys, opened):
    """A command's arguments are everybody's to read, a file of the user's own is not."""
    environ = {"DISPLAY": ":0", "XDG_RUNTIME_DIR": str(tmp_path)}
    async with Served(tmp_path / "served", journeys=[journey("buy")]) as served:
        await open_pages(Agent(served.url, STATE_TOKEN), (), environ, json=False)
    link, said = capsys.readouterr().out.splitlines()
    assert said.startswith("Opened")
    (shown,) = opened
    assert "link=" not in shown
    mode, text = kept(shown)
    assert stat.S_IMODE(mode) == 0o600
    assert link.replace("&", "&amp;") in text
