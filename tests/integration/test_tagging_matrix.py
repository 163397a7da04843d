"""Every kind of request, over HTTP/1.1 and over HTTP/2, beside what bare Playwright does.

One walk of all kinds a protocol is judged by many tests, and another one where calls alone are
held. The agent has a signing key in the first, for what holds with one holds without it too.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from agent.browsers.find import require_browser
from agent.cli.keys import make
from agent.core.model import Site
from agent.keys.pem import read_keys
from agent.signing.issuer import Signatures
from agent.signing.signer import Signer
from agent.verify import Verifier
from agent.worker.browser.launch import LaunchOptions, driver, launch
from tests.support.kinds import CREDENTIALS, KINDS
from tests.support.play import Kind, expected, files, play
from tests.support.walking import HEADER, INFO_URL, VERSION, Heard, Walked, Walker
from tests.support.wires import Came, Wires

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agent.core.model import Hold

pytestmark = pytest.mark.timeout(240)

ALL = KINDS | CREDENTIALS
PROTOCOLS = {"1.1": False, "2": True}
WALKS: list[tuple[str, Hold]] = [("1.1", "all"), ("2", "all"), ("2", "calls")]
CASES = [
    pytest.param(version, hold, name, id=f"{version}-{hold}-{name}")
    for version, hold in WALKS
    for name, kind in ALL.items()
    if kind.only in {"", version}
]
TOKEN = f" FootfallSynthetics/{VERSION} (bot; AlwaysOn; +{INFO_URL})"
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01")
SIGNED = ("signature", "signature-agent", "signature-input")
CARRIERS = (HEADER.lower(), "baggage", "traceparent", *SIGNED)
LOGIN = {"http_credentials": {"username": "ann", "password": "one"}}
SOURCE = """
import json
from pathlib import Path
from tests.support.kinds import CREDENTIALS, KINDS
from tests.support.play import play
p = run.params
given = await play(run.context, KINDS | CREDENTIALS, p["names"], p["urls"], p["control"],
                   Path(p["folder"]))
run.log.info("given", given=json.dumps(given))
"""


@dataclass
class Side:
    """What came, and what the kinds gave."""

    seen: dict[str, list[Came]]
    given: dict[str, Any]


@dataclass
class Both:
    """The agent's side with its walks, by the names of their kinds, and the bare one.

    ``verifier`` knows the key that the agent signed with, where every request was held.
    """

    agent: Side
    bare: Side
    walks: dict[str, Walked]
    verifier: Verifier
    hold: Hold

    def light(self, name: str, came: Came) -> bool:
        """Whether a request is for a file that isn't held."""
        files = [f"/{name}/{file}" for file in ALL[name].files_asked.split()]
        return self.hold == "calls" and came.path in files


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sides(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[Hold, Both]]:
    return {
        version: await _both(version, tmp_path_factory.mktemp("matrix")) for version in PROTOCOLS
    }


@pytest.fixture
def both(sides: dict[str, dict[Hold, Both]], version: str, hold: Hold) -> Both:
    return sides[version][hold]


async def _both(version: str, folder: Path) -> dict[Hold, Both]:
    groups = [
        ({name: kind for name, kind in kinds.items() if kind.only in {"", version}}, context)
        for kinds, context in ((KINDS, {}), (CREDENTIALS, LOGIN))
    ]
    made = make(folder / "keys", 1, time.time())
    verifier = Verifier(made.directory)
    wires = Wires(PROTOCOLS[version], files(ALL), expected(ALL))
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        async with wires:
            if wires.secure:
                patch.setenv("NODE_EXTRA_CA_CERTS", wires.authority)
            for hold in (one for walked, one in WALKS if walked == version):
                signer = Signer(read_keys(made.key), INFO_URL) if hold == "all" else None
                place = folder / hold
                place.mkdir()
                found[hold] = await _agent(wires, groups, place, hold, signer)
            bare = await _bare(wires, groups, folder)
    return {hold: Both(side, bare, walks, verifier, hold) for hold, (side, walks) in found.items()}


