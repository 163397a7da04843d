"""What a failure says of itself: its cause in the first line, and nothing that a site issued."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.async_api import Error

from agent.core.bare_url import bare_url

if TYPE_CHECKING:
    from collections.abc import Iterator

# A failed `expect` ends with the page's content, form fields and all, masked or not.
_PAGE_CONTENT = "\n\nAria snapshot:"
# How Playwright's API client lists the headers of a request that failed.
_HEADER = re.compile(r"^\s+- (?!→|←|\d|[Ee]xpect |waiting |locator |unexpected )[\w-]+: ")
_ADDRESS = re.compile(r"https?://[^\s\"'<>)\]]+")
_LOG = re.compile(r"^(Call log:|=+ logs =+)", re.MULTILINE)
_ASKED = re.compile(r"^ *-? *→ ([A-Z]+ \S+)", re.MULTILINE)
_WAITED_FOR = re.compile(r"^ *- (waiting for .+)$", re.MULTILINE)
_REASON = re.compile(
    r"^ *- (.+ intercepts pointer events|element is not \w+|element is outside of the viewport"
    r"|did not find some options|element was detached.*)$",
    re.MULTILINE,
)
"""What an action was held up by, in Playwright's log of it."""
_TOO_MANY = re.compile(r"Error: strict mode violation: (.+) resolved to (\d+) elements:")
_FOUND = "locator resolved to"
_EXPECTED = re.compile(r"^(?:Locator|Page \w+|Response \w+) .*expected ")
_LONGEST_NAME = 200


def text_of(error: BaseException) -> str:
    """Return what an exception says; an author's own class may fail to say anything."""
    try:
        return str(error)
    except BaseException as failed:  # noqa: BLE001 - it is the author's code that runs here
        return f"its text can't be had: {type(failed).__name__} was raised"


def cause_first(text: str) -> str:
    """Return an exception's text with its cause in the first line, before Playwright's log."""
    text = "\n".join(_bare(text.partition(_PAGE_CONTENT)[0].strip()))
    found = _LOG.search(text)
    head, log = (text[: found.start()], text[found.start() :]) if found else (text, "")
    head = head.strip()
    if _EXPECTED.match(head):
        head = _expectation(head, log)
    elif log:
        head = _action(head, log)
    return f"{head}\n{log}".strip()


def found_nothing(message: str) -> bool:
    """Whether an action or an expectation found no element, by what its error says."""
    if "element(s) not found" in message:
        return True
    return "Timeout" in message and bool(_WAITED_FOR.search(message)) and _FOUND not in message


def of_download(download: object, text: str) -> str:
    """Say which file did not arrive."""
    name = str(getattr(download, "suggested_filename", ""))[:_LONGEST_NAME]
    url = bare_url(str(getattr(download, "url", "")))
    return f"the download {name!r} broke off: {cause_first(text).partition(': ')[2]} ({url})"


def of_answer(response: object, text: str) -> str:
    """Say which answer could not be read as what it was taken for."""
    try:
        url = bare_url(str(getattr(response, "url", "")))
        status = getattr(response, "status", "")
        kind = getattr(response, "headers", {}).get("content-type", "without a content type")
    except Error:
        return text
    return f"{url} answered {status} {kind[:_LONGEST_NAME]}, which can't be read as asked: {text}"


def _bare(text: str) -> Iterator[str]:
    """Leave out what a site may have issued: request headers, telling parts of addresses."""
    for line in text.splitlines():
        if not _HEADER.match(line):
            yield _ADDRESS.sub(lambda found: bare_url(found[0]), line)


def _expectation(head: str, log: str) -> str:
    """Put the expected and the seen on one line, and what it was expected of."""
    waited = _WAITED_FOR.search(log)
    line = "; ".join(part.strip().removeprefix("Error: ") for part in head.splitlines())
    if line.startswith("Locator ") and waited:
        line = f"{waited[1].removeprefix('waiting for ')} {line.removeprefix('Locator ')}"
    return line


def _action(head: str, log: str) -> str:
    """Put what held an action up, or what was asked, before what came of it."""
    first, _, rest = head.partition("\n")
    call, _, outcome = first.partition(": ")
    if several := _TOO_MANY.match(outcome):
        first = f"{several[1]} found {several[2]} elements, and {call} takes one"
    asked = _ASKED.search(log)
    reasons = _REASON.findall(log)
    waited = _WAITED_FOR.findall(log)
    if asked:
        first = f"{first} at {asked[1]}"
    elif reasons and "Timeout" in outcome:
        first = f"{call}: {reasons[-1]}: {outcome}"
    elif waited and _FOUND not in log and "Timeout" in outcome:
        first = f"{call}: {waited[-1]}: {outcome}"
    return f"{first}\n{rest}".strip()
