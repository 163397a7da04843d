"""Takes the vendors anew from the npm package ``third-party-web``: ``make vendors``.

Needs npm, which brings the package from wherever it is configured to. Writes
``vendors.json``, one vendor a line in the order of their names so that a refresh reads well
as a diff, and ``vendors.LICENSE``, the package's own. Prints what it took.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PACKAGE = "third-party-web"
FOLDER = Path(__file__).parent

_ABOUT, _DATA, _LICENCE = "package.json", "dist/entities-nostats.json", "LICENSE"

_HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)+")
_PATIENCE = 300
"""Seconds that npm may take."""


def vendors_file(entities: Iterable[Mapping[str, Any]], version: str, licence: str) -> str:
    """Return the text of ``vendors.json``. Raises ``ValueError`` where the data is not as known."""
    rows = sorted(
        (
            [entity["name"], entity["category"], sorted(map(_host, entity["domains"]))]
            for entity in entities
        ),
        key=lambda row: (row[0].casefold(), row[0]),
    )
    if not rows:
        raise ValueError("the package names no vendor")
    head = {"source": PACKAGE, "version": version, "licence": licence}
    lines = [f"{json.dumps(name)}: {json.dumps(value)}," for name, value in head.items()]
    body = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    return "{\n" + "\n".join(lines) + '\n"vendors": [\n' + body + "\n]}\n"


def _host(domain: str) -> str:
    host = domain.strip().lower()
    if not _HOST.fullmatch(host):
        raise ValueError(f"{domain!r} is no host, nor one with *. before it")
    return host


def fetch() -> dict[str, str]:
    """Have npm fetch the package, and return the texts of the files that matter."""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(  # noqa: S603 - the arguments are constants
            ["npm", "pack", "--silent", PACKAGE],  # noqa: S607 - npm is found like any program
            cwd=scratch,
            stdout=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=True,
        )
        (archive,) = Path(scratch).glob("*.tgz")
        with tarfile.open(archive) as packed:
            return {name: _member(packed, f"package/{name}") for name in (_ABOUT, _DATA, _LICENCE)}


def _member(packed: tarfile.TarFile, name: str) -> str:
    file = packed.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is no file in the package")
    return file.read().decode()


def main() -> None:
    """Fetch, convert, write."""
    files = fetch()
    about, entities = json.loads(files[_ABOUT]), json.loads(files[_DATA])
    text = vendors_file(entities, about["version"], about["license"])
    (FOLDER / "vendors.json").write_text(text, "utf-8")
    (FOLDER / "vendors.LICENSE").write_text(files[_LICENCE], "utf-8")
    sys.stdout.write(f"{len(entities)} vendors from {PACKAGE} {about['version']}\n")


if __name__ == "__main__":
    main()
