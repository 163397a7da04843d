"""What ``@journey`` writes down, and what it refuses."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING

import pytest

from agent.authoring import NAME, journey, take_declared

if TYPE_CHECKING:
    from agent.authoring import Run


@pytest.fixture(autouse=True)
def _taken() -> None:
    take_declared(__name__)


def test_the_function_stays_itself() -> None:
    """The decorator changes nothing about the function, so that it can be called in a test."""

    async def buy(run: Run) -> None: ...

    assert journey(site="shop", owner="me")(buy) is buy


def test_declared_once_in_order() -> None:
    """A module's journeys are handed out once, in their order, two of one name both."""

    @journey(site="shop", owner="me")
    async def buy(run: Run) -> None: ...

    @journey(site="other", owner="you")
    async def buy(run: Run) -> None: ...  # noqa: F811

    assert [(one.name, one.site) for one in take_declared(__name__)] == [
        ("buy", "shop"),
        ("buy", "other"),
    ]
    assert take_declared(__name__) == []


def test_options_are_copied() -> None:
    """What the author changes afterwards doesn't change what was declared."""
    params, context = {"sku": "mug"}, {"locale": "de"}

    @journey(site="shop", owner="me", params=params, context=context)
    async def buy(run: Run) -> None: ...

    params["sku"] = context["locale"] = "changed"
    (one,) = take_declared(__name__)
    assert (one.params, one.context) == ({"sku": "mug"}, {"locale": "de"})
    assert one.line == buy.__code__.co_firstlineno
    with pytest.raises(FrozenInstanceError):
        one.site = "changed"


def test_only_coroutines() -> None:
    """A function that isn't async is refused with the words to write."""
    with pytest.raises(TypeError, match="write `async def buy`"):

        @journey(site="shop", owner="me")
        def buy(run: Run) -> None: ...

    assert take_declared(__name__) == []


@pytest.mark.parametrize("name", ["Buy", "_buy", "buy__ä", "büy"])
def test_names(name: str) -> None:
    """A name that could be no metric label or variable is refused."""

    async def buy(run: Run) -> None: ...

    buy.__name__ = name
    with pytest.raises(ValueError, match=f"journey name '{name}'"):
        journey(site="shop", owner="me")(buy)
    assert not NAME.fullmatch(name)


def test_owner_and_site_are_wanted() -> None:
    """Each journey has a site and an owner."""
    with pytest.raises(TypeError, match="owner"):
        journey(site="shop")
    with pytest.raises(TypeError, match="site"):
        journey(owner="me")


@pytest.mark.parametrize(
    "option", [{"every": 30}, {"owner": None}, {"public": True}, {"slow": 4.0}, {"site": 5}]
)
def test_what_is_no_text_is_told_by_its_name(option):
    """A number where a text belongs is refused where it stands, with what to write."""
    name, value = next(iter(option.items()))
    with pytest.raises(TypeError, match=f'{name}={value!r} is no text: write {name}="…"'):
        journey(**{"site": "shop", "owner": "x", **option})
