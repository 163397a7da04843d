"""axe-core of npm: what in a page keeps people out, as far as a program can tell."""

from __future__ import annotations

import base64
import hashlib
import os
import tarfile
from typing import TYPE_CHECKING, Any

from tests.support.commands import InstallError, run
from tests.support.service import CACHE

if TYPE_CHECKING:
    from playwright.async_api import Page

FOLDER = CACHE / "axe-core"
VERSION = "4.14.1"
_SCRIPT = FOLDER / "axe.min.js"
_MEMBER = "package/axe.min.js"
_SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
"""Of the package's archive, as npm's own lock files have it."""
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def install() -> None:
    """Fetch the package by npm, from wherever that is configured to, and unpack the script."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    run(["npm", "pack", "--silent", f"axe-core@{VERSION}"], os.environ, FOLDER)
    archive = FOLDER / f"axe-core-{VERSION}.tgz"
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != _SHA512:
        raise InstallError(f"{archive.name} is not the package that was looked at: {digest}")
    with tarfile.open(archive) as packed:
        script = packed.extractfile(_MEMBER)
        assert script is not None
        _SCRIPT.write_bytes(script.read())


async def violations(page: Page) -> list[str]:
    """Return what is wrong with a page: the rule, and the first elements that break it."""
    assert _SCRIPT.exists(), "run `python -m tests.support.install` first"
    await page.evaluate(_SCRIPT.read_text())
    rules = {"runOnly": {"type": "tag", "values": _TAGS}, "resultTypes": ["violations"]}
    found: dict[str, Any] = await page.evaluate("rules => axe.run(document, rules)", rules)
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"][:3]
    ]
