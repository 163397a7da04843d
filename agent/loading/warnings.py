"""What works but is probably not meant: told by ``check``, and when the agent starts."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.beacons.policy import stopped_instead
from agent.browsers.find import require_browser
from agent.config.variables import SECRET_KEYS
from agent.core import proxies
from agent.core.errors import BrowserMissing, Problem
from agent.core.origins import parse
from agent.core.refused_ports import REFUSED_PORTS
from agent.loading.beacon_choices import vendor_policies

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agent.config import Settings
    from agent.core.model import Definition

_ALLOWED_PORTS = "--explicitly-allowed-ports="
_FOR_PAGES_ALONE = (
    "it counts for pages alone, not for run.api or the reference addresses: set browser.proxy and "
    "browser.proxy_bypass"
)
_ARGUMENTS = {
    "--no-proxy-server": _FOR_PAGES_ALONE,
    "--proxy-bypass-list": _FOR_PAGES_ALONE,
    "--proxy-pac-url": _FOR_PAGES_ALONE,
    "--proxy-server": _FOR_PAGES_ALONE,
    "--user-agent": "the agent sets its own, which says what it is; a journey's context may set "
    "another one, to which that is added",
    "--user-data-dir": "browsers don't start with it: every run has a fresh profile",
}
"""Arguments of the browser that do less than they say."""
_PRIVATE_FILES = frozenset({"keyPath", "pfxPath", "storage_state"})
"""Keys of ``context`` that name a file which lets its reader in somewhere."""


def warnings(
    settings: Settings, definitions: Sequence[Definition], environ: Mapping[str, str]
) -> list[Problem]:
    """Return every such thing, with the place where it can be changed."""
    _, unused = proxies.from_environment(environ)
    return [
        *(warning for definition in definitions for warning in definition.warnings),
        *_refused_ports(settings),
        *_arguments(settings),
        *_browser(settings),
        *unused,
        *_markless(settings),
        *(
            Problem(where, f"every user of this machine can read {file}: `chmod o= {file}`")
            for where, file in _secrets(settings, definitions, environ)
            if others_can_read(file)
        ),
        *token_missing(settings),
        *_missing_secrets_folder(settings),
        *_readable_secrets_folder(settings.secrets_dir),
    ]


def token_missing(settings: Settings) -> Iterator[Problem]:
    """Tell that replicas need one token; the agent would not start without.

    It is no fault of the configuration: where journeys are only tried there may be no secrets.
    """
    queue, server = settings.queue, settings.server
    if queue.url.get_secret_value() and not server.token.get_secret_value():
        why = (
            "needs `server.token`, the same for all replicas of the location: by it somebody who "
            "signed in at one of them is known at the others. Give FOOTFALL_SERVER__TOKEN, or a "
            "file of that name in secrets_dir; the agent doesn't start without"
        )
        yield Problem(settings.where("queue", "url"), why)


def _markless(settings: Settings) -> Iterator[Problem]:
    for path, policy in vendor_policies(settings):
        for name in stopped_instead(policy):
            why = f"{name} has no flag to mark its beacons by: it is blocked"
            yield Problem(settings.where(*path), why)


def _arguments(settings: Settings) -> Iterator[Problem]:
    for number, argument in enumerate(settings.browser.args):
        name = argument.partition("=")[0]
        if name in _ARGUMENTS:
            where = settings.where("browser", "args")
            yield Problem(f"{where}[{number}]", f"{name}: {_ARGUMENTS[name]}")


def _browser(settings: Settings) -> Iterator[Problem]:
    """Tell of a browser that isn't there; the agent itself would not start without."""
    browser = settings.browser
    try:
        require_browser(browser.executable, headed=not browser.headless)
    except BrowserMissing as error:
        why = str(error).removeprefix("key `browser.executable`: ")
        yield Problem(settings.where("browser", "executable"), why)


def _refused_ports(settings: Settings) -> Iterator[Problem]:
    """Name each address of a site to which a browser makes no request at all."""
    allowed = {
        port
        for argument in settings.browser.args
        if argument.startswith(_ALLOWED_PORTS)
        for port in argument.removeprefix(_ALLOWED_PORTS).split(",")
    }
    for name, site in settings.sites.items():
        seen: set[int] = set()
        own = [("url", site.url), *(("first_party", one) for one in site.first_party)]
        for key, address in own:
            port = parse(address).port
            if port in REFUSED_PORTS - seen and str(port) not in allowed:
                seen.add(port)
                message = (
                    f"browsers refuse port {port}, so pages there are never measured. Serve the "
                    f'site on another, or allow it: [browser] args = ["{_ALLOWED_PORTS}{port}"]'
                )
                yield Problem(settings.where("sites", name, key), message)


def _secrets(
    settings: Settings, definitions: Sequence[Definition], environ: Mapping[str, str]
) -> Iterator[tuple[str, Path]]:
    """Yield the files that hold a secret, each with the place that names it."""
    if settings.identity.signing_key:
        where = settings.where("identity", "signing_key")
        yield where, Path(settings.identity.signing_key)
    if settings.queue.credentials:
        yield settings.where("queue", "credentials"), Path(settings.queue.credentials)
    for path in SECRET_KEYS:
        if file := settings.file_of(*path):
            yield settings.where(*path), file
    for variable, value in sorted(environ.items()):
        if re.fullmatch(r"OTEL_EXPORTER_OTLP_([A-Z]+_)?CLIENT_KEY", variable) and value:
            yield f"environment variable {variable}", Path(value)
    for one in definitions:
        place = f"{settings.journeys.name}/{one.file}:{one.line}"
        yield from ((place, Path(named)) for named in _files_of(one.context))


def _files_of(value: Any) -> Iterator[str]:  # noqa: ANN401 - plain data
    inside = value.items() if isinstance(value, dict) else ()
    for name, one in inside:
        if name in _PRIVATE_FILES and isinstance(one, str):
            yield one
        for part in one if isinstance(one, list) else ():
            yield from _files_of(part)


def _missing_secrets_folder(settings: Settings) -> Iterator[Problem]:
    """Name a folder that was asked for and isn't there; the default need not be."""
    default = type(settings).model_fields["secrets_dir"].default
    if settings.secrets_dir != default and not settings.secrets_dir.is_dir():
        where = settings.where("secrets_dir")
        yield Problem(where, f"there is no folder {settings.secrets_dir}, so no secret in it")


def _readable_secrets_folder(folder: Path) -> Iterator[Problem]:
    try:
        files = sorted(path.name for path in folder.iterdir() if path.is_file())
    except (OSError, ValueError):
        return
    open_ones = [name for name in files if others_can_read(folder / name)]
    if open_ones:
        more = f" and {len(open_ones) - 1} more" if len(open_ones) > 1 else ""
        message = f"every user of this machine can read {open_ones[0]}{more}: `chmod o= {folder}`"
        yield Problem(f"folder {folder}", message)


def others_can_read(file: Path) -> bool:
    """Whether users who are neither the owner nor of its group can read a file."""
    try:
        place = file.resolve(strict=True)
        return bool(place.stat().st_mode & stat.S_IROTH) and all(
            above.stat().st_mode & stat.S_IXOTH for above in place.parents
        )
    except OSError:
        return False
