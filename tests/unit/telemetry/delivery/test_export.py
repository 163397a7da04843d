from __future__ import annotations

import pytest
import trustme

from agent.core.errors import ConfigError
from agent.telemetry.delivery.export import resolve
from agent.telemetry.delivery.otel_variables import ignored
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
                "OTEL_SDK_DISABLED": "yes",
                "OTEL_LOGS_EXPORTER": "console",
            },
            endpoint="http://127.0.0.1:4318",
        )
    assert sorted(problem.where for problem in caught.value.problems) == [
        "OTEL_EXPORTER_OTLP_COMPRESSION",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
        "OTEL_LOGS_EXPORTER",
        "OTEL_METRIC_EXPORT_INTERVAL",
        "OTEL_SDK_DISABLED",
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


def problems(protocol="http/protobuf", endpoint="http://127.0.0.1:4318", **environment):
    """What is said of each variable, by its name."""
    try:
        resolve(environment, endpoint=endpoint, protocol=protocol)
    except ConfigError as error:
        return {problem.where: problem.message for problem in error.problems}
    return {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "LowMemory"),
        (
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
            "base2_exponential_bucket_histogram",
        ),
        ("OTEL_TRACES_EXPORTER", "console"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_LOGS_EXPORTER", "otlp,console"),
        ("OTEL_TRACES_SAMPLER", "always_off"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.1"),
        ("OTEL_PROPAGATORS", "b3"),
        ("OTEL_BSP_SCHEDULE_DELAY", "1000"),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "10"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "100"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "5"),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "1"),
        ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "1"),
        ("OTEL_METRICS_EXEMPLAR_FILTER", "always_off"),
        ("OTEL_LOG_LEVEL", "debug"),
        ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://127.0.0.1:9411"),
        ("OTEL_EXPORTER_PROMETHEUS_PORT", "9464"),
        ("OTEL_EXPORTER_JAEGER_ENDPOINT", "http://127.0.0.1"),
        ("OTEL_CONFIG_FILE", "otel.yaml"),
        ("OTEL_EXPORTER_OTLP_ENDPIONT", "http://127.0.0.1:4318"),
        ("OTEL_EXPORTER_OTLP_SPAN_INSECURE", "true"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "1"),
        ("OTEL_SDK_DISABLED", "1"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://host:99999"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://host/?a=b"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "bad name=x"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x=a%0Ab"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(name, value):
    """Each variable of the specification is honoured, or named with what to do."""
    said = problems(**{name: value})
    assert list(said) == [name]
    assert said[name].endswith(".")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulative"),
        ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "explicit_bucket_histogram"),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_on"),
        ("OTEL_PROPAGATORS", "tracecontext,baggage"),
        ("OTEL_METRICS_EXEMPLAR_FILTER", "trace_based"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "100000"),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "128"),
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_SDK_DISABLED", "false"),
        ("OTEL_BSP_SCHEDULE_DELAY", " "),
        ("OTEL_POD_IP", "10.0.0.1"),
        ("OTEL_PYTHON_LOG_CORRELATION", "true"),
    ],
)
def test_what_asks_for_what_happens_anyway_is_fine(name, value):
    """A variable that changes nothing, or is another tool's, stops no start."""
    assert problems(**{name: value}) == {}


def test_other_tools_variables_are_told_of():
    """What the specification doesn't know may be a slip: it is named, and stops nothing."""
    names = [one.where for one in ignored({"OTEL_SERVICE_NAEM": "x", "OTEL_SERVICE_NAME": "y"})]
    assert names == ["OTEL_SERVICE_NAEM"]


def test_a_signal_can_be_left_out():
    """``none`` for an exporter sends nothing of that signal."""
    export = resolve({"OTEL_TRACES_EXPORTER": "none"}, endpoint="http://127.0.0.1:4318")
    assert set(export.targets) == {Signal.METRICS, Signal.LOGS}
    every = {f"OTEL_{signal.upper()}_EXPORTER": "none" for signal in Signal}
    assert resolve(every, endpoint="http://127.0.0.1:4318") is None


def test_nothing_is_refused_where_nothing_is_sent():
    """How it would be sent is no matter then: a laptop's variables are for other tools."""
    assert problems(endpoint="", OTEL_BSP_SCHEDULE_DELAY="1") == {}


def test_the_metrics_own_timeout():
    """``OTEL_METRIC_EXPORT_TIMEOUT`` bounds the requests with metrics alone."""
    export = resolve({"OTEL_METRIC_EXPORT_TIMEOUT": "2000"}, endpoint="http://127.0.0.1:4318")
    assert {signal: target.timeout for signal, target in export.targets.items()} == {
        Signal.TRACES: 10.0,
        Signal.METRICS: 2.0,
        Signal.LOGS: 10.0,
    }