async def _agent(
    wires: Wires,
    groups: list[tuple[dict[str, Kind], dict[str, Any]]],
    folder: Path,
    hold: Hold,
    signer: Signer | None,
) -> tuple[Side, dict[str, Walked]]:
    journeys = folder / "journeys"
    journeys.mkdir()
    walks, agent = {}, Side({}, {})
    async with Walker(journeys, args=wires.browser_args, hold=hold) as walker:
        for kinds, context in groups:
            walked = await _walk(walker, wires, kinds, context, folder, signer)
            assert walked.heard.logs, walked.record
            told = {event: fields for _, event, fields in walked.heard.logs}
            agent.given |= json.loads(str(told["given"]["given"]))
            walks |= dict.fromkeys(kinds, walked)
    agent.seen = {name: wires.asked(name) for name in walks}
    wires.seen = []
    return agent, walks


async def _walk(
    walker: Walker,
    wires: Wires,
    kinds: Mapping[str, Kind],
    context: dict[str, Any],
    folder: Path,
    signer: Signer | None,
) -> Walked:
    urls = wires.urls
    wild = urls["api"].replace("api.", "*.")
    params = {
        "names": list(kinds),
        "urls": urls,
        "control": wires.control,
        "folder": str(folder),
    }
    site = Site("shop", urls["shop"], (urls["shop"], wild, urls["direct"]))
    order = walker.order(SOURCE, site, params=params, context=context, timeout=100.0)
    if signer is None:
        return await walker.follow(order, Heard())
    signatures = Signatures(signer, site, time.time)
    return await walker.follow(
        replace(order, signatures=signatures.ahead()), Heard(sign=signatures.reply)
    )


async def _bare(
    wires: Wires, groups: list[tuple[dict[str, Kind], dict[str, Any]]], folder: Path
) -> Side:
    given = {}
    options = LaunchOptions(str(require_browser()), tuple(wires.browser_args))
    async with driver() as playwright:
        for kinds, how in groups:
            browser = await launch(playwright, options)
            context = await browser.new_context(**how)
            await context.new_page()
            given |= await play(context, kinds, kinds, wires.urls, wires.control, folder)
            await browser.close()
    return Side({name: wires.asked(name) for name in given}, given)


def tagged(both: Both, name: str) -> list[Came]:
    """The requests of a kind that are to carry all of the identity."""
    return [one for one in own(both, name) if not both.light(name, one)]


def own(both: Both, name: str) -> list[Came]:
    """The requests of a kind to first parties, without those that no client can tag."""
    unseen = f"/{name}/{ALL[name].unseen or '-'}"
    return [
        one
        for one in both.agent.seen[name]
        if one.host != "third" and one.method != "WEBSOCKET" and one.path != unseen
    ]


def span_id(came: Came, walked: Walked) -> str:
    """The span id in the request's traceparent, which is of the run's trace."""
    match = TRACEPARENT.fullmatch(came.headers["traceparent"])
    assert match, came
    assert match[1] == walked.order.trace_id
    return match[2]


@pytest.mark.parametrize(("version", "hold", "name"), CASES)
def test_the_kind_works_as_without_the_agent(both: Both, name: str) -> None:
    """Pages see the same, CORS refusals too, and the server gets the same requests."""
    assert both.bare.given[name] == ALL[name].gives
    assert both.agent.given[name] == ALL[name].gives
    came = Counter(str(one) for one in both.agent.seen[name])
    assert not Counter(expected(ALL)[name]) - came
    assert came == Counter(str(one) for one in both.bare.seen[name])
    bodies = [sorted(one.body for one in side.seen[name]) for side in (both.agent, both.bare)]
    if name != "upload":  # the boundary of a form is chosen at random
        assert bodies[0] == bodies[1]
    assert list(map(len, bodies[0])) == list(map(len, bodies[1]))


@pytest.mark.parametrize(("version", "hold", "name"), CASES)
def test_first_parties_know_it(both: Both, name: str) -> None:
    """Every request carries the run's trace with a span id of its own, journey and run."""
    walked = both.walks[name]
    run = f"footfall.journey=walked,footfall.run={walked.order.run_id}"
    first = tagged(both, name)
    assert own(both, name)
    for one in first:
        assert one.headers[HEADER.lower()] == "walked", one
        assert one.headers["baggage"] == f"synthetic_request=true,{run}", one
        assert one.headers["user-agent"].endswith(TOKEN), one
    ids = Counter(span_id(one, walked) for one in first)
    if "auth" in name:
        # An answer to the server's question for a password is sent below the tagger.
        ids = Counter(dict.fromkeys(ids, 1))
    assert set(ids.values()) == {1}


