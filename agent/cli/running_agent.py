"""Where a running agent is, asking it, and having it do something."""

from __future__ import annotations

import os
import pwd
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from agent import config
from agent.config.addresses import web_address
from agent.core.errors import AgentUnreachable, ConfigError, Problem
from agent.core.origins import bracketed
from agent.server.access import is_loopback
from agent.storage import access_token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from agent.config import Settings

_CONNECT = 3.0
_TIMEOUT = 15.0
_FETCH = 300.0
"""Seconds for a file of evidence."""
_PIECE = 1 << 16
_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what listens there answers here
_KEYS = ("host", "port", "token")
_HEALTH = {"status", "checks"}
_NO_ROUTE = "Not Found"
"""What an agent says of a path that it doesn't know at all."""
_CARRIES = {
    "/api/v1/journeys": {"at", "location", "journeys"},
    "/api/v1/incidents": {"at", "location", "incidents", "more"},
    "/api/v1/runs": {"runs", "links"},
    "/api/v1/gates/": {"id", "address", "verdict", "reasons", "runs"},
    "/api/v1/runs/": {"run_id", "journey", "state"},
}
"""What an agent's answer has, by its path or the folder of it; of every other it is health."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent said to something that it was asked to do."""

    status: int
    body: dict[str, Any]

    @property
    def error(self) -> str:
        """Why it did nothing; empty where it did."""
        return str(self.body.get("error", "")) if self.status >= 400 else ""

    @property
    def problems(self) -> list[Problem]:
        """Everything that is wrong, with its place."""
        listed = self.body.get("problems", ())
        return [Problem(str(one["where"]), str(one["message"])) for one in listed]


