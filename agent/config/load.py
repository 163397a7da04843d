"""Loading: the file, the variables and the secrets folder, later wins, faults all at once."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from agent.config import variables
from agent.config.explain import explain, faulty
from agent.config.gate_checks import gate_problems
from agent.config.provenance import DEEPEST, KeyPath, Provenance, lines_of
from agent.config.sections import BrowserSection, IdentitySection
from agent.config.settings import Settings
from agent.config.shared_queue import with_queue
from agent.core import proxies
from agent.core.errors import ConfigError, Problem
from agent.core.proxies import Proxies, Proxy
from agent.keys.pem import read_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_FILE = Path("config.toml")
_FOLDERS = ("journeys", "state", "secrets_dir")
_NOBODYS = urlsplit(IdentitySection().info_url).hostname
_AT_LINE = re.compile(r" \(at line (\d+), column (\d+)\)$")


def load(path: Path | None, environ: Mapping[str, str], *, required: bool = True) -> Settings:
    """Load the configuration; folders in it are relative to the file's own folder.

    Args:
        path: the TOML file; None takes ``config.toml`` in the working directory.
        environ: the environment, normally ``os.environ``.
        required: whether the default file must be there, where no variable names a site.

    Raises:
        ConfigError: with every fault found, each with its file and line, or its variable.

    """
    settings, problems = load_lenient(path, environ, required=required)
    if settings is None or problems:
        raise ConfigError(problems)
    return settings


def load_lenient(
    path: Path | None, environ: Mapping[str, str], *, required: bool = True
) -> tuple[Settings | None, list[Problem]]:
    """Load what is sound, and return every fault of the rest: to look for more, never to run.

    What is faulty is left out; its default stands in its place, and ``Settings.left_out``
    tells, so that ``resolve`` blames nothing on it twice. None: nothing is sound enough to
    find the journeys by. Where it isn't ``required``, the default file may be missing; nor need
    it be there where variables name the sites.
    """
    file = path or DEFAULT_FILE
    text, data = "", dict[str, Any]()
    given = variables.relevant(environ)
    from_environment = variables.read(given)
    required = required and not from_environment.get("sites")
    if required or path is not None or file.exists():
        try:
            text, data = _read_file(file)
        except ConfigError as error:
            return None, list(error.problems)

    problems = variables.unknown(given, from_environment)
    merged = _merge(data, from_environment)

    folder = _secrets_folder(file, merged)
    secrets, faults = variables.secret_files(folder)
    problems += faults
    from_secrets = variables.read(secrets)
    merged = _merge(merged, from_secrets)

    lines = lines_of(text)
    named, tables = variables.places(given, from_environment, "environment variable ")
    secret, _ = variables.places(secrets, from_secrets, f"file {folder}/")
    provenance = Provenance(
        file=str(file),
        lines=lines,
        variables=named | secret,
        tables={path: place for path, place in tables.items() if path not in lines},
    )
    settings = _validate(merged, provenance, problems)
    if settings.left_out("journeys"):
        return None, problems
    base = file.absolute().parent
    anchored = {name: base / getattr(settings, name) for name in _FOLDERS}
    settings = settings.model_copy(update=anchored)
    settings = _with_signing_keys(settings, base, problems)
    settings = with_queue(settings, base, problems)
    problems += gate_problems(settings)
    settings._proxies = _proxies(settings.browser, environ)  # noqa: SLF001 - part of what is read
    return settings, problems


def _proxies(browser: BrowserSection, environ: Mapping[str, str]) -> Proxies:
    """Lay the configured proxy over the standard variables; ``check`` tells which are no use."""
    standard, _ = proxies.from_environment(environ)
    own = Proxy.parse(browser.proxy) if browser.proxy else None
    return proxies.merged(standard, own, browser.proxy_bypass)


def _with_signing_keys(settings: Settings, base: Path, problems: list[Problem]) -> Settings:
    """Read the signing keys now, so that a start or a reload is refused, not a request."""
    identity = settings.identity
    if not identity.signing_key:
        return settings
    if urlsplit(identity.info_url).hostname == _NOBODYS and not settings.left_out(
        "identity", "info_url"
    ):
        why = (
            f"is needed where requests are signed, and {_NOBODYS} is nobody's: give an address of "
            'your own, such as "https://www.YOUR-SHOP.com/synthetic". Its host is where '
            "Signature-Agent says that the public keys are found"
        )
        problems.append(Problem(settings.where("identity", "info_url"), why))
    if identity.hold == "calls":
        why = (
            '"calls" sends files without a signature, and whoever asks for signatures asks for '
            'them on every file: take "auto" or "all", or remove identity.signing_key '
            f"({settings.where('identity', 'signing_key')})"
        )
        problems.append(Problem(settings.where("identity", "hold"), why))
    file = base / identity.signing_key
    try:
        keys = read_keys(file)
    except OSError as error:
        why = f"{error.strerror}; give a file that the agent may read"
    except ValueError as error:
        why = str(error)
    else:
        anchored = identity.model_copy(update={"signing_key": str(file)})
        settings = settings.model_copy(update={"identity": anchored})
        settings._signing_keys = keys  # noqa: SLF001 - what was checked is what signs
        return settings
    problems.append(Problem(settings.where("identity", "signing_key"), f"{file}: {why}"))
    return settings


def _read_file(file: Path) -> tuple[str, dict[str, Any]]:
    """Return the file's text and content."""
    try:
        text = file.read_text("utf-8")
        return text, tomllib.loads(text)
    except FileNotFoundError:
        where = str(file)
        message = (
            "no such file; write one that names a site ([sites.shop] with url and first_party; "
            "config.example.toml of the repository has every key), or name yours with --config FILE"
        )
    except OSError as error:
        where, message = str(file), f"{error.strerror}; give a file that the agent may read"
    except UnicodeDecodeError:
        where, message = str(file), "is not UTF-8 text; save it as UTF-8"
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
        place = _AT_LINE.search(reason)
        line = place[1] if place else max(1, len(text.rstrip("\n").split("\n")))
        where, message = f"{file}:{line}", f"is not valid TOML: {_AT_LINE.sub('', reason)}"
    except (ValueError, RecursionError):
        # The reader's own limits, of which it doesn't say where they were met.
        where = f"{file}:{_line_of_excess(text)}"
        message = "can't be read: a number of thousands of digits, or lists nested too deep"
    # One fault hides the rest of the file: nothing more can be said about its keys.
    raise ConfigError([Problem(where, message)])


