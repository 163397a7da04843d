"""The names of a location's shared keys, and of what else a server keeps under a name.

One place, so that two never mean different things by one key. A key is made of tokens with
dots between; ids and journeys' names are tokens as they stand, any other text goes through
``token``.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

LEADER: Final = "leader"
"""Who does what must happen once."""
OWNER: Final = "owner"
"""The digest of the journeys whose slots are walked."""
PAUSES: Final = "pauses"
ATTENDANCE: Final = "attendance"
"""When somebody was there last, and when nobody was."""
SWEEP: Final = "sweep"
"""Up to where each journey's slots are known to have their words."""
INCIDENT_NUMBERS: Final = "incidents"
"""The last number that an incident was given, and which are open or may still be joined."""

WORDS: Final = "word."
CLAIMS: Final = "claim."
RUNNING: Final = "running."
PRESENCE: Final = "presence."
REPLICAS: Final = "replica."
BUNDLES: Final = "bundle."
VERDICTS: Final = "verdict."
INCIDENTS: Final = "incident."
RUNS: Final = "run."
ROLLUPS: Final = "rollup."
NOTES: Final = "note."
SESSIONS: Final = "session."
LINKS: Final = "link."
GATES: Final = "gate."
GATE_KEYS: Final = "gate_key."
DEPLOYS: Final = "deploy."

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OTHER = re.compile(r"[^A-Za-z0-9_-]")


def word(run_id: str) -> str:
    """Name the one word of a slot: who creates it has given it."""
    return WORDS + run_id


def claim(run_id: str) -> str:
    """Name the mark of a slot that a runner took: its value is the runner's instance."""
    return CLAIMS + run_id


def running(journey: str) -> str:
    """Name the mark of a journey that is being walked: its value is the run's id."""
    return RUNNING + journey


def presence(instance: str) -> str:
    """Name what a replica announces of itself."""
    return PRESENCE + token(instance)


def replica(instance: str) -> str:
    """Name what is known of a replica for long, whether it is there or gone."""
    return REPLICAS + token(instance)


def bundle(digest: str) -> str:
    """Name the mark of when a bundle of journeys was first announced: its revision is its age."""
    return BUNDLES + digest


def verdict(journey: str) -> str:
    """Name how a journey stands over all replicas."""
    return VERDICTS + journey


def incident(number: int) -> str:
    """Name an incident."""
    return f"{INCIDENTS}{number}"


def run(journey: str, place: int) -> str:
    """Name one of a journey's newest runs."""
    return f"{RUNS}{journey}.{place}"


def rollups(instance: str) -> str:
    """Begin the names of all that a replica has rolled up."""
    return f"{ROLLUPS}{token(instance)}."


def rollup(instance: str, journey: str, length: int, at: int) -> str:
    """Name what a journey's slots of a stretch of time came to, as a replica counted them."""
    return f"{rollups(instance)}{journey}.{length}.{at}"


def note(note_id: str) -> str:
    """Name a note of what a journey created."""
    return NOTES + token(note_id)


def session(session_id: str) -> str:
    """Name the end of a sign-in that somebody signed out of."""
    return SESSIONS + token(session_id)


def link(digest: str) -> str:
    """Name a link that signs somebody in once, by what is kept of its code."""
    return LINKS + digest


def gate(gate_id: str) -> str:
    """Name a gate as its replica tells of it."""
    return GATES + token(gate_id)


def gate_key(key: str) -> str:
    """Name the gate that an Idempotency-Key stands for."""
    return GATE_KEYS + sha256(key.encode()).hexdigest()


def deploy(site: str, release: str, at: float) -> str:
    """Name a deploy that was told of."""
    return f"{DEPLOYS}{token(site)}.{token(release)}.{round(at * 1000)}"


def token(text: str) -> str:
    """Return a text as one token of a name: itself where it can be, else readable and unique."""
    if _TOKEN.fullmatch(text):
        return text
    digest = sha256(text.encode()).hexdigest()[:16]
    return f"{_OTHER.sub('_', text)[:40]}_{digest}"


def stream(location: str) -> str:
    """Name the stream of a location's slots; the store of its keys has the same name."""
    return "FOOTFALL_" + token(location)


def slots_of(location: str, bundle_digest: str, lane: str, journey: str) -> str:
    """Name the subject of a journey's slots; ``>`` as the journey is that of its lane."""
    return f"FOOTFALL.{token(location)}.{bundle_digest}.{lane}.{journey}"


def told(location: str, subject: str) -> str:
    """Name the subject of what is told at once: apart from the slots, so that none is kept."""
    return f"FOOTFALL-TOLD.{token(location)}.{subject}"
