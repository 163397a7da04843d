"""What `make test` stands on: its set-up, and the guard that keeps unit tests on the machine."""

import asyncio
import socket

import pytest

from tests.support import debian, install
from tests.support.commands import InstallError, run
from tests.support.network import ForeignAddress, LoopbackOnly


def test_the_guard_refuses_and_remembers():
    """Under the guard no socket leaves loopback, and a swallowed refusal is still known."""
    with LoopbackOnly() as guard, socket.socket() as plain:
        with pytest.raises(ForeignAddress):
            plain.connect(("192.0.2.1", 9))
        with pytest.raises(ForeignAddress):
            socket.getaddrinfo("shop.example.com", 80)
        assert plain.connect_ex(("127.0.0.1", 1)) != 0
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams, pytest.raises(ForeignAddress):
            datagrams.sendto(b"", ("192.0.2.1", 9))
    assert guard.attempts == ["192.0.2.1", "shop.example.com", "192.0.2.1"]


async def test_the_guard_covers_the_event_loop():
    """asyncio's own connections pass the guard on loopback and are refused beyond."""
    with LoopbackOnly() as guard:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", 1)
        with pytest.raises(ForeignAddress):
            await asyncio.open_connection("192.0.2.1", 9)
    assert guard.attempts == ["192.0.2.1"]


def test_debian_sources_keep_all_but_the_release(tmp_path):
    """The other release comes from the system's own mirror, keys and all, and from no other."""
    folder = tmp_path / "apt" / "sources.list.d"
    folder.mkdir(parents=True)
    (tmp_path / "os-release").write_text('VERSION_CODENAME="bookworm"\n')
    (tmp_path / "apt" / "sources.list").write_text(
        "deb [signed-by=/keys/a.gpg arch=amd64] http://one.test/debian bookworm main contrib\n"
        "deb http://one.test/debian bookworm-updates main\n"
        "deb-src http://one.test/debian bookworm main\n"
        "# deb http://two.test/debian bookworm main\n"
    )
    (folder / "docker.list").write_text("deb http://three.test/linux bookworm stable\n")
    (folder / "debian.sources").write_text(
        "Types: deb\n# a comment\nURIs: http://four.test/debian\n"
        "Suites: bookworm bookworm-updates\nComponents: main\nSigned-By:\n line one\n line two\n\n"
        "Types: deb\nURIs: http://four.test/security\nSuites: bookworm-security\n"
        "Components: main\n\n"
        "Enabled: no\nTypes: deb\nURIs: http://five.test/debian\nSuites: bookworm\n"
        "Components: main\n"
    )

    one, four = debian.derived_sources(tmp_path, "trixie")

    assert one.splitlines() == [
        "Types: deb",
        "URIs: http://one.test/debian",
        "Suites: trixie",
        "Components: main",
        "Signed-By: /keys/a.gpg",
        "Architectures: amd64",
    ]
    assert "uris: http://four.test/debian\n" in four
    assert "suites: trixie\n" in four
    assert "signed-by: \n line one\n line two\n" in four


def test_a_system_without_debian_sources_is_told_so(tmp_path):
    """Without a source to derive from the message says what to add, and nothing is written."""
    (tmp_path / "apt").mkdir()
    (tmp_path / "os-release").write_text("VERSION_CODENAME=bookworm\n")
    with pytest.raises(InstallError, match="no Debian source"):
        debian.unpack("victoria-metrics", "trixie", tmp_path / "target", tmp_path)
    assert not (tmp_path / "target").exists()


def test_set_up_tries_again_and_then_says_what_failed(tmp_path):
    """A passing fault is outlived; a lasting one is told with the program's own words."""
    flaky = ["sh", "-c", "echo x >> tries; test $(wc -l < tries) -ge 3"]
    run(flaky, {"PATH": "/usr/bin:/bin"}, tmp_path, pauses=(0, 0))
    assert (tmp_path / "tries").read_text().count("x") == 3

    with pytest.raises(InstallError, match=r"(?s)code 7, 2 times.*no route"):
        run(["sh", "-c", "echo no route; exit 7"], {}, tmp_path, pauses=(0,))


def test_set_up_installs_once_and_again_when_its_source_changes(tmp_path, monkeypatch):
    """What is current is left alone; a changed key, a lost folder or a broken try is redone."""
    monkeypatch.setattr(install, "CACHE", tmp_path)
    monkeypatch.setattr(install, "ROOT", tmp_path)
    folder, done = tmp_path / "part", []

    def part():
        folder.mkdir(exist_ok=True)
        done.append(1)

    def broken():
        raise InstallError("cut short")

    for key in ("one", "one", "two"):
        install._once("a part", key, folder, part)
    assert len(done) == 2
    with pytest.raises(InstallError):
        install._once("a part", "three", folder, broken)
    install._once("a part", "two", folder, part)
    folder.rmdir()
    install._once("a part", "two", folder, part)
    assert len(done) == 4
