"""``footfall check``: whatever would stop the daemon is told before it is started."""

import pytest

from agent.cli.check import check
from agent.core.clock import SystemClock
from agent.core.errors import ConfigError

CONFIG = """
[sites.shop]
url = "https://shop.example.com"
first_party = ["https://shop.example.com"]
"""
JOURNEY = """
from agent import Run, journey


@journey(site="shop", owner="tests", every="{every}")
async def look(run: Run) -> None:
    pass
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "journeys").mkdir()
    return tmp_path


def write(folder, every: str) -> None:
    (folder / "journeys" / "look.py").write_text(JOURNEY.format(every=every))


async def test_what_is_well_is_listed_unfolded(folder, capsys):
    """Each journey stands on one line with the place of its file, however long the line is."""
    write(folder, "0 3 * * 0")
    assert await check(folder / "config.toml", {}, SystemClock()) == 0
    (line,) = [one for one in capsys.readouterr().out.splitlines() if one.startswith("look ")]
    assert "0 3 * * 0 (UTC)" in line
    assert line.rstrip().endswith("journeys/look.py:5")


async def test_a_faulty_key_hides_no_faulty_journey(folder):
    """Mistakes in the configuration and in journey files are told in one go."""
    write(folder, "often")
    (folder / "config.toml").write_text(CONFIG + "[workers]\ncuont = 2\n")
    (folder / "journeys" / "broken.py").write_text("def broken(:\n")
    with pytest.raises(ConfigError) as caught:
        await check(folder / "config.toml", {}, SystemClock())
    places = [problem.where.rpartition("/")[2] for problem in caught.value.problems]
    assert places == ["config.toml:6 workers.cuont", "broken.py:1", "look.py:5"]


async def test_variables_of_opentelemetry_are_checked_too(folder):
    """A value the daemon would refuse is told together with the faults of journeys."""
    write(folder, "61 * * * *")
    environ = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}
    with pytest.raises(ConfigError) as caught:
        await check(folder / "config.toml", environ, SystemClock())
    places = [problem.where for problem in caught.value.problems]
    assert places == ["OTEL_EXPORTER_OTLP_PROTOCOL", "journeys/look.py:5"]


async def test_a_vendor_that_nobody_knows_is_a_mistake(folder):
    """Each is told with its place, of the general policy and of a site's, and what may have
    been meant, or where its name is found."""
    write(folder, "5m")
    vendors = '{ "Matomoo" = "allow" }\n[beacons.vendors]\n"Our own" = "mark"\n'
    (folder / "config.toml").write_text(f"{CONFIG}beacons.vendors = {vendors}")
    with pytest.raises(ConfigError) as caught:
        await check(folder / "config.toml", {}, SystemClock())
    own, site = caught.value.problems
    assert own.where.endswith("config.toml:7 beacons.vendors.Our own")
    assert "`footfall audit`" in own.message
    assert site.where.endswith("config.toml:5 sites.shop.beacons.vendors.Matomoo")
    assert 'did you mean "Matomo"?' in site.message


async def test_a_vendor_without_a_flag_is_warned_of(folder, capsys):
    """To mark it can't be: it is blocked, which is told with its place and is no mistake. One
    with a flag, and a general policy of marking, are no news."""
    write(folder, "5m")
    vendors = '[beacons]\npolicy = "mark"\n[beacons.vendors]\nhotjar = "mark"\nMatomo = "mark"\n'
    (folder / "config.toml").write_text(CONFIG + vendors)
    assert await check(folder / "config.toml", {}, SystemClock()) == 0
    lines = capsys.readouterr().out.splitlines()
    (warning,) = [line for line in lines if line.startswith("warning: ")]
    assert "config.toml:7 beacons.vendors: Hotjar has no flag" in warning
    assert warning.endswith("it is blocked")


@pytest.mark.parametrize(("severity", "warned"), [("page", False), ("pgae", True)])
async def test_a_severity_that_no_route_knows_is_warned_of(folder, capsys, severity, warned):
    """A slip in it would send the journey's pages to nobody."""
    write(folder, "5m")
    file = folder / "journeys" / "look.py"
    file.write_text(file.read_text().replace("every=", f'severity="{severity}", every='))
    assert await check(folder / "config.toml", {}, SystemClock()) == 0
    told = [one for one in capsys.readouterr().out.splitlines() if one.startswith("warning: ")]
    assert told == [one for one in told if "journeys/look.py:5" in one and '"pgae"' in one]
    assert bool(told) is warned


async def test_warnings_stand_on_a_line_each_and_in_the_first_word(folder, capsys):
    """However long they are; without any, all is well."""
    write(folder, "5m")
    assert await check(folder / "config.toml", {}, SystemClock()) == 0
    assert capsys.readouterr().out.startswith("All is well: 1 journey at local")
    assert await check(folder / "config.toml", {"ALL_PROXY": "socks5://a:1"}, SystemClock()) == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith("Nothing is wrong, but see the warnings below: 1 journey at local")
    assert last.startswith("warning: environment variable ALL_PROXY: ")
    assert last.endswith("It is not used")


async def test_a_schedule_that_no_journey_goes_by_is_checked(folder):
    """It would be what the next one goes by."""
    write(folder, "5m")
    (folder / "config.toml").write_text(CONFIG + '[schedule]\nevery = "61 * * * *"\n')
    with pytest.raises(ConfigError) as caught:
        await check(folder / "config.toml", {}, SystemClock())
    (problem,) = caught.value.problems
    assert problem.where.endswith("config.toml:6 schedule.every")


async def test_the_proxies_that_are_used_are_told(folder, capsys):
    """By scheme, without their password, with what is reached directly."""
    write(folder, "5m")
    environ = {"HTTPS_PROXY": "http://me:hunter2@proxy.test:3128", "NO_PROXY": "intra.test"}
    assert await check(folder / "config.toml", environ, SystemClock()) == 0
    out = capsys.readouterr().out
    assert out.startswith("All is well")
    assert (
        "Pages and run.api go through the proxy http://proxy.test:3128 (https); "
        "to intra.test, loopback directly." in out
    )
    assert "hunter2" not in out
