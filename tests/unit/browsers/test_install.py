"""Set-up gets a browser: the one at hand, Playwright's, the distribution's, or clear words."""

from __future__ import annotations

import io
import shutil
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest

from agent.browsers import install
from agent.browsers.find import registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BROWSER = "#!/bin/sh\necho Chromium 1.2.3\n"
BROKEN = "#!/bin/sh\necho 'libnss3.so: cannot open shared object file' >&2\nexit 127\n"


@pytest.fixture(autouse=True)
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no browser, no package manager and no internet."""
    folder = tmp_path / "usr" / "bin"
    folder.mkdir(parents=True)
    for needed in ("sh", "env", "cat", "chmod"):
        found = shutil.which(needed)
        assert found
        (folder / needed).symlink_to(found)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "downloads"))
    monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", "http://127.0.0.1:9")
    monkeypatch.delenv("FOOTFALL_BROWSER__EXECUTABLE", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return folder


def command(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(script)
    path.chmod(0o755)
    return path


def apt(folder: Path, log: Path, *, update: int = 0, installs: Path | None = None) -> None:
    """A package manager that notes its calls and puts one working program in place."""
    target = installs or folder / "chromium-headless-shell"
    command(
        folder,
        "apt-get",
        f"""#!/bin/sh
echo "$DEBIAN_FRONTEND $*" >>{log}
case "$*" in
*update) exit {update} ;;
*install*) cat >{target} <<'END'
{BROWSER}
END
chmod 755 {target} ;;
esac
""",
    )


@pytest.fixture
def no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    """A download that fails at once; `test_the_package_comes_second` has the real one."""
    monkeypatch.setattr(install.sys, "executable", "/bin/false")


class Mirror(BaseHTTPRequestHandler):
    """Answers every download with an archive that holds a browser."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            folder = self.path.rsplit("/", 1)[-1].removesuffix(".zip")
            entry = zipfile.ZipInfo(f"{folder}/chrome-headless-shell")
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, BROWSER)
        self.send_response(200)
        self.send_header("Content-Length", str(buffer.tell()))
        self.end_headers()
        self.wfile.write(buffer.getvalue())

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A place on loopback to download browsers from."""
    monkeypatch.setattr(Mirror, "asked", [])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", address)
    yield address
    server.shutdown()
    server.server_close()


def test_a_browser_at_hand_is_enough(
    system: Path, mirror: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is downloaded or installed where a browser is found, and it is named."""
    browser = command(system, "chromium", BROWSER)
    assert install.main() == 0
    assert capsys.readouterr().out == f"Browser: {browser}\n"
    assert Mirror.asked == []


def test_playwright_downloads_one(mirror: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is none, Playwright's own download comes first."""
    assert install.main() == 0
    assert any("chrome-headless-shell" in path for path in Mirror.asked)
    assert f"Browser: {registry()}" in capsys.readouterr().out


def test_the_package_comes_second(
    system: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A download that fails is told, and the distribution's package is installed unasked."""
    log = tmp_path / "log"
    apt(system, log)
    assert install.main() == 0
    out = capsys.readouterr().out
    assert "Playwright's download failed: " in out
    assert "127.0.0.1:9" in out
    assert out.endswith(f"Browser: {system / 'chromium-headless-shell'}\n")
    packages = "chromium-headless-shell fonts-liberation"
    assert log.read_text().splitlines() == [
        "noninteractive --quiet --yes update",
        f"noninteractive --quiet --yes install --no-install-recommends {packages}",
    ]


@pytest.mark.usefixtures("no_download")
def test_a_dead_package_source_is_no_obstacle(system: Path, tmp_path: Path) -> None:
    """The package is tried for even where the lists could not all be refreshed."""
    apt(system, tmp_path / "log", update=100)
    assert install.main() == 0


@pytest.mark.usefixtures("no_download")
def test_sudo_serves_where_it_asks_for_nothing(
    system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without root, a sudo that wants no password is used, and one that does is left alone."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    log = tmp_path / "log"
    apt(system, log)
    command(system, "sudo", "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
    assert install.main() == 1
    assert not log.exists()
    command(system, "sudo", '#!/bin/sh\n[ "$1" = -n ] && shift\n[ "$1" = true ] || exec "$@"\n')
    assert install.main() == 0
    assert "install" in log.read_text()


@pytest.mark.usefixtures("no_download")
def test_a_browser_that_does_not_start_is_not_enough(
    system: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A browser without its libraries is told of, not taken for one."""
    broken = command(system, "chromium", BROKEN)
    apt(system, tmp_path / "log")
    assert install.main() == 0
    out = capsys.readouterr().out
    assert f"{broken} does not start: libnss3.so: cannot open" in out
    assert out.endswith(f"Browser: {system / 'chromium-headless-shell'}\n")


def test_the_driver_gets_its_library(
    system: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A browser is no use without the driver, which needs a library that bare Debian lacks."""
    command(system, "node", BROKEN)
    monkeypatch.setattr(install, "driver_folder", lambda: system)
    assert install.main() == 1
    out = capsys.readouterr().out
    assert "driver does not start: libnss3.so: cannot open" in out
    assert "as root: apt-get install libatomic1" in out
    log = tmp_path / "log"
    apt(system, log, installs=system / "node")
    command(system, "chromium", BROWSER)
    assert install.main() == 0
    assert log.read_text().splitlines()[-1].endswith("--no-install-recommends libatomic1")


@pytest.mark.usefixtures("no_download")
def test_words_where_nothing_helps(capsys: pytest.CaptureFixture[str]) -> None:
    """Where both ways fail, set-up fails and says what a person can do."""
    assert install.main() == 1
    out = capsys.readouterr().out
    for way in (
        "-m playwright install chromium-headless-shell",
        "apt-get install chromium-headless-shell",
        "FOOTFALL_BROWSER__EXECUTABLE",
    ):
        assert way in out


def test_a_configured_browser_is_the_only_one(
    system: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A configured path that is wrong is told, not worked around."""
    command(system, "chromium", BROWSER)
    monkeypatch.setenv("FOOTFALL_BROWSER__EXECUTABLE", "/nowhere/chromium")
    assert install.main() == 1
    assert "browser.executable" in capsys.readouterr().out
