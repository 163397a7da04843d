"""Where a running agent is, and asking it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from agent import config
from agent.config.addresses import web_address
from agent.core.errors import AgentUnreachable, ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agent.config import Settings

_CONNECT = 3.0
_TIMEOUT = 15.0
_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what listens there answers here
_KEYS = ("host", "port", "token")
_HEALTH = {"status", "checks"}
_CARRIES = {"/api/v1/journeys": {"at", "location", "journeys"}}
"""What an agent's answer has; of every other path it is health."""


@dataclass(frozen=True, slots=True)
class Agent:
    """A running agent: its address, without a slash at the end, and the token it wants."""

    url: str
    token: str = field(default="", repr=False)

    async def get(self, *paths: str) -> list[dict[str, Any]]:
        """Ask for each of these; return what is answered, also by health that fails.

        Raises:
            AgentUnreachable: nothing answers there, or nothing that is an agent.
            ConfigError: it wants a token that this is not.

        """
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT, connect=_CONNECT)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
                return [await self._ask(session, path) for path in paths]
        except TimeoutError:
            raise self._unreachable("no answer in time") from None
        except aiohttp.ClientConnectorError as error:
            number = error.errno or 0  # of a name that leads nowhere it is below zero
            why = os.strerror(number) if number > 0 else str(error.os_error.strerror or error)
            raise self._unreachable(why) from None
        except aiohttp.ClientError as error:
            raise self._unreachable(str(error) or type(error).__name__) from None

    async def _ask(self, session: aiohttp.ClientSession, path: str) -> dict[str, Any]:
        # Followed to wherever it led, a redirect would take the token along.
        async with session.get(self.url + path, allow_redirects=False) as response:
            try:
                body = await response.json(content_type=None)
            except ValueError:
                body = None
            reason = body.get("error") if isinstance(body, dict) else None
            if response.status == 401:
                raise self._refused()
            if response.status == 403:
                raise ConfigError([Problem(self.url, str(reason or "answers 403"))])
            if response.status == 503 and reason:
                raise AgentUnreachable(f"the agent at {self.url} can't tell now: {reason}")
            wanted = _CARRIES.get(path, _HEALTH)
            failing = response.status == 503 and wanted is _HEALTH
            if (
                not isinstance(body, dict)
                or not wanted <= body.keys()
                or not (response.status == 200 or failing)
            ):
                raise AgentUnreachable(
                    f"what answers at {self.url}{path} ({response.status}) is no agent of this "
                    "version. Say where yours is: --url URL"
                )
            return body

    def _unreachable(self, why: str) -> AgentUnreachable:
        return AgentUnreachable(
            f"no agent answers at {self.url}: {why}. Start it with `footfall run`, or say where "
            "it is: --url URL, or server.host and server.port in the configuration"
        )

    def _refused(self) -> ConfigError:
        what = "token rejected" if self.token else "a token is needed"
        where = "give the agent's server.token in secrets_dir or by FOOTFALL_SERVER__TOKEN"
        return ConfigError([Problem(self.url, f"{what}; {where}")])


def find(path: Path | None, environ: Mapping[str, str], url: str) -> Agent:
    """Find the agent that is meant: at ``url``, else where the configuration has it listen.

    Without a configuration file the variables and defaults stand. Faults of the configuration
    that have nothing to do with the server are nobody's concern here.

    Raises:
        ConfigError: that can't be told.

    """
    settings, problems = config.load_lenient(path, environ, required=False)
    if settings is None or any(settings.left_out("server", key) for key in _KEYS):
        raise ConfigError(problems)
    token = settings.server.token.get_secret_value()
    if not url:
        return Agent(_address(settings), token)
    try:
        return Agent(web_address(url).rstrip("/"), token)
    except ValueError as error:
        raise ConfigError([Problem("--url", str(error))]) from None


def _address(settings: Settings) -> str:
    server = settings.server
    if server.port == 0:
        message = "is 0, so that nobody knows it: give --url URL; the agent's log has the port"
        raise ConfigError([Problem(settings.where("server", "port"), message)])
    host = _HERE.get(server.host, server.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{server.port}"
