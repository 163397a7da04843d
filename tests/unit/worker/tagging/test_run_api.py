"""Redirects of requests without a browser are followed as a browser follows them."""

from __future__ import annotations

from typing import Any

import pytest

from agent.worker.tagging.run_api import _redirected

BODY = {"data": {"a": 1}}


@pytest.mark.parametrize(
    ("status", "method", "then", "keeps_body"),
    [
        (301, "POST", "GET", False),
        (302, "POST", "GET", False),
        (303, "POST", "GET", False),
        (307, "POST", "POST", True),
        (308, "POST", "POST", True),
        (301, "PUT", "PUT", True),
        (302, "DELETE", "DELETE", True),
        (303, "PUT", "GET", False),
        (303, "HEAD", "HEAD", True),
        (302, "GET", "GET", True),
    ],
)
def test_method_and_body(status: int, method: str, then: str, keeps_body: bool) -> None:
    """301 and 302 turn a POST into a GET, 303 anything but HEAD; the body goes with it."""
    options: dict[str, Any] = {"method": method, **BODY, "params": {"q": 1}, "timeout": 5}
    following = _redirected(options, status, away=False)
    assert following["method"] == then
    assert ("data" in following) is keeps_body
    assert following["timeout"] == 5
    assert options["params"] == {"q": 1}


def test_parameters_belong_to_the_first_address() -> None:
    """The query is not added to the address that the answer names."""
    assert "params" not in _redirected({"method": "GET", "params": {"q": 1}}, 302, away=False)


@pytest.mark.parametrize("body", ["data", "form", "multipart"])
def test_any_kind_of_body(body: str) -> None:
    """Each kind of body is left behind, and the headers that describe it."""
    options = {
        "method": "POST",
        body: {"a": "1"},
        "headers": {"Content-Type": "x/y", "content-length": "3", "X-Mine": "1"},
    }
    following = _redirected(options, 303, away=False)
    assert following == {"method": "GET", "headers": {"X-Mine": "1"}}


@pytest.mark.parametrize("away", [True, False])
def test_credentials_stay(away: bool) -> None:
    """Credentials that an author gave go no further than the origin they were meant for."""
    headers = {"Authorization": "Basic x", "Cookie": "a=1", "Accept": "*/*"}
    following = _redirected({"method": "GET", "headers": headers}, 302, away=away)["headers"]
    assert following == {"Accept": "*/*"} if away else {"Authorization": "Basic x", "Accept": "*/*"}