@dataclass(frozen=True, slots=True)
class Agent:
    """A running agent: its address, without a slash at the end, and the token it wants."""

    url: str
    token: str = field(default="", repr=False)
    why_none: str = field(default="", compare=False)
    """Why there is no token, where it lies in the state folder."""
    configured: bool = field(default=True, compare=False)
    """Whether the token is ``server.token``: then reading takes it too."""

    async def get(self, *paths: str) -> list[dict[str, Any]]:
        """Ask for each of these; return what is answered, also by health that fails.

        Raises:
            AgentUnreachable: nothing answers there, or nothing that is an agent.
            ConfigError: it wants a token that this is not, or has nothing by that name.

        """
        found = []
        async with self._session(_TIMEOUT) as session:
            for path in paths:
                answer = await self._ask(session, "GET", path)
                wanted = _carries(path)
                failing = answer.status == 503 and wanted is _HEALTH
                if answer.status in {400, 404} and answer.error not in {"", _NO_ROUTE}:
                    raise ConfigError([Problem(self.url, answer.error)])
                if not wanted <= answer.body.keys() or not (answer.status == 200 or failing):
                    raise self._stranger(path, answer.status)
                found.append(answer.body)
        return found

    async def post(self, path: str, body: Mapping[str, Any], within: float = _TIMEOUT) -> Answer:
        """Have it do something; return what it said, also where it refused.

        Args:
            path: the route.
            body: what the route takes.
            within: seconds for the answer.

        Raises:
            AgentUnreachable: nothing answers there, or nothing that is an agent.
            ConfigError: it wants a token that this is not.

        """
        async with self._session(within) as session:
            answer = await self._ask(session, "POST", path, body)
        if answer.status >= 400 and answer.error in {"", _NO_ROUTE}:
            raise self._stranger(path, answer.status)
        return answer

    async def fetch(self, path: str, file: Path) -> bool:
        """Write a file that the agent keeps; return whether it still does.

        Raises:
            AgentUnreachable: nothing answers there, or nothing that is an agent.
            ConfigError: it wants a token that this is not.

        """
        async with (
            self._session(_FETCH) as session,
            session.get(self.url + path, allow_redirects=False) as response,
        ):
            if response.status == 401:
                raise self._refused()
            if response.status == 404:
                return False
            if response.status != 200:
                raise self._stranger(path, response.status)
            with file.open("wb") as written:
                async for piece in response.content.iter_chunked(_PIECE):
                    written.write(piece)
        return True

    @asynccontextmanager
    async def _session(self, within: float) -> AsyncIterator[aiohttp.ClientSession]:
        timeout = aiohttp.ClientTimeout(total=within, connect=_CONNECT)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
                yield session
        except TimeoutError:
            raise self._unreachable("no answer in time") from None
        except aiohttp.ClientConnectorError as error:
            number = error.errno or 0  # of a name that leads nowhere it is below zero
            why = os.strerror(number) if number > 0 else str(error.os_error.strerror or error)
            raise self._unreachable(why) from None
        except aiohttp.ClientError as error:
            raise self._unreachable(str(error) or type(error).__name__) from None

    async def _ask(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        # Followed to wherever it led, a redirect would take the token along.
        asking = session.request(method, self.url + path, json=body, allow_redirects=False)
        async with asking as response:
            try:
                said = await response.json(content_type=None)
            except ValueError:
                said = None
            if not isinstance(said, dict):
                raise self._stranger(path, response.status)
            answer = Answer(response.status, said)
            if answer.status == 401:
                raise self._refused()
            if answer.status == 403:
                raise ConfigError([Problem(self.url, answer.error or "answers 403")])
            if answer.status == 503 and answer.error:
                raise AgentUnreachable(f"the agent at {self.url} can't tell now: {answer.error}")
            return answer

    def _stranger(self, path: str, status: int) -> AgentUnreachable:
        return AgentUnreachable(
            f"what answers at {self.url}{path} ({status}) is no agent of this version. Say where "
            "yours is: --url URL"
        )

    def _unreachable(self, why: str) -> AgentUnreachable:
        return AgentUnreachable(
            f"no agent answers at {self.url}: {why}. Start it with `footfall run`, or say where "
            "it is: --url URL, or server.host and server.port in the configuration"
        )

    def _refused(self) -> ConfigError:
        what = "token rejected" if self.token else "a token is needed"
        where = "give the agent's server.token in secrets_dir or by FOOTFALL_SERVER__TOKEN"
        why = f" ({self.why_none})" if self.why_none else ""
        return ConfigError([Problem(self.url, f"{what}{why}; {where}")])


def _carries(path: str) -> set[str]:
    plain = path.partition("?")[0]
    above, slash, _ = plain.rpartition("/")
    return _CARRIES.get(plain) or _CARRIES.get(above + slash) or _HEALTH


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
    try:
        address = web_address(url).rstrip("/") if url else _address(settings)
    except ValueError as error:
        raise ConfigError([Problem("--url", str(error))]) from None
    if token := settings.server.token.get_secret_value():
        return Agent(address, token)
    # What lies here opens the agent of this machine, and is nobody else's business.
    elsewhere = url and not is_loopback(urlsplit(address).hostname or "")
    if elsewhere or settings.left_out("state"):
        return Agent(address)
    return Agent(address, *_left_here(settings), configured=False)


def _left_here(settings: Settings) -> tuple[str, str]:
    """Return the token in the state folder, and why there is none."""
    file = settings.state / access_token.FILE
    try:
        token = access_token.read(settings.state)
    except PermissionError:
        return "", f"{file} is {_owner(file)}'s: run this as that user"
    except OSError as error:
        return "", f"{file}: {error.strerror}"
    return token, "" if token else f"there is none in {file}"


def _owner(file: Path) -> str:
    """Name the user whose agent keeps a file, by the first folder that can be looked at."""
    for path in (file, *file.parents):
        try:
            number = path.stat().st_uid
        except OSError:
            continue
        try:
            return f"user {pwd.getpwuid(number).pw_name}"
        except KeyError:
            return f"user {number}"
    return "another user"


def _address(settings: Settings) -> str:
    server = settings.server
    if server.port == 0:
        message = "is 0, so that nobody knows it: give --url URL; the agent's log has the port"
        raise ConfigError([Problem(settings.where("server", "port"), message)])
    return address_of(server.host, server.port)


def address_of(host: str, port: int) -> str:
    """Return where somebody on this machine reaches what listens there."""
    return f"http://{bracketed(_HERE.get(host, host))}:{port}"
