"""From rules to a page: vmalert, Alertmanager, and a webhook in the test's own event loop."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import yaml
from aiohttp import web

from tests.support.service import CACHE, ROOT, Service, free_port, listens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

VMALERT = CACHE / "victoria-metrics" / "usr" / "bin" / "vmalert"
_PACKAGE = CACHE / "alertmanager"
ALERTMANAGER = _PACKAGE / "usr" / "bin" / "prometheus-alertmanager"
_THERE = "/usr/share/prometheus/alertmanager"
_HERE = "share"


def relocate() -> None:
    """Have the unpacked Alertmanager look for its templates in its working folder.

    Debian's looks where the package would have put them, and takes no option for it.
    """
    binary = ALERTMANAGER.read_bytes()
    here = _HERE.rjust(len(_THERE), "/").replace("//", "./")
    assert _THERE.encode() in binary
    ALERTMANAGER.write_bytes(binary.replace(_THERE.encode(), here.encode()))


class Vmalert(Service):
    """Evaluates ``rules``, a rule file's text, on a VictoriaMetrics at ``store``."""

    needs = VMALERT

    def __init__(self, rules: str, store: str, alertmanager: str) -> None:
        self._rules = rules
        self._store = store
        self._alertmanager = alertmanager

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self._port}"

    def prepare(self) -> None:
        self._port = free_port()
        (self.folder / "rules.yaml").write_text(self._rules)

    def command(self) -> Sequence[str]:
        return [
            str(VMALERT),
            "-rule=rules.yaml",
            f"-datasource.url={self._store}",
            f"-remoteWrite.url={self._store}",
            f"-remoteRead.url={self._store}",
            f"-notifier.url={self._alertmanager}",
            f"-httpListenAddr=127.0.0.1:{self._port}",
            # As the store's -search.latencyOffset: what was pushed is asked for at once.
            "-rule.evalDelay=0s",
            "-remoteWrite.flushInterval=200ms",
            "-loggerLevel=WARN",
        ]

    def ready(self) -> bool:
        return listens(self._port)


class Alertmanager(Service):
    """Groups, inhibits and sends on; ``configuration`` is its file's text."""

    needs = ALERTMANAGER

    def __init__(self, configuration: str) -> None:
        self._configuration = configuration

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self._port}"

    def prepare(self) -> None:
        self._port = free_port()
        (self.folder / _HERE).symlink_to(_PACKAGE / _THERE.lstrip("/"))
        (self.folder / "alertmanager.yaml").write_text(self._configuration)

    async def fire(self, *alerts: dict[str, str]) -> None:
        """Send alerts, each as its labels."""
        body = [{"labels": labels} for labels in alerts]
        async with (
            aiohttp.ClientSession(self.url, raise_for_status=True) as session,
            session.post("/api/v2/alerts", json=body),
        ):
            pass

    async def alerts(self) -> list[dict[str, Any]]:
        """Every alert it holds, with its status."""
        async with (
            aiohttp.ClientSession(self.url, raise_for_status=True) as session,
            session.get("/api/v2/alerts") as response,
        ):
            return await response.json()

    def command(self) -> Sequence[str]:
        return [
            str(ALERTMANAGER),
            "--config.file=alertmanager.yaml",
            "--storage.path=data",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ]

    def ready(self) -> bool:
        return listens(self._port)


def configuration(webhook: str, **times: str) -> str:
    """The shipped file, every receiver at ``webhook``; ``times`` go over those of all routes."""
    document = yaml.safe_load((ROOT / "deploy" / "alertmanager.yaml").read_text("utf-8"))
    for receiver in document["receivers"]:
        for one in receiver["webhook_configs"]:
            one["url"] = f"{webhook}/{receiver['name']}"
    for route in (document["route"], *document["route"]["routes"]):
        route.update({name: value for name, value in times.items() if name in route})
    return yaml.safe_dump(document)


@dataclass(frozen=True)
class Notice:
    """One alert of one notification. ``at`` is when it arrived, in Unix seconds."""

    at: float
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: str

    @property
    def name(self) -> str:
        """The alert's name."""
        return self.labels["alertname"]


@dataclass
class Webhook:
    """Takes Alertmanager's notifications on a loopback port of its own."""

    notices: list[Notice] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_post("/{receiver}", self._take)
        self._arrived = asyncio.Condition()
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def wait_for(
        self, condition: Callable[[Notice], object], within: float, after: float = 0.0
    ) -> Notice:
        """Return the first notice of which ``condition`` holds, come after Unix time ``after``.

        Raises:
            AssertionError: none came in ``within`` seconds; says which did.

        """

        def found() -> Notice | None:
            return next((n for n in self.notices if n.at >= after and condition(n)), None)

        try:
            async with asyncio.timeout(within), self._arrived:
                await self._arrived.wait_for(found)
        except TimeoutError:
            pass
        notice = found()
        told = [(n.name, n.status, n.labels) for n in self.notices]
        assert notice is not None, f"no such notice within {within} s; told: {told}"
        return notice

    def firing(self, name: str, after: float = 0.0) -> list[Notice]:
        """The notices that an alert fires, come after Unix time ``after``."""
        return [
            n for n in self.notices if n.name == name and n.status == "firing" and n.at >= after
        ]

    async def _take(self, request: web.Request) -> web.Response:
        told: dict[str, Any] = await request.json()
        now = time.time()
        self.notices += [
            Notice(now, one["status"], one["labels"], one["annotations"], one["startsAt"])
            for one in told["alerts"]
        ]
        async with self._arrived:
            self._arrived.notify_all()
        return web.Response()
