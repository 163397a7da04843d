"""Signing: the profile on the wire, one signature for many requests, keys read and refused."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from agent.keys.jwk import thumbprint
from agent.keys.pem import read_keys
from agent.signing import signer as signer_module
from agent.signing.signer import LIFETIME, RENEWED, Signer, directory_origin

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_700_000_000.75
INFO = "https://example.com/synthetic"
OLD, NEW = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def pem(key, encryption=None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def test_the_profile() -> None:
    """The three headers are the profile's, letter by letter; the signature is over that base."""
    signed = Signer([NEW], INFO).sign("shop.example.com", NOW)
    assert signed.expires == 1_700_000_300
    assert set(signed.headers) == {"Signature-Agent", "Signature-Input", "Signature"}
    assert signed.headers["Signature-Agent"] == '"https://example.com"'
    parameters = (
        '("@authority" "signature-agent");created=1700000000;'
        f'keyid="{thumbprint(NEW.public_key())}";alg="ed25519";expires=1700000300;'
        'tag="web-bot-auth"'
    )
    assert signed.headers["Signature-Input"] == f"sig1={parameters}"
    base = (
        '"@authority": shop.example.com\n'
        '"signature-agent": "https://example.com"\n'
        f'"@signature-params": {parameters}'
    )
    found = re.fullmatch(r"sig1=:(.+):", signed.headers["Signature"])
    assert found
    NEW.public_key().verify(base64.b64decode(found[1]), base.encode())


def test_one_signature_for_many_requests() -> None:
    """A signature is used again until it nears its end, then another takes its place."""
    signer = Signer([NEW], INFO)
    first = signer.sign("shop.example.com", NOW)
    assert signer.sign("Shop.Example.com", NOW + LIFETIME - RENEWED - 1) is first
    second = signer.sign("shop.example.com", NOW + LIFETIME - RENEWED)
    assert second.expires == first.expires + LIFETIME - RENEWED
    assert signer.sign("shop.example.com", NOW + LIFETIME) is second


def test_a_clock_set_back() -> None:
    """A signature made in what is now the future is not sent: nobody would believe it."""
    signer = Signer([NEW], INFO)
    assert signer.sign("a.test", NOW).expires == int(NOW) + LIFETIME
    assert signer.sign("a.test", NOW - 3600).expires == int(NOW) - 3600 + LIFETIME


def test_each_authority_has_its_own() -> None:
    """Hosts and ports are kept apart."""
    signer = Signer([NEW], INFO)
    names = ["a.test", "b.test", "a.test:8443", "[::1]:8080", "127.0.0.1:1"]
    assert len({signer.sign(name, NOW).headers["Signature"] for name in names}) == len(names)


def test_memory_is_bounded() -> None:
    """Any number of hosts below a wildcard doesn't fill the memory; those in use stay."""
    signer = Signer([NEW], INFO)
    kept = signer.sign("kept.test", NOW)
    for number in range(2 * signer_module._MOST):
        signer.sign(f"{number}.test", NOW)
        assert signer.sign("kept.test", NOW) is kept
    assert len(signer._given) == signer_module._MOST


@pytest.mark.parametrize(
    "authority",
    ["", "a b", "a/b", "user@a.test", "a#b", "a?b", "é.test", "a.test\n", "a\r\nX: 1", "[::1"],
)
def test_no_authority(authority: str) -> None:
    """What can't stand in a Host header is refused, with nothing remembered."""
    signer = Signer([NEW], INFO)
    with pytest.raises(ValueError, match="not an authority"):
        signer.sign(authority, NOW)
    assert not signer._given


def test_the_newest_key_signs(tmp_path: Path) -> None:
    """With two keys in the file, the last one signs."""
    file = tmp_path / "keys.pem"
    file.write_bytes(pem(OLD) + b"# since Tuesday\n" + pem(NEW))
    keys = read_keys(file)
    assert [key.private_bytes_raw() for key in keys] == [
        OLD.private_bytes_raw(),
        NEW.private_bytes_raw(),
    ]
    signer = Signer(keys, INFO)
    assert signer.key_id == thumbprint(NEW.public_key())
    assert signer.key_id in signer.sign("a.test", NOW).headers["Signature-Input"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no key",
        pem(NEW, BestAvailableEncryption(b"password")),
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(NEW).replace(b"MC4", b"MC5"),
        pem(NEW) + pem(ec.generate_private_key(ec.SECP256R1())),
        NEW.public_key().public_bytes_raw(),
    ],
    # Without names the keys, made anew in each process, would name the tests.
    ids=["empty", "text", "encrypted", "another kind", "damaged", "two", "raw"],
)
def test_no_such_key(tmp_path: Path, content: bytes) -> None:
    """Anything but plain Ed25519 keys is refused, and not quoted."""
    file = tmp_path / "keys.pem"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="private key") as raised:
        read_keys(file)
    assert str(raised.value) in {
        "holds a private key that is not Ed25519, or is damaged",
        "holds no unencrypted private key: make one with 'footfall keys new'",
    }
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_no_key_at_all() -> None:
    """A signer without a key is a mistake at once, not at the first request."""
    with pytest.raises(ValueError, match="needs a key"):
        Signer([], INFO)


@pytest.mark.parametrize(
    ("info_url", "origin"),
    [
        ("https://example.com/synthetic", "https://example.com"),
        ("https://Example.com:443/", "https://example.com"),
        ("https://example.com:8443/a?b", "https://example.com:8443"),
        ("http://example.com:8080/a", "https://example.com"),
        ("https://user:pw@example.com/", "https://example.com"),
        ("https://[::1]:8443/", "https://[::1]:8443"),
    ],
)
def test_where_the_directory_is(info_url: str, origin: str) -> None:
    """The directory is on the host of the information page, by https whatever that page has."""
    assert directory_origin(info_url) == origin
