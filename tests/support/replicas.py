"""Several agents of one location on one server, and what all their books say together."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Any

from agent.core.model import Cadence
from agent.schedule.plan import Plan
from tests.support.daemon import LOCATION, Home

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.support.nats_server import NatsServer

TOKEN = "a-token-of-the-location"
Words = dict[tuple[str, int], list[str]]
"""By journey and scheduled time, in Unix milliseconds, every word that any replica counts."""


class Replicated:
    """Folders of agents that share a location; each journey is written into all of them."""

    def __init__(
        self,
        folder: Path,
        sites: dict[str, str],
        server: NatsServer,
        number: int = 2,
        **sections: Mapping[str, Any],
    ) -> None:
        self.homes = [Home(folder / name, sites) for name in "abcd"[:number]]
        self.server = server
        self.sections = sections
        for home in self.homes:
            self.configure(home)

    def configure(self, home: Home, **sections: Mapping[str, Any]) -> None:
        """Write one's configuration; a section's keys go over those of all."""
        merged: dict[str, dict[str, Any]] = {
            "queue": {"url": self.server.url},
            "server": {"port": home.port, "token": TOKEN},
            "workers": {"count": 1},
        }
        for name, keys in [*self.sections.items(), *sections.items()]:
            merged.setdefault(name, {}).update(keys)
        home.configure(**merged)

    def journey(self, name: str, body: str, decorator: str) -> None:
        """Write a journey into each of the folders."""
        for home in self.homes:
            home.journey(name, body, f'site="shop", owner="tests", {decorator}')

    def words(self) -> Words:
        """Return every word of every slot, after each replica's books were found to balance."""
        found: Words = defaultdict(list)
        for home in self.homes:
            if not (home.state / "footfall.db").exists():
                continue
            self._balanced(home)
            for row in home.slots():
                if word := row["result"] or row["reason"]:
                    step = (row["scheduled_at"] - row["since"]) // max(1, row["count"] - 1)
                    for n in range(row["count"]):
                        at = row["scheduled_at"] - n * step
                        found[row["journey"], at].append(f"{home.path.name}: {word}")
        return found

    def missing(self, journeys: Mapping[str, float], begin: float, end: float) -> list[str]:
        """Say which slots of these journeys (each with its seconds) have not just one word."""
        words = self.words()
        wrong = []
        for name, seconds in journeys.items():
            plan = Plan(Cadence(seconds=seconds), (name, LOCATION))
            for at in plan.between(begin, end, 10**6):
                has = words.get((name, round(at * 1000)), [])
                if len(has) != 1:
                    wrong.append(f"{name} at +{at - begin:.1f}: {has}")
        return wrong

    def twice(self) -> dict[tuple[str, int], list[str]]:
        """Return the slots that have more than one word."""
        return {slot: has for slot, has in self.words().items() if len(has) > 1}

    def totals(self) -> Counter[str]:
        """Return how many slots came to each word, over all replicas."""
        return Counter(word.partition(": ")[2] for has in self.words().values() for word in has)

    def _balanced(self, home: Home) -> None:
        """One look at one commit: what is expected is what has ended, as nothing is in flight."""
        address = f"file:{home.state / 'footfall.db'}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=10)) as connection:
            rows = connection.execute(
                "SELECT journey, sum(iif(kind = 'expected', total, 0)), "
                "sum(iif(kind <> 'expected', total, 0)) FROM slot_totals GROUP BY journey"
            ).fetchall()
        for journey, expected, ended in rows:
            assert expected == ended, f"{home.path.name}: {journey}: {expected} != {ended}"


def pending(homes: Sequence[Home]) -> list[str]:
    """Say which words wait for the store."""
    return [
        json.dumps([home.path.name, row["kind"], row["journey"], row["scheduled_at"]])
        for home in homes
        for row in home.rows("SELECT * FROM pending_words WHERE kind <> 'claimed'")
    ]
