"""Signing in with a real browser, and a stranger's pages beside it.

Over loopback, over plain HTTP under another name, where browsers send no ``Sec-Fetch-Site``, and
over HTTPS behind a proxy.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from agent.browsers.find import require_browser
from tests.support.api import Served, journey
from tests.support.authority import Authority
from tests.support.nginx import Nginx
from tests.support.origin import Origin
from tests.support.service import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "0123456789abcdef-token"
HOSTILE = "evil.example"
NAME = "footfall.test"
WAYS = ["loopback", "lan", pytest.param("https", marks=pytest.mark.server)]

SENDS = """async url => {
    const send = async (path, body, headers) => {
        for (const mode of ["no-cors", "cors"])
            await fetch(url + path, {method: "POST", mode, credentials: "include", body, headers})
                .catch(() => 0);
        navigator.sendBeacon(url + path, body);
    };
    await send("/api/v1/reload", "{}", {"Content-Type": "text/plain"});
    await send("/api/v1/reload", "{}", {"Content-Type": "application/json"});
    const form = new URLSearchParams({reason: "so", who: "me", next: "/"});
    await send("/pause", form);
    await send("/resume", new URLSearchParams({who: "me"}));
    await send("/journeys/buy/runs", new URLSearchParams());
    await send("/sign-out", new URLSearchParams());
    for (const [path, fields] of [
        ["/pause", {reason: "so", who: "me"}], ["/sign-out", {}], ["/journeys/buy/runs", {}],
    ]) {
        const frame = document.createElement("iframe");
        frame.name = "f" + Math.random();
        document.body.append(frame);
        const form = document.createElement("form");
        Object.assign(form, {method: "POST", action: url + path, target: frame.name});
        for (const [name, value] of Object.entries(fields)) {
            const field = document.createElement("input");
            Object.assign(field, {name, value});
            form.append(field);
        }
        document.body.append(form);
        form.submit();
    }
    const alone = document.createElement("iframe");
    alone.sandbox = "allow-scripts allow-forms";
    alone.srcdoc = `<form method=post action="${url}/sign-out"></form>
        <script>document.forms[0].submit()</script>`;
    document.body.append(alone);
    const read = [];
    for (const path of ["/api/v1/journeys", "/api/v1/events", "/sign-in"])
        await fetch(url + path, {credentials: "include"}).then(
            async answer => read.push(await answer.text()), () => 0);
    await new Promise(done => setTimeout(done, 800));
    return read;
}"""
"""All by which a page may have a browser send something with its cookie; returns what it read."""


@dataclass
class Machine:
    """A browser, and what a server shows that it trusts."""

    browser: Browser
    chain: Path
    key: Path


@dataclass
class Reached:
    """An agent, where people reach it, and a browser."""

    served: Served
    url: str
    browser: Browser
    secure: bool

    async def signed_in(self, path: str = "/api/v1/runs") -> tuple[BrowserContext, Page]:
        """Return a fresh browser context in which somebody signed in, and its page."""
        context = await self.browser.new_context()
        context.set_default_timeout(15_000)
        page = await context.new_page()
        await page.goto(self.url + path)
        await self.enter(page)
        await page.wait_for_url(self.url + path)
        return context, page

    async def enter(self, page: Page) -> None:
        """Fill in the form that is shown, and send it."""
        await page.get_by_label("Token").fill(TOKEN)
        await page.get_by_role("button", name="Sign in").click()

    async def holds(self, context: BrowserContext) -> bool:
        """Whether the session of a browser opens the API."""
        cookies = [f"{one['name']}={one['value']}" for one in await context.cookies()]
        shown = {"Cookie": "; ".join(cookies)}
        async with self.served.session.get("/api/v1/runs", headers=shown) as response:
            return response.status == 200


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def machine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Machine]:
    """A browser for which every name leads to this machine, and the certificate it trusts."""
    folder = tmp_path_factory.mktemp("authority")
    authority = Authority(folder / "authority.pem")
    chain, key = authority.files(NAME, folder=folder)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(require_browser()),
            args=[
                "--no-sandbox",
                "--host-resolver-rules=MAP * 127.0.0.1",
                "--disable-features=LocalNetworkAccessChecks",
                *authority.browser_args,
            ],
        )
        yield Machine(browser, chain, key)
        await browser.close()


@pytest_asyncio.fixture(params=WAYS, loop_scope="module")
async def reached(request: pytest.FixtureRequest, machine, tmp_path) -> AsyncIterator[Reached]:
    """An agent with a token, in each of the ways in which people come to it."""
    port = free_port()
    url = f"https://{NAME}:{port}" if request.param == "https" else ""
    async with AsyncExitStack() as stack:
        served = Served(tmp_path, "0.0.0.0", TOKEN, url, [journey("buy")])
        await stack.enter_async_context(served)
        if url:
            proxy = Nginx("", behind(port, served.port, machine.chain, machine.key))
            await stack.enter_async_context(proxy)
        else:
            url = f"http://{'localhost' if request.param == 'loopback' else NAME}:{served.port}"
        yield Reached(served, url, machine.browser, url.startswith("https"))
        for context in machine.browser.contexts:
            await context.close()


def behind(port: int, agent: int, chain: Path, key: Path) -> str:
    """What a proxy in front of an agent is told, as the docs have it."""
    return f"""
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {chain};
    ssl_certificate_key {key};
    location ~ ^/(?!ready$) {{
        proxy_pass http://127.0.0.1:{agent};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
    }}
    """


async def test_somebody_signs_in_and_out(reached) -> None:
    """From the page that was asked for and back to it; the cookie is no script's and no other
    site's, and goes with signing out. A token that is wrong is said so."""
    context = await reached.browser.new_context()
    page = await context.new_page()
    await page.goto(f"{reached.url}/api/v1/runs?limit=1")
    await page.wait_for_url(lambda url: urlsplit(url).path == "/sign-in")
    await page.get_by_label("Token").fill("wrong")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_have_text("That is not the token.")
    await reached.enter(page)
    await page.wait_for_url(f"{reached.url}/api/v1/runs?limit=1")
    (cookie,) = await context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert cookie["secure"] is reached.secure
    assert cookie["name"].startswith("__Host-") is reached.secure
    assert cookie["name"].endswith(f"-{urlsplit(reached.url).port}")
    await page.goto(f"{reached.url}/static/live.js")
    assert await page.evaluate("document.cookie") == ""

    await page.goto(f"{reached.url}/nothing-here")
    leave = "document.body.innerHTML = '<form method=post action=/sign-out></form>';"
    await page.evaluate(f"{leave} document.forms[0].submit()")
    await page.wait_for_url(f"{reached.url}/sign-in")
    assert await context.cookies() == []
    await page.goto(f"{reached.url}/api/v1/runs")
    await page.wait_for_url(lambda url: urlsplit(url).path == "/sign-in")
    await context.add_cookies([cookie])
    assert not await reached.holds(context), "a copy of its cookie is of no use"


