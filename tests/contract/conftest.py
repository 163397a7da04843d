"""The one story that what arrives is compared with."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.story import Story, tell


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """What a daemon sent in two lives, over HTTP and over gRPC."""
    return asyncio.run(tell(tmp_path_factory.mktemp("story")))
