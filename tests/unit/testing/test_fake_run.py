"""What a journey's author tests helpers with."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agent.testing import Asked, FakeAnswer, FakeApi, FakeRun


async def test_steps_are_remembered_with_the_one_that_failed():
    """Steps in order, nested ones under theirs; the innermost that failed is named, and fails."""
    run = FakeRun()
    async with run.step("Open"):
        pass
    assert run.failed_step is None
    with pytest.raises(AssertionError, match="no total"):
        async with run.step("Pay"), run.step("Read the total"):
            raise AssertionError("no total")
    assert run.steps == ["Open", "Pay", "Pay › Read the total"]
    assert run.failed_step == "Pay › Read the total"


async def test_an_optional_step_is_passed_over():
    """What a site fails on in it is kept aside, as a worker does; a mistake is raised."""
    run = FakeRun()
    async with run.step("Rate it", optional=True):
        raise AssertionError("no stars")
    assert (run.passed_over, run.failed_step) == (["Rate it"], None)
    with pytest.raises(KeyError):
        async with run.step("Rate it", optional=True):
            raise KeyError("stars")
    assert run.failed_step == "Rate it"


def test_what_is_asked_of_the_agent_is_answered_and_kept():
    """Parameters, secrets, masks, statuses and records, each as a real run takes them."""
    run = FakeRun(params={"product": "Mug"}, secrets={"PW": "s3cret"}, run_id="r-1")
    assert (run.params["product"], run.secret("PW"), run.run_id) == ("Mug", "s3cret", "r-1")
    run.mask("a locator")
    run.allow_status(404, 410)
    run.log.info("ordered", order="n-1")
    run.log.debug("aside")
    assert (run.masked, run.allowed_statuses) == (["a locator"], {404, 410})
    assert run.logged == [
        {"event": "ordered", "order": "n-1", "level": "info"},
        {"event": "aside", "level": "debug"},
    ]


async def test_another_context_is_the_tests_own():
    """A second customer is the context that the test gave, and the options are kept."""
    run = FakeRun(context="a context")
    async with run.new_context(locale="de-DE") as second:
        assert second == "a context"
    assert run.new_contexts == [{"locale": "de-DE"}]


def test_what_was_not_given_is_named():
    """A secret is missing as it is in production; a page or an API says what to give."""
    run = FakeRun()
    with pytest.raises(LookupError, match=r'FakeRun\(secrets={"PW"'):
        run.secret("PW")
    for part in ("page", "context", "api"):
        with pytest.raises(TypeError, match=rf"run\.{part}\.close was used.*FakeRun\({part}="):
            getattr(run, part).close()
    with pytest.raises(TypeError):
        run.params["new"] = 1


async def test_an_api_answers_as_playwright_does():
    """Relative addresses are the site's; the answer is read like an ``APIResponse``."""

    def shop(asked: Asked) -> FakeAnswer:
        if asked.method == "POST":
            return FakeAnswer(503, text="closed", headers={"retry-after": "5"})
        return FakeAnswer(data={"stock": 3})

    api = FakeApi(shop, "https://shop.test")
    run = FakeRun(api=api)
    found = await run.api.get("/api/stock/mug", params={"depot": 1})
    assert (found.ok, found.status, found.status_text) == (True, 200, "OK")
    assert (await found.json(), await found.text()) == ({"stock": 3}, '{"stock": 3}')
    assert found.url == "https://shop.test/api/stock/mug"
    refused = await run.api.post("/api/cart", data={"slug": "mug"})
    assert (refused.ok, await refused.body(), refused.headers) == (
        False,
        b"closed",
        {"retry-after": "5"},
    )
    await run.api.fetch("https://other.test/", method="put")
    assert [(one.method, one.url) for one in api.asked] == [
        ("GET", "https://shop.test/api/stock/mug"),
        ("POST", "https://shop.test/api/cart"),
        ("PUT", "https://other.test/"),
    ]
    assert api.asked[0].options == {"params": {"depot": 1}}


def test_the_answers_have_what_playwrights_have():
    """Nothing that the fake offers is unknown to Playwright."""
    from playwright.async_api import APIRequestContext, APIResponse

    def public(names):
        return {name for name in names if not name.startswith("_")}

    assert public(vars(FakeAnswer())) | public(vars(FakeAnswer)) <= public(dir(APIResponse))
    assert public(vars(FakeApi)) <= public(dir(APIRequestContext))


def test_no_browser_is_needed():
    """Importing and using it imports no Playwright."""
    code = (
        "import sys; from agent.testing import FakeRun; FakeRun().log.info('x'); "
        "sys.exit('playwright' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=50).returncode == 0


def test_site_and_files(tmp_path):
    """As they are given; without, what is used is named."""
    run = FakeRun(site_url="http://shop.test", files=tmp_path)
    assert (run.site.url, run.file("photo.png")) == ("http://shop.test", tmp_path / "photo.png")
    with pytest.raises(TypeError, match=r"FakeRun\(site_url=…\)"):
        FakeRun().site.url  # noqa: B018
    with pytest.raises(TypeError, match=r"FakeRun\(files=…\)"):
        FakeRun().file("photo.png")
