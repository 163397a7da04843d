from __future__ import annotations

from dataclasses import replace

MARKS = {
    "user_agent": "browser FootfallSynthetics/1.0",
    "traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01",
    "baggage": "synthetic_request=true",
    "x_synthetic_journey": "buy_a_mug",
    "cookie": "synthetic=1",
}


async def seen(visitor):
    return (await visitor.get("/demo/seen")).json()


async def test_marks_of_a_request_are_remembered_as_they_came(visitor):
    """Method, address and every identity header can be asserted; other headers are not kept."""
    await visitor.get("/search?q=mug", accept="text/html", **MARKS)
    assert (await seen(visitor))["requests"] == [
        {
            "number": 1,
            "method": "GET",
            "path": "/search",
            "query": "q=mug",
            "headers": {name.replace("_", "-"): value for name, value in MARKS.items()},
        }
    ]


async def test_an_unmarked_request_is_remembered_too(visitor):
    """What goes untagged shows as a request without the header, not as no request."""
    await visitor.post("/nowhere")
    [request] = (await seen(visitor))["requests"]
    assert request["headers"] == {}


async def test_the_control_of_the_demo_is_no_traffic(visitor):
    """Asking and breaking leave no trace of their own."""
    await visitor.post("/demo/break/error")
    await visitor.get("/demo")
    await seen(visitor)
    await visitor.get("/demonstration")
    assert [request["path"] for request in (await seen(visitor))["requests"]] == ["/demonstration"]


async def test_the_last_five_hundred_are_kept_and_all_are_counted(visitor):
    """A shop that runs for weeks keeps a bounded log; the total tells what was dropped."""
    for _ in range(503):
        await visitor.get("/api/nix")
    log = await seen(visitor)
    assert log["total"] == 503
    assert [request["number"] for request in log["requests"]] == list(range(4, 504))


async def test_only_loopback_may_ask(visitor):
    """Cookies of others are nobody's business beyond this machine."""
    for host, status in (("10.0.0.7", 403), ("nonsense", 403), ("127.0.0.1", 200), ("::1", 200)):
        assert (await replace(visitor, host=host).get("/demo/seen")).status == status
