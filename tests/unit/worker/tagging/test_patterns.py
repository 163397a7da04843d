"""Which requests a browser is asked to hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.beacons.fingerprints import SIGNATURES
from agent.core.origins import FirstParty
from agent.worker.tagging.patterns import patterns

if TYPE_CHECKING:
    from agent.core.model import Hold

SHOP = FirstParty(["https://shop.example.com", "https://*.shop.example.com"])
HOME = "https://shop.example.com"
CALLS = ("Document", "XHR", "Fetch", "Ping", "Other")
FILES = ("Image", "Stylesheet", "Font", "Media", "Script")
PATH_ALONE = [one for one in SIGNATURES if not one.needs and not one.on]


def held(
    kind: str, url: str, hold: Hold = "calls", *, guarded: bool = True, workers: bool = False
) -> bool:
    """Whether the browser holds such a request: ``*`` is anything, a backslash quotes."""
    for one in patterns(SHOP.origins, hold, guarded=guarded, workers=workers):
        glob = re.escape(one["urlPattern"].replace(r"\?", "\0")).replace(r"\*", ".*")
        matches = re.fullmatch(glob.replace("\0", r"\?"), url, re.DOTALL)
        if matches and one.get("resourceType", kind) == kind:
            return True
    return False


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("guarded", [True, False])
def test_calls_are_held(kind: str, guarded: bool) -> None:
    """Of every first party, whatever becomes of beacons."""
    for url in (f"{HOME}/", f"{HOME}/a.png", "https://api.shop.example.com/x?y=1"):
        assert held(kind, url, guarded=guarded), url


@pytest.mark.parametrize("kind", FILES)
def test_files_are_not(kind: str) -> None:
    """What pages are made of goes its way, of first and of third parties."""
    for url in (f"{HOME}/a.png", "https://cdn.shop.example.com/a/b.js", "https://cdn.example/c"):
        assert not held(kind, url), url
    assert held(kind, f"{HOME}/a.png", "all")
    assert not held(kind, "https://cdn.example/c", "all")


def test_what_workers_import_is_held_once_there_are_workers() -> None:
    """It is of the kind of pages' scripts, so these are held with it: of first parties alone."""
    assert held("Script", f"{HOME}/a.js", workers=True)
    assert not held("Script", "https://cdn.example/a.js", workers=True)
    assert not held("Image", f"{HOME}/a.png", workers=True)


@pytest.mark.parametrize("kind", ["Image", "Script"])
@pytest.mark.parametrize("host", [HOME, "https://stats.example"])
def test_what_may_be_a_beacon_is_held(kind: str, host: str) -> None:
    """Pictures and scripts that say something, at first parties too, where beacons matter."""
    for url in (f"{host}/matomo.php?idsite=1&rec=1", f"{host}/x/collect?v=2&tid=G-1"):
        assert held(kind, url)
        assert not held(kind, url, guarded=False)


@pytest.mark.parametrize("kind", FILES)
@given(data=st.data())
def test_no_beacon_that_its_path_alone_tells_gets_by(kind: str, data: st.DataObject) -> None:
    """Whatever file it is asked for as, at first parties too."""
    signature = data.draw(st.sampled_from(PATH_ALONE))
    path = data.draw(st.from_regex(re.compile(signature.path, re.ASCII)))
    assert held(kind, f"{HOME}/{path.lstrip('/')}")
