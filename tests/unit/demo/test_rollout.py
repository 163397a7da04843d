"""Releases of the shop: what is deployed is what answers."""

from agent.demo.shop import create_shop
from tests.unit.demo.conftest import Visitor


async def test_a_release_is_deployed(visitor):
    """Each answer says which release it is of, at once and in each shop for itself."""
    assert (await visitor.get("/")).headers["x-version"] == "1.4.2"
    told = await visitor.post("/demo/deploy/1.4.3")
    assert told.json() == {"release": "1.4.3", "before": "1.4.2"}
    for path in ("/", "/nothing", "/static/shop.css", "/demo"):
        assert (await visitor.get(path)).headers["x-version"] == "1.4.3"
    assert 'data-testid="release">1.4.3<' in (await visitor.get("/demo")).text
    assert (await Visitor(create_shop()).get("/")).headers["x-version"] == "1.4.2"


async def test_a_bad_release_breaks_checkout(visitor):
    """Until it is rolled back; what a person throws counts besides."""
    await visitor.post("/demo/deploy/1.5.0")
    assert (await visitor.post("/checkout")).status == 500
    await visitor.post("/demo/break/none")
    assert (await visitor.post("/checkout")).status == 500
    await visitor.post("/demo/deploy/1.4.2")
    assert (await visitor.post("/checkout")).status != 500


async def test_an_unknown_release_is_refused_with_the_known_ones(visitor):
    """Who mistypes one learns which there are, and nothing changes."""
    told = await visitor.post("/demo/deploy/9.9.9")
    assert (told.status, told.json()["releases"]) == (404, ["1.4.2", "1.4.3", "1.5.0"])
    assert told.headers["x-version"] == "1.4.2"
