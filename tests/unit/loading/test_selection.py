"""Whoever asks for journeys gets those that were meant, and hears of what matches none."""

from __future__ import annotations

import pytest

from agent.core.model import Definition
from agent.loading.selection import select

ALL = [
    Definition("front_page", "shop", "front.py", 1),
    Definition("front_search", "shop", "front.py", 9),
    Definition("buy", "shop", "cart/buy.py", 1),
    Definition("pay-de", "shop", "pay.py", 1, base="pay"),
    Definition("pay-fr", "shop", "pay.py", 1, base="pay"),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "journeys/cart").mkdir(parents=True)
    return tmp_path / "journeys"


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ((), ["front_page", "front_search", "buy", "pay-de", "pay-fr"]),
        (("buy",), ["buy"]),
        (("front_*",), ["front_page", "front_search"]),
        (("*_pag?", "buy"), ["front_page", "buy"]),
        (("journeys/front.py",), ["front_page", "front_search"]),
        (("front.py",), ["front_page", "front_search"]),
        (("cart/buy.py",), ["buy"]),
        (("./journeys/cart/",), ["buy"]),
        (("journeys/",), ["front_page", "front_search", "buy", "pay-de", "pay-fr"]),
        (("buy", "buy", "b*"), ["buy"]),
        (("pay",), ["pay-de", "pay-fr"]),
        (("pay-fr",), ["pay-fr"]),
        (("*-de",), ["pay-de"]),
    ],
)
def test_what_is_meant(folder, asked, names):
    """A name, a pattern, a file as it is typed or as the folder knows it; each journey once."""
    chosen, unknown = select(ALL, asked, folder)
    assert [one.name for one in chosen] == names
    assert unknown == []


def test_an_absolute_file(folder):
    """As a shell completes it, from wherever it stands."""
    chosen, unknown = select(ALL, [str(folder / "cart/buy.py")], folder)
    assert ([one.name for one in chosen], unknown) == (["buy"], [])


@pytest.mark.parametrize("asked", ["bu", "Front_*", "journeys/none.py", "front", "../front.py", ""])
def test_what_matches_none(folder, asked):
    """It is told, and others are found all the same."""
    chosen, unknown = select(ALL, ["buy", asked], folder)
    assert ([one.name for one in chosen], unknown) == (["buy"], [asked])
