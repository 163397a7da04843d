"""``/artifacts/…``: the evidence itself. Only plain files below the folder, none as a web page.

Starlette's ``StaticFiles`` looks a path up and opens it again by its name: a link that was put
there in between would be followed, a pipe would hold a thread, and a file that retention drops
would be an error of the agent's.
"""

from __future__ import annotations

import asyncio
import os
import stat
from io import FileIO
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from starlette.requests import Request

_PIECE = 1 << 16
_GONE = "no such artifact; it may have gone by artifacts.max_age or artifacts.max_bytes"
_SHOWN = {
    ".png": "image/png",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".yml": "text/plain; charset=utf-8",
}
"""What a browser may show; all else it saves."""
_SAVED = {".zip": "application/zip"}
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# No waiting for whoever may open the other end of a pipe.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def link(path: str) -> str:
    """Return the address, on the agent's server, of a path relative to the artifacts folder."""
    return f"/artifacts/{quote(path)}"


def serve(folder: Path) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint for files below ``folder``; the route names the rest ``path``."""

    async def artifact(request: Request) -> Response:
        path = request.path_params["path"]
        try:
            file, size = await asyncio.to_thread(_open, folder, path.split("/"))
        except (OSError, ValueError):
            raise HTTPException(404, _GONE) from None
        headers = _headers(path, size)
        if request.method == "HEAD":
            file.close()
            return Response(headers=headers)
        return StreamingResponse(_pieces(file), headers=headers)

    return artifact


def _headers(path: str, size: int) -> dict[str, str]:
    name = PurePosixPath(path)
    shown = _SHOWN.get(name.suffix)
    headers = {
        "Content-Type": shown or _SAVED.get(name.suffix, "application/octet-stream"),
        "Content-Length": str(size),
    }
    if shown is None:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name.name, safe='')}"
    return headers


async def _pieces(file: FileIO) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


def _open(folder: Path, names: list[str]) -> tuple[FileIO, int]:
    """Open a file below a folder, name by name; return it and its size in bytes.

    No name may lead up or be a link, whoever changes the folder meanwhile.

    Raises:
        OSError: there is none such.
        ValueError: a name has a zero byte, or half a character.

    """
    above = os.open(folder, _FOLDER)
    try:
        for name in names[:-1]:
            below = os.open(_plain(name), _FOLDER | os.O_NOFOLLOW, dir_fd=above)
            os.close(above)
            above = below
        descriptor = os.open(_plain(names[-1]), _FILE, dir_fd=above)
    finally:
        os.close(above)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise FileNotFoundError(names[-1])
    # Which closes itself, should nobody ever begin to read it.
    return FileIO(descriptor), found.st_size


def _plain(name: str) -> str:
    if name in {"", ".", ".."}:
        raise FileNotFoundError(name)
    return name