@pytest.mark.parametrize(("version", "hold", "name"), CASES)
def test_what_is_not_held_goes_as_it_is(both: Both, name: str) -> None:
    """Files carry the user agent, and no header of ours: they took no way through the agent."""
    for one in own(both, name):
        if both.light(name, one):
            assert one.headers["user-agent"].endswith(TOKEN), one
            assert [header for header in CARRIERS if header in one.headers] == [], one


@pytest.mark.parametrize(("version", "hold", "name"), CASES)
def test_the_cookie_goes_where_the_sites_own_goes(both: Both, name: str) -> None:
    """Wherever a browser sends the site's own cookie it sends `synthetic`; away never."""
    for one in both.agent.seen[name]:
        cookies = one.headers.get("cookie", "").split("; ")
        if one.host == "third" or one.method == "OPTIONS":
            assert "synthetic=1" not in cookies, one
        elif "own=1" in cookies or one.host == "direct":
            assert "synthetic=1" in cookies, one


@pytest.mark.parametrize(("version", "hold", "name"), CASES)
def test_third_parties_learn_nothing(both: Both, name: str) -> None:
    """A third party gets the user agent alone, and no preflight asks for our headers."""
    for one in both.agent.seen[name]:
        assert one.headers["user-agent"].endswith(TOKEN), one
        if one.host == "third":
            assert [header for header in CARRIERS if header in one.headers] == [], one
        asked = one.headers.get("access-control-request-headers", "").split(",")
        assert not set(CARRIERS) & set(asked), one


@pytest.mark.parametrize(("version", "hold"), WALKS)
@pytest.mark.parametrize("name", ["socket", *[n for n, kind in KINDS.items() if kind.unseen]])
def test_what_no_client_can_tag_has_the_cookie(both: Both, name: str) -> None:
    """Handshakes of sockets, and what speculation rules fetch, carry cookie and user agent."""
    path = f"/{name}/{ALL[name].unseen or 'socket'}"
    (one,) = [one for one in both.agent.seen[name] if one.path == path]
    assert "synthetic=1" in one.headers["cookie"].split("; ")
    assert one.headers["user-agent"].endswith(TOKEN)


@pytest.mark.parametrize(("version", "hold"), WALKS)
def test_no_span_id_is_given_twice(both: Both) -> None:
    """Ids are of one request each, over all kinds of a walk."""
    ids = Counter(
        span_id(one, both.walks[name])
        for name in KINDS.keys() & both.walks.keys()
        for one in tagged(both, name)
    )
    assert len(ids) > 100
    assert set(ids.values()) == {1}


@pytest.mark.parametrize(("version", "hold"), WALKS[:2])
def test_every_tagged_request_proves_itself(both: Both) -> None:
    """Each is signed for the host that it came to, so that the receiving side believes it and
    reads journey and run: hosts known ahead, and those that only a wildcard covers."""
    hosts = Counter[str]()
    for name, walked in both.walks.items():
        for one in tagged(both, name):
            found = both.verifier.verify(one.headers, one.headers["host"])
            assert found is not None, one
            assert found.verified, (str(one), found.reason)
            assert (found.journey, found.run_id) == ("walked", walked.order.run_id)
            hosts[one.host] += 1
    assert hosts.keys() == {"shop", "api", "direct"}
    assert hosts.total() > 100


@pytest.mark.parametrize(("version", "hold"), WALKS)
def test_the_protocol_is_the_one_that_is_meant(both: Both, version: str) -> None:
    """What browsers sent came by that protocol; clients without a browser speak HTTP/1.1."""
    versions = Counter(
        one.version
        for seen in both.agent.seen.values()
        for one in seen
        if one.host != "direct" and one.method != "WEBSOCKET"
    )
    assert list(versions) == [version]
