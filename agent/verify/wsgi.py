"""WSGI middleware: Flask, Django, Pyramid and whatever else speaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.verify.policy import KEY, REFUSAL, Unverified, check_policy, span_marker

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
        check_policy(unverified, diverted=divert_to is not None)
        self._app = app
        self._verifier = verifier
        self._unverified = unverified
        self._divert_to = divert_to
        self._authority = authority
        self._wanted = [
            (f"HTTP_{name.upper().replace('-', '_')}", name) for name in verifier.wanted
        ]
        self._mark_span = span_marker()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        synthetic = self._look(environ)
        environ[KEY] = synthetic
        if synthetic is None or synthetic.verified:
            return self._app(environ, start_response)
        if self._divert_to is not None:
            return self._divert_to(environ, start_response)
        if self._unverified == "refuse":
            headers = [
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Length", str(len(REFUSAL))),
            ]
            start_response("403 Forbidden", headers)
            return [REFUSAL]
        return self._app(environ, start_response)

    def _look(self, environ: WSGIEnvironment) -> Synthetic | None:
        headers = {name: environ[key] for key, name in self._wanted if key in environ}
        if not headers:
            return None
        synthetic = self._verifier.verify(headers, self._name(environ))
        if synthetic is not None:
            self._mark_span(synthetic)
        return synthetic

    def _name(self, environ: WSGIEnvironment) -> str:
        if self._authority is None:
            return str(environ.get("HTTP_HOST", ""))
        return self._authority if isinstance(self._authority, str) else self._authority(environ)
