"""Where telemetry goes: the configuration under the standard ``OTEL_*`` variables, which win."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote, urlsplit

from agent.core import names, proxies
from agent.core.errors import ConfigError, Problem
from agent.telemetry.delivery import tls
from agent.telemetry.delivery.destination import Export, Target
from agent.telemetry.delivery.headers import troubles_with
from agent.telemetry.delivery.otel_variables import refusals
from agent.telemetry.delivery.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.config.sections import TelemetrySection
    from agent.telemetry.delivery.destination import Compression, Protocol

_PREFIX: Final = "OTEL_EXPORTER_OTLP_"
_PROTOCOLS: Final = ("http/protobuf", "grpc")
_COMPRESSIONS: Final = ("gzip", "none")
_BOOLEANS: Final = ("true", "false")


def export_of(section: TelemetrySection, environment: Mapping[str, str]) -> Export | None:
    """Lay the environment's ``OTEL_*`` variables over a ``[telemetry]`` section; see ``resolve``.

    Raises:
        ConfigError: a value can't be used; every such value is named.

    """
    return resolve(
        environment,
        endpoint=section.endpoint,
        protocol=section.protocol,
        headers={name: value.get_secret_value() for name, value in section.headers.items()},
        interval=section.interval,
    )


def resolve(
    environment: Mapping[str, str],
    *,
    endpoint: str = "",
    protocol: str = "http/protobuf",
    headers: Mapping[str, str] | None = None,
    interval: float = 15.0,
) -> Export | None:
    """Lay the environment's ``OTEL_*`` variables over the configuration.

    Returns None where there is no endpoint at all, or ``OTEL_SDK_DISABLED`` is true. The files
    that are named are read, to see whether they can be used.

    Raises:
        ConfigError: a value can't be used; every such value is named.

    """
    reader = _Reader(environment)
    if reader.boolean("OTEL_SDK_DISABLED"):
        return None
    targets = {
        signal: target
        for signal in Signal
        if reader.exports(signal)
        and (target := reader.target(signal, endpoint, protocol, headers or {})) is not None
    }
    seconds = reader.milliseconds("OTEL_METRIC_EXPORT_INTERVAL", interval)
    bound = reader.milliseconds("OTEL_METRIC_EXPORT_TIMEOUT", math.inf)
    if target := targets.get(Signal.METRICS):
        targets[Signal.METRICS] = replace(target, timeout=min(target.timeout, bound))
    resource = reader.pairs("OTEL_RESOURCE_ATTRIBUTES")
    if name := environment.get("OTEL_SERVICE_NAME", "").strip():
        resource[names.SERVICE_NAME] = name
    # Where nothing is sent, it makes no difference how.
    problems = [*reader.problems, *(refusals(environment) if targets else ())]
    if problems:
        raise ConfigError(problems)
    return Export(targets, seconds, resource) if targets else None


class _Reader:
    """Reads variables and keeps what was wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._proxies, _ = proxies.from_environment(environment)
        self.problems: list[Problem] = []

    def target(
        self, signal: Signal, endpoint: str, protocol: str, headers: Mapping[str, str]
    ) -> Target | None:
        where, chosen = self._find(signal, "PROTOCOL", "telemetry.protocol", protocol)
        if chosen not in _PROTOCOLS:
            self._wrong(
                where, f"unsupported protocol {chosen!r}. Use one of {_either(_PROTOCOLS)}."
            )
            chosen = "http/protobuf"
        grpc = chosen == "grpc"
        url = self._url(signal, endpoint, grpc=grpc)
        where, compression = self._find(signal, "COMPRESSION", "", "gzip")
        if compression not in _COMPRESSIONS:
            self._wrong(where, f"{compression!r} is not known. Use {_either(_COMPRESSIONS)}.")
        where, _ = self._find(signal, "TIMEOUT", "", "")
        timeout = self.milliseconds(where, 10.0)
        where, _ = self._find(signal, "HEADERS", "", "")
        given = self.pairs(where) if where else {}
        for place, pairs in (("telemetry.headers", headers), (where, given)):
            for trouble in troubles_with(pairs, grpc=grpc):
                self._wrong(place, trouble)
        certificate, client, key = self._files(signal)
        if not url:
            return None
        return Target(
            url=url,
            protocol=cast("Protocol", chosen),
            headers={key.lower(): value for key, value in {**headers, **given}.items()},
            timeout=timeout,
            compression=cast("Compression", compression),
            certificate=certificate,
            client_certificate=client,
            client_key=key,
            proxy=self._proxy(url, grpc=grpc),
        )

    def exports(self, signal: Signal) -> bool:
        """Whether ``OTEL_<SIGNAL>_EXPORTER`` lets a signal be sent."""
        name = f"OTEL_{signal.upper()}_EXPORTER"
        value = self._environment.get(name, "").strip().lower()
        if value not in {"", "otlp", "none"}:
            self._wrong(name, f"{value!r} is no exporter here. Use otlp or none.")
        return value != "none"

    def boolean(self, name: str) -> bool:
        """Read true or false; nothing is false."""
        value = self._environment.get(name, "").strip().lower()
        if value not in {"", *_BOOLEANS}:
            self._wrong(name, f"{value!r} is neither. Write {_either(_BOOLEANS)}.")
        return value == "true"

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
        insecure = self.boolean(self._find(signal, "INSECURE", "", "")[0])
        if grpc and "://" not in url and where != "telemetry.endpoint":
            # As the specification has it, for gRPC alone.
            url = f"{'http' if insecure else 'https'}://{url}"
        try:
            parts = urlsplit(url)
            known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            known = False
        if not known:
            self._wrong(where, "is not an address. Write http://HOST:PORT or https://HOST:PORT.")
            return url
        if grpc and (parts.path not in {"", "/"} or parts.username is not None):
            self._wrong(
                where,
                "has a path or a user, which gRPC doesn't send. Write http://HOST:PORT, and "
                "credentials as headers.",
            )
        if path and (parts.query or parts.fragment):
            self._wrong(where, "has a query, behind which no path can go. Leave it out.")
        return url.rstrip("/") + path if path else url

    def _files(self, signal: Signal) -> tuple[str, str, str]:
        """Return the files of authorities, certificate and key, and see if they can be used."""
        trusted_by, trusted = self._find(signal, "CERTIFICATE", "", "")
        client_by, client = self._find(signal, "CLIENT_CERTIFICATE", "", "")
        key_by, key = self._find(signal, "CLIENT_KEY", "", "")
        if trouble := tls.trouble_with_authorities(trusted):
            self._wrong(trusted_by, f"{trouble}.")
        if trouble := tls.trouble_with_client(client, key):
            names_both = f"{client_by} and {key_by}" if client and key else client_by or key_by
            self._wrong(names_both, f"{trouble}.")
        return trusted, client, key

    def _proxy(self, url: str, *, grpc: bool) -> str:
        proxy = self._proxies.of(url)
        if proxy is None:
            return ""
        if grpc and proxy.server.startswith("https:"):
            self._wrong(
                "telemetry.protocol",
                f"gRPC can't go through the proxy {proxy.server} of the environment, which is "
                "spoken to by TLS. Use http/protobuf, or name the collector in NO_PROXY.",
            )
        return proxy.url

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
