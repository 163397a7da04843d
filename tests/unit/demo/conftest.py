"""A visitor who talks to an origin through ASGI, without a network in between."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from agent.demo.shop import create_shop
from tests.support.clock import ManualClock


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Visitor:
    app: Any
    host: str = "127.0.0.1"
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, path, **headers: str) -> Answer:
        return await self.send("GET", path, b"", headers)

    async def post(self, path, fields=None, **headers: str) -> Answer:
        return await self.send("POST", path, urlencode(fields or {}).encode(), headers)

    async def send(self, method, target, body: bytes, headers: dict[str, str]) -> Answer:
        parts = urlsplit(target)
        pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
        if self.cookies:
            pairs.append(("cookie", "; ".join(f"{k}={v}" for k, v in self.cookies.items())))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in pairs],
            "client": (self.host, 50_000),
            "server": ("127.0.0.1", 80),
        }
        sent: list[dict[str, Any]] = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        jar = SimpleCookie(answered.get("set-cookie", ""))
        self.cookies |= {name: morsel.value for name, morsel in jar.items()}
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(sent[0]["status"], answered, content)


@pytest.fixture
def clock() -> ManualClock:
    """Noon of 3 November 2026, UTC."""
    return ManualClock(1_793_707_200.0)


@pytest.fixture
def shop(clock):
    return create_shop(analytics_url="http://localhost:9", password="letmein", clock=clock)


@pytest.fixture
def visitor(shop) -> Visitor:
    return Visitor(shop)


@pytest.fixture
def visit() -> type[Visitor]:
    """For a test that brings its own app."""
    return Visitor


@pytest.fixture
def another(shop) -> Visitor:
    return Visitor(shop)
