"""Verifying: what is proved, what is not, and nothing that a stranger sends gets through."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver, algorithms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.keys.jwk import thumbprint
from agent.signing.signer import LIFETIME, Signer
from agent.verify import DirectoryError, Reason, Synthetic, Verifier
from tests.unit.verify.conftest import CLAIM, HOST, INFO, NOW, jwk

OTHER = Ed25519PrivateKey.generate()


def doubt(synthetic: Synthetic | None) -> Reason | None:
    assert synthetic is not None
    assert synthetic.verified is (synthetic.reason is None)
    return synthetic.reason


def made(
    key, *, host=HOST, created=NOW, expires=NOW + 300.0, agent='"https://example.com"', **more
):
    """Headers signed by the library itself, in any profile."""

    class Request:
        method = "GET"
        url = f"https://{host}/"
        headers = {"Signature-Agent": agent}  # noqa: RUF012

    key_id = thumbprint(key.public_key())
    options: dict[str, Any] = {
        "covered_component_ids": ("@authority", "signature-agent"),
        "tag": "web-bot-auth",
        "expires": expires and datetime.fromtimestamp(expires, UTC),
        **more,
    }
    HTTPMessageSigner(
        signature_algorithm=algorithms.ED25519,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={key_id: key}),
    ).sign(Request, key_id=key_id, created=datetime.fromtimestamp(created, UTC), **options)
    return {**CLAIM, **Request.headers}


def test_the_agents_own_request(verifier, signed) -> None:
    """A signed request is verified, and says which journey and run it belongs to."""
    assert verifier.verify(signed, HOST) == Synthetic("buy_a_mug", "0197-ab", verified=True)
    pairs = [(name.upper(), value) for name, value in signed.items()]
    assert verifier.verify(pairs, HOST.upper()) == verifier.verify(signed, HOST)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": HOST, "Cookie": "session=1; synthetic=0; unsynthetic=1; synthetic=11"},
        {"baggage": "synthetic_request=false,cart=7"},
        {"baggage": "footfall.journey=buy_a_mug"},
        {"X-Other": "synthetic=1"},
    ],
)
def test_no_claim(verifier, headers) -> None:
    """Who says nothing of being synthetic is an ordinary visitor."""
    assert verifier.verify(headers, HOST) is None


@pytest.mark.parametrize(
    ("headers", "journey", "run_id"),
    [
        (CLAIM, "buy_a_mug", "0197-ab"),
        ({"x-synthetic-journey": "a"}, "a", ""),
        ({"x-synthetic-journey": "a", "baggage": "footfall.run=r1"}, "a", "r1"),
        ({"baggage": "cart=7;ttl=1, synthetic_request = true ,footfall.journey=b"}, "b", ""),
        ({"cookie": "a=b; synthetic=1"}, "", ""),
        ({"x-synthetic-journey": "a\r\nb", "baggage": f"footfall.run={'r' * 129}"}, "", ""),
        ({"x-synthetic-journey": "<script>"}, "", ""),
        ({"x-synthetic-journey": ""}, "", ""),
    ],
)
def test_unsigned_claims(verifier, headers, journey, run_id) -> None:
    """Each carrier claims, none proves; names that can't be names are not handed on."""
    unsigned = Synthetic(journey, run_id, verified=False, reason=Reason.UNSIGNED)
    assert verifier.verify(headers, HOST) == unsigned


def test_the_configured_header(key, signed) -> None:
    """The journey's header is the one that the agent is configured with."""
    verifier = Verifier({"keys": [jwk(key)]}, header="X-Probe")
    assert verifier.verify({"x-probe": "a"}, HOST) == Synthetic(
        "a", "", verified=False, reason=Reason.UNSIGNED
    )
    assert verifier.verify({"X-Synthetic-Journey": "a"}, HOST) is None