async def test_a_link_signs_in_once(reached) -> None:
    """By a button; the second who follows it has to sign in otherwise."""
    shown = {"Authorization": f"Bearer {TOKEN}"}
    asking = reached.served.session.post("/api/v1/sign-in-links", headers=shown)
    async with asking as response:
        told = await response.json()
    assert told["url"] == (reached.url if reached.secure else "")
    link = f"{reached.url}{told['path']}&next=%2Fapi%2Fv1%2Fruns"
    for works in (True, False):
        page = await reached.browser.new_page()
        await page.goto(link)
        await page.get_by_role("button", name="Sign in").click()
        if works:
            await page.wait_for_url(f"{reached.url}/api/v1/runs")
        else:
            await expect(page.get_by_role("alert")).to_contain_text("no longer works")
            await reached.enter(page)
            await page.wait_for_url(f"{reached.url}/api/v1/runs")
        await page.close()


async def test_a_strangers_page_has_a_signed_in_browser_do_nothing(reached) -> None:
    """Cross-site, from another port of the same host, and from a sibling of its name, by fetch,
    beacon, form, frame and sandbox, with the cookie where browsers send it: nothing is done,
    nothing read, and nobody is signed out. The same from a page of the agent's own is done."""
    context, page = await reached.signed_in()
    host = urlsplit(reached.url).hostname
    async with Origin(pages={"/": "<!doctype html><body>free mugs</body>"}) as other:
        stranger = await context.new_page()
        for name in (HOSTILE, host, f"sibling.{host}"):
            await stranger.goto(f"http://{name}:{urlsplit(other.url).port}/")
            assert await stranger.evaluate(SENDS, reached.url) == [], name
    assert reached.served.control.verbs == []
    assert await reached.holds(context)
    await page.goto(f"{reached.url}/sign-in?link=x")
    send = "(path, body) => fetch(path, {method: 'POST', body}).then(answer => answer.status)"
    assert await page.evaluate(f"({send})('/api/v1/reload')") == 200
    form = "new URLSearchParams({reason: 'so', who: 'me', next: '/api/v1/runs'})"
    assert await page.evaluate(f"({send})('/pause', {form})") == 200
    assert [verb[0] for verb in reached.served.control.verbs] == ["reload", "pause"]


