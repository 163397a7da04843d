"""WSGI middleware: Flask, Django, Pyramid and whatever else speaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.verify.middleware import KEY, REFUSAL, Policy, Unverified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from agent.verify.claim import Synthetic
    from agent.verify.verifier import Verifier


class SyntheticWsgiMiddleware:
    """As ``SyntheticMiddleware``; an ``authority`` that is called gets the environ."""

    def __init__(
        self,
        app: WSGIApplication,
        verifier: Verifier,
        *,
        unverified: Unverified = "mark",
        divert_to: WSGIApplication | None = None,
        authority: str | Callable[[WSGIEnvironment], str] | None = None,
    ) -> None:
        self._policy = Policy(app, verifier, unverified, divert_to, authority, _host)
        self._wanted = [
            (f"HTTP_{name.upper().replace('-', '_')}", name) for name in verifier.wanted
        ]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        synthetic = self._look(environ)
        environ[KEY] = synthetic
        answers = self._policy.answers(synthetic)
        return answers(environ, start_response) if answers is not None else _refuse(start_response)

    def _look(self, environ: WSGIEnvironment) -> Synthetic | None:
        headers = {name: environ[key] for key, name in self._wanted if key in environ}
        return self._policy.look(headers, environ) if headers else None


def _host(environ: WSGIEnvironment) -> str:
    return str(environ.get("HTTP_HOST", ""))


def _refuse(start_response: StartResponse) -> Iterable[bytes]:
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(REFUSAL))),
    ]
    start_response("403 Forbidden", headers)
    return [REFUSAL]
