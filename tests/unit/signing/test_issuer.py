"""What a worker gets signed."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.core.model import Site
from agent.keys.jwk import members
from agent.signing.issuer import Signatures
from agent.signing.signer import Signer
from agent.verify import Verifier

NOW = 1_790_000_000.0
INFO = "https://example.com/synthetic"


@pytest.fixture
def key():
    return Ed25519PrivateKey.generate()


@pytest.fixture
def signatures(key):
    site = Site(
        "shop",
        "https://shop.example.com",
        (
            "https://shop.example.com",
            "https://*.shop.example.com",
            "http://[::1]:8080",
            "https://pay.example.com:8443",
        ),
    )
    return Signatures(Signer([key], INFO), site, lambda: NOW)


def verified(key, reply):
    directory = {"keys": [members(key.public_key())]}
    found = Verifier(directory, clock=lambda: NOW).verify(
        {**reply.headers, "X-Synthetic-Journey": "buy"}, reply.authority
    )
    return found.verified


def test_every_known_origin_is_signed_ahead(key, signatures):
    """All origins but a wildcard's hosts, each named as browsers name it, good for itself."""
    ahead = signatures.ahead()
    names = [reply.authority for reply in ahead]
    assert names == ["shop.example.com", "[::1]:8080", "pay.example.com:8443"]
    assert all(verified(key, reply) for reply in ahead)
    assert all(reply.expires == NOW + 300 for reply in ahead)


def test_a_host_under_a_wildcard_is_signed_when_asked_for(key, signatures):
    """A wildcard covers what nobody can list."""
    assert verified(key, signatures.reply("a.b.shop.example.com"))


@pytest.mark.parametrize(
    "authority",
    [
        "bank.example.com",
        "shop.example.com:8443",
        "pay.example.com",
        "bank.example.com/.shop.example.com",
        "shop.example.com@bank.example.com",
        "bank.example.com\\.shop.example.com",
        "x/.shop.example.com",
        "",
    ],
)
def test_nothing_is_signed_for_others(signatures, authority):
    """A journey's code can ask too: the agent's key never speaks to another site."""
    assert signatures.reply(authority).headers == {}
