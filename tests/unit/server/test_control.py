"""What changes something: it takes JSON and nothing else, and says what was refused and why."""

from __future__ import annotations

import asyncio

import pytest

from agent.core.errors import Problem
from agent.server.control import Refused
from tests.support.api import STATE_TOKEN

SHOWN = {"Authorization": f"Bearer {STATE_TOKEN}"}
HEAD = (
    "POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\n"
    f"Authorization: {SHOWN['Authorization']}\r\n"
)


async def post(served, body=b"", path="/api/v1/reload", **headers):
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    asking = served.session.post(
        path, data=body, headers=SHOWN | given, skip_auto_headers={"Content-Type"}
    )
    async with asking as response:
        return response.status, await response.json()


async def test_no_body_and_an_empty_object_are_the_same(served):
    """`curl -X POST` is enough where nothing needs to be said."""
    assert await post(served) == (200, {"did": ["reload"]})
    for kind in ("application/json", "Application/JSON", "application/json; charset=utf-8"):
        assert await post(served, b" {} ", Content_Type=kind) == (200, {"did": ["reload"]})
    # As many clients send where there is no body.
    kind = "application/octet-stream"
    assert await post(served, b"", Content_Type=kind) == (200, {"did": ["reload"]})
    assert len(served.control.verbs) == 5


WRONG = {
    "a list": (b"[]", 400, "must be a JSON object"),
    "a text": (b'"reload"', 400, "must be a JSON object"),
    "nothing": (b"null", 400, "must be a JSON object"),
    "no JSON": (b"{reload}", 400, "Expecting property name"),
    "half of it": (b'{"a": ', 400, "Expecting value"),
    "a form": (b"a=b", 400, "no JSON"),
    "no UTF-8": (b'{"\xff": 1}', 400, "not UTF-8"),
    "no number": (b'{"a": NaN}', 400, "NaN is no number"),
    "too many digits": (b'{"a": ' + b"9" * 5000 + b"}", 400, "no JSON that can be read"),
    "nested too deep": (b"[" * 60_000, 400, "nested too deep"),
    "said twice": (b'{"a": 1, "a": 2}', 400, "'a' is given twice"),
    "unknown": (b'{"jurney": "buy"}', 400, "'jurney' unknown; known: none"),
    "too long": (b'{"a": "' + b"x" * 70_000 + b'"}', 413, "longer than 64 KiB"),
}


@pytest.mark.parametrize("kind", WRONG)
async def test_a_body_that_makes_no_sense_is_refused(served, kind):
    """With what is wrong; nothing is done."""
    body, status, why = WRONG[kind]
    answered, told = await post(served, body, Content_Type="application/json")
    assert answered == status
    assert why in told["error"]
    assert len(told["error"]) < 300
    assert served.control.verbs == []


async def test_many_faults_are_told_in_few_words(served):
    """However many keys nobody knows."""
    body = ("{" + ", ".join(f'"k{n}": 1' for n in range(3000)) + "}").encode()
    _, told = await post(served, body, Content_Type="application/json")
    assert told["error"].endswith("and 2980 more")


KINDS = [
    {"Content-Type": "text/plain"},
    {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Type": "multipart/form-data; boundary=x"},
    {"Content-Type": "application/json; charset=utf-16"},
    {"Content-Type": "text/plain, application/json"},
    {"Content-Type": ""},
    {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    {},
]


@pytest.mark.parametrize("headers", KINDS)
async def test_a_body_of_another_kind_is_refused(served, headers):
    """415 for all that a page may send without asking first; also where none is named."""
    status, told = await post(served, b"{}", **headers)
    assert status == 415
    assert "application/json" in told["error"] or "Content-Encoding" in told["error"]
    assert served.control.verbs == []


async def test_an_address_with_parameters_is_refused(served):
    """Addresses are kept in logs, and nothing is to be said in them."""
    status, told = await post(served, path="/api/v1/reload?journey=buy")
    assert (status, served.control.verbs) == (400, [])
    assert "no parameters" in told["error"]


async def test_a_body_that_is_too_long_is_not_waited_for(served):
    """It is answered while the rest is still to come, whatever length was announced."""
    reader, writer = await served.connect()
    kind = "Content-Type: application/json\r\nContent-Length: 9000000000\r\n\r\n"
    writer.write((HEAD + kind).encode() + b" " * 70_000)
    async with asyncio.timeout(5):
        assert (await reader.readline())[9:12] == b"413"


async def test_a_body_that_breaks_off_does_nothing(served):
    """A client that goes away before its end has asked for nothing."""
    _, writer = await served.connect()
    writer.write((HEAD + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{").encode())
    await writer.drain()
    writer.close()
    assert await post(served) == (200, {"did": ["reload"]})
    assert len(served.control.verbs) == 1


async def test_what_is_refused_is_told_with_every_fault(served):
    """The status says what kind of refusal it is."""
    faults = [Problem("config.toml:3 schedule.every", "is no duration"), Problem("a.py:1", "no")]
    served.control.refuses = Refused(422, "refused", faults)
    assert await post(served) == (
        422,
        {
            "error": "refused",
            "problems": [
                {"where": "config.toml:3 schedule.every", "message": "is no duration"},
                {"where": "a.py:1", "message": "no"},
            ],
        },
    )
    served.control.refuses = Refused(503, "the agent is ending")
    assert await post(served) == (503, {"error": "the agent is ending"})
