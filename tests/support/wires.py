"""A web site on several hosts, over HTTP/1.1 or over TLS with HTTP/2, that remembers requests.

One server answers for all hosts; the browser is told to find every name on loopback. What
it answers is told by the path: ``/KIND/FILE``, where the start of ``FILE`` names a behaviour
or ``files`` holds it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import ssl
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate
from hypercorn.asyncio import serve
from hypercorn.config import Config

from tests.support.service import free_port

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tests.support.play import File

    Send = Callable[[dict[str, Any]], Awaitable[None]]
    Answer = tuple[int, dict[str, str], bytes]
    Receive = Callable[[], Awaitable[dict[str, Any]]]

HOSTS = {
    "shop": "shop.localhost",
    "api": "api.shop.localhost",
    "third": "third.localhost",
    "direct": "127.0.0.1",
}
"""By short name; ``direct`` is for clients that can't be told where names are found."""
_SETTLE = 8.0
"""Seconds to wait for requests that are expected."""
_OWN = "own=1; Path=/; Domain=shop.localhost"


@dataclass(frozen=True, slots=True)
class Came:
    """One request; names of headers are in lower case."""

    host: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    version: str

    def __str__(self) -> str:
        return f"{self.method} {self.host}{self.path}"


@dataclass
class Wires:
    """Serves while it is entered; ``seen`` is what came since ``forget``."""

    secure: bool
    files: Mapping[str, File]
    expected: Mapping[str, tuple[str, ...]]
    seen: list[Came] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self.port = free_port()
        self._came = asyncio.Event()
        self._end = asyncio.Event()
        self._folder = tempfile.TemporaryDirectory(prefix="footfall-test-")
        config = Config()
        config.bind = [f"127.0.0.1:{self.port}"]
        config.accesslog = config.errorlog = None
        config.graceful_timeout = config.shutdown_timeout = 0.1
        if self.secure:
            self._certify(config)
        self._serving = asyncio.create_task(
            serve(self._app, config, shutdown_trigger=self._end.wait)
        )
        self._control = await asyncio.start_server(self._settled, "127.0.0.1", 0)
        self.control = self._control.sockets[0].getsockname()[1]
        async with asyncio.timeout(_SETTLE):
            while not await self._listens():  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._end.set()
        self._control.close()
        await self._control.wait_closed()
        await self._serving
        self._folder.cleanup()

    @property
    def urls(self) -> dict[str, str]:
        """The origins by short name."""
        scheme = "https" if self.secure else "http"
        return {name: f"{scheme}://{host}:{self.port}" for name, host in HOSTS.items()}

    @property
    def browser_args(self) -> list[str]:
        """What Chromium needs to find and to trust these hosts."""
        names = [host for name, host in HOSTS.items() if name != "direct"]
        args = ["--host-resolver-rules=" + ",".join(f"MAP {name} 127.0.0.1" for name in names)]
        if self.secure:
            # Not --ignore-certificate-errors, which would switch the HTTP cache off.
            args.append(f"--ignore-certificate-errors-spki-list={self._key_hash}")
        return args

    @property
    def authority(self) -> str:
        """The file of the certificate authority, for Node."""
        return str(Path(self._folder.name) / "authority.pem")

    def asked(self, kind: str) -> list[Came]:
        """The requests of one kind, in the order in which they came."""
        return [one for one in self.seen if one.path.split("/")[1] == kind]

    def _certify(self, config: Config) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.authority)
        leaf = authority.issue_cert(*HOSTS.values())
        folder = Path(self._folder.name)
        config.certfile, config.keyfile = str(folder / "cert.pem"), str(folder / "key.pem")
        leaf.cert_chain_pems[0].write_to_path(config.certfile)
        leaf.private_key_pem.write_to_path(config.keyfile)
        key = load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes()).public_key()
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._key_hash = base64.b64encode(hashlib.sha256(der).digest()).decode()

    async def _listens(self) -> bool:
        trust = None
        if self.secure:
            trust = ssl.create_default_context()
            trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=trust)
        except OSError:
            return False
        writer.close()
        return True

    async def _settled(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a line with the name of a kind once all that it expects has come."""
        kind = (await reader.readline()).decode().strip()
        wanted = Counter(self.expected[kind])
        try:
            async with asyncio.timeout(_SETTLE):
                while wanted - Counter(str(one) for one in self.asked(kind)):
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            pass  # what is missing shows in the test
        writer.write(b"\n")
        writer.close()

    async def _app(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            # HTTP/2 may send several cookie fields.
            before = headers.get(name.decode())
            headers[name.decode()] = f"{before}; {value.decode()}" if before else value.decode()
        body = b""
        if scope["type"] == "http":
            more = True
            while more:
                message = await receive()
                body += message.get("body", b"")
                more = message.get("more_body", False)
        host = headers["host"].rpartition(":")[0]
        short = next(name for name, one in HOSTS.items() if one == host)
        method = scope.get("method", "WEBSOCKET")
        came = Came(short, method, scope["path"], headers, body, scope["http_version"])
        self.seen.append(came)
        self._came.set()
        query = {k: v[0] for k, v in parse_qs(scope["query_string"].decode()).items()}
        if method == "WEBSOCKET":
            await _socket(receive, send)
        elif scope["path"].rpartition("/")[2].startswith("events"):
            await _events(receive, send)
        else:
            status, extra, answer = self._answer(came, query)
            named = [(k.encode(), v.encode()) for k, v in extra.items()]
            await send({"type": "http.response.start", "status": status, "headers": named})
            await send({"type": "http.response.body", "body": answer})

    def _answer(self, came: Came, query: dict[str, str]) -> Answer:
        file = self.files.get(came.path)
        if file is not None:
            return self._page(file, came.host)
        name = came.path.rpartition("/")[2].split("-")[0].split(".")[0]
        return _BEHAVIOURS.get(name, _said)(came, query)

    def _page(self, file: File, host: str) -> Answer:
        text = file.text
        for name, url in self.urls.items():
            text = text.replace(f"{{{name}}}", url)
        headers = {"content-type": file.media_type, **dict(file.headers)}
        if host == "shop" and file.media_type == "text/html":
            headers["set-cookie"] = f"{_OWN}; SameSite=None; Secure" if self.secure else _OWN
        return 200, headers, text.encode()


def _said(came: Came, _: dict[str, str]) -> Answer:
    """Length and digest of what was sent."""
    text = json.dumps([len(came.body), hashlib.sha256(came.body).hexdigest()])
    return 200, {"content-type": "application/json"}, text.encode()


def _open(came: Came, query: dict[str, str]) -> Answer:
    """Allow other origins."""
    allow = {
        "access-control-allow-origin": came.headers.get("origin", "*"),
        "access-control-allow-credentials": "true",
    }
    if came.method == "OPTIONS":
        allow["access-control-allow-methods"] = "PUT, POST"
        allow["access-control-allow-headers"] = "x-mine, content-type"
        return 204, allow, b""
    status, headers, body = _said(came, query)
    return status, headers | allow, body


def _redirect(came: Came, query: dict[str, str]) -> Answer:
    _, headers, _ = _open(came, query)
    return int(query.get("status", "302")), {**headers, "location": query["to"]}, b""


def _keep(_: Came, __: dict[str, str]) -> Answer:
    return 200, {"content-type": "text/javascript", "cache-control": "max-age=3600"}, b"1;"


def _stale(came: Came, _: dict[str, str]) -> Answer:
    fresh = {"etag": '"one"', "cache-control": "no-cache"}
    if came.headers.get("if-none-match") == '"one"':
        return 304, fresh, b""
    return 200, {"content-type": "text/javascript", **fresh}, b"1;"


def _down(_: Came, __: dict[str, str]) -> Answer:
    headers = {"content-type": "application/octet-stream", "content-disposition": "attachment"}
    return 200, headers, b"down" * 1000


def _auth(came: Came, query: dict[str, str]) -> Answer:
    if "authorization" not in came.headers:
        return 401, {"www-authenticate": 'Basic realm="shop"'}, b""
    return _said(came, query)


_BEHAVIOURS = {
    "auth": _auth,
    "down": _down,
    "keep": _keep,
    "open": _open,
    "redirect": _redirect,
    "stale": _stale,
}
"""By the first word of a file's name; anything else, ``shut`` too, answers one's own pages."""


async def _socket(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "hello"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def _events(receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"data: one\n\n", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass
