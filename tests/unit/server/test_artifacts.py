"""Artifacts: plain files below their folder and nothing else, each as harmless as it can be."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

import aiohttp
from yarl import URL

from agent.server.artifacts import link
from tests.support.daemon import until

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 200_000


async def ask(served, path, method="GET"):
    address = URL(served.url + path, encoded=True)
    async with served.session.request(method, address) as response:
        return response.status, response.headers, await response.read()


KINDS = {
    "screenshot.png": ("image/png", False),
    "failure.json": ("application/json", False),
    "trace.zip": ("application/zip", True),
    "page.html": ("application/octet-stream", True),
    "image.svg": ("application/octet-stream", True),
    "noname": ("application/octet-stream", True),
}


async def test_each_kind_is_shown_or_saved(served):
    """Pictures and JSON are shown; archives are saved; what could run as a page is never shown."""
    for name, (kind, saved) in KINDS.items():
        path = f"buy/20261125T150600Z-1/attempt-1/{name}"
        served.keep(path, PNG)
        status, headers, body = await ask(served, link(path))
        assert (status, body) == (200, PNG)
        assert headers["content-type"] == kind
        assert headers["content-length"] == str(len(PNG))
        assert headers.get("content-disposition", "").startswith("attachment") is saved
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "sandbox" in headers["content-security-policy"]
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


async def test_a_head_request_sends_no_body(served):
    """Only what the file is, and no file stays open."""
    served.keep("buy/a.png", PNG)
    status, headers, body = await ask(served, "/artifacts/buy/a.png", "HEAD")
    assert (status, headers["content-length"], body) == (200, str(len(PNG)), b"")
    assert open_files(served) == 0


async def test_a_link_survives_any_name(served):
    """Whatever a file is called, its link leads to it."""
    name = 'buy/a b#c?d%2e"é&.png'
    served.keep(name, b"it")
    status, _, body = await ask(served, link(name))
    assert (status, body) == (200, b"it")


OUTSIDE = [
    "/artifacts/../secret",
    "/artifacts/..%2fsecret",
    "/artifacts/%2e%2e/secret",
    "/artifacts/buy/../../secret",
    "/artifacts/buy/%2e%2e/%2e%2e/secret",
    "/artifacts/..%5csecret",
    "/artifacts//{folder}/secret",
    "/artifacts/{folder}/secret",
    "/artifacts/%2f{folder}/secret",
    "/artifacts/buy/./a.png",
    "/artifacts/buy//a.png",
    "/artifacts/buy/a.png/",
    "/artifacts/buy/a.png/more",
    "/artifacts/linked",
    "/artifacts/up/secret",
    "/artifacts/buy/inside",
    "/artifacts/pipe",
    "/artifacts/socket",
    "/artifacts/buy",
    "/artifacts/",
    "/artifacts",
    "/artifacts/x%00y",
    "/artifacts/%ed%a0%80",
    "/artifacts/%ff",
    "/artifacts/" + "x" * 300,
    "/artifacts/" + "x/" * 3000,
]


async def test_nothing_but_plain_files_below_the_folder(served):
    """No way up, no link, no pipe that would never end, no folder; and nothing stays open."""
    (served.folder / "secret").write_text("secret")
    served.keep("buy/a.png", PNG)
    (served.artifacts / "linked").symlink_to(served.folder / "secret")
    (served.artifacts / "up").symlink_to(served.folder)
    (served.artifacts / "buy" / "inside").symlink_to(served.artifacts / "buy" / "a.png")
    os.mkfifo(served.artifacts / "pipe")
    here = os.open(served.artifacts, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"/proc/self/fd/{here}/socket")
        os.close(here)
        for path in OUTSIDE:
            asked = path.format(folder=str(served.folder).strip("/"))
            status, _, body = await ask(served, asked)
            assert status == 404, path
            assert b"secret" not in body
    assert open_files(served) == 0


async def test_a_folder_that_is_a_link_itself_is_followed(served, tmp_path):
    """An operator may keep the artifacts on another disk."""
    disk = tmp_path / "disk"
    served.artifacts.rename(disk)
    served.artifacts.symlink_to(disk)
    served.keep("buy/a.png", PNG)
    assert (await ask(served, "/artifacts/buy/a.png"))[0] == 200


async def test_who_leaves_midway_leaves_no_file_open(served):
    """A download that is broken off gives its file back."""
    served.keep("big.zip", b"x" * 30_000_000)
    async with (
        aiohttp.ClientSession(served.url) as session,
        session.get("/artifacts/big.zip") as response,
    ):
        await response.content.readexactly(10)
        assert open_files(served) == 1
        response.close()
    await until(lambda: open_files(served) == 0, 10)


def open_files(served):
    """How many of this process's files lie in the artifacts folder."""
    found = 0
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found += one.readlink().is_relative_to(served.artifacts)
    return found