@pytest.mark.parametrize(
    ("insecure", "scheme"), [("", "https"), ("false", "https"), ("true", "http")]
)
def test_a_grpc_endpoint_without_a_scheme(insecure, scheme):
    """As the specification says, it is encrypted unless that is switched off."""
    export = resolve(
        {
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317",
            "OTEL_EXPORTER_OTLP_INSECURE": insecure,
        }
    )
    assert set(urls(export).values()) == {f"{scheme}://collector:4317"}


@pytest.mark.parametrize("url", ["http://u:p@127.0.0.1:4317", "http://127.0.0.1:4317/v1/traces"])
def test_what_grpc_does_not_send_is_refused(url):
    """A path or a user in the address would be lost in silence."""
    said = problems("grpc", OTEL_EXPORTER_OTLP_ENDPOINT=url)
    assert list(said) == ["OTEL_EXPORTER_OTLP_ENDPOINT"]


@pytest.fixture
def files(tmp_path):
    """Certificates as files: an authority, a client's, its key and another's key."""
    authority = trustme.CA()
    client, other = authority.issue_cert("agent"), authority.issue_cert("other")
    paths = {name: tmp_path / f"{name}.pem" for name in ("ca", "client", "key", "other", "junk")}
    authority.cert_pem.write_to_path(paths["ca"])
    client.cert_chain_pems[0].write_to_path(paths["client"])
    client.private_key_pem.write_to_path(paths["key"])
    other.private_key_pem.write_to_path(paths["other"])
    paths["junk"].write_text("no certificate")
    return {**{name: str(path) for name, path in paths.items()}, "none": "/nowhere/x.pem"}


@pytest.mark.parametrize(
    ("ca", "client", "key", "named"),
    [
        ("none", None, None, ["CERTIFICATE"]),
        ("junk", None, None, ["CERTIFICATE"]),
        ("key", None, None, ["CERTIFICATE"]),
        (None, "none", "key", ["CLIENT_CERTIFICATE", "CLIENT_KEY"]),
        (None, "client", "none", ["CLIENT_CERTIFICATE", "CLIENT_KEY"]),
        (None, "client", "other", ["CLIENT_CERTIFICATE", "CLIENT_KEY"]),
        (None, "junk", "key", ["CLIENT_CERTIFICATE", "CLIENT_KEY"]),
        (None, "client", None, ["CLIENT_CERTIFICATE"]),
        (None, None, "key", ["CLIENT_KEY"]),
    ],
)
@pytest.mark.parametrize("signal", ["", "TRACES_"])
def test_a_file_that_cannot_be_used_is_named(ca, client, key, named, signal, files):
    """The variable and the file, before anything is started."""
    given = {"CERTIFICATE": ca, "CLIENT_CERTIFICATE": client, "CLIENT_KEY": key}
    variables = {
        f"OTEL_EXPORTER_OTLP_{signal}{name}": files[file] for name, file in given.items() if file
    }
    ((where, message),) = problems(**variables).items()
    assert where == " and ".join(f"OTEL_EXPORTER_OTLP_{signal}{name}" for name in named)
    used = [file for file in variables.values() if file != files["ca"]]
    assert any(file in message for file in used)


def test_files_that_fit_are_used(files):
    """Authorities, certificate and key go into each target."""
    export = resolve(
        {
            "OTEL_EXPORTER_OTLP_CERTIFICATE": files["ca"],
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": files["client"],
            "OTEL_EXPORTER_OTLP_CLIENT_KEY": files["key"],
        },
        endpoint="https://127.0.0.1:4318",
    )
    for target in export.targets.values():
        assert target.files == (files["ca"], files["client"], files["key"])


def test_a_proxy_of_the_environment_is_used():
    """By the rule that holds for pages too: scheme, NO_PROXY, never for loopback."""
    environment = {"HTTPS_PROXY": "http://me:hush@proxy:3128", "NO_PROXY": "near.example.com"}
    far = resolve(environment, endpoint="https://far.example.com")
    assert far.targets[Signal.LOGS].proxy == "http://me:hush@proxy:3128"
    assert "hush" not in repr(far)
    for direct in ("https://near.example.com", "http://far.example.com", "https://127.0.0.1:1"):
        assert not resolve(environment, endpoint=direct).targets[Signal.LOGS].proxy


def test_a_proxy_that_grpc_cannot_use_is_told():
    """gRPC speaks to proxies in clear only: refused, not passed by."""
    with pytest.raises(ConfigError, match="gRPC can't go through the proxy https://proxy:3128"):
        resolve({"HTTPS_PROXY": "https://proxy:3128"}, endpoint="https://far:4317", protocol="grpc")
