"""Where the replicas' server is, as the configuration says it, with its files read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.core.errors import ConfigError, Problem
from agent.queue.nats.endpoint import Endpoint

if TYPE_CHECKING:
    from agent.config import Settings


def queue_endpoint(settings: Settings) -> Endpoint | None:
    """Return it; None: this agent shares nothing.

    Raises:
        ConfigError: a file of ``[queue]`` is not what it should be.

    """
    queue = settings.queue
    if not queue.url.get_secret_value():
        return None
    try:
        return Endpoint(
            queue.url.get_secret_value(),
            credentials=queue.credentials,
            token=queue.token.get_secret_value(),
            ca=queue.ca,
        )
    except OSError as error:
        why = f"can't read {error.filename}: {error.strerror}"
    except ValueError as error:
        why = str(error)
    raise ConfigError([Problem(settings.where("queue", "url"), why)])
