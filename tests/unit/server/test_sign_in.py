"""Signing in and out: what opens a session, what a session opens, and what gets nobody in."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from multidict import CIMultiDict

from tests.support.api import PERSON, STATE_TOKEN, Served, journey

TOKEN = "0123456789abcdef-token"
OWN = {"Sec-Fetch-Site": "same-origin"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def serve(tmp_path):
    def make(host="0.0.0.0", token=TOKEN, url=""):
        (tmp_path / "artifacts").mkdir()
        served = Served(tmp_path, host, token, url, [journey("buy")])
        served.artifacts = tmp_path / "artifacts"
        served.keep("a.png", b"it")
        return served

    return make


async def ask(served, method, path, headers=(), **more):
    given = CIMultiDict(headers)
    asking = served.session.request(method, path, headers=given, allow_redirects=False, **more)
    async with asking as response:
        await response.read()
        return response


async def enter(served, headers=OWN, **fields):
    return await ask(served, "POST", "/sign-in", headers, data={"token": TOKEN, **fields})


def cookie_of(response):
    """The cookie as a browser sends it back."""
    return response.headers["set-cookie"].partition(";")[0]


async def test_a_session_reads_all_that_the_token_does(serve):
    """Pages, API and evidence; and a person without one is sent to sign in, and back."""
    async with serve() as served:
        response = await ask(served, "GET", "/runs/1?tab=log", PERSON | {"Sec-Fetch-Site": "none"})
        assert response.status == 303
        there = response.headers["location"]
        assert there == "/sign-in?next=%2Fruns%2F1%3Ftab%3Dlog"
        page = await ask(served, "GET", there, PERSON)
        assert page.status == 200
        assert 'value="/runs/1?tab=log"' in await page.text()

        response = await enter(served, next=parse_qs(urlsplit(there).query)["next"][0])
        assert (response.status, response.headers["location"]) == (303, "/runs/1?tab=log")
        shown = {"Cookie": f"other=1; {cookie_of(response)}"}
        for path in ("/api/v1/runs", "/artifacts/a.png"):
            assert (await ask(served, "GET", path)).status == 401
            assert (await ask(served, "GET", path, shown)).status == 200
        response = await ask(served, "GET", there, PERSON | shown)
        assert (response.status, response.headers["location"]) == (303, "/runs/1?tab=log")


@pytest.mark.parametrize("url", ["", "https://footfall.example.com", "http://footfall.lan:8081"])
async def test_what_a_cookie_says(serve, url):
    """No script reads it, no other site sends it; over https it is bound to the host; its name
    has the port; it is never the same twice."""
    async with serve(url=url) as served:
        told = [
            (await enter(served, {"Origin": url or served.url})).headers["set-cookie"]
            for _ in range(2)
        ]
        assert told[0] != told[1]
        name = {
            "": f"footfall-{served.port}",
            "https://footfall.example.com": "__Host-footfall-443",
            "http://footfall.lan:8081": "footfall-8081",
        }[url]
        secure = "; Secure" if url.startswith("https") else ""
        kept = f"; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict{secure}"
        assert re.fullmatch(re.escape(name) + r"=[0-9]+\.[\w-]{22}\.[\w-]{43}" + kept, told[0])
        assert TOKEN not in told[0]


SAID_BY_OWN_PAGE = [
    [("Sec-Fetch-Site", "same-origin")],
    [("Sec-Fetch-Site", "same-origin"), ("Origin", "null")],
    [("Origin", "OWN")],
]
SAID_BY_OTHERS = [
    [],
    [("Sec-Fetch-Site", "same-site")],
    [("Sec-Fetch-Site", "cross-site")],
    [("Sec-Fetch-Site", "none")],
    [("Sec-Fetch-Site", "")],
    [("Sec-Fetch-Site", "same-origin, same-origin")],
    [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")],
    [("Sec-Fetch-Site", "cross-site"), ("Origin", "OWN")],
    [("Origin", "null")],
    [("Origin", "")],
    [("Origin", "http://evil.example")],
    [("Origin", "OWN.evil.example")],
    [("Origin", "OWN"), ("Origin", "http://evil.example")],
    [("Origin", "https://127.0.0.1")],
    [("Origin", "http://127.0.0.1")],
    [("Referer", "OWN/")],
    [("X-Requested-With", "XMLHttpRequest")],
]


def filled(headers, served):
    return [(name, value.replace("OWN", served.url)) for name, value in headers]


async def test_a_session_changes_things_from_own_pages_alone(serve):
    """A browser must say so, by one of two headers that no page can set; without any, or with a
    word beside it, nothing is done. A bearer needs none of them."""
    async with serve() as served:
        cookie = [("Cookie", cookie_of(await enter(served)))]
        for said in SAID_BY_OTHERS:
            headers = cookie + filled(said, served)
            for path in ("/api/v1/reload", "/sign-out"):
                assert (await ask(served, "POST", path, headers)).status == 403, said
            response = await enter(served, filled(said, served))
            assert response.status == 403, said
            assert "set-cookie" not in response.headers
        assert served.control.verbs == []
        for said in SAID_BY_OWN_PAGE:
            headers = cookie + filled(said, served)
            assert (await ask(served, "POST", "/api/v1/reload", headers)).status == 200, said
        bearer = {"Authorization": f"Bearer {TOKEN}", "Sec-Fetch-Site": "cross-site"}
        assert (await ask(served, "POST", "/api/v1/reload", bearer)).status == 200
        assert len(served.control.verbs) == len(SAID_BY_OWN_PAGE) + 1


async def test_where_an_address_is_told_it_is_the_one_that_counts(serve):
    """Not the name that a request was sent to, which whoever sends it chooses."""
    url = "https://footfall.example.com"
    async with serve(url=url) as served:
        assert (await enter(served, {"Origin": served.url})).status == 403
        for host in ("footfall.example.com", "10.0.0.7:8080"):
            assert (await enter(served, {"Origin": url, "Host": host})).status == 303


PLACES = {
    "/": "/",
    "/runs/0a?x=1&y=%2F": "/runs/0a?x=1&y=%2F",
    "/journeys/buy_a_mug": "/journeys/buy_a_mug",
    "//evil.example": "/",
    "//evil.example/%2e%2e": "/",
    "///evil.example": "/",
    "/\\evil.example": "/",
    "/\\/evil.example": "/",
    "/%09/evil.example": "/%09/evil.example",
    "/\t/evil.example": "/",
    "\t//evil.example": "/",
    " //evil.example": "/",
    "/.//evil.example": "/",
    "/..//evil.example": "/",
    "/x/..//evil.example": "/",
    "/x/%2E%2e/": "/",
    "https://evil.example": "/",
    "https:evil.example": "/",
    "javascript:alert(1)": "/",
    "evil.example": "/",
    "?x": "/",
    "#x": "/",
    "": "/",
    "/a\r\nSet-Cookie: x=y": "/",
    "/a\nb": "/",
    "/ä": "/",
    "/\x00": "/",
    "/sign-in?next=//evil.example": "/",
    "/sign-out": "/",
    "/sign-out#x": "/",
    "/" + "a" * 5000: "/",
}


async def test_signing_in_leads_to_own_paths_alone(serve):
    """Whatever stands in `next`: another host, by any spelling that browsers read as one, a line
    of headers, or signing in again all become `/`."""
    async with serve() as served:
        for place, leads_to in PLACES.items():
            response = await enter(served, next=place)
            assert response.status == 303, place
            assert response.headers.getall("location") == [leads_to], place
            assert len(response.headers.getall("set-cookie")) == 1
            page = await ask(served, "GET", "/sign-in", params={"next": place})
            shown = re.search(r'name="next" value="([^"]*)"', await page.text())
            assert shown[1].replace("&amp;", "&") == leads_to, place


async def test_a_page_that_another_site_led_to_asks_for_the_cookie_again(serve):
    """A browser holds a strict cookie back where another site leads here, as an alert in a chat
    does; so one's own page leads on, before anybody has to sign in a second time."""
    async with serve() as served:
        for said in ([], [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")]):
            response = await ask(served, "GET", "/runs/1", [*PERSON.items(), *said])
            assert response.status == 401
            assert 'content="0; url=/sign-in?next=%2Fruns%2F1"' in await response.text()


async def test_signing_out_ends_the_session_wherever_its_cookie_went(serve):
    """The browser drops it, and a copy of it opens nothing any more; another session goes on."""
    async with serve() as served:
        mine, other = [{"Cookie": cookie_of(await enter(served))} for _ in range(2)]
        response = await ask(served, "POST", "/sign-out", mine | OWN | FORM)
        assert (response.status, response.headers["location"]) == (303, "/sign-in")
        assert "Max-Age=0" in response.headers["set-cookie"]
        assert (await ask(served, "GET", "/api/v1/runs", mine)).status == 401
        assert (await ask(served, "GET", "/api/v1/runs", other)).status == 200
        assert (await ask(served, "GET", "/sign-out", other)).status == 405


async def test_signing_in_never_takes_up_a_cookie_that_was_there(serve):
    """Fixation: who signs in gets a session that nobody has had, and the one that was shown,
    whoever put it there, ends."""
    async with serve() as served:
        planted = cookie_of(await enter(served))
        response = await enter(served, OWN | {"Cookie": planted})
        assert cookie_of(response) != planted
        assert (await ask(served, "GET", "/api/v1/runs", {"Cookie": planted})).status == 401
        fresh = {"Cookie": cookie_of(response)}
        assert (await ask(served, "GET", "/api/v1/runs", fresh)).status == 200


async def test_a_wrong_token_opens_nothing(serve):
    """It is said, never shown again, and no cookie is set."""
    async with serve() as served:
        for wrong in ("", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "<b>" + TOKEN):
            response = await enter(served, token=wrong)
            assert response.status == 403
            assert "set-cookie" not in response.headers
            text = await response.text()
            assert "That is not the token." in text
            assert not wrong or wrong not in text


async def test_who_guesses_has_to_wait_and_who_shows_the_token_has_not(serve):
    """After ten wrong ones from an address the form takes none, not the right one either; a
    bearer is never asked to wait, and a link works all the same."""
    async with serve() as served:
        for _ in range(10):
            assert (await enter(served, token="wrong")).status == 403
        response = await enter(served)
        assert response.status == 429
        assert 0 < int(response.headers["retry-after"]) <= 30
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        for _ in range(30):
            shown = {"Authorization": "Bearer wrong"}
            assert (await ask(served, "GET", "/api/v1/runs", shown)).status == 401
        assert (await ask(served, "GET", "/api/v1/runs", bearer)).status == 200
        made = await ask(served, "POST", "/api/v1/sign-in-links", bearer)
        link = parse_qs(urlsplit((await made.json())["path"]).query)["link"][0]
        assert (await enter(served, token="", link=link)).status == 303


async def test_a_link_signs_one_person_in_and_only_when_it_is_used(serve):
    """Looking at it, as whatever fetches links ahead does, spends nothing; the second one who
    uses it is told so. Only who shows the token has one made, a session doesn't."""
    async with serve() as served:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        made = await ask(served, "POST", "/api/v1/sign-in-links", bearer)
        told = await made.json()
        assert (made.status, told["url"], told["lasts"]) == (201, "", 60)
        for method in ("GET", "HEAD", "GET"):
            assert (await ask(served, method, told["path"], PERSON)).status == 200
        link = parse_qs(urlsplit(told["path"]).query)["link"][0]
        assert (await enter(served, {}, token="", link=link)).status == 403, "not from a page"
        response = await enter(served, token="", link=link, next="/runs/1")
        assert (response.status, response.headers["location"]) == (303, "/runs/1")
        cookie = {"Cookie": cookie_of(response)}
        assert (await ask(served, "GET", "/api/v1/runs", cookie)).status == 200
        response = await enter(served, token=TOKEN, link=link)
        assert response.status == 403
        assert "works once" in (await response.text()).replace("does so once", "works once")
        path = "/api/v1/sign-in-links"
        assert (await ask(served, "POST", path, cookie | OWN)).status == 403
        assert (await ask(served, "POST", path)).status == 401


async def test_a_form_is_taken_as_a_form_sends_it(serve):
    """Nothing else, nothing beside it, nothing twice, nothing without end."""
    async with serve() as served:
        wrong = [
            (b'{"token": "x"}', {"Content-Type": "application/json"}, 415),
            (b"token=x", {"Content-Type": "text/plain"}, 415),
            (b"token=x", {"Content-Type": "multipart/form-data; boundary=x"}, 415),
            (b"token=x&token=y", FORM, 400),
            (b"token=x&sort=1", FORM, 400),
            (b"token=%ff", FORM, 400),
            (b"token=\xff", FORM, 400),
            (b"&".join(b"a=b" for _ in range(1000)), FORM, 400),
            (b"token=" + b"x" * 20_000, FORM, 413),
        ]
        for body, kind, status in wrong:
            response = await ask(served, "POST", "/sign-in", OWN | kind, data=body)
            assert response.status == status, body[:40]


async def test_on_this_machine_pages_need_no_session_and_changes_do(serve):
    """The token of the state folder opens one; under another name even the page is refused."""
    async with serve("127.0.0.1", "") as served:
        assert (await ask(served, "GET", "/nothing", PERSON)).status == 404
        assert (await ask(served, "POST", "/api/v1/reload", OWN)).status == 401
        response = await enter(served, token=STATE_TOKEN)
        assert response.status == 303
        cookie = {"Cookie": cookie_of(response)}
        assert (await ask(served, "POST", "/api/v1/reload", cookie | OWN)).status == 200
        other = PERSON | {"Host": "evil.example"}
        assert (await ask(served, "GET", "/", other)).status == 403


async def test_a_loopback_agent_behind_a_proxy_asks_people_to_sign_in(serve):
    """By the name of `server.url` somebody from anywhere may come; reading isn't free there."""
    async with serve("127.0.0.1", "", "https://footfall.example.com") as served:
        named = {"Host": "footfall.example.com", "Sec-Fetch-Site": "none"}
        assert (await ask(served, "GET", "/", PERSON | named)).status == 303
        assert (await ask(served, "GET", "/api/v1/runs", named)).status == 401
        assert (await ask(served, "GET", "/api/v1/runs")).status == 200


async def test_other_sites_load_nothing(serve):
    """Not on loopback either, where a page may send what it likes: it would take the places of
    streams. It may lead somebody here, and health stays everybody's."""
    async with serve("127.0.0.1", "") as served:
        for site in ("cross-site", "same-site"):
            loads = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
            assert (await ask(served, "GET", "/api/v1/runs", loads)).status == 403
            assert (await ask(served, "GET", "/healthz", loads)).status == 200
            leads = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
            assert (await ask(served, "GET", "/api/v1/runs", leads)).status == 200
