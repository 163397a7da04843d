"""What is imported is declared, and what is used of other packages' private parts is bounded."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
from pydantic_settings import EnvSettingsSource
from uvicorn import Server
from uvicorn.protocols.http.h11_impl import H11Protocol

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DECLARED = {re.split(r"[<>=!~;\[ ]", line, maxsplit=1)[0]: line for line in PROJECT["dependencies"]}
PACKAGES = {
    "google.protobuf": "protobuf",
    "google.rpc": "googleapis-common-protos",
    "grpc": "grpcio",
    "http_message_signatures": "http-message-signatures",
    "nats": "nats-py",
    "opentelemetry.exporter.otlp.proto.common": "opentelemetry-exporter-otlp-proto-common",
    "opentelemetry.proto": "opentelemetry-proto",
    "opentelemetry.sdk": "opentelemetry-sdk",
    "opentelemetry": "opentelemetry-api",
    "pydantic_core": "pydantic-core",
    "pydantic_settings": "pydantic-settings",
    "yaml": "pyyaml",
}
"""Which package a module is of, where its name differs; the longest that fits counts."""
NOT_NEEDED = {"agent", "pytest"}
"""The package itself, and what its plugin for pytest is loaded by."""
PRIVATE = {
    "pydantic-settings": (EnvSettingsSource, "_load_env_vars"),
    "uvicorn": (Server, "capture_signals"),
}


def imported() -> set[str]:
    """The modules of other packages that anything in ``agent`` imports."""
    found: set[str] = set()
    for path in (ROOT / "agent").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {one.name for one in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
    return {one for one in found if one.split(".")[0] not in sys.stdlib_module_names}


def package_of(module: str) -> str:
    parts = module.split(".")
    prefixes = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((PACKAGES[one] for one in prefixes if one in PACKAGES), parts[0])


def test_what_is_imported_is_declared():
    """No package is had only because another one happens to bring it along."""
    assert {package_of(module) for module in imported()} - NOT_NEEDED <= DECLARED.keys()


@pytest.mark.parametrize("package", PRIVATE)
def test_what_is_private_is_bounded(package):
    """What a package doesn't promise is there in what is installed, and no newer is taken."""
    owner, name = PRIVATE[package]
    assert callable(getattr(owner, name))
    assert "<" in DECLARED[package]


def test_connections_are_made_as_uvicorn_makes_them():
    """The server's own protocol stands in for one that has these."""
    for name in ("connection_made", "connection_lost", "data_received", "handle_events"):
        assert callable(getattr(H11Protocol, name))


def test_no_private_module_of_opentelemetry_is_used():
    """Its parts with an underscore change with any release."""
    private = [one for one in imported() if re.match(r"opentelemetry\b.*\._", one)]
    assert private == []
