"""Where an exception was raised: in which line of the author's, and by which Playwright call."""

from __future__ import annotations

import linecache
import sys
import sysconfig
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import playwright

from agent.core.source_line import SourceLine

if TYPE_CHECKING:
    from types import FrameType, TracebackType

_PLAYWRIGHT = str(Path(playwright.__file__).parent)
_API = f"{_PLAYWRIGHT}/async_api/"
_EVENTS = f"{_PLAYWRIGHT}/_impl/_async_base.py"
_WAITERS = (f"{_PLAYWRIGHT}/_impl/waiter.py", f"{_PLAYWRIGHT}/_impl/utils/tasks.py")
_OTHERS = tuple(
    {
        _PLAYWRIGHT,
        str(Path(__file__).parents[2]),
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    }
)
"""Folders of code that is not the author's, wherever his own may lie."""


@dataclass(frozen=True, slots=True)
class AuthorCode:
    """The journeys folder. A file belongs to the innermost of the folders that it lies in.

    So journeys are known below a folder of any name, and a virtual environment or this
    package below the journeys' own folder is not taken for them.
    """

    folder: str

    def covers(self, file: str) -> bool:
        """Whether a file of code, by its absolute path, is the author's."""
        if not _below(file, self.folder):
            return False
        inner = (other for other in _OTHERS if len(other) > len(self.folder))
        return not any(_below(file, other) for other in inner)

    def raised_at(self, error: BaseException) -> SourceLine | None:
        """Return the innermost line of the author's that an exception came through."""
        found = None
        for frame, number in traceback.walk_tb(error.__traceback__):
            if self.covers(frame.f_code.co_filename):
                found = frame.f_code.co_filename, number
        return self.line(*found) if found else None

    def caller(self) -> FrameType | None:
        """Return the innermost of the author's frames that led to this call."""
        frame: FrameType | None = sys._getframe()  # noqa: SLF001 - there is no public word
        while frame is not None and not self.covers(frame.f_code.co_filename):
            frame = frame.f_back
        return frame

    def source(self, file: str) -> str:
        """Return the text of a file of the author's as it was imported; "" of any other."""
        return "".join(linecache.getlines(file)) if self.covers(file) else ""

    def frame_line(self, frame: FrameType) -> SourceLine:
        """Return the line at which a frame of the author's stands."""
        return self.line(frame.f_code.co_filename, frame.f_lineno)

    def line(self, file: str, number: int) -> SourceLine:
        """Return a line of such a file; the file is named as users know it."""
        root = Path(self.folder)
        name = f"{root.name}/{Path(file).relative_to(root).as_posix()}"
        source = linecache.getline(file, number).strip()
        return SourceLine(name, number, source)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of Playwright's API: ``Locator.click`` of ``target``."""

    name: str
    target: object = None

    @property
    def owner(self) -> str:
        """The class whose method it is."""
        return self.name.partition(".")[0]


def call_of(error: BaseException) -> Call | None:
    """Return the call out of which an exception came, None where it came out of none."""
    return _call_in(error.__traceback__)


def call_at(frame: FrameType) -> Call | None:
    """Return the call that a frame belongs to, if it is one of the API's own."""
    if frame.f_code.co_filename == _EVENTS:
        return Call("an expected event")
    if not frame.f_code.co_filename.startswith(_API):
        return None
    return Call(frame.f_code.co_qualname, frame.f_locals.get("self"))


def by_waiter(error: BaseException) -> bool:
    """Whether Playwright's own process raised it for what it heard of a page meanwhile."""
    innermost = ""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        innermost = frame.f_code.co_filename
    return innermost in _WAITERS


def in_playwright(error: BaseException) -> bool:
    """Whether an exception came out of Playwright, and not out of the author's ``raise``."""
    return any(
        frame.f_code.co_filename.startswith(_PLAYWRIGHT)
        for frame, _ in traceback.walk_tb(error.__traceback__)
    )


def first_error(error: BaseException) -> BaseException:
    """Return what was raised first, where tasks that failed together are told as a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def interrupted_call(error: BaseException) -> Call | None:
    """Return the call that an author's own deadline (``asyncio.timeout``) cut off."""
    cause = error.__cause__ or error.__context__
    return call_of(cause) if cause is not None else None


def closed_by_author(target: object) -> bool:
    """Whether what a call was made on lies in a page, or a context, that the journey closed."""
    page = page_of(target)
    context = getattr(page, "_browser_context", page)
    was_closed = getattr(page, "_close_was_called", False)
    return bool(was_closed) or getattr(context, "_closing_status", "none") != "none"


def take_untold(page: object) -> BaseException | None:
    """Take what a listener or a route of the journey's raised and no call has told it since.

    Playwright keeps it for the next call, whosever that is.
    """
    connection = getattr(getattr(page, "_impl_obj", None), "_connection", None)
    error: BaseException | None = getattr(connection, "_error", None)
    if error is not None:
        connection._error = None  # type: ignore[union-attr]  # noqa: SLF001
    return error


def selector_of(target: object) -> tuple[object, str] | None:
    """Return Playwright's own frame, and the selector in it, of a locator or of an expectation."""
    inner = getattr(target, "_impl_obj", None)
    inner = getattr(inner, "_actual_locator", inner)
    frame, selector = getattr(inner, "_frame", None), getattr(inner, "_selector", None)
    return (frame, selector) if frame is not None and isinstance(selector, str) else None


def page_of(target: object) -> object:
    """Return Playwright's own page behind an object of its API; the object's own if it has none."""
    inner = getattr(target, "_impl_obj", None)
    for name in ("_actual_locator", "_actual_page", "_frame", "_page"):
        inner = getattr(inner, name, None) or inner
    return inner


def _call_in(trace: TracebackType | None) -> Call | None:
    for frame, _ in traceback.walk_tb(trace):
        found = call_at(frame)
        if found is not None:
            return found
    return None


def _below(file: str, folder: str) -> bool:
    return file.startswith(folder.rstrip("/") + "/")
