"""The agent's own server over a real socket, with made-up documents in place of a history."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from agent.core.clock import SystemClock
from agent.server.access import Access
from agent.server.app import MoreRoutes, create_app
from agent.server.control import Refused
from agent.server.event_streams import EventStreams
from agent.server.health import Check, health_routes
from agent.server.serving import listen, port_of, serving
from tests.gallery.scenes import PASSED_PICTURE, PICTURE
from tests.support.api import Asked
from tests.support.entrance import an_entrance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser

    from agent.core.gate import GateOrder
    from agent.server.documents.gates import GateDocument
    from tests.gallery.scenes import Scene

TOKEN = "gallery-0123456789abcdef"
_SHOP = """<!doctype html><body style="font:20px sans-serif;margin:0">
<div style="background:#234;color:#fff;padding:20px 40px">Mug shop</div>
<div style="padding:40px"><h1>{}</h1><p>{}</p></div>"""


class Stage:
    """Answers as a history would: with the documents of the scene that is on."""

    scene: Scene

    def __init__(self, artifacts: Path) -> None:
        self._artifacts = artifacts
        self.control = Asked()

    async def take_pictures(self, browser: Browser) -> None:
        """Take the pictures that runs took."""
        page = await browser.new_page(viewport={"width": 1280, "height": 720})
        for address, title, text in (
            (PICTURE, "Something went wrong", "Please try again later."),
            (PASSED_PICTURE, "Order confirmed", "Thank you. Your mug is on its way."),
        ):
            await page.set_content(_SHOP.format(title, text))
            await page.screenshot(path=self._artifacts / address.removeprefix("/artifacts/"))
        await page.close()

    @property
    def environment(self) -> str:
        """The environment of the scene."""
        return str(self.scene.overview["agent"]["environment"])

    def loaded(self) -> list[str]:
        """Return the names of the overview's journeys."""
        return [one["journey"] for one in self.scene.overview["journeys"]]

    async def knows(self, journey: str) -> bool:
        """Whether the scene has it."""
        return journey in self.scene.journeys

    async def journeys(self, days: int = 30) -> Any:
        """Return the overview."""
        return self.scene.overview

    async def journey(self, name: str) -> Any:
        """Return a journey."""
        return self.scene.journeys.get(name)

    async def runs(self, journey: str, result: str, limit: int) -> Any:
        """Return no runs: no page asks for them."""
        return [], {}

    async def run(self, run_id: str) -> Any:
        """Return a run."""
        return self.scene.runs.get(run_id)

    def elsewhere(self) -> list[str]:
        """Return no addresses: it is alone."""
        return []

    async def incidents(self, limit: int, before: int | None = None) -> Any:
        """Return all incidents."""
        told = {"at": self.scene.overview["at"], "location": self.scene.overview["location"]}
        return told | {"incidents": self.scene.incidents, "more": False}

    async def incident(self, number: int) -> Any:
        """Return an incident."""
        return next((one for one in self.scene.incidents if one["id"] == number), None)

    async def ask(self, order: GateOrder, key: str = "") -> GateDocument:
        """Refuse: no page asks for a verdict."""
        raise Refused(503, "the gallery judges no release")

    async def wait(self, gate_id: str, seconds: float = 0.0) -> GateDocument | None:
        """Return a gate."""
        return self.scene.gates.get(gate_id)


@asynccontextmanager
async def staged() -> AsyncIterator[tuple[Stage, str]]:
    """Serve the pages; gives what is played, and the address."""

    async def ready() -> dict[str, Check]:
        return {"workers": Check(True, "2 idle")}

    with TemporaryDirectory() as folder:
        stage, socket, streams = Stage(Path(folder)), listen("127.0.0.1", 0), EventStreams()
        access = Access("127.0.0.1", TOKEN, False, port_of(socket))
        app = create_app(
            health_routes(lambda: Check(True, "ticked"), ready),
            stage,
            stage.control,
            Path(folder),
            access,
            an_entrance(access, SystemClock()),
            streams,
            MoreRoutes(stage),
        )
        async with serving(app, socket):
            yield stage, f"http://127.0.0.1:{port_of(socket)}"
            streams.end()
