"""The same two pages under Playwright's own test runner, a fresh process for each run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.metadata import version
from typing import TYPE_CHECKING

from tests.bench.meter import adopted, of_ended
from tests.support.commands import InstallError, run
from tests.support.service import CACHE

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = CACHE / "bench"
_RUNS = 6

_CONFIG = """\
module.exports = {
  testDir: '.',
  workers: 1,
  reporter: 'line',
  use: {
    baseURL: process.env.BENCH_URL,
    launchOptions: {
      executablePath: process.env.BENCH_BROWSER,
      args: process.env.BENCH_ARGS.split(' '),
    },
  },
};
"""
_TEST = """\
const { test, expect } = require('@playwright/test');

test('walk', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('link', { name: 'two' }).click();
  await page.getByRole('button', { name: 'go' }).click();
  await expect(page.getByText('done')).toBeVisible();
});
"""


class Unavailable(Exception):
    """It can't be measured here; says why."""


def measure(url: str, executable: Path, args: list[str]) -> float:
    """Return CPU-seconds per run; the first one, which fills caches, is left out.

    Raises:
        Unavailable: Node isn't there, or the runner can't be installed or does not pass.

    """
    npx = _prepare()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PLAYWRIGHT_")}
    environment |= {
        "BENCH_URL": url,
        "BENCH_BROWSER": str(executable),
        "BENCH_ARGS": " ".join(args),
    }
    warm = 0.0
    for number in range(_RUNS + 1):
        # Each ends before the next begins, so what it handed up says it all.
        done = subprocess.run(
            adopted([npx, "playwright", "test"]),
            check=False,
            cwd=_FOLDER,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise Unavailable(f"`npx playwright test` failed:\n{done.stdout}{done.stderr}")
        if number == 0:
            warm = of_ended()
    return (of_ended() - warm) / _RUNS


def _prepare() -> str:
    npm, npx = shutil.which("npm"), shutil.which("npx")
    if npm is None or npx is None:
        raise Unavailable("Node with npm is not installed")
    wanted = re.sub(r"^(\d+\.\d+).*", r"~\1.0", version("playwright"))
    stamp = _FOLDER / "stamp"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(_FOLDER, ignore_errors=True)
        _FOLDER.mkdir(parents=True)
        install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--no-save"]
        skip = os.environ | {"PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"}
        try:
            run([*install, f"@playwright/test@{wanted}"], skip, _FOLDER, pauses=(2.0,))
        except InstallError as error:
            raise Unavailable(str(error)) from error
        stamp.write_text(wanted)
    (_FOLDER / "playwright.config.js").write_text(_CONFIG)
    (_FOLDER / "walk.spec.js").write_text(_TEST)
    return npx
