"""Whatever stands in a document is text on its page: no markup, no script, no style, no link."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from types import NoneType
from typing import Any, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from agent.core.difference import ChangeDocument
from agent.server.documents.incident_pages import IncidentsDocument
from agent.server.documents.journey_page import JourneyDocument
from agent.server.documents.overview import OverviewDocument
from agent.server.documents.run_page import RunDocument
from agent.server.views import showing
from agent.server.views.assets import Assets
from agent.server.views.rendering import Rendering
from tests.gallery import scenes
from tests.support.overviews import KINDS as DOCUMENTS

RENDERING = Rendering(Assets())
MAY = {"signed_in": True, "place": "/", "environment": "production"}
"""What whoever looks on may do, and where."""
PAGES = {
    "overview.html": (showing.overview, scenes.SCENES[1].overview),
    "journey.html": (showing.journey, scenes.journey(scenes.failing(), ("pass", "fail"))),
    "run.html": (showing.run, scenes.run()),
    "incidents.html": (
        showing.incidents,
        scenes.incidents(scenes.incident(), scenes.closed(), more=True),
    ),
}
PAYLOADS = (
    '"><script>alert(1)</script><img src=x onerror=alert(1)>',
    "javascript:alert(1)//'\"><svg onload=alert(1)>",
    "</title></style></template><base href=//evil.example><style>*{display:none}</style>",
    "data:text/html,<script>alert(1)</script>",
)
MEANT = {
    # Words that the agent itself chooses, moments, and addresses on its own server.
    *("at", "result", "state", "status", "bar", "kind", "cause", "mode", "ended_by", "party"),
    *("scheduled_at", "started_at", "asked_at", "next_at", "failing_since", "last_success_at"),
    *("since", "until", "skipped_since", "last_at", "began_at", "opened_at", "ended_at", "ends_at"),
    *("seen_at", "verdict"),
    *("last_failed_at", "hours", "days", "screenshot", "trace", "links", "history"),
}
"""Keys whose values aren't anybody's text."""


class Seen(HTMLParser):
    """Notes what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.elements.append((tag, dict(attrs)))


