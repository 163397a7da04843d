"""Pages over HTTP: the same documents as in the API, in HTML."""

from __future__ import annotations

import pytest

from agent.core.errors import StateError
from tests.support.api import PERSON


async def page(served, path: str, **headers: str) -> tuple[int, str, str]:
    async with served.session.get(path, headers=PERSON | headers) as response:
        return response.status, response.content_type, await response.text()


async def test_each_page_is_there(served) -> None:
    """With a history of passes and a fail: what failed is named, and each page leads to others."""
    served.ran("buy", "pass", 120)
    run = served.ran("buy", "fail", 10)
    for path, shown in (
        ("/", "1 of 2 journeys fails"),
        ("/journeys/buy", "POST /checkout answered 500"),
        (f"/runs/{run['run_id']}", "await pay(page)"),
        ("/incidents", "No incident is open"),
    ):
        status, kind, text = await page(served, path)
        assert (status, kind) == (200, "text/html"), path
        assert shown in text, path
        assert "<title" in text
    _, _, text = await page(served, "/")
    assert f'href="/runs/{run["run_id"]}"' in text
    assert 'href="/journeys/search"' in text


async def test_a_picture_of_it_all(served) -> None:
    """The icon and the title say how things stand, before anybody reads."""
    assert "icon-ring.svg" in (await page(served, "/"))[2]
    served.ran("buy", "pass")
    assert "icon-tick.svg" in (await page(served, "/"))[2]
    served.ran("buy", "fail", 5)
    _, _, text = await page(served, "/")
    assert "icon-cross.svg" in text
    assert "1 failing · Footfall</title>" in text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/journeys/nobody", 404),
        ("/journeys/", 404),
        ("/runs/0123456789", 404),
        ("/runs/", 404),
        ("/gates/0123456789", 404),
        ("/gates/", 404),
        ("/incidents/7", 404),
        ("/incidents/99999999999999999999", 404),
        ("/incidents?before=x", 400),
        ("/incidents?before=-1", 400),
        ("/incidents?before=99999999999999999999", 400),
        ("/nothing/here", 404),
        ("/static/nothing.css", 404),
        ("/static/..%2ftokens.css", 404),
    ],
)
async def test_what_is_not_there_is_told_in_the_askers_own_way(served, path, status) -> None:
    """To a browser on a page, to a program in JSON."""
    told, kind, text = await page(served, path)
    assert (told, kind) == (status, "text/html")
    assert "<h1>" in text
    async with served.session.get(path) as response:
        assert response.status == status
        assert "error" in await response.json()


async def test_an_address_is_told_back_as_text(served) -> None:
    """What somebody asked for stands on the page, and does nothing there."""
    _, _, text = await page(served, "/journeys/%3Cscript%3Ealert(1)%3C/script%3E")
    assert "&lt;script&gt;" in text
    assert "<script>" not in text


async def test_the_api_never_answers_with_a_page(served) -> None:
    """A person who opens its address sees JSON, also where there is nothing."""
    status, kind, _ = await page(served, "/api/v1/runs/0123456789")
    assert (status, kind) == (404, "application/json")


async def test_a_history_that_cannot_be_read_is_told(served, monkeypatch) -> None:
    """A page that has nothing to show is no empty page."""

    async def away(*_args):
        raise StateError("the database is damaged")

    monkeypatch.setattr("agent.storage.reader.Reader.read", away)
    for path in ("/", "/journeys/buy", "/runs/0123456789", "/incidents", "/incidents/1"):
        status, kind, text = await page(served, path)
        assert (status, kind) == (503, "text/html"), path
        assert "the database is damaged" in text


async def test_what_pages_are_drawn_with_is_kept_by_browsers(served) -> None:
    """Each file has its kind, and an address that changes with it; so it is asked for once."""
    _, _, text = await page(served, "/")
    sheets = [part.partition('"')[0] for part in text.split('href="/static/')[1:]]
    assert len(sheets) > 5
    for sheet in sheets:
        async with served.session.get(f"/static/{sheet}") as response:
            assert response.status == 200
            assert "immutable" in response.headers["cache-control"]
            expected = "image/svg+xml" if ".svg" in sheet else "text/css"
            assert response.content_type == expected
            assert response.headers["x-content-type-options"] == "nosniff"
        assert "?v=" in sheet


async def test_no_page_changes_anything(served) -> None:
    """A page answers GET and HEAD, nothing else."""
    for path in ("/", "/incidents", "/journeys/buy", "/incidents/1"):
        async with served.session.head(path, headers=PERSON) as response:
            assert response.status in {200, 404}
    assert served.control.verbs == []
