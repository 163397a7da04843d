"""The docs: the names and words they explain are those the agent emits, and all of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.config import Settings
from agent.core import names
from agent.core.errors import ErrorType
from agent.core.model import RestartReason, SkipReason
from agent.core.results import Attempt, Result
from agent.runs.verdict import decide
from agent.signing.signer import LIFETIME, Signer
from agent.telemetry.catalogue import CATALOGUE
from agent.telemetry.prometheus import prometheus_name
from agent.worker.tagging.identity import COOKIE, Identity, user_agent
from tests.support.docs import DOTTED, Docs, attributes_sent, code

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Docs()
OF_JOURNEY = [names.JOURNEY, names.SITE, names.LOCATION]


def shown(row: list[str], *shared: str) -> tuple[object, ...]:
    """A row of a table of metrics, in the catalogue's terms."""
    name, kind, unit, attributes, description, translated = row
    optional = set(re.findall(r"\[`([^`]+)`\]", attributes))
    return (
        code(name)[0],
        kind,
        "".join(code(unit)),
        {*shared, *code(attributes)},
        optional,
        description,
        code(translated)[0],
    )


def test_metrics() -> None:
    """The tables of metrics are the catalogue, no more and no less."""
    columns = ("metric", "kind", "unit")
    rows = [shown(row, *OF_JOURNEY) for row in DOCS.table(*columns, "more attributes")]
    rows += [shown(row) for row in DOCS.table(*columns, "attributes")]
    assert rows == [
        (
            m.name,
            m.kind,
            m.unit,
            set(m.attributes),
            set(m.optional),
            m.description,
            prometheus_name(m),
        )
        for m in CATALOGUE.values()
    ]


def test_values_of_attributes() -> None:
    """Attributes with few values have those listed, and no others on any metric."""
    allowed: dict[str, set[str]] = {}
    for metric in CATALOGUE.values():
        for name, values in metric.attributes.items():
            if values is not None:
                allowed.setdefault(name, set()).update(values)
    listed = {code(row[0])[0]: set(code(row[1])) for row in DOCS.table("attribute", "values")}
    assert {names.ERROR_TYPE, names.REASON} == allowed.keys() - listed.keys()
    assert listed == {name: allowed[name] for name in listed}


def test_reasons_of_restarts() -> None:
    """Why a worker is replaced is told in the words that are listed."""
    line = DOCS.line("for replaced workers is one of")
    assert code(line.partition("is one of")[2]) == list(RestartReason)


def test_names_of_spans_and_logs() -> None:
    """Each attribute the code sends is told, and none is told that isn't sent."""
    sent = attributes_sent()
    keys = {code(row[0])[0] for row in DOCS.table("key", "default")}
    told = {word for word in DOCS.words if DOTTED.fullmatch(word)}
    told -= (keys | {"footfall.db"}) - sent
    assert told == sent


def test_error_types() -> None:
    """The table of error types is the code's, and says whose each is."""
    rows = DOCS.table("`error.type`", "what happened", "whose")
    assert [(code(row[0])[0], row[2]) for row in rows] == [
        (e.value, e.owner.value) for e in ErrorType
    ]


def test_results_and_skip_reasons() -> None:
    """Each word that a slot may end in is explained, and no other."""
    assert [code(row[0])[0] for row in DOCS.table("result", "means")] == list(Result)
    assert [code(row[0])[0] for row in DOCS.table("reason", "means")] == list(SkipReason)


def judged() -> Iterator[tuple[str, str, str, str]]:
    """Each case of the table of attempts: the two attempts, the result and whose error it has."""
    for first, seconds, results, whose in DOCS.table("attempt 1", "attempt 2", "result"):
        words, others = code(results), seconds.split(", ")
        for at, second in enumerate(others):
            yield first, second, words[at if len(words) > 1 else 0], whose


@pytest.mark.parametrize(("first", "second", "result", "whose"), list(judged()))
def test_the_table_of_attempts(first: str, second: str, result: str, whose: str) -> None:
    """What a run comes to is what the table says, with the error of the attempt it says."""
    given = [first] if second in {"none", "or none", "or not allowed"} else [first, second]
    attempts = [
        Attempt(number, Result(word), "", 0.0, 0.0, error="" if word == "pass" else str(number))
        for number, word in enumerate(given, 1)
    ]
    blamed = {"none": None, "attempt 1": 0, "attempt 2": 1, "the last": -1}[whose]
    decision = decide(attempts)
    assert decision.result == result
    assert decision.error == ("" if blamed is None else attempts[blamed].error)


def test_identity() -> None:
    """The carriers in the table are those a first-party request gets."""
    identity = Identity(
        "<name>", "<run id>", "0" * 32, Settings().identity.header, lambda: "1" * 16
    )
    signer = Signer([Ed25519PrivateKey.generate()], Settings().identity.info_url)
    headers, _ = identity.tag({}, signer.sign("shop.example.com", 0).headers)
    table = {name: value for cell, value in DOCS.table("carrier", "value") for name in code(cell)}
    assert set(table) == {*headers, COOKIE, "User-Agent"}
    assert f"good for {LIFETIME // 60} minutes" in table["Signature"]
    assert headers["baggage"] in code(table["baggage"])
    assert user_agent("", "<version>", "<info_url>") in code(table["User-Agent"])
