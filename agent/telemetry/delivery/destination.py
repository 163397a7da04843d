"""Where a signal goes, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.telemetry.delivery.signals import Signal

Protocol = Literal["http/protobuf", "grpc"]
Compression = Literal["gzip", "none"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where one signal goes. ``url`` is complete; ``timeout`` is seconds for one request."""

    url: str
    protocol: Protocol = "http/protobuf"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 10.0
    compression: Compression = "gzip"
    certificate: str = ""
    """File with the authorities to trust; "" for the system's."""
    client_certificate: str = ""
    client_key: str = ""
    """Files that say who we are; "" where nobody asks. The key may stand in the certificate's."""
    proxy: str = field(default="", repr=False)
    """Address of the proxy to go through, with its credentials; "" for none."""

    @property
    def files(self) -> tuple[str, ...]:
        """The files that a connection is made from."""
        given = (self.certificate, self.client_certificate, self.client_key)
        return tuple(file for file in given if file)


@dataclass(frozen=True, slots=True)
class Export:
    """Where each signal goes; a signal without a target is neither kept nor sent."""

    targets: Mapping[Signal, Target]
    interval: float = 15.0
    """Seconds between two collections of the metrics."""
    resource: Mapping[str, str] = field(default_factory=dict)
    """What the environment says about the resource: it wins over the agent's own words."""
