"""A real journey through a shop that nobody here wrote."""

from __future__ import annotations

import json

from tests.support.daemon import Home
from tests.support.oscar import JOURNEYS


async def test_a_new_customer_registers_and_orders_three_times_in_a_row(tmp_path, oscar):
    """register → basket → order passes at the first attempt, three times, on an address given
    on the command line."""
    home = Home(tmp_path / "home", {"oscar": "https://oscar.example.com"})
    home.configure(
        top={"journeys": str(JOURNEYS)}, schedule={"every": "1m", "timeout": "30s", "grace": "2s"}
    )
    for _ in range(3):
        finished = await home.footfall(
            "once", "register_and_order", "--site", f"oscar={oscar.url}", "--json"
        )
        assert finished.code == 0, finished
        run = json.loads(finished.out)
        assert (run["result"], len(run["attempts"])) == ("pass", 1), run["error"]
        assert [step["name"] for step in run["attempts"][0]["steps"]] == [
            "Register",
            "Fill the basket",
            "Give an address",
            "Place the order",
        ]
        assert {step["result"] for step in run["attempts"][0]["steps"]} == {"pass"}
