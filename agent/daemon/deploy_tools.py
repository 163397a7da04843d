"""Deploy tools: those that ask for verdicts, and those who are told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.core import proxies
from agent.gates.telling.github_app import GitHubApp
from agent.gates.telling.poster import Poster
from agent.gates.telling.protection_rules import ProtectionRules
from agent.gates.telling.tellings import Tellings
from agent.server.adapters.adapter_routes import adapter_routes
from agent.server.adapters.adapter_settings import AdapterSettings, Canary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.routing import Route

    from agent.config import Settings
    from agent.core.clock import Clock
    from agent.server.deploys import Deploys
    from agent.server.gates import Gates


class DeployTools:
    """Lets deploy tools ask for verdicts, and tells who is to be told of them."""

    def __init__(
        self, settings: Callable[[], Settings], environ: Mapping[str, str], clock: Clock
    ) -> None:
        self._settings = settings
        self._clock = clock
        through, _ = proxies.from_environment(environ)
        self._poster = Poster(through, clock)
        self.tellings = Tellings(settings, self._poster, clock)
        self._rules: ProtectionRules | None = None

    def routes(self, gates: Gates, deploys: Deploys) -> list[Route]:
        """Return the adapters' routes, once."""

        def app() -> GitHubApp | None:
            return github_app(self._settings())

        def settings() -> AdapterSettings:
            return adapter_settings(self._settings())

        self._rules = ProtectionRules(gates, app, self._poster, self._clock)
        return adapter_routes(settings, gates, deploys, self._rules, self._clock)

    async def end(self) -> None:
        """Give who is being told a moment."""
        await self.tellings.end()
        if self._rules is not None:
            await self._rules.end()


def adapter_settings(settings: Settings) -> AdapterSettings:
    """Return the tools' secrets, and which site a deploy is of."""
    gate = settings.gate
    return AdapterSettings(
        argo_rollouts=gate.argo_rollouts.token.get_secret_value(),
        flagger=gate.flagger.token.get_secret_value(),
        github=gate.github.secret.get_secret_value(),
        cdevents=gate.cdevents.token.get_secret_value(),
        github_deploys=gate.github.deploys,
        github_release=gate.github.release,
        cdevents_deploys=gate.cdevents.deploys,
        canaries={
            site: Canary(
                one.url or "",
                {name: value.get_secret_value() for name, value in one.headers.items()},
            )
            for site, one in gate.canaries.items()
        },
    )


def github_app(settings: Settings) -> GitHubApp | None:
    """Return who answers protection rules; None: nobody is named."""
    github = settings.gate.github
    if not github.app:
        return None
    return GitHubApp(github.api, github.app, github.key.get_secret_value())