async def test_a_link_on_another_site_leads_somebody_who_signed_in_to_the_page(reached) -> None:
    """As one in an alert does: the browser holds the cookie back at first, and nobody is made to
    sign in a second time. Who has not signed in comes to the form."""
    context, _ = await reached.signed_in()
    link = f'<!doctype html><a href="{reached.url}/api/v1/runs?limit=7">the run</a>'
    async with Origin(pages={"/": link}) as chat:
        for one, leads_to in ((context, "/api/v1/runs"), (await fresh(reached), "/sign-in")):
            page = await one.new_page()
            await page.goto(f"http://chat.example:{urlsplit(chat.url).port}/")
            await page.get_by_role("link").click()
            await page.wait_for_url(lambda url, to=leads_to: urlsplit(url).path == to)


async def fresh(reached: Reached) -> BrowserContext:
    return await reached.browser.new_context()


async def test_nobody_is_led_astray_by_signing_in(reached) -> None:
    """Whatever the link says, after the form one is on the agent's own page; and no other page
    may show the form in a frame of its own."""
    async with Origin(pages={"/": "<!doctype html>evil"}) as other:
        port = urlsplit(other.url).port
        for place in (
            f"//{HOSTILE}:{port}/",
            f"/\\{HOSTILE}:{port}/",
            f"/\t/{HOSTILE}:{port}/",
            f"http://{HOSTILE}:{port}/",
            f"/.//{HOSTILE}:{port}/",
            "javascript:alert(1)",
        ):
            context = await fresh(reached)
            page = await context.new_page()
            await page.goto(f"{reached.url}/sign-in")
            put = "place => document.querySelector('[name=next]').value = place"
            await page.evaluate(put, place)
            await reached.enter(page)
            await page.wait_for_url(f"{reached.url}/")
            await context.close()
        assert other.seen == []
        frame = f'<!doctype html><iframe src="{reached.url}/sign-in"></iframe>'
        other.pages["/frame"] = frame
        page = await reached.browser.new_page()
        await page.goto(f"http://{HOSTILE}:{port}/frame")
        await expect(page.frame_locator("iframe").get_by_label("Token")).to_have_count(0)


async def test_a_cookie_that_others_put_there_is_nobodys_session(reached) -> None:
    """Fixation: a page on another port of the host plants one, which is all that such a page can;
    who signs in afterwards has a session that nobody else knows."""
    context = await fresh(reached)
    host, port = urlsplit(reached.url).hostname, urlsplit(reached.url).port
    async with Origin(pages={"/": "<!doctype html>evil"}) as other:
        page = await context.new_page()
        await page.goto(f"http://{host}:{urlsplit(other.url).port}/")
        planted = "0" * 10 + "." + "a" * 22 + "." + "b" * 43
        for name in (f"footfall-{port}", f"__Host-footfall-{port}"):
            for path in ("/", "/api/v1", "/sign-in"):
                await page.evaluate(f"document.cookie = '{name}={planted}; path={path}'")
    await page.goto(f"{reached.url}/api/v1/runs")
    await reached.enter(page)
    await page.wait_for_url(f"{reached.url}/api/v1/runs")
    held = [one for one in await context.cookies() if one["httpOnly"]]
    assert len(held) == 1
    assert held[0]["value"] != planted
    async with aiohttp.ClientSession() as session:
        shown = {"Cookie": f"{held[0]['name']}={planted}"}
        async with session.get(f"{reached.served.url}/api/v1/runs", headers=shown) as response:
            assert response.status == 401


async def test_who_guesses_waits(reached) -> None:
    """In a browser too, with a word of how long; another address isn't kept out by that, and
    behind a proxy a link is the way in."""
    page = await reached.browser.new_page()
    for _ in range(11):
        await page.goto(f"{reached.url}/sign-in")
        await page.get_by_label("Token").fill("wrong")
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_load_state()
    await expect(page.get_by_role("alert")).to_contain_text("Try again in")
    await reached.enter(page)
    await expect(page.get_by_role("alert")).to_contain_text("Try again in")


async def test_events_arrive_as_they_happen(reached) -> None:
    """In a signed-in page, through a proxy that would collect them otherwise."""
    _, page = await reached.signed_in()
    await page.goto(f"{reached.url}/sign-in?link=x")
    listen = """() => {
        window.heard = [];
        const stream = new EventSource("/api/v1/events");
        stream.addEventListener("run", event => window.heard.push(event.data));
        return new Promise(done => stream.addEventListener("open", done));
    }"""
    await page.evaluate(listen)
    reached.served.streams.publish("run", {"number": 1})
    await page.wait_for_function("window.heard.length == 1", timeout=3_000)
