"""The pages that every side walks: two documents and one fetch, as light as can be.

``/noise?lines=L&requests=R`` says that many console lines and makes that many requests, itself
included; the element ``done`` reads ``done`` after the last.

Run as a program, it serves on a free port and prints one JSON line with its address.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ != "__main__":
    from tests.support.service import Service

    if TYPE_CHECKING:
        from collections.abc import Sequence

    class Site(Service):
        """The pages in a process of their own, outside of what is measured."""

        url = ""

        def command(self) -> Sequence[str]:
            return [sys.executable, str(Path(__file__))]

        def ready(self) -> bool:
            announced = self.announced()
            if announced:
                self.url = announced["url"]
            return announced is not None


_HTML = "text/html; charset=utf-8"
_SECOND = (
    b"<!doctype html><title>Two</title>"
    b"<button onclick='said.textContent = `done`'>go</button><p id=said></p>"
)
_PAGES = {
    "/": (
        _HTML,
        b"<!doctype html><title>One</title><a href=/two>two</a><script>fetch('/api')</script>",
    ),
    "/two": (_HTML, _SECOND),
    "/api": ("application/json", b"{}"),
    "/noise": (
        _HTML,
        b"""<!doctype html><title>Noise</title><p data-testid=done></p><script>
          const asked = new URLSearchParams(location.search);
          for (let n = 0; n < asked.get('lines'); n++) console.log(`line ${n} of a noisy page`, n);
          const load = n => new Promise(done => {
            const picture = new Image();
            picture.onload = picture.onerror = done;
            // Without a query: such a picture is no beacon, so nobody holds it.
            picture.src = `/picture/${n}`;
          });
          const all = Array.from({length: asked.get('requests') - 1}, (_, n) => load(n));
          Promise.all(all).then(() => {
            document.querySelector('[data-testid=done]').textContent = 'done';
          });
        </script>""",
    ),
    "/picture": (
        "image/svg+xml",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'></svg>",
    ),
}


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode().partition("?")[0]
            if path.startswith("/picture/"):
                path = "/picture"
            status = "200 OK" if path in _PAGES else "404 Not Found"
            kind, body = _PAGES.get(path, ("text/plain", b""))
            writer.write(
                f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n"
                f"content-length: {len(body)}\r\n\r\n".encode()
                + body
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{port}"}) + "\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
