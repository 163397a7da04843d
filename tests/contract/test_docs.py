"""README.md and docs/: what they say of commands, keys and files is so; what they show happens."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import typer
from pydantic import BaseModel

from agent.cli.main import app
from agent.config import Settings, load
from agent.config.variables import unknown
from agent.daemon import drain, in_force
from agent.storage import runs
from agent.telemetry import steps
from agent.telemetry.delivery.export import resolve
from agent.telemetry.delivery.signals import Signal
from tests.support.daemon import Home
from tests.support.docs import Docs, Page, attributes_sent, code, events_logged
from tests.support.service import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.demo import DemoShop

DOCS = Docs()
README = DOCS["README.md"]


def commands_of(group: Any) -> dict[str, Any]:
    """Every command by its words: those of a group as ``group command``."""
    found = {}
    for name, command in group.commands.items():
        below = commands_of(command) if hasattr(command, "commands") else {"": command}
        found |= {f"{name} {word}".strip(): one for word, one in below.items()}
    return found


OPTION = r"--[a-z]+(?:-[a-z]+)*"
COMMANDS = commands_of(typer.main.get_command(app))


def command_in(line: str) -> str:
    """The words of the command that a line types."""
    words = line.split()[1:3]
    return " ".join(words) if " ".join(words) in COMMANDS else words[0]


# What can be typed.


def options_of(command: str) -> set[str]:
    """Every long option of a command but ``--help``."""
    given = (
        option
        for parameter in COMMANDS[command].params
        for option in (*parameter.opts, *parameter.secondary_opts)
    )
    return {option for option in given if option.startswith("--")} - {"--help"}


def test_the_table_of_commands() -> None:
    """Each command stands in the table with all of its options and no other."""
    listed = [code(row[0])[0] for row in DOCS.table("command", "does", "exit codes")]
    options = {command_in(line): set(re.findall(OPTION, line)) for line in listed}
    assert options == {name: options_of(name) for name in COMMANDS}


@pytest.mark.parametrize("line", [one for one in DOCS.commands if one.startswith("footfall ")])
def test_each_command_exists(line: str) -> None:
    """Whatever the text tells a person to type is understood."""
    name = command_in(line)
    assert name in COMMANDS
    assert set(re.findall(OPTION, line)) <= options_of(name)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_leads_to_its_page(name: str) -> None:
    """The help of a command names a page, and that page speaks of the command."""
    (page,) = re.findall(r"[\w/-]+\.md", COMMANDS[name].epilog)
    assert f"footfall {name}" in DOCS[page].text


def test_exit_codes() -> None:
    """The codes of each command are those its own help tells, and each is explained once."""
    rows = DOCS.table("command", "does", "exit codes")
    listed = {command_in(code(row[0])[0]): set(re.findall(r"\d", row[2])) for row in rows}
    told = {
        name: set(re.findall(r"\b\d\b", (command.help or "").partition("Exit codes:")[2]))
        for name, command in COMMANDS.items()
    }
    assert listed == told
    assert [row[0] for row in DOCS.table("exit code", "means")] == sorted(
        set().union(*told.values())
    )


def test_make_targets() -> None:
    """The targets that ``make`` lists are those in the table; others are not spoken of."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE)
    rows = DOCS.table("target", "does")
    assert [code(row[0]) for row in rows] == [[f"make {target}"] for target in targets]
    named = {line.split()[1] for line in DOCS.commands if line.startswith("make ")}
    assert named <= set(targets)


# What can be written.


async def test_the_journey_and_the_configuration_fit(tmp_path: Path) -> None:
    """The journey has the promised twelve lines, and runs under the configuration shown."""
    block = README.of("python")[0]
    assert len([line for line in block.text.splitlines() if line]) == 12
    home = Home(tmp_path, {})
    home.config.write_text(README.of("toml")[0].text)
    home.file("mine.py", block.text)
    (function,) = [n for n in ast.parse(block.text).body if isinstance(n, ast.AsyncFunctionDef)]
    done = await home.footfall("check")
    assert done.code == 0, done.err
    assert function.name in done.out


@pytest.mark.parametrize("block", DOCS.of("toml"))
def test_each_toml_block_loads(block, tmp_path: Path) -> None:
    """Whoever copies a block has a configuration that works."""
    file = tmp_path / "config.toml"
    file.write_text(block.text)
    load(file, {})


def test_keys_and_defaults() -> None:
    """Each key in the table exists and has the default shown; the number of CPUs varies."""
    settings = Settings()
    for cell, default, _ in DOCS.table("key", "default"):
        (key,) = code(cell)
        value = getattr_path(settings, key)
        if key == "workers.count":
            assert default == "number of CPUs"
            continue
        shown = tomllib.loads(f"{key} = {code(default)[0]}")
        assert getattr_path(Settings(**shown), key) == value, key


def getattr_path(settings: Settings, key: str) -> object:
    """The value of a dotted key."""
    value: object = settings
    for name in key.split("."):
        value = getattr(value, name)
    return value


