"""`footfall audit` and what `once` says of beacons: what left the browser, for a person to read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.daemon import patient
from tests.support.origin import Origin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.daemon import Home

GA4 = "/g/collect?v=2&tid=G-ABC123DEF4&en=view"
MATOMO = "/matomo.php?idsite=1&rec=1"
HOTJAR = "http://in.hotjar.com/api/v2/client/sites/1/visit-data?sv=7"
CALLS = """
async with run.step("Look"):
    await run.page.goto("/")
    for url in run.params["urls"]:
        await run.page.evaluate(
            "url => fetch(url, {method: 'POST', body: '1', mode: 'no-cors'}).catch(() => 0)", url)
"""
FAILS = """
async with run.step("Look for what is not there"):
    await run.page.goto("/")
    assert False
"""
RED = "\x1b[1;31m"


@pytest.fixture
async def site() -> AsyncIterator[Origin]:
    pages = dict.fromkeys(("/", "/matomo.php", "/g/collect", "/api/event"), "here")
    async with Origin(pages=pages) as origin:
        yield origin


@pytest.fixture
def home(tmp_path: Path, site: Origin) -> Home:
    return patient(tmp_path / "home", {"shop": site.url})


def calls(home: Home, *urls: str, then: str = "") -> None:
    params = f'site="shop", owner="tests", params={{"urls": {list(urls)!r}}}'
    home.journey("calls", CALLS + then, params)


async def test_each_origin_has_a_line(home: Home, site: Origin) -> None:
    """Party, vendor, category, how many requests, how many were tagged, and what became of
    beacons; a stranger's likely beacon is told as one, and an escape too."""
    async with Origin(host="127.0.0.2") as stranger:
        proxied, guess = f"{site.url}{GA4}", f"{stranger.url}/collect"
        escape = f'    await run.api.post("{site.url}{MATOMO}")\n'
        calls(home, proxied, HOTJAR, guess, then=escape)
        done = await home.footfall("audit", "calls")
    assert done.code == 0, done
    assert re.search(r"✓ Look ", done.out)
    lines = [re.split(r" {2,}", line.strip()) for line in done.out.splitlines()]
    table = {line[0]: line[1:] for line in lines if "://" in line[0]}
    assert ["origin", "party", "vendor", "category", "requests", "tagged", "action"] in lines
    shop, hotjar, third = (table[one] for one in (site.url, "http://in.hotjar.com", stranger.url))
    # The page, its icon, the blocked call and the API's.
    count = len(site.seen) + 1
    assert shop[:1] == ["first"]
    assert shop[-3:] == [str(count), str(count - 1), "1 blocked, 1 escaped"]
    assert hotjar == ["third", "Hotjar", "analytics", "1", "0", "1 blocked"]
    assert third == ["third", "–", "–", "1", "0", "1 unknown, beacon-like"]
    assert not site.asked("/g/collect")


async def test_exit_codes_are_those_of_once(home: Home) -> None:
    """1 a run that failed, with its table; 3 not measured; 2 no such journey, a broken file or
    bad usage: its only form is the table."""
    home.configure(schedule={"confirm": False})
    home.journey("fails", FAILS)
    home.journey("defect", 'raise ValueError("a defect of the script")')
    failed = await home.footfall("audit", "fails")
    assert failed.code == 1, failed
    assert re.search(r"^http://127\.0\.0\.1:\d+ +first ", failed.out, re.MULTILINE)
    assert (await home.footfall("audit", "defect")).code == 3
    home.file("broken.py", "def broken(:\n")
    unknown = await home.footfall("audit", "no_such_journey")
    assert unknown.code == 2
    for named in ("no_such_journey", "known: defect, fails", "journeys/broken.py:1"):
        assert named in unknown.err, unknown
    assert (await home.footfall("audit", "fails", "--json")).code == 2
    assert (await home.footfall("audit")).code == 2


async def test_a_vendor_that_nobody_knows_stops_every_command(home: Home) -> None:
    """Nothing is walked by a policy with a slip in it: exit 2, the place, and what was meant."""
    calls(home)
    home.configure(sites__shop__beacons__vendors={"Matomoo": "allow"})
    for command in (("audit", "calls"), ("once", "calls"), ("check",), ("run",)):
        refused = await home.footfall(*command)
        assert refused.code == 2, refused
        assert "sites.shop.beacons.vendors.Matomoo" in refused.err
        assert 'did you mean "Matomo"?' in refused.err


async def test_a_broken_file_beside_it_is_told(home: Home) -> None:
    """The journey is walked and its table printed; the exit code says what was wrong."""
    home.file("broken.py", "def broken(:\n")
    calls(home)
    done = await home.footfall("audit", "calls")
    assert done.code == 2, done
    assert "journeys/broken.py:1" in done.out
    assert re.search(r"^http://127\.0\.0\.1:\d+ +first ", done.out, re.MULTILINE)


async def test_once_goes_by_the_sites_policy_and_shows_escapes_in_red(
    home: Home, site: Origin
) -> None:
    """A site's own word for a vendor wins over the general one, its policy over the general
    policy, and the general word for a vendor holds where the site has none. An escape is a red
    line for a person and a beacon in the JSON."""
    home.configure(
        beacons={"policy": "mark"},
        beacons__vendors={"Plausible": "allow", "Matomo": "allow"},
        sites__shop__beacons={"policy": "block"},
        sites__shop__beacons__vendors={"matomo": "mark"},
    )
    plausible = "/api/event?n=pageview&u=https://a.example&d=a.example"
    urls = [f"{site.url}{path}" for path in (GA4, plausible, MATOMO)]
    calls(home, *urls, then=f'    await run.api.post("{site.url}{GA4}")\n')
    home.environment["FORCE_COLOR"] = "1"
    done = await home.footfall("once", "calls", "--json")
    assert done.code == 0, done
    (run,) = done.objects
    assert sorted((one["vendor"], one["action"]) for one in run["beacons"]) == [
        ("Google Analytics", "blocked"),
        ("Google Analytics", "escaped"),
        ("Matomo", "marked"),
        ("Plausible", "allowed"),
    ]
    assert {one["url"] for one in run["beacons"]} == {url.partition("?")[0] for url in urls}
    assert f"{RED}1 beacon escaped, to Google Analytics" in done.err
    assert len(site.asked("/g/collect")) == 1
    assert "matomo_ignore=" in site.asked("/matomo.php")[0].headers["cookie"]
    assert "matomo_ignore=" in site.asked("/api/event")[0].headers["cookie"]