def seen(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Seen()
    parser.feed(html)
    return parser.elements


def poisoned(document: Any, payload: str) -> Any:
    """The document with the payload in every text that isn't the agent's own word."""
    if isinstance(document, dict):
        return {
            key: value if key in MEANT else poisoned(value, payload)
            for key, value in document.items()
        }
    if isinstance(document, list):
        return [poisoned(value, payload) for value in document]
    return payload if isinstance(document, str) else document


def html_of(template: str, document: Any) -> str:
    show, _ = PAGES[template]
    return bytes(RENDERING.page(template, {**show(document), **MAY}).body).decode()


def test_every_scene_has_its_page() -> None:
    """Each state that a document can have is drawn: nothing that a template asks for is missing."""
    for scene in scenes.SCENES:
        if scene.path == "/":
            assert html_of("overview.html", scene.overview)
        for found in scene.journeys.values():
            assert html_of("journey.html", found)
        for found in scene.runs.values():
            assert html_of("run.html", found)


KINDS = {
    "overview.html": OverviewDocument,
    "journey.html": JourneyDocument,
    "run.html": RunDocument,
    "incidents.html": IncidentsDocument,
}
NAMES = {**DOCUMENTS, "ChangeDocument": ChangeDocument, "Mapping": Mapping}


def bare(document: Any, kind: Any) -> Any:
    """The document with None wherever its kind allows that, to the innermost."""
    if get_origin(kind) is NotRequired:
        (kind,) = get_args(kind)
    if NoneType in get_args(kind):
        return None
    if get_origin(kind) is list and isinstance(document, list):
        return [bare(one, get_args(kind)[0]) for one in document]
    if not is_typeddict(kind):
        return document
    hints = get_type_hints(kind, localns=NAMES, include_extras=True)
    return {key: bare(value, hints[key]) for key, value in document.items()}


def test_what_is_not_known_is_left_out() -> None:
    """Each field that a document may have empty is empty: its page is there, and says no None."""
    for scene in scenes.SCENES:
        shown = [("overview.html", scene.overview)]
        shown += [("journey.html", one) for one in scene.journeys.values()]
        shown += [("run.html", one) for one in scene.runs.values()]
        shown.append(("incidents.html", scenes.incidents(*scene.incidents)))
        for template, document in shown:
            html = html_of(template, bare(document, KINDS[template]))
            assert not re.search(r"[> ]None\b(?! is)", html), (scene.name, template)


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("template", PAGES)
def test_no_text_becomes_markup(template, payload) -> None:
    """With a payload in every field: the same elements as without, but links left out; none with
    a handler or a style, and none that leads to or loads from another host, or a scheme of its
    own."""
    document = copy.deepcopy(PAGES[template][1])
    tags = {tag for tag, _ in seen(html_of(template, document))}
    html = html_of(template, poisoned(document, payload))
    elements = seen(html)
    assert {tag for tag, _ in elements} <= tags
    for tag, attributes in elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action", "formaction", "xlink:href"):
            if value := attributes.get(name):
                assert value.startswith(("/", "#")), (tag, value)
                assert not value.startswith("//"), (tag, value)
    assert len([tag for tag, _ in elements if tag == "script"]) == 1
    assert payload[:12] in html.replace("&#34;", '"').replace("&lt;", "<").replace("&gt;", ">")


@pytest.mark.parametrize(
    "scheme", ["javascript:", "data:text/html,", "file:///", "HTTP:", "//evil/"]
)
def test_only_the_web_is_a_link(scheme) -> None:
    """A runbook or a trace that leads to anything but http and https is text."""
    address = f"{scheme}alert(1)"
    told = scenes.overview(scenes.failing(runbook=address))
    assert address in html_of("overview.html", told)
    run = scenes.run(trace_link=address)
    for html in (html_of("overview.html", told), html_of("run.html", run)):
        assert not [True for _, attributes in seen(html) if attributes.get("href") == address]


def test_the_runbook_of_the_author_is_a_link() -> None:
    """Who is paged is led to it, and tells it nothing of where from."""
    html = html_of("overview.html", scenes.overview(scenes.failing()))
    (link,) = [
        attributes
        for tag, attributes in seen(html)
        if tag == "a" and (attributes["href"] or "").startswith("http")
    ]
    assert link == {"href": "https://runbooks.example.com/checkout", "rel": "noreferrer"}


def test_each_id_is_there_once_and_each_fragment_has_one() -> None:
    """What is swapped is found by its id; a name that a journey bears takes none of them away."""
    for template, (_, document) in PAGES.items():
        elements = [attributes for _, attributes in seen(html_of(template, document))]
        ids = [attributes["id"] for attributes in elements if "id" in attributes]
        assert len(ids) == len(set(ids)), template
        fragments = [attributes for attributes in elements if "data-fragment" in attributes]
        assert len(fragments) >= 3
        assert all(attributes["id"] for attributes in fragments)
    html = html_of("overview.html", scenes.overview(scenes.failing("headline")))
    ids = [attributes["id"] for _, attributes in seen(html) if "id" in attributes]
    assert ids.count("headline") == 1


def test_uptime_never_stands_alone() -> None:
    """Each figure has beside it how much of it was measured; little is greyed."""
    document = scenes.overview(scenes.standing("a"), scenes.unmeasured("b"), scenes.slow("c"))
    html = html_of("overview.html", document)
    assert html.count("uptime__figure") == html.count("uptime__measured") > 0
    thin = scenes.overview(scenes.slow("c") | {"uptime": scenes.uptimes(99.0, 89.9)})
    assert 'class="uptime is-thin"' in html_of("overview.html", thin)
    assert 'class="uptime is-thin"' not in html_of("overview.html", scenes.overview(scenes.slow()))
