"""What most walks here start from: workers that are kept for a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.support.walking import Walker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def walker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Walker]:
    """A pool for an empty folder of journeys."""
    folder = tmp_path_factory.mktemp("walks") / "journeys"
    folder.mkdir()
    async with Walker(folder) as ready:
        yield ready


@pytest.fixture(autouse=True)
def _patient() -> Iterator[None]:
    """What a test itself looks for on a page may take its time on a busy machine."""
    expect.set_options(timeout=30_000)
    yield
    expect.set_options(timeout=5_000)
