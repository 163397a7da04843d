"""A GitHub App, which gets a token for one repository, and with it answers a protection rule.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.gates.telling.poster import Posted, Poster
    from agent.server.adapters.github import Deployment

_CLOCKS_DIFFER: Final = 60
_LASTS: Final = 300
"""Seconds; GitHub takes 600 at the most."""
_COMMENT: Final = 1024
"""Characters that GitHub takes of a comment."""
_SENT: Final = {
    "Accept": "application/vnd.github+json",
    "Content-Type": "application/json",
    "User-Agent": "Footfall",
    "X-GitHub-Api-Version": "2022-11-28",
}


@dataclass(frozen=True, slots=True)
class GitHubApp:
    """Its client ID and private key, and where GitHub is asked."""

    api: str
    app: str
    key: str = field(repr=False)

    async def report(
        self, deployment: Deployment, state: str, comment: str, now: float, poster: Poster
    ) -> str:
        """Approve or reject a deployment, or only comment on it; return why that went wrong, or "".

        ``state`` is ``approved``, ``rejected`` or nothing, ``now`` Unix seconds.
        """
        token, error = await self._token(deployment, now, poster)
        if error:
            return error
        path = f"/repos/{deployment.repository}/actions/runs/{deployment.run}"
        told = {"environment_name": deployment.environment, "comment": comment[:_COMMENT]}
        if state:
            told["state"] = state
        posted = await self._post(f"{path}/deployment_protection_rule", token, told, poster)
        return posted.error

    async def _token(self, deployment: Deployment, now: float, poster: Poster) -> tuple[str, str]:
        """Return a token for this repository alone, or why there is none."""
        asked = {
            "repositories": [deployment.repository.partition("/")[2]],
            "permissions": {"deployments": "write"},
        }
        path = f"/app/installations/{deployment.installation}/access_tokens"
        posted = await self._post(path, self._signed(now), asked, poster)
        if posted.error:
            return "", f"no token for the installation: {posted.error}"
        try:
            token = json.loads(posted.answer)["token"]
        except (KeyError, TypeError, ValueError):
            token = None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            return "", "no token for the installation: the answer has none"
        return token, ""

    async def _post(self, path: str, token: str, told: Mapping[str, Any], poster: Poster) -> Posted:
        headers = _SENT | {"Authorization": f"Bearer {token}"}
        return await poster.post(self.api.rstrip("/") + path, json.dumps(told).encode(), headers)

    def _signed(self, now: float) -> str:
        """Return what shows that it is the App that asks, a JSON Web Token."""
        claims = {"iat": int(now) - _CLOCKS_DIFFER, "exp": int(now) + _LASTS, "iss": self.app}
        text = f"{_encoded({'alg': 'RS256', 'typ': 'JWT'})}.{_encoded(claims)}"
        key = load_pem_private_key(self.key.encode(), None)
        if not isinstance(key, RSAPrivateKey):
            raise TypeError("the key of a GitHub App is an RSA key")
        return f"{text}.{_base64(key.sign(text.encode(), PKCS1v15(), SHA256()))}"


def _encoded(told: Mapping[str, Any]) -> str:
    return _base64(json.dumps(told, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
