"""Where the server is listened for, and what opens it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from agent.core.errors import StateError
from agent.daemon.sign_out_keeper import SignOuts
from agent.queue import key_names
from agent.replicas.shared_sign_in import SharedLinks
from agent.server.access import Access
from agent.server.app import Entrance
from agent.server.one_time_links import OneTimeLinks
from agent.server.serving import listen
from agent.server.sessions import Sessions
from agent.storage import access_token

if TYPE_CHECKING:
    import socket
    from contextlib import AsyncExitStack

    from agent.config import Settings
    from agent.core.clock import Clock
    from agent.daemon.replica import Replica
    from agent.server.one_time_links import Links
    from agent.storage.database import Database
    from agent.storage.folder import StateFolder


def public_listening(settings: Settings, stack: AsyncExitStack) -> socket.socket | None:
    """Take the public page's address, if it is to have one."""
    server = settings.server
    if not server.public_port:
        return None
    shown = listening_on(server.public_host, server.public_port, "public_")
    stack.callback(shown.close)
    return shown


def listening_on(host: str, port: int, key: str) -> socket.socket:
    """Take an address of the server's first of all: who can't have it need not start the rest."""
    try:
        return listen(host, port)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise StateError(
            f"can't listen on {host}:{port}: {why}. "
            f"Choose another `server.{key}host` or `server.{key}port`."
        ) from error


def access_of(settings: Settings, folder: StateFolder, port: int) -> Access:
    """Say what opens the server; without a token of the configuration, one in the state folder."""
    server = settings.server
    if configured := server.token.get_secret_value():
        # One from before would have a command on this machine show what nobody takes any more.
        access_token.drop(folder.path)
        return Access(server.host, configured, True, port, server.url)
    return Access(server.host, access_token.keep(folder.path), False, port, server.url)


async def sign_outs_of(database: Database, replica: Replica | None, clock: Clock) -> SignOuts:
    """Take up who has signed out, here and at the other replicas."""
    found = SignOuts(database, clock, None if replica is None else replica.board)
    await found.read()
    return found


def entrance_of(
    access: Access, sign_outs: SignOuts, location: str, replica: Replica | None, clock: Clock
) -> Entrance:
    """Say how people come in with a browser: at all replicas of a location, or at this agent."""
    links: Links = OneTimeLinks(clock.monotonic) if replica is None else SharedLinks(replica.store)
    name = "" if replica is None else key_names.token(location)
    sessions = Sessions(access.token, access.url, access.port, clock.wall, sign_outs, name)
    return Entrance(sessions, links, clock)
