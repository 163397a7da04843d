"""Documents and environments as a person, a template or an accident may write them."""

from __future__ import annotations

import json
import re

from hypothesis import strategies as st

from agent.core.model import Definition

SECRET = "hush-4711"
"""Stands wherever a secret may be given; it is never to be told."""


class Raw(str):
    """A value as it stands in the file."""

    __slots__ = ()


def written(value) -> str:
    """A value in TOML."""
    match value:
        case Raw():
            return str(value)
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list():
            return f"[{', '.join(map(written, value))}]"
        case dict():
            return f"{{ {', '.join(f'{named(k)} = {written(v)}' for k, v in value.items())} }}"
    return repr(value)


def named(key: str) -> str:
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else written(key)


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
durations = st.sampled_from(["20s", "19s", "60s", "1.5s", "1h30m", "14d", "3660d", "500ms"])
sizes = st.one_of(st.sampled_from(["1GiB", "64MiB", "512 MB", "1.5GB"]), st.integers(1, 2**60))
every = st.sampled_from(["20s", "1m", "2h", "*/5 * * * *", "0 3 * * 7", "0 0 31 2 *"])
zones = st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"])
addresses = st.sampled_from(["https://a.example.com", "http://127.0.0.1:8080", "https://[::1]:1"])
kept = st.sampled_from(["all", "failed", "none"])
params = st.recursive(
    st.one_of(text, st.booleans(), st.integers(-(2**63) + 1, 2**63 - 1), st.floats(-1e9, 1e9)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(text, inner, max_size=2),
    max_leaves=4,
)
per_journey = {
    "every": every,
    "timezone": zones,
    "timeout": durations,
    "grace": st.sampled_from(["1s", "2s", "60s"]),
    "confirm": st.booleans(),
    "confirm_after": st.sampled_from(["0s", "500ms", "3s", "10m"]),
    "slow": st.sampled_from(["", "4s"]),
    "every_failing": st.sampled_from(["", "20s"]),
}
SOUND = {
    (): {
        "location": st.sampled_from(["local", " eu ", "öst"]),
        "environment": st.just("production"),
        "journeys": st.sampled_from(["journeys", "../j"]),
        "state": st.sampled_from(["var", "/var/lib/footfall"]),
    },
    ("sites", "shop"): {
        "url": addresses,
        "first_party": st.lists(addresses, min_size=1, max_size=3),
    },
    ("schedule",): per_journey,
    ("journey", "buy"): {
        **per_journey,
        "enabled": st.booleans(),
        "params": st.dictionaries(st.sampled_from(["sku", "any", "oops"]), params, max_size=2),
    },
    ("workers",): {
        "count": st.integers(1, 1000),
        "max_runs": st.integers(1, 10**9),
        "max_age": durations,
        "max_memory": st.sampled_from(["1GiB", 2**26]),
    },
    ("canary",): {"reference": st.lists(addresses, max_size=2)},
    ("browser",): {
        "engine": st.just("chromium"),
        "executable": st.sampled_from(["", "/usr/bin/chromium"]),
        "headless": st.booleans(),
        "args": st.lists(st.just("--lang=de"), max_size=2),
    },
    ("identity",): {"info_url": addresses, "header": st.just("X-Synthetic")},
    ("telemetry",): {
        "endpoint": addresses,
        "protocol": st.sampled_from(["grpc", "http/protobuf"]),
        "interval": durations,
        "headers": st.just({"Authorization": SECRET}),
        "spool_bytes": sizes,
        "spool_age": durations,
    },
    ("artifacts",): {"keep": kept, "trace": kept, "max_bytes": sizes, "max_age": durations},
    ("server",): {"host": st.sampled_from(["::", "0.0.0.0"]), "port": st.integers(0, 65_535)},
}
KEYS = [(*table, key) for table, keys in SOUND.items() for key in keys] + [("secrets_dir",)]

odd_texts = st.one_of(
    text,
    st.sampled_from(
        [
            "",
            "\0",
            "a\nb",
            "0s",
            "-1s",
            "9" * 400 + "d",
            "1e9s",
            "0.0001s",
            "1.0000001s",
            "9999999999TiB",
            "61 * * * *",
            "0 0 30 2 *",
            "*/0 * * * *",
            "Europe",
            "../UTC",
            "Europe/Berlin\0",
            "http://[",
            "https://*.com",
            "x" * 300,
        ]
    ),
)
odd = st.one_of(
    odd_texts,
    st.integers(),
    st.booleans(),
    st.floats(),
    st.lists(odd_texts, max_size=2),
    st.dictionaries(odd_texts, odd_texts, max_size=2),
    st.sampled_from(
        [
            *("9" * 5000, "0x" + "f" * 5000, "-0", "1_0", "1e400"),
            *("1979-05-27", "07:32:00", "1979-05-27T07:32:00Z"),
            "[" * 60 + "]" * 60,
            "[" * 900 + "]" * 900,
            "{a=" * 60 + "1" + "}" * 60,
        ]
    ).map(Raw),
)
ADDRESSES = {"url", "first_party", "reference", "info_url", "endpoint"}
spoilt_addresses = st.sampled_from(
    [f"https://me:{SECRET}@a.example.com", [f"http://{SECRET}@[::1]"], f"//{SECRET} /"]
)
spoilt_headers = st.sampled_from(
    [SECRET, [SECRET], {"a": f"{SECRET}\n"}, {"a b": SECRET}, {"a": [SECRET]}]
)


def odd_value(key):
    """What a key may be given by mistake; a secret where one may well stand."""
    if key == "headers":
        return odd | spoilt_headers
    return odd | spoilt_addresses if key in ADDRESSES else odd


odd_names = st.one_of(
    text, st.sampled_from(["timeot", "_env_file", "self", "Timeout", "url", "a" * 500, "a.b"])
)


def dotted(path) -> str:
    """A path as faults tell it."""
    return ".".join(part if part.isprintable() else json.dumps(part) for part in path)


def _spoil(draw, content) -> None:
    """Put something into the document that nobody planned for."""
    match draw(st.integers(0, 3)):
        case 0:
            *table, key = draw(st.sampled_from(KEYS))
            content.setdefault(tuple(table), {})[key] = draw(odd_value(key))
        case 1:
            content[draw(st.sampled_from(sorted(SOUND)))][draw(odd_names)] = draw(odd)
        case 2:
            table = draw(st.sampled_from([("sites",), ("journey",), ()]))
            content[*table, draw(odd_names)] = {"url": draw(odd)}
        case 3:
            content["journey", "buy"]["params"] = {draw(odd_names): draw(odd)}


@st.composite
def documents(draw, spoilt=st.sampled_from([0, 0, 1, 2])):  # noqa: B008 - a strategy is a value
    """The text of a document, and the line of each key and table in it."""
    tables = {one: st.fixed_dictionaries({}, optional=keys) for one, keys in SOUND.items()}
    content = {table: draw(keys) for table, keys in tables.items()}
    url = draw(addresses)
    content["sites", "shop"] = {"url": url, "first_party": [url, "https://*.example.com"]}
    for _ in range(draw(spoilt)):
        _spoil(draw, content)
    lines, places = [], {}
    for table, keys in content.items():
        if table:
            lines += draw(st.sampled_from([[], ["", "# [schedule]"]]))
            lines.append(f"[{'.'.join(map(named, table))}]")
        for length in range(1, len(table) + 1):
            places.setdefault(table[:length], len(lines))
        for key, value in keys.items():
            lines.append(f"{named(key)} = {written(value)}")
            places[*table, key] = len(lines)
            if isinstance(value, list) and draw(st.booleans()):
                lines[-1:] = [f"{named(key)} = [", *(f"{written(one)}," for one in value), "]"]
    return "\n".join(lines), places


def variable(path) -> str:
    return "FOOTFALL_" + "__".join(path).upper()


def in_a_variable(value) -> str:
    return (value if isinstance(value, str) else json.dumps(value)).replace("\0", "")


odd_in_a_variable = odd.filter(lambda value: not isinstance(value, Raw)) | st.sampled_from(
    [
        "[" * 5000,
        '{"a":' * 300 + "1" + "}" * 300,
        '{"shop": {"url": "\\ud800"}}',
        '{"buy": {"params": {"sku": "\\ud800"}}}',
        '{"buy": {"params": {"any": NaN}}}',
        "\udcff",
        "9" * 5000,
    ]
)
environments = st.dictionaries(
    st.one_of(
        st.sampled_from([*map(variable, KEYS), "FOOTFALL_SITES", "FOOTFALL_JOURNEY", "FOOTFALL_"]),
        st.just("FOOTFALL_JOURNEY__BUY__PARAMS" + "__A" * 1500),
        text.map(lambda name: "FOOTFALL_" + name.replace("\0", "").replace("=", "")),
    ),
    odd_in_a_variable.map(in_a_variable),
    max_size=2,
) | st.fixed_dictionaries(
    {
        "FOOTFALL_TELEMETRY__HEADERS": (spoilt_headers | st.just(f'{{"a": "{SECRET}')).map(
            in_a_variable
        ),
        "FOOTFALL_TELEMETRY__ENDPOINT": spoilt_addresses.map(in_a_variable),
    }
)
definitions = st.lists(
    st.builds(
        Definition,
        name=st.sampled_from(["buy", "search"]),
        site=st.sampled_from(["shop", "shop", "nowhere"]),
        file=st.just("shop.py"),
        line=st.just(3),
        owner=st.just("team"),
        every=st.none() | every | odd_texts,
        timezone=st.none() | zones | odd_texts,
        timeout=st.none() | durations | odd_texts,
        params=st.just({"sku": "mug", "any": None}),
    ),
    max_size=2,
    unique_by=lambda definition: definition.name,
)
