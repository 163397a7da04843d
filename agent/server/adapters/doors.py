"""Who a tool's requests are let in by: its secret, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import math
from typing import TYPE_CHECKING, Final

import structlog
from starlette.exceptions import HTTPException

from agent.server.tries import Tries

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

_log = structlog.get_logger("footfall.server")

_BEARER: Final = {"WWW-Authenticate": "Bearer"}
_SIGNED: Final = "sha256="


class Doors:
    """Lets a tool in that shows its secret, or signs with it.

    Who is wrong too often from one address is told to wait. Who is right never is: behind a proxy
    all come from one address, and a stranger must not keep a deploy's verdict from it.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._tries = Tries(monotonic)

    def bearer(self, request: Request, key: str, secret: str) -> None:
        """Let in who shows the secret as ``Authorization: Bearer …``.

        ``key`` is that of the configuration, and told to whoever isn't let in.

        Raises:
            HTTPException: 404 none is configured, 401 it isn't shown, 429 too often.

        """
        shown = request.headers.getlist("authorization")
        scheme, _, token = (shown[0] if len(shown) == 1 else "").partition(" ")
        right = scheme.lower() == "bearer" and same(token.strip(), secret)
        self._judge(request, key, secret, right, f"send {key} as `Authorization: Bearer …`")

    def said(self, request: Request, key: str, secret: str, token: str, where: str) -> None:
        """Let in who says the secret ``where`` in the body.

        Raises:
            HTTPException: as ``bearer``.

        """
        self._judge(request, key, secret, same(token, secret), f"send {key} as {where}")

    def signed(self, request: Request, key: str, secret: str, body: bytes) -> None:
        """Let in who signed the body, as it was sent, with the secret.

        Raises:
            HTTPException: as ``bearer``.

        """
        shown = request.headers.getlist("x-hub-signature-256")
        signature = shown[0] if len(shown) == 1 else ""
        right = same(signature, _SIGNED + hmac.digest(secret.encode(), body, "sha256").hex())
        what = f"sign the body with {key}, as X-Hub-Signature-256 has it"
        self._judge(request, key, secret, right, what)

    def _judge(self, request: Request, key: str, secret: str, right: bool, what: str) -> None:
        if not secret:
            raise HTTPException(404, f"this is not set up: set {key}, then reload the agent")
        if right:
            return
        address = request.client.host if request.client else ""
        if wait := math.ceil(self._tries.wait(address)):
            retry = {"Retry-After": str(wait)}
            raise HTTPException(
                429, f"too many wrong secrets from this address: wait {wait} s", retry
            )
        self._tries.wrong(address)
        _log.warning("adapter.refused", action="gate", path=request.url.path, address=address)
        raise HTTPException(401, f"the secret is missing or wrong: {what}", _BEARER)


def same(shown: str, secret: str) -> bool:
    """Whether two texts are the same; the time that takes tells nothing of either."""
    # Of one length, so that not even that is told.
    one, other = (
        hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in (shown, secret)
    )
    return hmac.compare_digest(one, other)
