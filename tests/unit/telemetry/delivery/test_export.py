from __future__ import annotations

import pytest

from agent.core.errors import ConfigError
from agent.telemetry.delivery.export import resolve
from agent.telemetry.delivery.signals import Signal


def urls(export):
    return {signal.value: target.url for signal, target in export.targets.items()}


def test_the_endpoint_gets_a_path_for_each_signal():
    """The configured address is the collector's root."""
    export = resolve({}, endpoint="http://127.0.0.1:4318/")
    assert urls(export) == {
        "traces": "http://127.0.0.1:4318/v1/traces",
        "metrics": "http://127.0.0.1:4318/v1/metrics",
        "logs": "http://127.0.0.1:4318/v1/logs",
    }


def test_the_environment_wins_and_a_signals_own_address_is_used_as_it_is():
    """As the OTLP specification says: no path is added to a per-signal endpoint."""
    export = resolve(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1/base",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:2/opentelemetry/v1/metrics",
        },
        endpoint="http://127.0.0.1:4318",
    )
    assert urls(export) == {
        "traces": "http://127.0.0.1:1/base/v1/traces",
        "metrics": "http://127.0.0.1:2/opentelemetry/v1/metrics",
        "logs": "http://127.0.0.1:1/base/v1/logs",
    }


def test_grpc_gets_no_path():
    """A gRPC target is an address; the method is the path."""
    export = resolve({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, endpoint="http://127.0.0.1:4317")
    assert set(urls(export).values()) == {"http://127.0.0.1:4317"}
    assert export.targets[Signal.LOGS].protocol == "grpc"


@pytest.mark.parametrize("environment", [{}, {"OTEL_SDK_DISABLED": "TRUE"}])
def test_without_an_address_or_disabled_there_is_no_export(environment):
    """A laptop sends nothing unless told where to."""
    endpoint = "http://127.0.0.1:4318" if environment else ""
    assert resolve(environment, endpoint=endpoint) is None


def test_only_the_signal_with_an_address_is_exported():
    """One per-signal endpoint turns on that signal and no other."""
    export = resolve({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/t"})
    assert urls(export) == {"traces": "http://127.0.0.1:9/t"}


def test_values_are_read_in_their_units():
    """Milliseconds become seconds; pairs are percent-decoded; the signal's own value wins."""
    export = resolve(
        {
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2500",
            "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT": "500",
            "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20env, x-team=shop",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
            "OTEL_METRIC_EXPORT_INTERVAL": "5000",
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=other,k8s.pod.name=a%2Cb",
            "OTEL_SERVICE_NAME": "walker",
        },
        endpoint="http://127.0.0.1:4318",
        headers={"authorization": "Bearer file", "x-file": "1"},
    )
    traces, logs = export.targets[Signal.TRACES], export.targets[Signal.LOGS]
    assert (traces.timeout, logs.timeout, export.interval) == (2.5, 0.5, 5.0)
    assert traces.headers == {"authorization": "Bearer env", "x-file": "1", "x-team": "shop"}
    assert traces.compression == "none"
    assert export.resource == {"service.name": "walker", "k8s.pod.name": "a,b"}


def test_every_wrong_value_is_named_at_once():
    """One start shows all there is to mend, by the name of the variable."""
    with pytest.raises(ConfigError) as caught:
        resolve(
            {
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
                "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "soon",
                "OTEL_EXPORTER_OTLP_COMPRESSION": "zip",
                "OTEL_METRIC_EXPORT_INTERVAL": "-1",
                "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "collector:4318",
            },
            endpoint="http://127.0.0.1:4318",
        )
    assert sorted(problem.where for problem in caught.value.problems) == [
        "OTEL_EXPORTER_OTLP_COMPRESSION",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
        "OTEL_METRIC_EXPORT_INTERVAL",
    ]


def test_headers_never_print():
    """A token given as a header stands in no repr and in no error."""
    export = resolve(
        {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=hush"}, endpoint="http://127.0.0.1:4318"
    )
    assert "hush" not in repr(export)
    with pytest.raises(ConfigError) as caught:
        resolve({"OTEL_EXPORTER_OTLP_HEADERS": "hush"}, endpoint="http://127.0.0.1:4318")
    assert "hush" not in str(caught.value)
