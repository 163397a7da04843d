"""No known secret leaves in any spelling, and an address is stored without what it may tell."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.bare_url import bare_url
from agent.core.limits import ADDRESS_LENGTH
from agent.core.redact import MASK, Redactor
from agent.protocol.framing import LONGEST_REPORT


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
    "URL in a URL": lambda text: quote_plus(quote_plus(text)),
    "repr": lambda text: repr(text + "\"'")[1:-4],
    "ascii": lambda text: ascii(text + "\"'")[1:-4],
    "repr of bytes": lambda text: repr(text.encode() + b"\"'")[2:-4],
    "HTML": html.escape,
    "upper case": str.upper,
    "lower case": str.lower,
    "percent codes": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "percent codes, twice": lambda text: "".join(f"%25{byte:02x}" for byte in text.encode()),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "escapes": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "units": lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
    "entities": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "HTML decimal": lambda text: html.escape(text).replace("&#x27;", "&#39;"),
}
SECRETS = [
    "plain-word",
    "p@ss!(w)ord*~'",
    'say "hi" & <go>',
    "a/b\\c d+e",
    "pä§wört 🔑",
    "tab\there",
    "ends in \\'",
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


def test_base64_in_an_address() -> None:
    """Base64 is known where an address has escaped it."""
    secret = "~~~???>>>"
    encoded = base64.b64encode(secret.encode()).decode()
    assert {"+", "/"} & set(encoded)
    assert knowing(secret).text(quote(encoded, safe="")) == MASK


PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\r\nhkiG9w0BAQEFAASC\n}\n-----END KEY-----"


def test_lines() -> None:
    """Each line of a secret is one, unless it is too short to tell anything."""
    redactor = knowing(PEM)
    assert redactor.text(f"a{PEM}z") == f"a{MASK}z"
    assert redactor.text("x MIIEvQIBADANBgkq y") == f"x {MASK} y"
    joined = PEM.replace("\r", "").replace("\n", "")
    assert redactor.text(joined) == f"{MASK * 3}}}{MASK}"
    assert redactor.text("}") == "}"


def test_what_an_address_divides() -> None:
    """A secret put into an address as it is, where ``#`` and ``&`` divide it, is known."""
    address = "https://shop.example.com/?q=left-part#middle&right-part"
    redactor = knowing("left-part#middle&right-part")
    assert redactor.text(bare_url(address)) == f"https://shop.example.com/?q={MASK}"
    assert redactor.text("?a=left-part&b=right-part") == f"?a={MASK}&b={MASK}"


def test_space_around() -> None:
    """A page drops the blanks around a value; it is known without them."""
    assert knowing(" hush-hush\n").text("[hush-hush]") == f"[{MASK}]"


@pytest.mark.parametrize("ellipsis", ["…", "..."])
def test_cut_short(ellipsis: str) -> None:
    """A secret's beginning or end is one where somebody cut it there, and only there."""
    redactor = knowing("correct-horse-battery")
    assert redactor.text(f"<p>is correct-horse-b{ellipsis}</p>") == f"<p>is {MASK}{ellipsis}</p>"
    twice = redactor.text(f"is correct{ellipsis} corre{ellipsis}")
    assert twice == f"is {MASK}{ellipsis} {MASK}{ellipsis}"
    assert redactor.text(f"so cor{ellipsis}") == f"so cor{ellipsis}"
    assert redactor.text("a correct one") == "a correct one"
    middle = redactor.text(f"{{text: correct-h{ellipsis}battery}}")
    assert middle == f"{{text: {MASK}{ellipsis}{MASK}}}"
    assert redactor.text(f"{ellipsis}tery {ellipsis}ery") == f"{ellipsis}{MASK} {ellipsis}ery"


@given(st.data(), st.text("abcdef", min_size=12, max_size=40))
def test_parts_of_secrets(data: st.DataObject, secret: str) -> None:
    """Any twelve characters in a row give a secret away, and no fewer do."""
    at = data.draw(st.integers(0, len(secret) - 12))
    assert knowing(secret).holds_part(f"<{secret[at : at + 12]}>")
    assert not knowing(secret).holds_part("<" + ">".join(secret[i : i + 11] for i in range(40)))


def test_short_secrets_are_their_own_part() -> None:
    """A secret of fewer characters is given away by all of them."""
    assert knowing("hush").holds_part("ahushb")
    assert not knowing("hush").holds_part("ahusb")


