"""Sites that are down, slow or broken: each is the target's failure, by its right name."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import subprocess
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

from tests.faults.books import ALL, Outcome, Row, Rows, row_of, together, until_tried
from tests.faults.watch import LEFT_AT_MOST, Watch
from tests.support.daemon import Daemon, Home
from tests.support.origin import Origin
from tests.support.service import free_port

if TYPE_CHECKING:
    import re
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from random import Random

    Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_PAUSE, _EACH = 12, 1.5
"""Seconds between two slots of a site: so much, and so much for each site beside it."""
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n"
_OPEN = 'await run.page.goto("/")\n'
_TIMEOUT: Outcome = ("fail", "timeout")
_NAVIGATION: Outcome = ("fail", "navigation")


async def _slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)
    writer.write(_HEAD + b"content-length: 2\r\n\r\nok")


async def _resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _stalls(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_HEAD + b"content-length: 10000\r\n\r\n<title>Half a pa")
    await asyncio.sleep(60)


async def _never_ends(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_HEAD + b"transfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"5\r\n<br/>\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def _redirects(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(0.02)
    writer.close()


async def _no_http(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example.com ESMTP\r\n")
    await writer.drain()
    writer.close()


async def _breaks(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 6\r\n\r\nbroken")
    await writer.drain()


SITES: dict[str, tuple[Handler, Outcome]] = {
    "slow": (_slow, _TIMEOUT),
    "resetting": (_resets, _NAVIGATION),
    "stalling": (_stalls, _TIMEOUT),
    "endless": (_never_ends, _TIMEOUT),
    "redirecting": (_redirects, _NAVIGATION),
    "not_http": (_no_http, _NAVIGATION),
    "broken": (_breaks, ("fail", "http_status")),
}

_ODD = ("refusing", "half_open", "unknown_name", "expired")
"""Those that have no handler, since nobody gets as far as to ask."""
_FROM, _UNTIL = "20200101000000Z", "20210101000000Z"


def _expired(folder: Path) -> ssl.SSLContext:
    """Make a certificate whose time is over: only the tool's authority can date one back."""
    folder.mkdir(parents=True)
    key, request, certificate = (folder / name for name in ("key", "request", "certificate"))
    (folder / "index").touch()
    (folder / "serial").write_text("01\n")
    (folder / "config").write_text(
        "[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\n"
        "default_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n"
    )
    over = f"-selfsign -startdate {_FROM} -enddate {_UNTIL}"
    for command in (
        f"req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout {key} -out {request}",
        f"ca -batch -config config {over} -keyfile {key} -in {request} -out {certificate}",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def _serve(stack: AsyncExitStack, handler: Handler, tls: ssl.SSLContext | None = None) -> str:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.CancelledError):
            await handler(reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    stack.callback(server.close)
    port = server.sockets[0].getsockname()[1]
    return f"{'https' if tls else 'http'}://127.0.0.1:{port}"


async def run(folder: Path, tries: int, _: Random, only: re.Pattern[str] = ALL) -> Rows:
    """Walk every bad site in one agent, and a good one beside them."""
    if any(only.search(name) for name in (*SITES, *_ODD)):
        async for row in together(_walk(folder, tries, only)):
            yield row


async def _walk(folder: Path, tries: int, only: re.Pattern[str]) -> list[Row]:
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(Origin(pages={"/": "<title>Home</title>"}))
        unheard = socket.socket()
        stack.callback(unheard.close)
        unheard.bind(("127.0.0.1", 0))
        unheard.listen(1)  # the kernel connects, and nobody ever accepts
        addresses = {
            "well": (origin.url, ("pass", None)),
            "refusing": (f"http://127.0.0.1:{free_port()}", _NAVIGATION),
            "half_open": (f"http://127.0.0.1:{unheard.getsockname()[1]}", _TIMEOUT),
            "unknown_name": ("http://nowhere.invalid", _NAVIGATION),
            "expired": (await _serve(stack, _breaks, _expired(folder / "tls")), _NAVIGATION),
        }
        for name, (handler, intended) in SITES.items():
            addresses[name] = (await _serve(stack, handler), intended)
        addresses = {
            name: one for name, one in addresses.items() if name == "well" or only.search(name)
        }
        every = _PAUSE + len(addresses) * _EACH
        home = Home(folder, {name: url for name, (url, _) in addresses.items()})
        for name in addresses:
            home.journey(f"on_{name}", _OPEN, f'site="{name}", owner="tests"')
        home.configure(
            schedule={"every": f"{every}s", "timeout": "3s", "grace": "2s"},
            journey__on_well={"every": "5s", "timeout": "2s", "grace": "1s"},
            workers={"count": 4},
        )
        async with Daemon(home) as daemon:
            await daemon.started()
            async with Watch(home, daemon.pid) as watch:
                names = [f"on_{name}" for name in addresses]
                await until_tried(home, names, tries, 2 * every * (tries + 1))
                await asyncio.sleep(LEFT_AT_MOST)
            code = await daemon.terminate()
    rows = [
        row_of(home, f"site {name}", f"on_{name}", tries, [intended])
        for name, (_, intended) in addresses.items()
    ]
    rows[0].hold(code == 0, f"the agent ended with {code}")
    rows[0].hold_none_left(watch.broken())
    return rows
