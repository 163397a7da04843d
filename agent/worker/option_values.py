"""What is wrong with the value of one of Playwright's options, beyond its type."""

from __future__ import annotations

import difflib
import json
import re
import ssl
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.core.proxies import Proxy
from agent.core.units import parse_timezone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FILES = frozenset({"storage_state", "certPath", "keyPath", "pfxPath"})
"""The options, and keys in them, that name a file."""
PERMISSIONS = (
    "accelerometer",
    "ambient-light-sensor",
    "background-sync",
    "camera",
    "clipboard-read",
    "clipboard-write",
    "geolocation",
    "gyroscope",
    "local-fonts",
    "local-network-access",
    "magnetometer",
    "microphone",
    "midi",
    "midi-sysex",
    "notifications",
    "payment-handler",
    "screen-wake-lock",
    "storage-access",
)
"""What Playwright grants in Chromium."""
_ASKING = 20.0
"""Seconds that the list of devices may take: 0.3 s at rest, many times that beside other work."""
_LOCALE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")


def fault_of(name: str, value: object) -> str:
    """Say what is wrong with an option's value of the right type; "": nothing."""
    return _MEANINGS[name](value) if name in _MEANINGS else ""


def _device(name: str) -> str:
    known = _devices()
    if not known or name in known:
        return ""
    close = difflib.get_close_matches(name, known, 1, 0.4)
    return f"Playwright knows no device {name!r}" + (
        f"; did you mean {close[0]!r}?" if close else ""
    )


def _timezone(name: str) -> str:
    try:
        parse_timezone(name)
    except ValueError as error:
        return str(error)
    return ""


def _locale(name: str) -> str:
    return "" if _LOCALE.fullmatch(name) else f'{name!r} is no locale; write one such as "de-DE"'


def _size(value: Mapping[str, int]) -> str:
    return "" if min(value.values(), default=1) > 0 else "must be larger than 0"


def _permissions(names: list[str]) -> str:
    for name in names:
        if name not in PERMISSIONS:
            close = difflib.get_close_matches(name, PERMISSIONS, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(PERMISSIONS)}"
            return f"unknown permission {name!r}; {hint}"
    return ""


def _geolocation(value: Mapping[str, float]) -> str:
    for key, most in (("latitude", 90), ("longitude", 180)):
        if key not in value:
            return f"lacks {key!r}"
        if abs(value[key]) > most:
            return f"{key} must be between -{most} and {most}"
    return "" if (value.get("accuracy") or 0) >= 0 else "accuracy must be 0 or more"


def _headers(value: Mapping[str, str]) -> str:
    for name, text in value.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            return f"{name!r} is no name for a header"
        if "\n" in text or "\r" in text or "\0" in text:
            return f"the header {name} must be one line"
    return ""


def _storage_state(value: object) -> str:
    """Say what is wrong with a file of cookies and local storage; a table was checked already."""
    if not isinstance(value, str):
        return ""
    if fault := _file_fault(value):
        return fault
    try:
        state = json.loads(Path(value).read_text("utf-8"))
    except (ValueError, RecursionError):
        return f"the file {value} is not JSON; save it with `await context.storage_state(path=…)`"
    lists = (
        [state.get(key, []) for key in ("cookies", "origins")] if isinstance(state, dict) else ()
    )
    if not lists or not all(isinstance(one, list) for one in lists):
        return f"the file {value} holds no storage state: a table with cookies and origins"
    return ""


def _http_credentials(value: dict[str, Any] | list[dict[str, Any]]) -> str:
    for one in value if isinstance(value, list) else [value]:
        if not {"username", "password"} <= one.keys():
            return "needs a username and a password"
    return ""


def _proxy(value: Mapping[str, str]) -> str:
    try:
        Proxy.parse(value["server"])
    except KeyError:
        return "lacks 'server'"
    except ValueError as error:
        return f"server {error}"
    return ""


def _client_certificates(value: list[dict[str, Any]]) -> str:
    for one in value:
        if "origin" not in one:
            return "lacks 'origin', the address that the certificate is for"
        files = {key: one[key] for key in sorted(FILES & one.keys()) if one[key]}
        for fault in map(_file_fault, files.values()):
            if fault:
                return fault
        if why := _certificate_fault(files, one.get("passphrase") or ""):
            return f"{', '.join(files.values())}: {why}"
    return ""


def _certificate_fault(files: Mapping[str, str], passphrase: str) -> str:
    """Load a certificate and its key, as the browser will."""
    try:
        if "pfxPath" in files:
            from cryptography.hazmat.primitives.serialization import pkcs12

            archive = Path(files["pfxPath"]).read_bytes()
            pkcs12.load_key_and_certificates(archive, passphrase.encode())
        elif {"certPath", "keyPath"} <= files.keys():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_cert_chain(files["certPath"], files["keyPath"], lambda: passphrase)
        elif files:
            return "give certPath and keyPath, or pfxPath"
    except (OSError, ValueError):
        return "no certificate and key that belong together, or the passphrase is wrong"
    return ""


def _file_fault(path: str) -> str:
    try:
        with Path(path).open("rb"):
            return ""
    except FileNotFoundError:
        return f"there is no file {path}; relative paths start where the journey's file lies"
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return f"the file {path} can't be read: {reason}"


def _devices() -> tuple[str, ...]:
    """Return the names of Playwright's devices; none where they can't be had just now."""
    try:
        return _asked_devices()
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()


@cache
def _asked_devices() -> tuple[str, ...]:
    """Ask Playwright's own package, without starting a driver. A failure is not remembered."""
    from playwright._impl._driver import compute_driver_executable

    from agent.worker.browser.launch import node_executable

    cli = compute_driver_executable()[1]
    script = "process.stdout.write(JSON.stringify(Object.keys(require(process.argv[1]).devices)))"
    asked = subprocess.run(  # noqa: S603 - Playwright's own
        [node_executable(), "-e", script, str(Path(cli).parent)],
        capture_output=True,
        check=True,
        timeout=_ASKING,
    )
    return tuple(json.loads(asked.stdout))


_MEANINGS: dict[str, Callable[[Any], str]] = {
    "client_certificates": _client_certificates,
    "device": _device,
    "device_scale_factor": lambda value: "" if value > 0 else "must be larger than 0",
    "extra_http_headers": _headers,
    "geolocation": _geolocation,
    "http_credentials": _http_credentials,
    "locale": _locale,
    "permissions": _permissions,
    "proxy": _proxy,
    "screen": _size,
    "storage_state": _storage_state,
    "timezone_id": _timezone,
    "viewport": _size,
}
