"""Where telemetry goes: the configuration under the standard ``OTEL_*`` variables, which win."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, cast
from urllib.parse import unquote, urlsplit

from agent.core import names
from agent.core.errors import ConfigError, Problem
from agent.telemetry.delivery.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping

Protocol = Literal["http/protobuf", "grpc"]
Compression = Literal["gzip", "none"]

_PREFIX: Final = "OTEL_EXPORTER_OTLP_"
_PROTOCOLS: Final = ("http/protobuf", "grpc")
_COMPRESSIONS: Final = ("gzip", "none")


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


def resolve(
    environment: Mapping[str, str],
    *,
    endpoint: str = "",
    protocol: str = "http/protobuf",
    headers: Mapping[str, str] | None = None,
    interval: float = 15.0,
) -> Export | None:
    """Lay the environment's ``OTEL_*`` variables over the configuration.

    Returns None where there is no endpoint at all, or ``OTEL_SDK_DISABLED`` is true.

    Raises:
        ConfigError: a value can't be used; every such value is named.

    """
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    reader = _Reader(environment)
    targets = {
        signal: target
        for signal in Signal
        if (target := reader.target(signal, endpoint, protocol, headers or {})) is not None
    }
    seconds = reader.milliseconds("OTEL_METRIC_EXPORT_INTERVAL", interval)
    resource = reader.pairs("OTEL_RESOURCE_ATTRIBUTES")
    if name := environment.get("OTEL_SERVICE_NAME", "").strip():
        resource[names.SERVICE_NAME] = name
    if reader.problems:
        raise ConfigError(reader.problems)
    return Export(targets, seconds, resource) if targets else None


class _Reader:
    """Reads variables and keeps what was wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[Problem] = []

    def target(
        self, signal: Signal, endpoint: str, protocol: str, headers: Mapping[str, str]
    ) -> Target | None:
        where, chosen = self._find(signal, "PROTOCOL", "telemetry.protocol", protocol)
        if chosen not in _PROTOCOLS:
            self._wrong(where, f"{chosen!r} is not spoken here. Use one of {_either(_PROTOCOLS)}.")
            chosen = "http/protobuf"
        url = self._url(signal, endpoint, grpc=chosen == "grpc")
        where, compression = self._find(signal, "COMPRESSION", "", "gzip")
        if compression not in _COMPRESSIONS:
            self._wrong(where, f"{compression!r} is not known. Use {_either(_COMPRESSIONS)}.")
        where, _ = self._find(signal, "TIMEOUT", "", "")
        timeout = self.milliseconds(where, 10.0)
        where, _ = self._find(signal, "HEADERS", "", "")
        given = self.pairs(where) if where else {}
        if not url:
            return None
        return Target(
            url=url,
            protocol=cast("Protocol", chosen),
            headers={key.lower(): value for key, value in {**headers, **given}.items()},
            timeout=timeout,
            compression=cast("Compression", compression),
            certificate=self._find(signal, "CERTIFICATE", "", "")[1],
        )

    def milliseconds(self, name: str, default: float) -> float:
        """Read a number of milliseconds; return seconds."""
        text = self._environment.get(name, "").strip()
        if not text:
            return default
        try:
            value = float(text) / 1000
        except ValueError:
            value = math.nan
        if not 0 < value < math.inf:
            self._wrong(name, f"{text!r} is not a number of milliseconds above 0.")
            return default
        return value

    def pairs(self, name: str) -> dict[str, str]:
        """Read ``key=value,key=value``, percent-encoded."""
        pairs: dict[str, str] = {}
        for part in self._environment.get(name, "").split(","):
            key, equals, value = part.partition("=")
            if equals and key.strip():
                pairs[unquote(key.strip())] = unquote(value.strip())
            elif part.strip():
                # The text itself may be a secret.
                self._wrong(name, "has a part that is not key=value. Separate pairs by commas.")
        return pairs

    def _url(self, signal: Signal, endpoint: str, *, grpc: bool) -> str:
        own = f"{_PREFIX}{signal.upper()}_ENDPOINT"
        shared = f"{_PREFIX}ENDPOINT"
        if url := self._environment.get(own, "").strip():
            where, path = own, ""
        else:
            url = self._environment.get(shared, "").strip()
            where = shared if url else "telemetry.endpoint"
            url = url or endpoint.strip()
            path = "" if grpc else f"/v1/{signal.value}"
        if not url:
            return ""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            self._wrong(where, "is not an address. Write http://HOST:PORT or https://HOST:PORT.")
        return url.rstrip("/") + path if path else url

    def _find(self, signal: Signal, key: str, where: str, default: str) -> tuple[str, str]:
        for name in (f"{_PREFIX}{signal.upper()}_{key}", f"{_PREFIX}{key}"):
            if value := self._environment.get(name, "").strip():
                return name, value
        return where, default

    def _wrong(self, where: str, message: str) -> None:
        problem = Problem(where, message)
        if problem not in self.problems:
            self.problems.append(problem)


def _either(words: tuple[str, ...]) -> str:
    return " or ".join(words)
