from __future__ import annotations

import re


async def test_the_page_weighs_what_it_says(visitor):
    """45 requests: the page, 40 assets that may be cached, and 4 calls that may not."""
    page = await visitor.get("/bench")
    assets = re.findall(r'(?:href|src)="(/bench/asset/[^"]+)"', page.text)
    calls = int(re.search(r"length: (\d+)", page.text)[1])
    assert len(set(assets)) == len(assets) == 40
    assert 1 + len(assets) + calls == 45
    kept = [await visitor.get(path) for path in assets]
    assert {(answer.status, answer.headers["cache-control"]) for answer in kept} == {
        (200, "public, max-age=3600")
    }
    fresh = [page, *[await visitor.get(f"/bench/call/{number}") for number in range(calls)]]
    assert {(answer.status, answer.headers["cache-control"]) for answer in fresh} == {
        (200, "no-store")
    }


async def test_the_second_page_uses_the_same_assets(visitor):
    """Whoever switches the cache off pays for 40 requests again."""
    first, second = await visitor.get("/bench"), await visitor.get("/bench/second")
    assert first.text == second.text
    assert 'href="/bench/second"' in first.text


async def test_an_asset_beyond_the_page_is_missing(visitor):
    """The page's numbers are the only ones."""
    assert (await visitor.get("/bench/asset/24.svg")).status == 404
