"""VictoriaMetrics: the real store that metrics end up in, asked by PromQL."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import aiohttp
import psutil

from tests.support.service import CACHE, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BINARY = CACHE / "victoria-metrics" / "usr" / "bin" / "victoria-metrics"

Sample = tuple[dict[str, str], float]


class VictoriaMetrics(Service):
    """One empty store on a port of its own, translating names as Prometheus does."""

    needs = BINARY
    port = 0

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def otlp_metrics_endpoint(self) -> str:
        """Where OTLP metrics over HTTP go: a full address, to be used as it is."""
        return f"{self.url}/opentelemetry/v1/metrics"

    async def query(self, promql: str, at: float | None = None) -> list[Sample]:
        """Labels and value of each series that ``promql`` gives now, or at Unix time ``at``."""
        async with aiohttp.ClientSession(self.url, raise_for_status=True) as session:
            async with session.get("/internal/force_flush"):
                pass
            parameters = {"query": promql, "nocache": "1"}
            if at is not None:
                parameters["time"] = str(at)
            async with session.get("/api/v1/query", params=parameters) as response:
                answer = await response.json()
        return [(row["metric"], float(row["value"][1])) for row in answer["data"]["result"]]

    async def push(self, *samples: str) -> None:
        """Store samples of now, each as Prometheus writes it: ``name{label="value"} 1``."""
        async with (
            aiohttp.ClientSession(self.url, raise_for_status=True) as session,
            session.post("/api/v1/import/prometheus", data="\n".join(samples)),
            session.get("/internal/force_flush"),
        ):
            pass

    async def query_range(self, promql: str, shown: float, step: float) -> list[Sample]:
        """Labels and last value of each series that a chart of the last ``shown`` seconds has.

        Its points are ``step`` seconds apart, the last one now.
        """
        now = time.time()
        start = now - shown // step * step
        parameters = {"query": promql, "start": start, "end": now, "step": step, "nocache": "1"}
        async with (
            aiohttp.ClientSession(self.url) as session,
            session.get("/api/v1/query_range", params=parameters) as response,
        ):
            answer = await response.json()
        assert answer["status"] == "success", answer
        return [(row["metric"], float(row["values"][-1][1])) for row in answer["data"]["result"]]

    async def label_values(self, selector: str, label: str) -> list[str]:
        """The values that ``label`` has in the series of ``selector``."""
        async with (
            aiohttp.ClientSession(self.url, raise_for_status=True) as session,
            session.get(f"/api/v1/label/{label}/values", params={"match[]": selector}) as response,
        ):
            return (await response.json())["data"]

    async def wait_for(
        self,
        promql: str,
        condition: Callable[[list[Sample]], object] = bool,
        timeout: float = 60.0,  # noqa: ASYNC109 - the caller's word for it
    ) -> list[Sample]:
        """Ask until ``condition`` holds of the answer, and return that answer.

        Raises:
            AssertionError: it didn't within ``timeout`` seconds; says the last answer.

        """
        samples: list[Sample] = []
        try:
            async with asyncio.timeout(timeout):
                # Another process can't set an event of ours.
                while not condition(samples := await self.query(promql)):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{promql} not within {timeout} s, was {samples}") from None
        return samples

    def command(self) -> Sequence[str]:
        return [
            str(BINARY),
            "-storageDataPath=data",
            "-httpListenAddr=127.0.0.1:0",
            "-opentelemetry.usePrometheusNaming",
            "-search.latencyOffset=0s",
            "-retentionPeriod=100y",
            "-memory.allowedBytes=256MiB",
            "-loggerLevel=WARN",
        ]

    def ready(self) -> bool:
        for connection in psutil.Process(self.pid).net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN:
                self.port = connection.laddr.port
                return True
        return False