def test_an_ellipsis_in_a_secret() -> None:
    """A secret may have one of its own."""
    assert knowing("first...second").text("x…st...second y") == f"x…{MASK} y"


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


@pytest.mark.parametrize("before", ["", "x", "ab"])
def test_base64_twice(before: str) -> None:
    """A secret is known in the base64 of a base64, wherever it stood in what was encoded."""
    inner = base64.b64encode(f"{before}hunter2-plain-word and more".encode())
    for lead in (b"", b"1", b"12"):
        text = base64.b64encode(lead + inner).decode()
        masked = knowing("hunter2-plain-word").text(text)
        assert MASK in masked
        assert len(masked) < len(text) - 20


@pytest.mark.parametrize("at", range(1, 9))
@pytest.mark.parametrize("ending", ["\n", "\r\n", " \n    "])
def test_broken_over_lines(at: int, ending: str) -> None:
    """A secret that is broken over two lines is known, wherever it was broken."""
    secret = "hunter2pw"
    assert knowing(secret).text(f"says {secret[:at]}{ending}{secret[at:]}!") == f"says {MASK}!"


def test_cut_at_its_end() -> None:
    """A secret is known without its last character; a shorter piece may be an everyday word."""
    assert knowing("hunter2pw").text("says hunter2p") == f"says {MASK}"
    assert knowing("correct-horse-bat").text("correct-horse- is short") == f"{MASK} is short"
    assert knowing("password").text("passwor") == "passwor"
    assert knowing("password123").text("password") == "password"


ANY_TEXT = st.text(
    st.characters() | st.sampled_from("\x00\x1b\x9b\ud800\udfff\\%[]@:/?#&=\n\r…\uff0f"),
    max_size=60,
)
ODD = [
    "http://[oops",
    "http://a\uff0fb",
    "http://[::1]:9103/",
    "http://[::1",
    "http://a:99999999/",
    "http://a:\u0661/",
    "//",
    "://",
    "\x00" * 9,
    "\ud800",
    "http://" + "x" * 2_000_000,
    "\\" * 2_000_000,
    "%25" * 500_000,
    "\n" * 1_000_000,
    "…" * 100_000,
]


def holds_what_cleaning_promises(text: str, secret: str, limit: int) -> None:
    redactor = knowing(secret)
    for kept in (redactor.fit(text, limit), redactor.fit(bare_url(text), limit)):
        assert len(kept) <= max(limit, 1)
        kept.encode()
        assert not {"\x1b", "\x9b", "\x00"} & set(kept)
    assert len(bare_url(text)) <= ADDRESS_LENGTH


@pytest.mark.parametrize("number", range(len(ODD)))
def test_odd_texts(number: int) -> None:
    """Megabytes, and addresses that make none, are kept as far as there is room."""
    holds_what_cleaning_promises(ODD[number], "hunter2-plain", 100)


@given(ANY_TEXT, ANY_TEXT, st.integers(0, 100))
def test_nothing_that_cleans_may_raise(text: str, secret: str, limit: int) -> None:
    """Whatever a text is, and whatever the secrets, what is kept of it is bounded and shown."""
    holds_what_cleaning_promises(text, secret, limit)


@given(st.integers(0, 40_000), st.sampled_from(["hunter2-plain-word", "p@ss!(w)ord*~'"]))
def test_no_part_is_left_where_a_text_is_cut(before: int, secret: str) -> None:
    """However long a text is, a secret in it is masked before it is cut, and not cut in two."""
    kept = knowing(secret).fit("-" * before + secret * 3 + "-" * 100_000, 40_000)
    assert not any(secret[:n] in kept for n in range(4, len(secret)))


DATA = st.recursive(
    st.none() | st.booleans() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(DATA, ANY_TEXT)
def test_data_of_any_shape(value: object, secret: str) -> None:
    """What is kept of JSON-like data can be sent and keeps its shape, whatever is in it."""
    kept = knowing(secret).value(value)
    json.dumps(kept, ensure_ascii=False).encode()
    assert type(kept) is type(value)


def test_data_of_any_size() -> None:
    """However wide or deep data is, what is kept of it fits into a message."""
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    wide = {str(n): ["x" * 9_000] * 50 for n in range(500)}
    for value in (deep, wide, [wide] * 50, ["\U0001f511" * 9_000] * 5_000, [0] * 3_000_000):
        kept = json.dumps(knowing("secret").value(value), ensure_ascii=False).encode()
        assert len(kept) < LONGEST_REPORT