def test_each_key_and_variable_exists() -> None:
    """No key, section or variable is spoken of that would be refused."""
    sections = {
        name: field.annotation.model_fields
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }
    for word in set(DOCS.words) - attributes_sent() - events_logged():
        section, dot, key = word.partition(".")
        if dot and section in sections and re.fullmatch("[a-z_]+", key):
            assert key in sections[section], word
        if table := re.fullmatch(r"\[([a-z_]+)(\.NAME)?\]", word):
            assert table[1] in Settings.model_fields, word
    found = re.findall(r"\bFOOTFALL_[A-Z][A-Z_]*[A-Z]\b", DOCS.text)
    variables = {name: "1" for name in found if not name.startswith("FOOTFALL_SECRET_")}
    assert variables
    data = {"sites": {"shop": {"url": ""}}}
    for name in variables:
        where = data
        *above, last = name.removeprefix("FOOTFALL_").lower().split("__")
        if above != ["sites", "shop"]:
            getattr_path(Settings(), ".".join([*above, last]))
            for part in above:
                where = where.setdefault(part, {})  # type: ignore[assignment]
            where[last] = "1"  # type: ignore[assignment]
    assert unknown(variables, data) == []


class Asked(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def get(self, key, default=None):
        self.setdefault(key, "")
        return super().get(key) or default


def test_opentelemetry_variables() -> None:
    """The variables that are honoured are those listed, the exporter's for each signal too."""
    asked = Asked()
    resolve(asked, endpoint="http://127.0.0.1:4318")
    expected = set()
    for name in (name for cell, _ in DOCS.table("variable", "") for name in code(cell)):
        if not name.startswith("OTEL_"):
            continue
        expected.add(name)
        if name.startswith("OTEL_EXPORTER_OTLP_"):
            own = name.removeprefix("OTEL_EXPORTER_OTLP_")
            expected |= {f"OTEL_EXPORTER_OTLP_{signal.upper()}_{own}" for signal in Signal}
    assert {name for name in asked if name.startswith("OTEL_")} == expected


def test_the_helper_of_the_guide_and_its_test(tmp_path: Path) -> None:
    """The test of the guide passes on its helper, as both stand there."""
    blocks = [block.text for block in DOCS["docs/authoring.md"].of("python")]
    (helper,) = (text for text in blocks if "async def in_stock" in text)
    (test,) = (text for text in blocks if "def test_what_is_there" in text)
    (tmp_path / "stock.py").write_text(helper)
    (tmp_path / "test_stock.py").write_text(test)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_stock.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


async def test_the_journey_of_the_guide_loads(tmp_path: Path) -> None:
    """The guide's longer journey is one that `check` takes."""
    home = Home(tmp_path, {})
    home.config.write_text(README.of("toml")[0].text)
    home.file("guide.py", DOCS["docs/authoring.md"].of("python")[1].text)
    done = await home.footfall("check")
    assert done.code == 0, done.err


async def test_the_first_minutes_of_the_guide(tmp_path: Path, shop: DemoShop) -> None:
    """The skeleton is announced as it stands there; the wrong guess prints what stands there."""
    page = DOCS["docs/authoring.md"]
    home = Home(tmp_path, {})
    home.config.unlink()
    for block, code_of_it in zip(page.of("console")[:2], (0, 1), strict=True):
        (line,) = block.commands
        done = await home.footfall(*line.replace("http://127.0.0.1:8000", shop.url).split()[1:])
        assert done.code == code_of_it, done
        assert faceless(done.out) == faceless(block.text.partition("\n")[2])
        # What the second walks is the guess of the guide, over the skeleton.
        home.file("find_a_mug.py", page.of("python")[0].text)


_LATER = """() => { const p = document.createElement('p'); p.textContent = 'Ships tomorrow';
new MutationObserver(() => document.body.append(p))
.observe(document.querySelector('h1'), {attributeFilter: ['aria-hidden']}) }"""
MISTAKES = {
    "role": 'cart = page.get_by_role("buton", name="Add to cart")\n        '
    "await expect(cart).to_be_visible(timeout=500)",
    "several": 'await page.get_by_role("link", name="T").click()',
    "text": "await expect(page.get_by_role('heading', level=1)).to_have_text('Mugs', timeout=500)",
    "status": 'await page.goto("/nowhere")',
    # It comes once the walk is over: what is masked is hidden then from what is read of the page.
    "late": f'run.mask(page.locator("h1"))\n        await page.evaluate({_LATER!r})\n        '
    'await expect(page.get_by_text("Ships tomorrow")).to_be_visible(timeout=500)',
    "exception": 'int(await page.get_by_text("€14.50").inner_text())',
    "attempt": 'await page.get_by_role("button", name="Buy").click(timeout=60_000)',
    "bare": 'assert await page.get_by_test_id("cart-count").inner_text() == "1"',
}


async def test_what_mistakes_say(tmp_path: Path, shop: DemoShop) -> None:
    """Each mistake of the guide says what its table says, with the journey's own line."""
    page = DOCS["docs/authoring.md"]
    home = Home(tmp_path, {"site": shop.url})
    lines = page.of("python")[0].text.splitlines()
    for name, line in MISTAKES.items():
        text = "\n".join([*lines[:11], f"        {line}", ""])
        timeout = "5s" if name == "attempt" else "20s"
        text = text.replace("find_a_mug(", f"{name}(").replace('"20s"', f'"{timeout}"')
        home.file(f"{name}.py", text.replace("http://127.0.0.1:8000", shop.url))
    done = await home.footfall("once", "--no-confirm", *MISTAKES, within=100)
    said = re.sub(r"found \d+ el", "found N el", faceless(done.out))
    said = re.sub(r"for \d\.\d s", "for N s", said)
    home.file("wrong.py", page.of("python")[0].text.replace('site="site"', 'site="store"'))
    said += (await home.footfall("once", "find_a_mug")).err
    told = [code(row[1])[0] for row in DOCS.table("mistake", "what `footfall once` says")]
    assert [one for one in told if faceless(one) not in said] == []
    assert len(told) == len(MISTAKES) + 1
    for name in MISTAKES:
        assert f"at journeys/{name}.py:1" in said


# What is promised of files and figures.


@pytest.mark.parametrize("page", DOCS.pages.values(), ids=DOCS.pages)
def test_paths_named_exist(page: Page) -> None:
    """Every file and folder that a page speaks of or links to is there, and every heading."""
    spoken = re.compile(r"(agent|tests|journeys|docs|deploy)/[\w./-]*")
    paths = {path for path, _ in page.links} | {w for w in page.words if spoken.fullmatch(w)}
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
    headings = [(path, heading) for path, heading in page.links if heading]
    assert [one for one in headings if one[1] not in Page(one[0]).anchors] == []


def test_a_stranger_reads_it_through() -> None:
    """The README stays short, and leads to every other page."""
    assert len(README.text.splitlines()) <= 250
    assert {name for name in DOCS.pages if name.startswith("docs/")} <= {
        path for path, _ in README.links
    }


def test_figures() -> None:
    """Figures that the text gives are those in the code."""
    assert f"may end for {drain._DRAIN:g} s" in DOCS.text
    assert f"at most {steps.STEP_NAMES} step names" in DOCS.text
    assert f"the last {runs._KEPT:,} runs of each journey" in DOCS.text


def test_what_needs_a_restart() -> None:
    """The sections that a reload refuses to change are those listed."""
    assert code(DOCS.line("are those of the start.")) == list(in_force._FIXED)


def test_the_image() -> None:
    """What the text says of the image's variables and user stands in the Dockerfile."""
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    set_there = set(re.findall(r"\b(FOOTFALL_[A-Z_]+=\S+)", dockerfile))
    assert {word for word in DOCS.words if re.match(r"FOOTFALL_\w+=[/8]", word)} == set_there
    (user,) = re.findall(r"^USER (\d+):", dockerfile, re.MULTILINE)
    assert f"runs as user {user}" in DOCS.text


# What is shown to happen.


def faceless(text: str) -> str:
    """A run's output without what differs each time: addresses, durations and ids."""
    text = re.sub(r"http://127\.0\.0\.1:\d+", "URL", text)
    text = re.sub(r" +\d+\.\d\d s", " N s", text)
    text = re.sub(r"\d{8}T\d{6}Z-[0-9a-f-]{36}", "RUN", text)
    return re.sub(r"trace [0-9a-f]{32}", "trace ID", text)


async def test_the_failing_run(tmp_path: Path, shop: DemoShop) -> None:
    """The failing run is what the command prints when checkout is broken, and no file is new."""
    block = README.of("console")[0]
    (line,) = block.commands
    home = Home(tmp_path, {})
    home.config.unlink()
    shutil.copy(ROOT / "journeys" / "buy_a_mug.py", home.journeys)
    await shop.throw("error")
    done = await home.footfall(*re.sub(r"=http\S+", f"={shop.url}", line).split()[1:])
    await shop.throw("none")
    assert done.code == 1
    assert faceless(done.out) == faceless(block.text.partition("\n")[2])
    assert len(set(re.findall(r"\d{8}T\d{6}Z-[0-9a-f-]{36}", block.text))) == 1, "one run"
    kept = {name for row in DOCS.table("file", "holds") for name in code(row[0])}
    assert kept == {
        name for names in re.findall(r"attempt-\d: (.+)", done.out) for name in names.split()
    }


async def test_the_journey_walks(tmp_path: Path, shop: DemoShop) -> None:
    """The twelve lines pass on the demo shop, with no configuration but the site's address."""
    home = Home(tmp_path, {})
    home.config.unlink()
    home.file("mine.py", README.of("python")[0].text)
    done = await home.footfall("once", "--site", f"shop={shop.url}")
    assert done.code == 0, done.out + done.err
