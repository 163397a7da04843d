"""What of ``[gate]`` doesn't go together, or names what isn't there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.core.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.config.settings import Settings


def gate_problems(settings: Settings) -> Iterator[Problem]:
    """Give every such thing, with its place."""
    gate = settings.gate
    named = [
        *((("gate", "github", "deploys", key), site) for key, site in gate.github.deploys.items()),
        *(
            (("gate", "cdevents", "deploys", key), site)
            for key, site in gate.cdevents.deploys.items()
        ),
        *((("gate", "canaries", site), site) for site in gate.canaries),
    ]
    for path, site in named:
        if site not in settings.sites and not settings.left_out("sites", site):
            known = ", ".join(sorted(settings.sites)) or "none"
            message = f"unknown site {site[:80]!a}. Known sites: {known}"
            yield Problem(settings.where(*path), message)
    pairs = (
        ("github", "app", bool(gate.github.app), "key", bool(gate.github.key.get_secret_value())),
        ("hook", "url", bool(gate.hook.url), "secret", bool(gate.hook.secret.get_secret_value())),
    )
    for table, one, has_one, other, has_other in pairs:
        if has_one == has_other or any(settings.left_out("gate", table, k) for k in (one, other)):
            continue
        given, missing = (one, other) if has_one else (other, one)
        message = f"does nothing without gate.{table}.{missing}: give both"
        yield Problem(settings.where("gate", table, given), message)
