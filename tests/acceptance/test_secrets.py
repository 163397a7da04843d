"""Canary secrets, planted wherever a journey can put one and a site can show one: none is left
in anything that the agent keeps, sends, prints or hands to another process."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from contextlib import closing
from html import escape
from urllib.parse import quote_plus

import pytest
import pytest_asyncio
from aiohttp import web

from tests.support.canaries import Scan, Watch, canary, named, spellings
from tests.support.daemon import Daemon, Home
from tests.support.origin import Origin

IN_FILES = ("PASSWORD", "QUERY", "OWN_HEADER", "COOKIE_HEADER", "STORED", "LINES", "STEP", "CUT")
IN_VARIABLES = (
    "FIELD",
    "SHOWN",
    "RAW",
    "REDIRECT",
    "CONSOLE",
    "REFUSED",
    "RAISED",
    "LOGGED",
    "PRINTED",
    "BASIC_HEADER",
)
OF_THE_AGENT = ("COLLECTOR_HEADER", "TOKEN_OF_THE_SERVER_HEADER")
OF_THE_SITE = ("ISSUED_HEADER", "TOKEN_HEADER")
"""Declared nowhere: a cookie that the site sets, and what its own script sends."""

WALKS = """
from base64 import b64encode
from urllib.parse import quote

from agent import Run, expect, journey


async def walk(run: Run) -> None:
    page, secret = run.page, run.secret
    async with run.step("Sign in"):
        await page.goto("/")
        own = {"name": "own", "value": secret("COOKIE_HEADER"), "url": page.url}
        await run.context.add_cookies([own])
        await run.context.set_extra_http_headers({"X-Own": secret("OWN_HEADER")})
        await page.fill("#password", secret("PASSWORD"))
        await page.fill("#field", secret("FIELD"))
        await page.locator("#lines").press_sequentially(secret("LINES"))
        await page.click("button")
    async with run.step("Look at " + secret("STEP")):
        await page.goto("/show?q=" + quote(secret("QUERY"), safe=""))
        await page.evaluate("text => localStorage.setItem('own', text)", secret("STORED"))
        await page.evaluate("text => console.log('says', text, {text})", secret("CONSOLE"))
        await page.goto("/show?q=" + quote(secret("SHOWN"), safe=""))
        await expect(page.locator("#out")).to_contain_text(secret("SHOWN"))
        await page.goto("/show?raw=" + secret("RAW"))
        await page.goto("/away?to=" + quote(secret("REDIRECT"), safe=""))
        await page.evaluate(
            "text => fetch('/missing?q=' + encodeURIComponent(text),"
            " {method: 'POST', body: JSON.stringify({text})})",
            secret("REFUSED"),
        )
        basic = b64encode(f"user:{secret('BASIC_HEADER')}".encode()).decode()
        await page.request.post(
            "/api?q=" + quote(secret("QUERY")),
            data={"password": secret("PASSWORD")},
            headers={"Authorization": "Basic " + basic},
        )
    logged = secret("LOGGED")
    run.log.warning("got " + logged, error=ValueError(logged), **{logged: [logged]})
    print("printed", secret("PRINTED"))


@journey(site="shop", owner="tests")
async def passes(run: Run) -> None:
    await walk(run)


@journey(site="shop", owner="tests")
async def fails(run: Run) -> None:
    await walk(run)
    assert False, "x" * 1970 + run.secret("CUT")


@journey(site="shop", owner="tests", confirm=False)
async def raises(run: Run) -> None:
    await walk(run)
    async with run.step("Break"):
        try:
            raise KeyError(run.secret("RAISED"))
        except KeyError as error:
            raise ValueError(f"not {run.secret('RAISED')!r}") from error


@journey(site="shop", owner="tests", confirm=False)
async def expects(run: Run) -> None:
    await run.page.goto("/")
    shown = "Your key is " + run.secret("SHOWN")
    await run.page.evaluate("text => { out.textContent = text }", shown)
    await expect(run.page.locator("#out")).to_have_text("else", timeout=300)


@journey(site="shop", owner="tests", confirm=False)
async def unreachable(run: Run) -> None:
    await run.page.goto("/")
    own = {"X-Own": run.secret("OWN_HEADER")}
    await run.api.get("http://127.0.0.1:9/?q=" + quote(run.secret("QUERY")), headers=own)


@journey(site="shop", owner="tests", confirm=False)
async def uses_none(run: Run) -> None:
    await run.page.goto("/")
    await expect(run.page.locator("#out")).to_have_text("sent")
    assert False, "on purpose"
