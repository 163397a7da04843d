"""Fetches one package of another Debian release and unpacks it, without touching the system.

apt gets a private configuration: its state, cache and sources are folders of ours, and the
sources are the system's own, mirrors, options and keys included, with the release changed.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.commands import InstallError, run

if TYPE_CHECKING:
    from collections.abc import Iterator

_ONE_LINE = re.compile(
    r"deb\s+(?P<options>\[[^]]*\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<rest>.+)"
)
_FIELD = re.compile(r"^(?P<name>[\w-]+):[ \t]*(?P<value>.*(?:\n[ \t].*)*)$", re.MULTILINE)


def unpack(package: str, release: str, target: Path, etc: Path = Path("/etc")) -> None:
    """Put the files of ``package`` from ``release`` under the folder ``target``.

    Raises:
        InstallError: there is no apt, no source to derive from, or apt failed.

    """
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise InstallError(
            f"{package} comes from Debian's packages, and there is no apt-get here. Run the "
            f"suite on Debian, or put the package's files under {target} yourself."
        )
    sources = "\n".join(derived_sources(etc, release))
    if not sources:
        raise InstallError(
            f"no Debian source of this release is named in {etc}/apt; add one with the "
            f"component main, so that {package} of {release} can be found next to it."
        )
    with tempfile.TemporaryDirectory(prefix="footfall-apt-") as name:
        folder = Path(name)
        (folder / "sources").mkdir()
        (folder / "sources" / "derived.sources").write_text(sources)
        environment = os.environ | {"APT_CONFIG": str(_configuration(folder, etc))}
        run(["apt-get", "update"], environment, folder)
        run(["apt-get", "download", f"{package}/{release}"], environment, folder)
        (archive,) = folder.glob("*.deb")
        partial = target.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        run(["dpkg", "-x", str(archive), str(partial)], environment, folder)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)


def derived_sources(etc: Path, release: str) -> Iterator[str]:
    """The system's own Debian sources as deb822 stanzas, with ``release`` as their suite."""
    own = _own_suites(etc)
    apt = etc / "apt"
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))]:
        for line in path.read_text().splitlines() if path.exists() else []:
            found = _ONE_LINE.match(line.strip())
            if found and found["suite"] in own and "main" in found["rest"].split():
                yield _stanza_of(found, release)
    for path in sorted((apt / "sources.list.d").glob("*.sources")):
        text = re.sub(r"^#.*\n?", "", path.read_text(), flags=re.MULTILINE)
        for stanza in re.split(r"\n\s*\n", text):
            fields = {found["name"].lower(): found["value"] for found in _FIELD.finditer(stanza)}
            if (
                "deb" in fields.get("types", "").split()
                and own & set(fields.get("suites", "").split())
                and "main" in fields.get("components", "").split()
                and fields.get("enabled", "yes").strip().lower() not in {"no", "false"}
            ):
                fields |= {"types": "deb", "suites": release, "components": "main"}
                yield "\n".join(f"{name}: {value}" for name, value in fields.items()) + "\n"


def _own_suites(etc: Path) -> set[str]:
    text = (etc / "os-release").read_text()
    codename = re.search(r'^VERSION_CODENAME="?(\w+)', text, re.MULTILINE)
    return {"stable", "oldstable", "testing"} | ({codename[1]} if codename else set())


def _stanza_of(line: re.Match[str], release: str) -> str:
    options = (line["options"] or "").strip().strip("[]").split()
    named = {"signed-by": "Signed-By", "trusted": "Trusted", "arch": "Architectures"}
    fields = {"Types": "deb", "URIs": line["uri"], "Suites": release, "Components": "main"}
    for option in options:
        key, _, value = option.partition("=")
        if key in named:
            fields[named[key]] = value.replace(",", " ")
    return "\n".join(f"{name}: {value}" for name, value in fields.items()) + "\n"


def _configuration(folder: Path, etc: Path) -> Path:
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    system = etc / "apt" / "apt.conf"
    # Read last: the system's hooks act on the system, and must not run for us.
    (folder / "last.conf").write_text(
        (f'#include "{system}"\n' if system.exists() else "")
        + "#clear APT::Update::Pre-Invoke;\n"
        + "#clear APT::Update::Post-Invoke;\n"
        + "#clear APT::Update::Post-Invoke-Success;\n"
    )
    # Read first, before the system's own parts, which stay in force: proxies, certificates.
    configuration = folder / "apt.conf"
    configuration.write_text(
        f'Dir::State "{folder}/state";\n'
        f'Dir::State::status "{folder}/status";\n'
        f'Dir::Cache "{folder}/cache";\n'
        f'Dir::Etc::sourcelist "{os.devnull}";\n'
        f'Dir::Etc::sourceparts "{folder}/sources";\n'
        f'Dir::Etc::main "{folder}/last.conf";\n'
        'APT::Sandbox::User "root";\n'
        'Acquire::Retries "3";\n'
    )
    return configuration
