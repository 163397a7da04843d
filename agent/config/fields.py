"""The kinds of value that configuration keys take, as annotated types.

Each turns what stands in the file or the environment into what the agent works with, and
raises ``ValueError`` with a text that says what to write instead.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, SecretStr, StringConstraints

from agent.config.addresses import origin, pattern, web_address
from agent.config.queue_address import queue_address
from agent.core import titles
from agent.core.naming import JOURNEY, NAME
from agent.core.origins import parse
from agent.core.proxies import Proxy, bypassed_host
from agent.core.units import parse_cadence, parse_duration, parse_limit, parse_size, parse_timezone
from agent.core.values import encodes, trouble

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_RESERVED = frozenset(
    {
        "authorization",
        "baggage",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "origin",
        "referer",
        "te",
        "traceparent",
        "tracestate",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
        "x-synthetic-journey",
    }
)
_RESERVED_BEGINNINGS = (":", "access-control-", "if-", "proxy-", "sec-", "signature")
_SMALLEST_MEMORY = 64 * 1024 * 1024
_SHORTEST_TOKEN = 16
_LONGEST_CONFIRM_AFTER = 600.0
RUN_FIELDS = ("trace_id", "run_id", "journey")
"""What of a run an address may hold."""


def _duration(value: object) -> float:
    if not isinstance(value, str):
        raise ValueError('must be a duration in quotes with its unit, such as "30s"')  # noqa: TRY004 - pydantic only collects ValueErrors
    return parse_duration(value)


def _size(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError('must be a size, such as "512MiB"')  # noqa: TRY004 - as above
    if isinstance(value, int) and value.bit_length() > 64:
        raise ValueError("is not a size: the number is too large")
    size = parse_size(str(value))
    if size == 0:
        raise ValueError("must be more than 0")
    return size


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise ValueError("must be longer than 0s")
    return seconds


def _enough_grace(seconds: float) -> float:
    if seconds < 1:
        raise ValueError(
            "must be 1s or more: in it the agent checks by a page of its own that a failure is "
            "the target's, and saves the evidence"
        )
    return seconds


def _soon(seconds: float) -> float:
    if seconds > _LONGEST_CONFIRM_AFTER:
        raise ValueError(
            "must be 10m or less: until then nobody is told of the failure, and the slots in "
            "between are skipped"
        )
    return seconds


def _limit(value: object) -> float:
    return parse_limit(value) or 0.0


def _closer(seconds: float) -> float:
    if 0 < seconds < 1:
        raise ValueError("is too often; the shortest interval is 1s")
    return seconds


def _enough_memory(size: int) -> int:
    if size < _SMALLEST_MEMORY:
        raise ValueError(
            "no browser fits into less than 64MiB (a small page takes about 200MiB); "
            'write a size with its unit, such as "1GiB"'
        )
    return size


def _cadence(text: str) -> str:
    parse_cadence(text, "UTC")
    return text


def _folder(path: Path) -> Path:
    if not path.name:
        raise ValueError('must name a folder, such as "journeys" or "/var/lib/footfall"')
    _argument(str(path))
    return path


def _argument(text: str) -> str:
    if "\0" in text or not encodes(text):
        raise ValueError("must not hold a zero byte or half a character")
    return text


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError(
            "names consist of lower-case letters, digits and underscores, a letter first"
        )
    return text


def _journey_name(text: str) -> str:
    if not JOURNEY.fullmatch(text):
        raise ValueError(
            "journeys' names consist of lower-case letters, digits and underscores, a letter "
            "first; those of variants have a hyphen before each further part"
        )
    return text


def _header_name(text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise ValueError('is no name for a header; write one such as "X-Synthetic-Journey"')
    return text


def _release_header(text: str) -> str:
    return _header_name(text).lower() if text else ""


def _gate_header(text: str) -> str:
    name = _header_name(text).lower()
    if name in _RESERVED or name.startswith(_RESERVED_BEGINNINGS):
        raise ValueError(
            "is a header that browsers, proxies or the agent's identity go by; pin a release by "
            'one of your own, such as "X-Canary"'
        )
    return name


def _header_value(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text.isprintable() or not text.isascii():
        raise ValueError("must be one line of plain ASCII")
    return value


def _token(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if text and (len(text) < _SHORTEST_TOKEN or not re.fullmatch(r"[!-~]+", text)):
        raise ValueError(
            f"must be {_SHORTEST_TOKEN} or more characters of plain ASCII without spaces; "
            "`openssl rand -hex 32` makes one"
        )
    return value


def _queue_address(value: SecretStr) -> SecretStr:
    if text := value.get_secret_value():
        queue_address(text)
    return value


def _title(text: str) -> str:
    if why := titles.trouble(text):
        raise ValueError(why)
    return text


def _params(values: dict[str, Any]) -> dict[str, Any]:
    for name, value in values.items():
        why = trouble(value) if encodes(name) else "is a name with half a character"
        if why:
            raise ValueError(f"{name!a} would not reach the journey as it is: it {why}")
    return values


def _own_address(text: str) -> str:
    if not text:
        return text
    web_address(text)
    address = parse(text)
    if address.path not in {"", "/"} or "?" in text or "#" in text:
        raise ValueError(
            'must end after the host or port, as "https://footfall.example.com" does: the agent '
            "serves its pages from the root, so give it a name or a port of its own"
        )
    return f"{address.scheme}://{address.netloc}"


def _run_link(text: str) -> str:
    if not text:
        return text
    host = re.split(r"[/?#]", text.partition("://")[2], maxsplit=1)[0]
    for field in re.findall(r"\{([^{}]*)\}", text):
        if field not in RUN_FIELDS or "{" in host:
            known = ", ".join(f"{{{name}}}" for name in RUN_FIELDS)
            raise ValueError(f"may hold these alone in braces, behind the host: {known}")
    plain = re.sub(r"\{[^{}]*\}", "x", text)
    if "{" in plain or "}" in plain:
        raise ValueError("has a brace that is never closed or opened; write it as %7B or %7D")
    web_address(plain)
    return text


def _bind_address(text: str) -> str:
    if text != "localhost":
        try:
            ipaddress.ip_address(text)
        except ValueError:
            raise ValueError(
                'must be an IP address: "127.0.0.1" for this machine alone, "0.0.0.0" or '
                '"::" for everybody'
            ) from None
    return text


def _proxy(text: str) -> str:
    if not text:
        return text
    proxy = Proxy.parse(text)
    if proxy.username or "@" in text:
        raise ValueError(
            "must not hold a user name or password: give the whole address by the variables "
            "HTTP_PROXY and HTTPS_PROXY instead"
        )
    return proxy.server


def _starts(value: object) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, datetime):
        raise ValueError(  # noqa: TRY004 - pydantic only collects ValueErrors
            "must be a date and a time, without quotes, such as 2026-12-01T03:00:00, which is "
            "in the window's timezone, or 2026-12-01T02:00:00Z"
        )
    return value


def _selector(text: str) -> str:
    kind, equals, owner = text.partition("=")
    if equals and (kind != "owner" or not owner.strip()):
        raise ValueError(
            'must be the name of a journey, a glob such as "shop_*" or "*", or an owner, such as '
            '"owner=checkout"'
        )
    return text


def _some(selectors: tuple[str, ...]) -> tuple[str, ...]:
    if not selectors:
        raise ValueError('must name some journeys; ["*"] is all of them')
    return selectors


def _engine(text: object) -> object:
    if text != "chromium":
        raise ValueError('only "chromium" works so far; remove the key or write that')
    return text


Duration = Annotated[float, BeforeValidator(_duration)]
"""Seconds, zero or more."""
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
Grace = Annotated[Duration, AfterValidator(_enough_grace)]
"""Seconds, more than zero."""
ConfirmAfter = Annotated[Duration, AfterValidator(_soon)]
"""Seconds, zero or more."""
Limit = Annotated[float, BeforeValidator(_limit)]
"""Seconds above which a time is too long; 0, written as nothing: there is no limit."""
EveryFailing = Annotated[Limit, AfterValidator(_closer)]
"""Seconds between two closer runs; 0, written as nothing: there are none."""
Size = Annotated[int, BeforeValidator(_size)]
"""Bytes, more than zero."""
Memory = Annotated[Size, AfterValidator(_enough_memory)]
"""Bytes that a browser may fit into."""
Every = Annotated[str, AfterValidator(_cadence)]
"""A duration or a cron line, as written; it becomes a cadence with its time zone."""
Timezone = Annotated[str, AfterValidator(parse_timezone)]
Starts = Annotated[datetime, BeforeValidator(_starts)]
"""A date and a time; without a zone it is the window's local time."""
Name = Annotated[str, AfterValidator(_name)]
JourneyKey = Annotated[str, AfterValidator(_journey_name)]
Folder = Annotated[Path, AfterValidator(_folder)]
Argument = Annotated[str, AfterValidator(_argument)]
"""What a program can be started with."""
Params = Annotated[dict[str, Any], AfterValidator(_params)]
"""Values that reach a journey as they were written."""
Title = Annotated[str, AfterValidator(_title)]
"""What the public page calls a journey; nothing: it isn't shown there."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
MetaName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100, to_lower=True)]
"""The name of a ``<meta>``, which browsers compare without its case; empty: none."""
Selector = Annotated[Text, AfterValidator(_selector)]
"""Which journeys: a name, a glob of names, or ``owner=`` and an owner."""
Selectors = Annotated[tuple[Selector, ...], AfterValidator(_some)]
WebAddress = Annotated[str, AfterValidator(web_address)]
ProxyAddress = Annotated[str, AfterValidator(_proxy)]
"""The address of a proxy, or nothing."""
BypassedHost = Annotated[str, AfterValidator(bypassed_host)]
SiteAddress = Annotated[str, AfterValidator(origin)]
Pattern = Annotated[str, AfterValidator(pattern)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
GateHeaderName = Annotated[str, AfterValidator(_gate_header)]
"""A header that a gate may send; lower case."""
SentHeaderName = Annotated[HeaderName, AfterValidator(str.lower)]
"""Lower case, so that the same header from two sources is one, and gRPC takes it."""
ReleaseHeader = Annotated[str, AfterValidator(_release_header)]
"""A header's name in lower case; empty: none."""
HeaderValue = Annotated[SecretStr, AfterValidator(_header_value)]
QueueAddress = Annotated[SecretStr, AfterValidator(_queue_address)]
"""Servers that replicas share; empty: there are none. A password may stand in it."""
OneLineSecret = Annotated[SecretStr, AfterValidator(_header_value)]
Token = Annotated[SecretStr, AfterValidator(_token)]
"""What a client shows to be let in; empty: there is none."""
OwnAddress = Annotated[str, AfterValidator(_own_address)]
RunLink = Annotated[str, AfterValidator(_run_link)]
"""An address with ``RUN_FIELDS`` in braces where those of a run are to stand; or nothing."""
"""Where people reach the agent, as an origin; empty: as they ask for it."""
BindAddress = Annotated[str, AfterValidator(_bind_address)]
Engine = Annotated[str, BeforeValidator(_engine)]
