"""The docs' examples of the receiving side run, and tell the agent from a forger."""

from __future__ import annotations

import time
from wsgiref.util import setup_testing_defaults

import pytest

from agent.cli.keys import make
from agent.keys.pem import read_keys
from agent.signing.signer import Signer
from tests.support.docs import Docs

HOST = "shop.example.com"
ASGI, WSGI = Docs()["docs/identity.md"].of("python")


@pytest.fixture
def requests(tmp_path, monkeypatch):
    """The headers of a person, of a forger and of the agent, and what the shop should say."""
    made = make(tmp_path / "keys", 1, time.time())
    monkeypatch.chdir(tmp_path)
    signer = Signer(read_keys(made.key), "https://example.com/synthetic")
    claim = {"Host": HOST, "X-Synthetic-Journey": "buy_a_mug"}
    signed = signer.sign(HOST, time.time()).headers
    return [({"Host": HOST}, b"counted"), (claim, b"counted"), ({**claim, **signed}, b"left out")]


def app_of(block):
    names = {}
    exec(block.text, names)
    return names["app"]


async def test_the_asgi_example(requests):
    """Only what is verified is left out."""
    app = app_of(ASGI)
    for headers, expected in requests:
        sent = []

        async def send(message, sent=sent):
            sent.append(message)

        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await app({"type": "http", "headers": pairs}, None, send)
        assert sent[1]["body"] == expected


def test_the_wsgi_example(requests):
    """Only what is verified is left out."""
    app = app_of(WSGI)
    for headers, expected in requests:
        environ = {f"HTTP_{name.upper().replace('-', '_')}": one for name, one in headers.items()}
        setup_testing_defaults(environ)
        assert b"".join(app(environ, lambda *_: None)) == expected
