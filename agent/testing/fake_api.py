"""What stands in for ``run.api``: requests go to a function of the test's, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Asked:
    """One request as the journey made it."""

    method: str
    url: str
    """Absolute; a journey's relative one stands under the fake's ``base_url``."""
    options: Mapping[str, object] = field(default_factory=dict)
    """Playwright's own keywords: ``data``, ``form``, ``headers``, ``params`` and so on."""


class FakeAnswer:
    """What a request is answered with; to the journey it is Playwright's ``APIResponse``.

    Args:
        status: the HTTP status.
        data: what ``json()`` returns; ``text`` is its JSON where none is given.
        text: the body.
        headers: by name, in lower case.

    """

    def __init__(
        self,
        status: int = 200,
        *,
        data: object = None,
        text: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.status_text = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
        self.ok = 200 <= status <= 299
        self.url = ""
        """The address that was asked, once it was."""
        self.headers = dict(headers or {})
        self._text = text if text is not None else "" if data is None else json.dumps(data)

    async def text(self) -> str:
        """Return the body."""
        return self._text

    async def json(self) -> object:
        """Return the body, read as JSON.

        Raises:
            ValueError: it is none.

        """
        return json.loads(self._text)

    async def body(self) -> bytes:
        """Return the body in UTF-8."""
        return self._text.encode()

    async def dispose(self) -> None:
        """Do nothing: there is nothing to free."""


class FakeApi:
    """Answers ``get``, ``post`` and the others by ``answer``, and remembers them in ``asked``.

    What ``answer`` raises is raised to the journey, as an outage would be.
    """

    def __init__(
        self, answer: Callable[[Asked], FakeAnswer], base_url: str = "https://site.test"
    ) -> None:
        self._answer = answer
        self._base_url = base_url
        self.asked: list[Asked] = []
        """Every request, in order."""

    async def fetch(self, url: str, *, method: str = "GET", **options: object) -> FakeAnswer:
        """Make a request of any method."""
        asked = Asked(method.upper(), urljoin(self._base_url, url), options)
        self.asked.append(asked)
        answer = self._answer(asked)
        answer.url = asked.url
        return answer

    async def get(self, url: str, **options: object) -> FakeAnswer:
        """Make a GET request."""
        return await self.fetch(url, method="GET", **options)

    async def post(self, url: str, **options: object) -> FakeAnswer:
        """Make a POST request."""
        return await self.fetch(url, method="POST", **options)

    async def put(self, url: str, **options: object) -> FakeAnswer:
        """Make a PUT request."""
        return await self.fetch(url, method="PUT", **options)

    async def patch(self, url: str, **options: object) -> FakeAnswer:
        """Make a PATCH request."""
        return await self.fetch(url, method="PATCH", **options)

    async def delete(self, url: str, **options: object) -> FakeAnswer:
        """Make a DELETE request."""
        return await self.fetch(url, method="DELETE", **options)

    async def head(self, url: str, **options: object) -> FakeAnswer:
        """Make a HEAD request."""
        return await self.fetch(url, method="HEAD", **options)