"""
RESULTS = {
    "passes": "pass",
    "fails": "fail",
    "raises": "not_measured",
    "expects": "fail",
    "unreachable": "fail",
    "uses_none": "fail",
}
PAGE = """
<title>Shop {shown}</title>
<form method=post action=/login>
<input id=password name=password type=password><input id=field name=field>
<textarea id=lines name=lines></textarea><button>Sign in</button></form><p id=out>{shown}</p>
<script>console.log("shows", out.textContent)</script>
"""
# The token is turned round, so that no body holds it as it is sent.
SENDS = """
<script>const token = [..."{turned}"].reverse().join("");
fetch("/api", {{headers: {{Authorization: "Bearer " + token}}}})
  .then(() => {{ out.textContent = "sent" }})</script>
"""


class Shop:
    """A site that shows, repeats and redirects whatever it is given, and issues a cookie."""

    def __init__(self, issued: dict[str, str]) -> None:
        self.issued = issued
        self.addresses: list[str] = []
        self.origin = Origin()
        self.origin.pages |= {"/": self.home, "/login": self.show, "/show": self.show}
        self.origin.pages |= {"/landed": self.show, "/away": self.away, "/api": self.show}

    async def home(self, _: web.Request) -> web.Response:
        text = PAGE.format(shown="") + SENDS.format(turned=self.issued["TOKEN_HEADER"][::-1])
        answer = web.Response(text=text, content_type="text/html")
        answer.headers["Set-Cookie"] = f"session={self.issued['ISSUED_HEADER']}; HttpOnly"
        return answer

    async def show(self, request: web.Request) -> web.Response:
        self.addresses.append(request.raw_path)
        shown = {**request.query, **(await request.post())}
        text = PAGE.format(shown=escape(" ".join(map(str, shown.values()))))
        return web.Response(text=text, content_type="text/html")

    async def away(self, request: web.Request) -> web.Response:
        self.addresses.append(request.raw_path)
        raise web.HTTPFound("/landed?code=" + quote_plus(request.query["to"]))


@pytest.fixture
def planted():
    values = named((*IN_FILES, *IN_VARIABLES, *OF_THE_AGENT, *OF_THE_SITE))
    values["LINES"] = f"{canary()}\n{canary()}"
    return values


@pytest_asyncio.fixture
async def shop(planted):
    shop = Shop(planted)
    async with shop.origin:
        yield shop


@pytest.fixture
def home(tmp_path, shop, otlp, planted):
    environment = {f"FOOTFALL_SECRET_{name}": planted[name] for name in IN_VARIABLES}
    home = Home(tmp_path / "home", {"shop": shop.origin.url}, environment)
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name in IN_FILES:
        (folder / name).write_text(planted[name])
    headers = {"authorization": f"Bearer {planted['COLLECTOR_HEADER']}"}
    (folder / "FOOTFALL_TELEMETRY__HEADERS").write_text(json.dumps(headers))
    token = planted["TOKEN_OF_THE_SERVER_HEADER"]
    (folder / "FOOTFALL_SERVER__TOKEN").write_text(token + "\n")
    home.configure(
        top={"secrets_dir": str(folder)},
        schedule={"every": "30s", "timeout": "20s", "grace": "10s"},
        telemetry={"endpoint": otlp.http_endpoint},
        artifacts={"keep": "all", "trace": "all"},
    )
    home.file("walks.py", WALKS)
    return home


def arrived(shop: Shop, planted: dict[str, str]) -> set[str]:
    """Which of the planted values the site was sent at all."""
    sent = "\n".join(
        f"{asked.headers}\n{asked.body.decode(errors='replace')}" for asked in shop.origin.seen
    )
    sent += "\n".join(shop.addresses)
    return {
        name for name, value in planted.items() if any(form in sent for form in spellings(value))
    }


@pytest.mark.timeout(300)
async def test_no_secret_is_left_anywhere(home, shop, otlp, planted, capfd):
    """A daemon's and a command's runs that pass, fail and break: nothing that was sent, logged,
    printed, reported, kept, or seen of a process holds as much as twelve characters."""
    scan = Scan(planted)
    async with Watch(scan, home.state / "scratch") as watch:
        async with Daemon(home) as daemon:
            await daemon.started()
            for name, result in RESULTS.items():
                await daemon.finished(name, result, timeout=150)
            status = await home.footfall("status", *RESULTS)
            refused = await home.footfall("status", "--url", f"http://127.0.0.2:{home.port}")
            assert await daemon.terminate() == 0, daemon.story()
            logged = daemon.story()
        once = await home.footfall("once", "--json", "--junit", "report.xml", within=120)
    assert {run["journey"]: run["result"] for run in once.objects} == RESULTS

    for number, request in enumerate(otlp.requests):
        scan.data(f"{request.signal} request {number}", request.body)
    scan.text("the daemon's log", logged)
    scan.text("the daemon's output", "".join(capfd.readouterr()))
    scan.text("output of once", once.out)
    scan.text("errors of once", once.err)
    for told in (status, refused):
        scan.text("output of status", told.out + told.err)
    scan.text("JUnit", (home.path / "report.xml").read_text())
    scan.folder(home.state)
    assert not scan.hits, "\n".join(f"{what}: {around}" for what, around in scan.hits.items())
    assert home.scratch() == []

    # Nothing of this means anything unless the secrets were used and there is much to look at.
    used = {"PASSWORD", "FIELD", "QUERY", "SHOWN", "REDIRECT", "REFUSED", "OWN_HEADER"}
    used |= {"COOKIE_HEADER", "BASIC_HEADER", "ISSUED_HEADER", "TOKEN_HEADER"}
    assert used <= arrived(shop, planted)
    assert otlp.requests[0].headers["authorization"] == f"Bearer {planted['COLLECTOR_HEADER']}"
    assert {"traces", "metrics", "logs"} <= otlp.counts.keys()
    assert (status.code, refused.code) == (0, 4)
    assert "not_measured" in status.out or "NOT MEASURED" in status.out
    assert "step Look at ***" in {span.name for span in otlp.spans}
    assert "printed ***" in logged
    assert "got ***" in logged
    kept = {path.relative_to(home.state / "artifacts").parts for path in home.state.rglob("*.zip")}
    assert {journey for journey, *_ in kept} == RESULTS.keys(), kept
    assert len(watch.commands) >= 3
    assert watch.files
    assert watch.recordings
    assert scan.looked_at > 1_000_000


FAULTY = {
    "no table": ({"FOOTFALL_TELEMETRY__HEADERS": "Bearer {0}"}, ""),
    "no text": ({"FOOTFALL_TELEMETRY__HEADERS": '{{"authorization": ["{0}"]}}'}, ""),
    "two lines": ({"FOOTFALL_TELEMETRY__HEADERS__AUTHORIZATION": "{0}\n{0}"}, ""),
    "no such key": ({"FOOTFALL_SERVER__TOKN": "{0}", "FOOTFALL_TOKEN": "{0}"}, ""),
    "no pairs": ({"OTEL_EXPORTER_OTLP_HEADERS": "authorization {0}"}, ""),
    "in the file": ({}, '[telemetry.headers]\nauthorization = ["{0}"]\nx = "{0}\\n"\n'),
    "no TOML": ({}, 'headers = {{ authorization = "{0}" "{0}" }}\n'),
}


@pytest.mark.parametrize("fault", FAULTY)
@pytest.mark.parametrize("command", ["check", "run"])
async def test_a_refused_configuration_repeats_no_secret(tmp_path, fault, command):
    """Whatever is wrong with how a credential was given, the complaint names its place only."""
    scan = Scan({"CREDENTIAL_HEADER": canary(header=True)})
    (secret,) = scan.planted.values()
    variables, text = FAULTY[fault]
    environment = {name: value.format(secret) for name, value in variables.items()}
    home = Home(tmp_path / "home", {"shop": "http://127.0.0.1:9"}, environment)
    home.journey("looks", 'await run.page.goto("/")')
    with home.config.open("a") as file:
        file.write(text.format(secret))
    told = await home.footfall(command)
    assert told.code == 2, told
    assert told.err
    scan.text("output", told.out)
    scan.text("errors", told.err)
    assert not scan.hits, scan.hits


@pytest.mark.parametrize("way", ["text", "database", "archive", "part"])
def test_the_scan_sees(tmp_path, way):
    """Each spelling of a planted value is found, in a text, a database's file, an archive."""
    value = canary()
    for form in spellings(value):
        scan = Scan({"PLANTED": value})
        if way == "part":
            scan.text("here", f"x{form[20:32]}y")
        elif way == "text":
            scan.text("here", f"before{form}after")
        elif way == "database":
            file = tmp_path / "some.db"
            with closing(sqlite3.connect(file)) as connection, connection:
                connection.execute("CREATE TABLE IF NOT EXISTS t (x)")
                connection.execute("INSERT INTO t VALUES (?)", (form,))
            scan.folder(tmp_path)
            file.unlink()
        else:
            with zipfile.ZipFile(tmp_path / "some.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("entry", form)
            scan.folder(tmp_path)
        assert [hit.partition(" ")[0] for hit in scan.hits] == ["PLANTED"], form
    assert not Scan({"PLANTED": canary()}).hits
