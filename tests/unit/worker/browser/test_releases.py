"""What a document's HTML says of its release, whatever a site calls HTML."""

from __future__ import annotations

import pytest

from agent.worker.browser.releases import version_in


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ('<meta name="version" content="1.4.3">', "1.4.3"),
        ("<!doctype html><HTML><Head><META CONTENT=1.4.3 NAME=Version />", "1.4.3"),
        ('<meta name=version content="">\n<meta name="version" content="1.4.3">', "1.4.3"),
        ('<meta name="version" content="1" name="other"><meta name="version" content="2">', "1"),
        ('<meta name="version" content="&lt;b&gt; 1">', "<b> 1"),
        ('<!-- <meta name="version" content="0"> --><meta name="version" content="1">', "1"),
        ("<script>'<meta name=version content=0>'</script><meta name=version content=1>", "1"),
        ('<body><meta name="version" content="1.4.3">', ""),
        ('<meta property="version" content="1"><meta name="version">', ""),
        ("<p>" * 300 + '<meta name="version" content="late">', "late"),
        ("", ""),
        ("<" * 300_000, ""),
        ("<!--" * 60_000, ""),
        ("<meta " * 50_000, ""),
        ("<![CDATA[" * 20_000, ""),
        ("<![foo bar]><meta name=version content=1>", None),
    ],
)
@pytest.mark.timeout(10)
def test_versions(html: str, said: str | None) -> None:
    """The first ``<meta>`` of the name that says something, before the body; and soon, whatever
    there is. None: whichever of both, but no error."""
    found = version_in(html, "version")
    assert found in ({said} if said is not None else {"", "1"})
