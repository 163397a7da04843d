"""ASGI middleware: Starlette, FastAPI, Django, Quart, Litestar and whatever else speaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.verify.middleware import KEY, REFUSAL, Policy, Unverified

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from agent.verify.claim import Synthetic
    from agent.verify.verifier import Verifier

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]


class SyntheticMiddleware:
    """Puts a ``Synthetic``, or None, on each request, and marks the span of verified ones.

    ``unverified`` says what becomes of a claim that isn't verified: ``mark`` hands it on, as
    not verified; ``refuse`` answers 403; ``divert`` hands it to the application ``divert_to``.
    WebSocket handshakes carry no signature, so they are only ever marked.

    ``authority`` is the site's name as visitors know it, or what returns it for a scope. By
    default it is the ``Host`` header. Give it where a proxy changes that header, and where
    the application answers to names of others: a signature for those could be used here.
    Install it inside the OpenTelemetry middleware, whose span it marks.

    Raises:
        ValueError: the options don't fit together.

    """

    def __init__(
        self,
        app: App,
        verifier: Verifier,
        *,
        unverified: Unverified = "mark",
        divert_to: App | None = None,
        authority: str | Callable[[Scope], str] | None = None,
    ) -> None:
        self._app = app
        self._policy = Policy(app, verifier, unverified, divert_to, authority, _host)
        self._wanted = frozenset(name.encode() for name in verifier.wanted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        synthetic = self._look(scope)
        scope = {**scope, KEY: synthetic}
        if isinstance(scope.get("state"), dict):
            scope["state"]["synthetic"] = synthetic
        answers = self._app if scope["type"] == "websocket" else self._policy.answers(synthetic)
        await (answers(scope, receive, send) if answers is not None else _refuse(send))

    def _look(self, scope: Scope) -> Synthetic | None:
        wanted = self._wanted
        # The specification has the names in lower case.
        found = [pair for pair in scope["headers"] if pair[0] in wanted]
        if not found:
            return None
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in found]
        return self._policy.look(headers, scope)


def _host(scope: Scope) -> str:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return str(hosts[0].decode("latin-1")) if len(hosts) == 1 else ""


async def _refuse(send: Send) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(REFUSAL)).encode()),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": REFUSAL})
