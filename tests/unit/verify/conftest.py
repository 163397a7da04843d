"""Keys, a clock and signed headers for the receiving side."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.keys.jwk import members
from agent.signing.signer import Signer
from agent.verify import Verifier

INFO = "https://example.com/synthetic"
HOST = "shop.example.com"
NOW = 1_700_000_000.0
CLAIM = {
    "X-Synthetic-Journey": "buy_a_mug",
    "baggage": "synthetic_request=true,footfall.journey=buy_a_mug,footfall.run=0197-ab",
}


class Now:
    """A clock that is set."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> float:
        return self.time


def jwk(key: Ed25519PrivateKey, **more: Any) -> dict[str, Any]:
    return {**members(key.public_key()), **more}


@pytest.fixture(scope="session")
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def verifier(key, now) -> Verifier:
    return Verifier({"keys": [jwk(key)]}, clock=now)


@pytest.fixture
def signed(key) -> dict[str, str]:
    """The headers of a request as the agent sends it."""
    return {**CLAIM, **Signer([key], INFO).sign(HOST, NOW).headers}
