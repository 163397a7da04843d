"""The ``FOOTFALL_…`` variables, read by pydantic-settings, and the ones it would overlook.

Files in the secrets folder that are named like a variable count as one, for keys that hold
secrets.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_settings import EnvSettingsSource

from agent.config.provenance import KeyPath, paths
from agent.config.settings import Settings
from agent.core.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pydantic.fields import FieldInfo

PREFIX = "FOOTFALL_"
SECRET_PREFIX = "FOOTFALL_SECRET_"  # noqa: S105 - a name
_FOREIGN = (SECRET_PREFIX, "FOOTFALL_DEMO_")
"""Variables that are not configuration keys: secrets of journeys, and the demo shop's own."""
SECRET_KEYS: tuple[KeyPath, ...] = (
    ("queue", "token"),
    ("queue", "url"),
    ("server", "token"),
    ("telemetry", "headers"),
    ("gate", "argo_rollouts", "token"),
    ("gate", "flagger", "token"),
    ("gate", "github", "secret"),
    ("gate", "github", "key"),
    ("gate", "cdevents", "token"),
    ("gate", "cdevents", "sink_token"),
    ("gate", "hook", "secret"),
    ("gate", "canaries"),
)
"""The keys that the secrets folder may give."""


class _Source(EnvSettingsSource):
    """pydantic-settings' reader over a mapping that is handed in."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = {name.lower(): value for name, value in variables.items()}
        super().__init__(Settings, case_sensitive=False)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._variables

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:  # noqa: ANN401 - the library's signature
        """Leave what isn't JSON as it is: it is refused later, with everything else."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except (ValueError, RecursionError):
            return value


def relevant(environ: Mapping[str, str]) -> dict[str, str]:
    """Pick the variables that are, or should be, configuration keys."""
    return {
        name: value
        for name, value in environ.items()
        if name.upper().startswith(PREFIX) and not name.upper().startswith(_FOREIGN)
    }


def read(variables: Mapping[str, str]) -> dict[str, Any]:
    """Turn variables into the nested form of the file. What is unknown may be left out."""
    return _Source(variables)()


def key_of(name: str) -> KeyPath:
    """Return the key that a variable stands for."""
    return tuple(name[len(PREFIX) :].lower().split("__"))


def places(
    variables: Mapping[str, str], data: Mapping[str, Any], label: str
) -> tuple[dict[KeyPath, str], dict[KeyPath, str]]:
    """Say for each key in ``data`` which of the variables gave it: ``label`` and the name.

    Returns:
        The keys that a variable gave, alone or as part of a JSON object; and the tables that
        came to be because a variable names a key in them.

    """
    names = {key_of(name): name for name in variables}
    given, implied = {}, {}
    for path in paths(data):
        for length in range(len(path), 0, -1):
            if name := names.get(path[:length]):
                rest = ".".join(path[length:])
                given[path] = f"{label}{name}" + (f" ({rest})" if rest else "")
                break
        else:
            below = min(key for key in names if key[: len(path)] == path)
            implied[path] = label + names[below]
    return given, implied


def unknown(variables: Mapping[str, str], data: Mapping[str, Any]) -> list[Problem]:
    """Report variables that pydantic-settings passed over without a word."""
    # Compared without the prefix, which would make any two names alike.
    known = [name.removeprefix(PREFIX) for name in sorted(_known_names())]
    read_keys = set(paths(data))
    problems = []
    for name in sorted(variables):
        if key_of(name) in read_keys:
            continue
        close = difflib.get_close_matches(name.upper()[len(PREFIX) :], known, n=1)
        hint = (
            f"did you mean {PREFIX}{close[0]}?"
            if close
            else "variables are named FOOTFALL_SECTION__KEY, with two underscores, after the "
            "keys in config.example.toml"
        )
        problems.append(Problem(f"environment variable {name}", f"unknown; {hint}"))
    return problems


def secret_files(folder: Path) -> tuple[dict[str, str], list[Problem]]:
    """Read the files of the secrets folder that are named like variables."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    try:
        files = sorted(path for path in folder.iterdir() if path.name.startswith(PREFIX))
    except FileNotFoundError:
        return found, problems
    except OSError as error:
        message = f"{error.strerror}; secrets_dir must be a folder that the agent may read"
        return found, [Problem(f"folder {folder}", message)]
    except ValueError:
        return found, problems  # no path at all, which is told of the key itself
    for path in files:
        key = key_of(path.name)
        if not any(key[: len(one)] == one for one in SECRET_KEYS):
            allowed = ", ".join(PREFIX + "__".join(key).upper() for key in SECRET_KEYS)
            message = (
                f"not a key that the secrets folder may give (those are {allowed}); a journey's "
                "secret stands in a file of its own name, without FOOTFALL_"
            )
            problems.append(Problem(f"file {path}", message))
            continue
        try:
            found[path.name] = path.read_text("utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            message = f"{reason}; the agent must be able to read it"
            problems.append(Problem(f"file {path}", message))
    return found, problems


def _known_names() -> Iterator[str]:
    yield f"{SECRET_PREFIX}<NAME>"
    yield from _names_in(Settings, PREFIX)


def _names_in(model: type[BaseModel], above: str) -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield f"{above}{name}".upper()
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from _names_in(info.annotation, f"{above}{name}__")
