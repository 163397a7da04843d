"""`agent.server.public.public_files`: the page, its data and its feed as bytes."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest

from agent.server.public.public_document import public_document
from agent.server.public.public_files import PublicFiles
from tests.support.overviews import (
    CANARY,
    Told,
    a_journey,
    a_window,
    an_incident,
    an_outage,
    an_overview,
    at,
    incidents,
)

HOSTILE = '<script>alert(1)</script> & "it\'s"'
ATOM = "{http://www.w3.org/2005/Atom}"


async def rendered(overview, *found):
    return PublicFiles().rendered(await public_document(Told(overview, incidents(*found))))


async def a_page_of_everything():
    overview = an_overview(
        a_journey("buy", HOSTILE, up=False),
        a_journey("look", "Look around"),
        a_journey("hidden"),
        maintenance=(a_window("look", since=at(hours=-1), until=at(hours=-2)),),
    )
    return await rendered(
        overview,
        an_incident(2, an_outage("buy", at(minutes=50)), an_outage("look", at(minutes=40))),
        an_incident(1, an_outage("buy", at(days=3), at(days=2, hours=23))),
    )


async def test_no_private_byte_is_in_any_file():
    """The canary of every private field is in none of the files."""
    for name, file in (await a_page_of_everything()).items():
        assert CANARY.encode() not in file.content, name


async def test_a_title_is_text_and_never_markup():
    """What looks like markup in a title is shown as it is written, in page, feed and data."""
    files = await a_page_of_everything()
    page, feed = (files[name].content.decode() for name in ("index.html", "feed.atom"))
    assert "<script>alert" not in page
    assert "<script>alert" not in feed
    titles = [entry.findtext(f"{ATOM}title") for entry in ET.fromstring(feed).iter(f"{ATOM}entry")]
    assert titles == [f"Look around, {HOSTILE}: does not work", f"{HOSTILE}: over"]
    assert json.loads(files["status.json"].content)["journeys"][0]["title"] == HOSTILE


async def test_the_page_needs_no_other_host_and_nothing_inline():
    """Each link leads to one of the files, or to a place on the page; no script, style or handler
    stands in the markup, so that the strictest policy holds."""
    files = await a_page_of_everything()
    page = files["index.html"].content.decode()
    for link in re.findall(r'(?:href|src)="([^"]*)"', page):
        assert link in files, link
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*src=)", page)
    assert "://" not in page.replace("http-equiv", "")


async def test_a_feed_entry_is_told_once():
    """Ids of entries are unique and stay; what is over is newer than when it began."""
    feeds = [(await a_page_of_everything())["feed.atom"].content for _ in range(2)]
    first, second = map(ET.fromstring, feeds)
    ids = [entry.findtext(f"{ATOM}id") for entry in first.iter(f"{ATOM}entry")]
    assert len(set(ids)) == 2
    assert all(one.startswith("urn:uuid:") for one in ids)
    assert ids == [entry.findtext(f"{ATOM}id") for entry in second.iter(f"{ATOM}entry")]
    updated = [entry.findtext(f"{ATOM}updated") for entry in first.iter(f"{ATOM}entry")]
    assert updated == [at(minutes=50), at(days=2, hours=23)]


@pytest.mark.parametrize(
    ("up", "told"),
    [(True, "Everything works"), (False, "1 of 1 does not work"), (None, "1 of 1 is not known")],
)
async def test_the_page_says_first_what_is_wrong(up, told):
    """Heading, title and icon say how all of it stands."""
    files = await rendered(an_overview(a_journey("buy", "Buy", up=up)))
    page = files["index.html"].content.decode()
    assert told in page
    (icon,) = re.findall(r'rel="icon"[^>]*href="([^"]+)"', page)
    assert icon == {True: "icon-up.svg", False: "icon-down.svg", None: "icon-other.svg"}[up]


async def test_a_page_without_journeys_claims_nothing():
    """Where nothing is public, it says so."""
    page = (await rendered(an_overview(a_journey("hidden"))))["index.html"].content.decode()
    assert "Nothing is shown here yet" in page
    assert "works" not in page.lower().replace("footfall", "")


async def test_an_uptime_is_never_rounded_up():
    """99.9995 per cent is not 100, and is never shown without how much was measured."""
    uptime = [{"days": 90, "uptime": 99.999, "measured": 12.5}]
    files = await rendered(an_overview(a_journey("buy", "Buy", uptime=uptime)))
    page = files["index.html"].content.decode()
    assert "99.999 % up, measured 12.5 % of the time" in page
    assert "thin" in page
