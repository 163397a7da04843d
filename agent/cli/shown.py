"""Text that others wrote, as a terminal shows it: neither obeyed by it nor read as markup."""

from __future__ import annotations

from rich.markup import escape as _escape

from agent.core.printable import printable


def escape(text: str) -> str:
    """Return ``text`` for a console: what steers terminals is spelt out, brackets stay."""
    return _escape(printable(text))