def test_a_signature_alone(verifier, key, signed) -> None:
    """Our signature is a claim by itself; other bots sign too and claim nothing by it."""
    ours = {name: value for name, value in signed.items() if name.startswith("Signature")}
    assert verifier.verify(ours, HOST) == Synthetic("", "", verified=True)
    theirs = Signer([OTHER], INFO).sign(HOST, NOW).headers
    assert verifier.verify(theirs, HOST) is None


def test_a_forged_signature(verifier, key, signed) -> None:
    """Another key under our key's name, or any change to what is signed, is not believed."""
    theirs = Signer([OTHER], INFO).sign(HOST, NOW).headers
    named_as_ours = {
        **signed,
        "Signature": theirs["Signature"],
        "Signature-Input": theirs["Signature-Input"].replace(
            thumbprint(OTHER.public_key()), thumbprint(key.public_key())
        ),
    }
    assert doubt(verifier.verify(named_as_ours, HOST)) is Reason.WRONG
    agent = {**signed, "Signature-Agent": '"https://example.org"'}
    assert doubt(verifier.verify(agent, HOST)) is Reason.WRONG
    later = signed["Signature-Input"].replace("expires=1700000300", "expires=1700000301")
    assert doubt(verifier.verify({**signed, "Signature-Input": later}, HOST)) is Reason.WRONG


@pytest.mark.parametrize(
    "authority",
    [
        "other.example.com",
        f"{HOST}:8443",
        f"{HOST}.",
        f"www.{HOST}",
        f"{HOST}/x",
        f"user@{HOST}",
        f"{HOST}#",
        f"{HOST}?",
        "",
    ],
)
def test_another_authority(verifier, signed, authority) -> None:
    """A signature made for one site is nothing at another."""
    assert doubt(verifier.verify(signed, authority)) is Reason.WRONG


def test_an_unknown_key(verifier) -> None:
    """A key that isn't in the directory is told from a wrong signature."""
    assert doubt(verifier.verify(made(OTHER), HOST)) is Reason.UNKNOWN_KEY


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        (NOW - 31, Reason.FUTURE),
        (NOW - 30, None),
        (NOW, None),
        (NOW + LIFETIME - 1, None),
        (NOW + LIFETIME, Reason.EXPIRED),
        (NOW + 86_400, Reason.EXPIRED),
    ],
)
def test_when_a_signature_is_good(verifier, signed, now, moment, reason) -> None:
    """From when it was made, but for the skew of clocks, until it expires to the second."""
    now.time = moment
    assert doubt(verifier.verify(signed, HOST)) is reason


def test_replay(key, now, signed) -> None:
    """A captured signature is good again and again within the window, and never after it."""
    verifier = Verifier({"keys": [jwk(key)]}, window=120, clock=now)
    captured = {**signed, "X-Synthetic-Journey": "another"}
    for age, reason in [(0, None), (120, None), (121, Reason.TOO_OLD), (299, Reason.TOO_OLD)]:
        now.time = NOW + age
        assert doubt(verifier.verify(captured, HOST)) is reason
    generous = made(key, expires=NOW + 1e6)
    now.time = NOW + 301
    assert doubt(Verifier({"keys": [jwk(key)]}, clock=now).verify(generous, HOST)) is Reason.TOO_OLD


@pytest.mark.parametrize(
    "change",
    [
        {"covered_component_ids": ("@authority",)},
        {"covered_component_ids": ("signature-agent",)},
        {"covered_component_ids": ("@authority", "signature-agent", "@method")},
        {"expires": None},
        {"include_alg": False},
    ],
)
def test_the_profile(verifier, key, change) -> None:
    """Our own key's signature of another profile proves nothing here."""
    assert doubt(verifier.verify(made(key), HOST)) is None
    assert doubt(verifier.verify(made(key, **change), HOST)) is Reason.PROFILE


def test_another_use_of_the_key(verifier, key) -> None:
    """A signature that the same key gave under another tag is none of ours."""
    directory = made(key, tag="http-message-signatures-directory")
    assert doubt(verifier.verify(directory, HOST)) is Reason.MALFORMED


