"""nginx of Debian, unpacked and not installed: one server on loopback."""

from __future__ import annotations

import http.client
from contextlib import closing
from typing import TYPE_CHECKING

from tests.support.service import CACHE, Service, free_port

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FOLDER = CACHE / "nginx"
BINARY = FOLDER / "usr" / "sbin" / "nginx"


class Nginx(Service):
    """Serves 204 to everybody, with a recipe in its ``http`` and its ``server`` block."""

    needs = BINARY

    def __init__(self, outer: str, inner: str) -> None:
        self._outer = outer
        self._inner = inner
        self.port = free_port()

    def prepare(self) -> None:
        (self.folder / "nginx.conf").write_text(
            f"daemon off; pid {self.folder}/pid; error_log {self.folder}/error.log;\n"
            "events {}\n"
            f"http {{ access_log off; {self._folders()}\n{self._outer}\n"
            f"server {{ listen 127.0.0.1:{self.port}; {self._inner}\n"
            "location / { return 204; } } }\n"
        )

    def command(self) -> Sequence[str]:
        return [str(BINARY), "-p", str(self.folder), "-c", "nginx.conf", "-e", "error.log"]

    def ready(self) -> bool:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)) as connection:
            try:
                connection.request("GET", "/ready")
                return connection.getresponse().status == 204
            except OSError:
                return False

    def lines(self, name: str) -> list[str]:
        """The lines of one of its logs."""
        file: Path = self.folder / name
        return file.read_text().splitlines() if file.exists() else []

    def _folders(self) -> str:
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        return " ".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in kinds)
