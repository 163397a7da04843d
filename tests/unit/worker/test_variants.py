"""One declaration makes journeys of its sites and variants, each with what is its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.worker.loader import Loader
from agent.worker.variants import over

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, options: str) -> Loader:
    text = (
        f'from agent import journey\n\n@journey(owner="me", {options})\nasync def buy(run): ...\n'
    )
    (folder / "one.py").write_text(text)
    return Loader(str(folder))


SITES = 'sites=["shop_de", "shop_fr"]'
VARIANTS = 'variants={"de": {"locale": "de-DE", "params": {"word": "Kaufen"}}, "en": {}}'
OWN = 'params={"word": "Buy", "n": 1}, context={"locale": "en-GB", "color_scheme": "dark"}'


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ('site="shop"', {"buy": "shop"}),
        (SITES, {"buy-shop_de": "shop_de", "buy-shop_fr": "shop_fr"}),
        (f'site="shop", {VARIANTS}, {OWN}', {"buy-de": "shop", "buy-en": "shop"}),
        (
            f"{SITES}, {VARIANTS}, {OWN}",
            {
                "buy-shop_de-de": "shop_de",
                "buy-shop_de-en": "shop_de",
                "buy-shop_fr-de": "shop_fr",
                "buy-shop_fr-en": "shop_fr",
            },
        ),
    ],
)
def test_what_a_declaration_makes(folder: Path, options: str, made: dict[str, str]) -> None:
    """A journey a site, a journey a variant, and each of both; all know what declared them."""
    loader = write(folder, options)
    found, problems = loader.load("one.py")
    assert problems == []
    assert {one.name: one.site for one in found} == made
    assert {one.base for one in found} == ({""} if list(made) == ["buy"] else {"buy"})
    assert [loader.journey("one.py", name).declaration.name for name in made] == ["buy"] * len(made)


def test_what_a_variant_says(folder: Path) -> None:
    """Its options and parameters stand over the declaration's own, here and at the walk."""
    loader = write(folder, f'site="shop", {VARIANTS}, {OWN}')
    german, english = loader.load("one.py")[0]
    assert german.context == {"locale": "de-DE", "color_scheme": "dark"}
    assert english.context == {"locale": "en-GB", "color_scheme": "dark"}
    assert german.params == {"word": "Kaufen", "n": 1}
    assert english.params == {"word": "Buy", "n": 1}
    assert loader.journey("one.py", "buy-de").params == german.params
    with pytest.raises(LookupError, match="no longer declares a journey 'buy'"):
        loader.journey("one.py", "buy")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ('site="a", sites=["b"]', "@journey has both site= and sites=: leave one of them out"),
        ("", '@journey has no site: write site="…", or sites=[…]'),
        ('sites="shop"', "sites='shop' is one name: write site=\"shop\", or a list"),
        ('sites=["a", "a"]', "sites 'a': twice the same: two journeys would be buy-a"),
        ('sites=["a", "B"]', "sites 'B': is not a name: use lower-case letters"),
        ('site="a", variants={}', "variants={} makes no journey at all"),
        ('site="a", variants={"d-e": {}}', "variants 'd-e': is not a name"),
        ('site="a", variants={"de": "de-DE"}', "variants 'de': must be a table of options"),
        (
            'site="a", variants={"p": {"device": "Pixel 99"}}',
            "variants 'p': 'device': Playwright knows no device 'Pixel 99'; did you mean",
        ),
        (
            'site="a", variants={"p": {"lang": "de"}}',
            "variants 'p': 'lang': unknown option",
        ),
        (
            'sites=["a", "b"], variants={"p": {"params": {"x": 1}}}, params={"y": 1}',
            "variants 'p': the journey declares no parameter 'x'; it declares: y",
        ),
        (
            'sites=["a", "b"], variants={"p": {"locale": "?"}}',
            "variants 'p': 'locale': '?' is no locale",
        ),
        (
            'site="a", browser=False, context={"locale": "de"}',
            "context 'locale': is for pages, and there are none with browser=False",
        ),
        (
            'site="a", browser=False, variants={"p": {"device": "Pixel 7"}}',
            "variants 'p': 'device': is for pages, and there are none with browser=False",
        ),
        (
            'site="a", variants={"p": {"params": {"x": 1 + 2j}}}, params={"x": 1}',
            "variants 'p': params 'x': is of the type complex",
        ),
    ],
)
def test_what_can_not_be(folder: Path, options: str, message: str) -> None:
    """One problem each, told once on however many sites, with the line of the declaration."""
    found, problems = write(folder, options).load("one.py")
    assert found == []
    (problem,) = problems
    assert problem.where == "journeys/one.py:3"
    assert message in problem.message


def test_a_device_brings_its_own() -> None:
    """A device replaces size, scale and touch that were declared, and nothing else."""
    declared = {"locale": "de-DE", "viewport": {"width": 1, "height": 1}, "is_mobile": False}
    assert over(declared, {"device": "Pixel 7"}) == {"locale": "de-DE", "device": "Pixel 7"}
    assert over(declared, {"locale": "fr-FR"}) == {**declared, "locale": "fr-FR"}