def test_two_keys_at_once(key, now, signed) -> None:
    """While a key is changed, what either has signed is verified; then the old one is gone."""
    both = Verifier({"keys": [jwk(OTHER), jwk(key)]}, clock=now)
    assert doubt(both.verify(signed, HOST)) is None
    assert doubt(both.verify(made(OTHER), HOST)) is None
    assert doubt(Verifier({"keys": [jwk(OTHER)]}, clock=now).verify(signed, HOST)) is (
        Reason.UNKNOWN_KEY
    )


@pytest.mark.parametrize(
    ("validity", "reason"),
    [
        ({"nbf": NOW - 1, "exp": NOW + 1}, None),
        ({"nbf": NOW + 30}, None),
        ({"nbf": NOW + 31}, Reason.KEY_NOT_VALID),
        ({"exp": NOW}, Reason.KEY_NOT_VALID),
    ],
)
def test_when_a_key_is_good(key, now, signed, validity, reason) -> None:
    """A key is good from ``nbf``, but for the skew of clocks, until ``exp``."""
    verifier = Verifier({"keys": [jwk(key, **validity)]}, clock=now)
    assert doubt(verifier.verify(signed, HOST)) is reason


def test_the_directory_is_a_file(key, now, signed, tmp_path) -> None:
    """A directory is read from its file, with keys of other kinds in it; ids aren't believed."""
    file = tmp_path / "directory"
    rsa = {"kty": "RSA", "n": "AQAB", "e": "AQAB"}
    file.write_text(json.dumps({"keys": [rsa, jwk(key, kid="something")]}))
    assert doubt(Verifier(file, clock=now).verify(signed, HOST)) is None
    assert doubt(Verifier(str(file), clock=now).verify(signed, HOST)) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"keys": {}}',
        '{"keys": [1]}',
        '{"keys": [{"kty": "OKP", "crv": "Ed25519"}]}',
        '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}]}',
        '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "!"}]}',
        json.dumps({"keys": [jwk(OTHER, exp="soon")]}),
        json.dumps({"keys": [jwk(OTHER, nbf=True)]}),
    ],
)
def test_a_damaged_directory(content, tmp_path) -> None:
    """A directory that can't be used stops the start, rather than unmarking all traffic."""
    file = tmp_path / "directory"
    file.write_text(content)
    with pytest.raises(DirectoryError):
        Verifier(file)
    with pytest.raises(DirectoryError):
        Verifier(tmp_path / "missing")


# Published vectors: the key is that of RFC 9421, B.1.4; the signatures are of the Web Bot Auth
# drafts, one with the dictionary of later drafts, one with the string of earlier ones.

VECTOR_KEY = {
    "kty": "OKP",
    "crv": "Ed25519",
    "kid": "test-key-ed25519",
    "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs",
}
VECTOR_PARAMETERS = (
    'created=1735689600;keyid="poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";alg="ed25519";'
)
VECTORS = {
    "dictionary": {
        "Signature-Agent": 'agent2="https://signature-agent.test"',
        "Signature-Input": f'sig2=("@authority" "signature-agent";key="agent2");{VECTOR_PARAMETERS}'
        "expires=4889289600;"
        'nonce="n9p433xm+NJ3ph3upfBIGmsuwHw387YV7Q/F+6BSpGCVjYCqQw6rznNA8PVVLySrAWsv0hQtFioQb6E1Ys'
        'auiA==";tag="web-bot-auth"',
        "Signature": "sig2=:RdNFx5Bj6au3YgAMQL/RzmUlZE8QZLIaXGRpw985hWnwPfMxT228NMk6ehRS1PSl4e8PhbN"
        "ZACSanGdhEwYCCg==:",
    },
    "string": {
        "Signature-Agent": '"https://signature-agent.test"',
        "Signature-Input": f'sig2=("@authority" "signature-agent");{VECTOR_PARAMETERS}'
        "expires=1735693200;"
        'nonce="e8N7S2MFd/qrd6T2R3tdfAuuANngKI7LFtKYI/vowzk4lAZYadIX6wW25MwG7DCT9RUKAJ0qVkU0mEeLEl'
        'W1qg==";tag="web-bot-auth"',
        "Signature": "sig2=:jdq0SqOwHdyHr9+r5jw3iYZH6aNGKijYp/EstF4RQTQdi5N5YYKrD+mCT1HA1nZDsi6nJKu"
        "HxUi/5Syp3rLWBA==:",
    },
}


