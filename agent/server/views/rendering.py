"""Templates, read once at the start: no page waits for a disk, and none shows what is markup."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from agent.core.standing import State, roughly, shown_run, state_of
from agent.server.views import bars, moments, strips, vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.server.views.assets import Assets

_FOLDER: Final = Path(__file__).parent / "templates"


class Rendering:
    """Turns templates into answers. Whatever is shown in them is text, never markup."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            asset=assets.address,
            draw=bars.draw,
            told=strips.told,
            bar_of=strips.of_state,
            strip_of=strips.of_words,
            bar_words=vocabulary.BARS,
            agent_shown=vocabulary.AGENT,
            moment_words=vocabulary.MOMENT,
            verdict_words=vocabulary.VERDICT,
            result_words=vocabulary.RESULT,
            shown_of=lambda journey: vocabulary.JOURNEY[state_of(journey)],
            shown_run=shown_run,
            suspension_words={
                "pause": vocabulary.JOURNEY[State.PAUSED],
                "maintenance": vocabulary.JOURNEY[State.MAINTENANCE],
            },
        )
        self._environment.filters.update(
            when=moments.when,
            clock=moments.clock,
            day=moments.day,
            seconds=moments.seconds,
            about=roughly,
            path_of=_path_of,
            is_web=_is_web,
            first_line=lambda text: text.partition("\n")[0],
            rest_lines=lambda text: text.partition("\n")[2],
            of_days=lambda uptime, days: next(one for one in uptime if one["days"] == days),
            run_page=lambda run: f"/runs/{quote(run, safe='')}",
            journey_page=lambda name: f"/journeys/{quote(name, safe='')}",
        )
        for name in self._environment.list_templates():
            self._environment.get_template(name)

    def page(
        self,
        template: str,
        values: Mapping[str, object],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """Render a template as an answer."""
        html = self._environment.get_template(template).render(values)
        return HTMLResponse(html, status, headers)


def _is_web(address: str | None) -> bool:
    """Whether there is an address that may be a link: one of the web, and no script or file."""
    return address is not None and address.startswith(("http://", "https://"))


def _path_of(address: str) -> str:
    """Return what of an address tells requests to one site apart."""
    parts = urlsplit(address)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
