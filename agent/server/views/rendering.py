"""Templates, read once at the start: no page waits for a disk, and none shows what is markup."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER: Final = Path(__file__).parent / "templates"


class Rendering:
    """Turns templates into answers. Whatever is shown in them is text, never markup."""

    def __init__(self) -> None:
        self.environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        for name in self.environment.list_templates():
            self.environment.get_template(name)

    def page(
        self,
        template: str,
        values: Mapping[str, object],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """Render a template as an answer."""
        html = self.environment.get_template(template).render(values)
        return HTMLResponse(html, status, headers)