@pytest.mark.parametrize("form", VECTORS)
def test_published_vectors(now, form) -> None:
    """What others have signed by the profile is verified, for their authority alone."""
    verifier = Verifier({"keys": [VECTOR_KEY]}, clock=now)
    now.time = 1735689660.0
    assert doubt(verifier.verify(VECTORS[form], "example.com")) is None
    assert doubt(verifier.verify(VECTORS[form], "example.org")) is Reason.WRONG


# Whatever strangers send.

NAMES = st.sampled_from(
    ["x-synthetic-journey", "baggage", "cookie", "signature", "signature-input", "signature-agent"]
)
PIECES = st.sampled_from(
    [
        *(
            "sig1=",
            "sig2",
            ":",
            "::",
            '("@authority"',
            '"signature-agent"',
            ")",
            "(",
            ";",
            ",",
            " ",
        ),
        *("=", '"', "\\", "\r\n", "created=", "expires=", "1700000000", "-1", "9" * 15, "9" * 16),
        *('keyid="', 'alg="ed25519"', 'tag="web-bot-auth"', ";key=", ";sf", ";bs", ";req", ";tr"),
        *("synthetic=1", "synthetic_request=true", "footfall.run=", "AAAA", "?1", "@1", '%"', "é"),
    ]
)
VALUES = st.text(max_size=60) | st.lists(PIECES, max_size=24).map("".join)
FIXED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@FIXED
@given(st.lists(st.tuples(NAMES, VALUES), max_size=8), st.just(HOST) | st.text(max_size=20))
def test_garbage(verifier, headers, authority) -> None:
    """Nothing that can be sent raises, and none of it is verified."""
    synthetic = verifier.verify(headers, authority)
    assert synthetic is None or not synthetic.verified


@FIXED
@given(st.data())
def test_each_letter_counts(verifier, signed, data) -> None:
    """A true signature with any one letter changed is not verified, save in the label's name
    and in bits of base64 that nobody reads."""
    name = data.draw(st.sampled_from(["Signature", "Signature-Input", "Signature-Agent"]))
    value = signed[name]
    at = data.draw(st.integers(len("sig1=:"), len(value) - len("X==:") - 1))
    letter = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    if letter == value[at]:
        return
    changed = {**signed, name: value[:at] + letter + value[at + 1 :]}
    assert not verifier.verify(changed, HOST).verified


@FIXED
@given(st.sampled_from(["Signature", "Signature-Input", "Signature-Agent"]), VALUES)
def test_lines_that_are_added(verifier, signed, name, line) -> None:
    """A line more of a signature's header never raises, and makes it another signature."""
    assert doubt(verifier.verify([*signed.items(), (name, line)], HOST)) is not None


def test_long_headers(verifier, signed) -> None:
    """More than anyone needs isn't read at all."""
    for name in ("Signature", "Signature-Input", "Signature-Agent"):
        long = {**signed, name: signed[name] + " " * 2048}
        assert doubt(verifier.verify(long, HOST)) is Reason.MALFORMED


def test_a_fault_of_the_library(verifier, signed, monkeypatch) -> None:
    """Whatever the parser stumbles over is a request that isn't verified, not an error page."""

    def stumble(*_: object, **__: object) -> None:
        raise RecursionError

    monkeypatch.setattr(verifier._profile, "verify", stumble)
    assert doubt(verifier.verify(signed, HOST)) is Reason.MALFORMED
