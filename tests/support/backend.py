"""A back end of two services, instrumented from outside by OpenTelemetry's own packages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.support.demo import DemoShop
from tests.support.service import CACHE, ROOT, Service

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SOURCE = ROOT / "tests" / "backend"
VENV = CACHE / "backend-venv"


def instrumented(service: str, otlp: str) -> dict[str, str]:
    """The environment in which ``opentelemetry-instrument`` sends a service's spans to ``otlp``."""
    return os.environ | {
        "OTEL_SERVICE_NAME": service,
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "PYTHONPATH": str(ROOT),
    }


def launcher(*arguments: str) -> list[str]:
    """Whatever Python is given, with every library instrumented that can be."""
    return [
        str(VENV / "bin" / "opentelemetry-instrument"),
        str(VENV / "bin" / "python"),
        *arguments,
    ]


class Inventory(Service):
    """The service that asks the database."""

    needs = VENV
    url = ""

    def __init__(self, otlp: str) -> None:
        self._otlp = otlp

    def command(self) -> Sequence[str]:
        return launcher(str(SOURCE / "inventory.py"))

    def environment(self) -> Mapping[str, str]:
        return instrumented("inventory", self._otlp)

    def ready(self) -> bool:
        announced = self.announced()
        if announced:
            self.url = announced["inventory"]
        return announced is not None


class InstrumentedShop(DemoShop):
    """The demo shop as it is, under the same instrumentation."""

    needs = VENV

    def __init__(self, inventory: str, otlp: str) -> None:
        super().__init__(inventory)
        self._otlp = otlp

    def command(self) -> Sequence[str]:
        _, *arguments = super().command()
        return launcher(*arguments)

    def environment(self) -> Mapping[str, str]:
        return instrumented("shop", self._otlp)
