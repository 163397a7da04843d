"""What ``agent.verify`` costs a request: ``python -m tests.bench.verify``."""

from __future__ import annotations

import asyncio
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.keys.jwk import members
from agent.signing.signer import Signer
from agent.verify import SyntheticMiddleware, SyntheticWsgiMiddleware, Verifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ROUNDS = 15
_REQUESTS = 2_000
_HOST = "shop.example.com"
_VISITOR = {
    "host": _HOST,
    "connection": "keep-alive",
    "cache-control": "max-age=0",
    "sec-ch-ua": '"Chromium";v="156", "Not)A;Brand";v="8"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Linux"',
    "upgrade-insecure-requests": "1",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0",
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "referer": f"https://{_HOST}/",
    "accept-encoding": "gzip, deflate, br, zstd",
    "accept-language": "en-GB,en;q=0.9",
    "cookie": "session=6c1f0f3e9f4b4c8f; _ga=GA1.1.1234567890.1700000000; consent=all",
}
_CLAIM = {
    "baggage": "synthetic_request=true,footfall.journey=buy_a_mug,footfall.run=0197-a",
    "x-synthetic-journey": "buy_a_mug",
}


def main() -> None:
    """Print microseconds a request, beside the same application without the middleware."""
    key = Ed25519PrivateKey.generate()
    signed = Signer([key], "https://example.com/synthetic").sign(_HOST, time.time()).headers
    verifier = Verifier({"keys": [members(key.public_key())]})
    signature = {name.lower(): value for name, value in signed.items()}
    cases = {
        "a visitor": _VISITOR,
        "an unsigned claim": {**_VISITOR, **_CLAIM},
        "a signed request": {**_VISITOR, **_CLAIM, **signature},
    }
    print(f"{'microseconds a request':24}{'ASGI':>10}{'WSGI':>10}")  # noqa: T201
    for name, headers in cases.items():
        asgi, wsgi = _asgi(verifier, headers), _wsgi(verifier, headers)
        print(f"{name:24}{asgi:10.1f}{wsgi:10.1f}")  # noqa: T201


def _asgi(verifier: Verifier, headers: Mapping[str, str]) -> float:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        pass

    async def nothing(*_: Any) -> Any:
        pass

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    wrapped = SyntheticMiddleware(app, verifier)

    async def serve(served: Any) -> float:
        begin = time.perf_counter()
        for _ in range(_REQUESTS):
            await served({"type": "http", "headers": raw, "state": {}}, nothing, nothing)
        return time.perf_counter() - begin

    return _extra(lambda: asyncio.run(serve(wrapped)), lambda: asyncio.run(serve(app)))


def _wsgi(verifier: Verifier, headers: Mapping[str, str]) -> float:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        return []

    environ = {f"HTTP_{name.upper().replace('-', '_')}": v for name, v in headers.items()}
    wrapped = SyntheticWsgiMiddleware(app, verifier)

    def serve(served: Any) -> float:
        begin = time.perf_counter()
        for _ in range(_REQUESTS):
            served({**environ}, None)
        return time.perf_counter() - begin

    return _extra(lambda: serve(wrapped), lambda: serve(app))


def _extra(measured: Callable[[], float], bare: Callable[[], float]) -> float:
    """Return the median difference, in microseconds a request, of rounds taken in turn."""
    rounds = [measured() - bare() for _ in range(_ROUNDS)]
    return median(rounds) / _REQUESTS * 1e6


if __name__ == "__main__":
    main()