def _line_of_excess(text: str) -> int:
    """Return the line at which the reader gives up on a text that passes its limits, from 1."""
    lines = text.split("\n")

    def gives_up(count: int) -> bool:
        try:
            tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            return False
        except (ValueError, RecursionError):
            return True
        return False

    return bisect_left(range(len(lines)), True, key=gives_up)


def _secrets_folder(file: Path, merged: Mapping[str, Any]) -> Path:
    named = merged.get("secrets_dir")
    default = Settings.model_fields["secrets_dir"].default
    return file.absolute().parent / (named if isinstance(named, str) else default)


def _merge(below: Mapping[str, Any], above: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        if isinstance(value, dict) and isinstance(under, dict) and depth < DEEPEST:
            merged[name] = _merge(under, value, depth + 1)
        else:
            merged[name] = value
    return merged


def _validate(merged: dict[str, Any], provenance: Provenance, problems: list[Problem]) -> Settings:
    """Validate what can be, and add what is wrong with the rest to ``problems``."""
    # pydantic-settings takes arguments that begin with an underscore as its own options.
    known = {name: value for name, value in merged.items() if not name.startswith("_")}
    problems += [
        Problem(provenance.where((name,)), "unknown key; remove it")
        for name in set(merged) - set(known)
    ]
    left_out: set[KeyPath] = set()
    while True:
        try:
            settings = Settings(**known)
        except ValidationError as error:
            if not left_out:  # later ones are only about what is missing now
                problems += explain(error, provenance)
            found, meant = faulty(error)
            gone = {_given(known, path) for path in found}
            if () in gone:
                raise  # nothing that was given is at fault
            for path in gone:
                known = _without(known, path)
            left_out |= gone | meant
        else:
            break
    settings._provenance = provenance  # noqa: SLF001 - where it came from is part of it
    settings._left_out = frozenset(left_out)  # noqa: SLF001 - as above
    return settings


def _given(data: Mapping[str, Any], path: KeyPath) -> KeyPath:
    """Return the path as far as it was given: of a key that is missing, that of its table."""
    if not path or path[0] not in data:
        return ()
    below = data[path[0]]
    return path[:1] + (_given(below, path[1:]) if isinstance(below, dict) else ())


def _without(data: Mapping[str, Any], path: KeyPath) -> dict[str, Any]:
    """Return the data without the key at ``path``, which may have gone with its table."""
    name, *below = path
    if below and isinstance(data.get(name), dict):
        return {**data, name: _without(data[name], tuple(below))}
    return {key: value for key, value in data.items() if key != name}
