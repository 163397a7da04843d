"""The script that stops vendors' WebSockets, run in Node in place of a document."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from playwright._impl._driver import compute_driver_executable

from agent.beacons.policy import BeaconGuard
from agent.beacons.sockets import stopped
from agent.beacons.vendors import hosts
from agent.core.beacon_report import BeaconAction, BeaconPolicy
from agent.core.origins import FirstParty

if TYPE_CHECKING:
    from collections.abc import Iterable

DOCUMENT = """
const [script, addresses] = JSON.parse(require("fs").readFileSync(0, "utf8"));
class Socket { constructor(...came) { this.came = came.map((one, at) => at ? one : `${one}`); } }
const window = { WebSocket: Socket }, document = { baseURI: "https://shop.example.com/cart" };
new Function("window", "document", script)(window, document);
console.log(JSON.stringify(addresses.map(args => new window.WebSocket(...args).came)));
"""
SITE = FirstParty(["https://shop.example.com", "https://*.pendo.io", "http://in.hotjar.com:81"])


@pytest.fixture(autouse=True)
def _plain_node(monkeypatch: pytest.MonkeyPatch) -> None:
    # Where a driver was started in this process, Node is reached through the guard.
    monkeypatch.delenv("PLAYWRIGHT_NODEJS_PATH", raising=False)


def opened(guard: BeaconGuard, addresses: Iterable[list[object]]) -> list[list[object]]:
    """What the browser's own WebSocket is given for each."""
    done = subprocess.run(
        [compute_driver_executable()[0], "-e", DOCUMENT],
        input=json.dumps([guard.socket_script(), list(addresses)]),
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    return list(json.loads(done.stdout))


@pytest.mark.parametrize(
    "policy",
    [
        BeaconPolicy(),
        BeaconPolicy("mark", {"hotjar": "allow", "Intercom": "block"}),
        BeaconPolicy("allow", {"PostHog": "block"}),
    ],
)
def test_every_known_host_is_as_the_guard_says(policy: BeaconPolicy) -> None:
    """For each host of the data set, one below it and one that only ends like it, the script
    stops what the guard would, and gives everything else on as it is."""
    guard = BeaconGuard(policy, SITE)
    names = [host.removeprefix("*.") for host, _ in hosts()]
    addresses = [f"wss://{p}{name}/a?b=1" for name in names for p in ("", "x.", "evil")]
    came = [str(url) for (url,) in opened(guard, [[one] for one in addresses])]
    for given, got in zip(addresses, came, strict=True):
        sighting = guard.look("GET", given, "websocket", None)
        stops = sighting is not None and sighting.action is BeaconAction.BLOCKED
        assert stopped(got) == (given if stops else None), given
        assert stops or got == given
    assert sum(stopped(got) is not None for got in came) > (
        1000 if policy.default != "allow" else 1
    )


def test_addresses_of_every_form() -> None:
    """Ports, users, relative addresses, capitals and what else a page may pass; protocols of a
    socket go on with it. What makes no sense is left to the browser."""
    forms = {
        "wss://WS.Hotjar.com:8443/a": "wss://ws.hotjar.com:1/a",
        "ws://ws.hotjar.com": "ws://ws.hotjar.com:1/",
        "https://ws.hotjar.com/a": "wss://ws.hotjar.com:1/a",
        "//ws.hotjar.com/a": "wss://ws.hotjar.com:1/a",
        "wss://ws.hotjar.com./a": "wss://ws.hotjar.com.:1/a",
        "/live": "/live",
        "wss://shop.example.com/?u=wss://ws.hotjar.com": "wss://shop.example.com/?u=wss://ws.hotjar.com",
        "wss://app.pendo.io/": "wss://app.pendo.io/",
        "ws://in.hotjar.com:81/": "ws://in.hotjar.com:81/",
        "wss://in.hotjar.com:81/": "wss://in.hotjar.com:1/",
        "wss://": "wss://",
        "": "",
    }
    came = opened(BeaconGuard(BeaconPolicy(), SITE), [[one, ["soap"]] for one in forms])
    assert came == [[wanted, ["soap"]] for wanted in forms.values()]


def test_nothing_to_stop() -> None:
    """Where all sockets are allowed, no document is touched."""
    assert BeaconGuard(BeaconPolicy("allow"), SITE).socket_script() == ""


def test_what_was_stopped_is_told_by_its_port() -> None:
    """An address without that port was not stopped, and neither is one that makes no sense."""
    assert stopped("wss://ws.hotjar.com:1/a?b") == "wss://ws.hotjar.com/a?b"
    for other in (
        "wss://ws.hotjar.com/a",
        "wss://ws.hotjar.com:11/",
        "wss://a:b:1/",
        "wss://[::1/",
    ):
        assert stopped(other) is None


def test_no_address_stays_none() -> None:
    """The browser refuses a socket without an address; an undefined one leads to the site."""
    assert opened(BeaconGuard(BeaconPolicy(), SITE), [[]]) == [[]]
