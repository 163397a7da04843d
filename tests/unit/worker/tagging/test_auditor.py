"""The audit of an attempt, of what it is told."""

from __future__ import annotations

from agent.beacons.policy import BeaconGuard
from agent.core.beacon_report import BeaconAction, BeaconPolicy
from agent.core.origins import FirstParty
from agent.core.printable import cut
from agent.worker.tagging.auditor import Auditor
from tests.support.beacons import SHAPES

SHOP = FirstParty(["https://shop.example.com", "https://*.shop.example.com"])


def test_a_proxy_of_several_vendors() -> None:
    """Where one host takes beacons for several vendors, the audit names each of them."""
    auditor = Auditor(BeaconGuard(BeaconPolicy(), SHOP), SHOP, cut)
    proxied = {shape.vendor: shape for shape in SHAPES if shape.proxied}
    wanted = [proxied["Google Analytics"], proxied["Segment"]]
    for shape in wanted:
        assert auditor.hold(shape.method, shape.url("m.shop.example.com"), shape.kind, shape.body)
    (contact,) = auditor.report().contacts
    assert list(contact.vendors) == [shape.vendor for shape in wanted]
    assert contact.actions == {BeaconAction.BLOCKED: 2}
