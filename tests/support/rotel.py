"""Rotel: a collector that nobody here wrote, in front of the suite's own receiver."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from tests.support.service import Service, free_port, listens

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNALS = ("traces", "metrics", "logs")


class Rotel(Service):
    """Takes OTLP over gRPC and HTTP and forwards it by HTTP to ``forward_to``, a base address."""

    def __init__(self, forward_to: str) -> None:
        self._forward_to = forward_to

    @property
    def http_endpoint(self) -> str:
        """Base address for OTLP over HTTP."""
        return f"http://127.0.0.1:{self._http_port}"

    @property
    def grpc_endpoint(self) -> str:
        """Base address for OTLP over gRPC."""
        return f"http://127.0.0.1:{self._grpc_port}"

    def prepare(self) -> None:
        self._http_port, self._grpc_port = free_port(), free_port()

    def command(self) -> Sequence[str]:
        return [
            str(files("rotel") / "rotel-agent"),
            "start",
            f"--otlp-http-endpoint=127.0.0.1:{self._http_port}",
            f"--otlp-grpc-endpoint=127.0.0.1:{self._grpc_port}",
            "--exporter=otlp",
            "--otlp-exporter-protocol=http",
            *(
                f"--otlp-exporter-{signal}-endpoint={self._forward_to}/v1/{signal}"
                for signal in _SIGNALS
            ),
            "--batch-timeout=50ms",
        ]

    def ready(self) -> bool:
        return listens(self._http_port) and listens(self._grpc_port)
