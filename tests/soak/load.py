"""An agent's folder whose journeys offer more than its two workers can walk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.daemon import Home

if TYPE_CHECKING:
    from pathlib import Path

PAGES = {
    "/": "<title>One</title><a href=/two>two</a>",
    "/two": "<title>Two</title><button onclick='said.textContent = `done`'>go</button>"
    "<p id=said></p>",
}
ARTIFACTS = 256 << 10
"""Bytes of evidence that the agent may keep; so few that the oldest soon go."""

_WALKS = 16
_WALK = """
async with run.step("Open the first page"):
    await run.page.goto("/")
async with run.step("Go to the second"):
    await run.page.get_by_role("link", name="two").click()
    await run.page.get_by_role("button", name="go").click()
    await expect(run.page.get_by_text("done")).to_be_visible()
"""
_ODD = {
    "fails": f'{_WALK}\nassert await run.page.title() == "Three"',
    "raises": f'{_WALK}\nraise KeyError("x")',
    "hangs_now_and_then": f"{_WALK}\nif int(time.time()) % 3 == 0:\n    await asyncio.sleep(600)",
    "dies": f"{_WALK}\nos._exit(1)",
    "forks": f"{_WALK}\nimport subprocess, sys\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    'print("x" * 2000)\nrun.log.info("forked")',
}
"""Each three times a minute, beside all those that pass."""


def home_of(folder: Path, url: str, otlp: str) -> Home:
    """Write configuration and journeys; what the agent puts into its temporary folder counts."""
    temporary = folder / "tmp"
    temporary.mkdir(parents=True)
    home = Home(folder, {"shop": url}, {"TMPDIR": str(temporary)})
    for number in range(_WALKS):
        home.journey(f"walks_{number}", _WALK)
    for name, body in _ODD.items():
        home.journey(name, body)
    odd = {f"journey__{name}": {"every": "20s"} for name in _ODD}
    home.configure(
        # So few that workers are replaced for this too, before something else ends them.
        workers={"count": 2, "max_runs": 10},
        schedule={"every": "4s", "timeout": "2s", "grace": "1s"},
        artifacts={"max_bytes": ARTIFACTS},
        telemetry={"endpoint": otlp, "interval": "2s"},
        **odd,
    )
    return home
