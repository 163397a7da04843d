"""No known secret leaves in any spelling, and an address is stored without what it may tell."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.redact import MASK, Redactor, bare_url


def knowing(*secrets: str) -> Redactor:
    redactor = Redactor()
    for secret in secrets:
        redactor.add(secret)
    return redactor


SPELLINGS = {
    "plain": str,
    "quote": quote,
    "quote all": lambda text: quote(text, safe=""),
    "quote plus": quote_plus,
    "encodeURIComponent": lambda text: quote(text, safe="!'()*~"),
    "URLSearchParams": lambda text: quote_plus(text, safe="*").replace("~", "%7E"),
    "lower-case hex": lambda text: "".join(
        c if c.isalnum() and c.isascii() else quote(c, safe="").lower() for c in text
    ),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON.stringify": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "JSON of PHP": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "HTML": html.escape,
    "HTML decimal": lambda text: html.escape(text).replace("&#x27;", "&#39;"),
}
SECRETS = [
    "plain-word",
    "p@ss!(w)ord*~'",
    'say "hi" & <go>',
    "a/b\\c d+e",
    "pä§wört 🔑",
    "tab\there",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("secret", SECRETS)
def test_spellings(secret: str, spelling: str) -> None:
    """A secret is known however URLs, JSON and HTML write it."""
    text = f"before={SPELLINGS[spelling](secret)}&after"
    assert knowing(secret).text(text) == f"before={MASK}&after"


@given(
    st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]), min_size=4),
    st.text(),
    st.text(),
    st.sampled_from(sorted(SPELLINGS)),
)
def test_no_secret_survives(secret: str, before: str, after: str, spelling: str) -> None:
    """Whatever the secret and whatever stands around it, no spelling of it is left."""
    spelt = SPELLINGS[spelling](secret)
    cleaned = knowing(secret).text(before + spelt + after)
    assert secret not in cleaned
    assert spelt not in cleaned


@given(st.text("abcdefgh:!/ÿé", min_size=6), st.binary(max_size=7), st.binary(max_size=7))
def test_base64(secret: str, before: bytes, after: bytes) -> None:
    """A secret within a longer text is known in its base64, such as of a basic log-in."""
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    assert MASK in knowing(secret).text(encoded)
    assert MASK in knowing(secret).text(encoded.replace("+", "-").replace("/", "_"))


def test_longest_first() -> None:
    """A secret within another doesn't leave the rest of the other."""
    assert knowing("inner", "my-inner-word").text("my-inner-word inner") == f"{MASK} {MASK}"
    assert knowing("my-inner-word", "inner").text("my-inner-word inner") == f"{MASK} {MASK}"


def test_short_values_are_left() -> None:
    """A value of three characters is no secret: it would mask half of every text."""
    redactor = knowing("abc")
    assert redactor.text("abc") == "abc"
    assert not redactor
    assert knowing("abcd")


def test_values() -> None:
    """JSON-like data is cleaned at any depth, keys too; what isn't text stays."""
    data = {"hush-hush": ["x hush-hush y", ("hush-hush", 1, None, True, 1.5)]}
    assert knowing("hush-hush").value(data) == {MASK: [f"x {MASK} y", [MASK, 1, None, True, 1.5]]}


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://shop.example.com/a?b=c", "https://shop.example.com/a?b=c"),
        ("https://me:pw@shop.example.com:8443/a", "https://shop.example.com:8443/a"),
        ("https://shop.example.com/a#token=1", "https://shop.example.com/a"),
        (
            "https://shop.example.com/?q=mug&token=abc",
            "https://shop.example.com/?q=mug&token=REDACTED",
        ),
        (
            "https://shop.example.com/?Access_Token=abc",
            "https://shop.example.com/?Access_Token=REDACTED",
        ),
        ("https://shop.example.com/?token", "https://shop.example.com/?token"),
        ("http://[::1]:80/?sessionId=1&a", "http://[::1]:80/?sessionId=REDACTED&a"),
    ],
)
def test_bare_url(url: str, bare: str) -> None:
    """An address loses user info, fragment and the values of telling parameters."""
    assert bare_url(url) == bare
