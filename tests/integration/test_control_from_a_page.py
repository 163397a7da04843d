"""A hostile page in a real browser, beside the agent: whatever it sends, nothing is changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.async_api import async_playwright

from agent.browsers.find import require_browser
from tests.support.api import STATE_TOKEN, Served, journey
from tests.support.origin import Origin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page

TOKEN = "0123456789abcdef-token"
PATHS = ("/api/v1/reload", "/api/v1/pause", "/api/v1/journeys/buy/runs")
HOSTILE = "evil.example"

SENDS = """async url => {
    const wait = ms => new Promise(done => setTimeout(done, ms));
    const bodies = [
        "{}",
        new URLSearchParams({_method: "POST", token: "x"}),
        new Blob(['{"all": true}'], {type: "text/plain"}),
        new Blob(["{}"], {type: "application/json"}),
        new FormData(),
    ];
    const headers = [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json"},
        {"Authorization": "Bearer x", "X-HTTP-Method-Override": "POST"},
    ];
    const read = [];
    for (const mode of ["no-cors", "cors"])
        for (const method of ["POST", "PUT", "DELETE", "GET", "HEAD"])
            for (const given of headers)
                for (const body of method == "GET" || method == "HEAD" ? [undefined] : bodies)
                    try {
                        const options = {method, mode, body, headers: given, redirect: "follow",
                                         credentials: "include"};
                        const answer = await fetch(url, options);
                        if (answer.type != "opaque") read.push(await answer.text());
                    } catch {}
    for (const body of bodies) navigator.sendBeacon(url, body);
    for (const enctype of ["application/x-www-form-urlencoded", "multipart/form-data",
                           "text/plain"]) {
        const frame = document.createElement("iframe");
        frame.name = "f" + Math.random();
        document.body.append(frame);
        const form = document.createElement("form");
        Object.assign(form, {method: "POST", action: url, enctype, target: frame.name});
        const field = document.createElement("input");
        Object.assign(field, {name: '{"all": true, "reason": "', value: '"}'});
        form.append(field);
        document.body.append(form);
        form.submit();
        await wait(100);
    }
    for (const [name, key] of [["img", "src"], ["script", "src"], ["link", "href"],
                               ["iframe", "src"]]) {
        const element = document.createElement(name);
        element[key] = url + "?_method=POST&token=x";
        if (name == "link") element.rel = "stylesheet";
        document.body.append(element);
    }
    const alone = document.createElement("iframe");
    alone.sandbox = "allow-scripts allow-forms";
    alone.srcdoc = `<script>fetch(${JSON.stringify(url)}, {method: "POST", mode: "no-cors",
                    body: "{}"}).catch(() => 0)</script>`;
    document.body.append(alone);
    await wait(500);
    return read;
}"""
"""All that a page can send to an address; returns what it could read of the answers."""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium, for which every name leads to this machine, and plain HTTP is no obstacle."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=str(require_browser()),
            args=[
                "--no-sandbox",
                "--host-resolver-rules=MAP * 127.0.0.1",
                # Its own guard of local addresses, which other browsers don't have.
                "--disable-features=LocalNetworkAccessChecks",
            ],
        )
        yield launched
        await launched.close()


@pytest.fixture(params=["loopback", "lan"])
async def agent(request: pytest.FixtureRequest, tmp_path) -> AsyncIterator[tuple[Served, str]]:
    """An agent without a token on loopback, and one with a token that is asked for as shop.lan;
    and the address by which people know it."""
    wider = request.param == "lan"
    host, token = ("0.0.0.0", TOKEN) if wider else ("127.0.0.1", "")
    async with Served(tmp_path, host, token, journeys=[journey("buy")]) as served:
        name = "shop.lan" if wider else "localhost"
        yield served, f"http://{name}:{served.port}"


def statuses(page: Page, port: int) -> list[tuple[str, int]]:
    """Collect the method and status of whatever the agent answers."""
    found: list[tuple[str, int]] = []

    def note(response) -> None:
        if urlsplit(response.url).port == port:
            found.append((response.request.method, response.status))

    page.on("response", note)
    return found


async def test_another_site_changes_nothing_and_reads_nothing(agent, browser) -> None:
    """Forms, beacons, fetch of any mode, method, kind and header, pictures, scripts and frames:
    each that arrives is answered 401, and no answer can be read."""
    served, url = agent
    async with Origin(pages={"/": "<!doctype html><body>free mugs</body>"}) as other:
        page = await browser.new_page()
        answered = statuses(page, served.port)
        for name in (HOSTILE, "localhost"):
            await page.goto(f"http://{name}:{urlsplit(other.url).port}/")
            for path in PATHS:
                assert await page.evaluate(SENDS, url + path) == []
    unsafe = {status for method, status in answered if method not in {"GET", "HEAD", "OPTIONS"}}
    assert unsafe == {401}
    assert len([1 for method, _ in answered if method == "POST"]) >= 12
    assert served.control.verbs == []


async def test_a_name_that_is_turned_to_this_machine_changes_nothing(agent, browser) -> None:
    """DNS rebinding: the page's own name and port are the agent's, so all it asks is of its own
    origin; it has no token all the same. One that has the token is served: requests do arrive."""
    served, _ = agent
    page = await browser.new_page()
    address = f"http://{HOSTILE}:{served.port}"

    async def attack(route) -> None:
        await route.fulfill(content_type="text/html", body="<!doctype html><body>mugs</body>")

    await page.route(f"{address}/attack", attack)
    await page.goto(f"{address}/attack")
    answered = statuses(page, served.port)
    for path in PATHS:
        read = await page.evaluate(SENDS, path)
        assert all("error" in json.loads(text) for text in read if text), read
    assert {status for method, status in answered if method == "POST"} == {401}
    assert served.control.verbs == []

    shown = f"Bearer {served.token or STATE_TOKEN}"
    fetching = "async shown => (await fetch('/api/v1/reload', {method: 'POST', headers: {"
    status = await page.evaluate(f"{fetching}Authorization: shown}}}})).status", shown)
    assert status == 200
    assert served.control.verbs == [("reload",)]
