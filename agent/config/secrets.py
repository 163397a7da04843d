"""Secrets of journeys: from the environment, else from the secrets folder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agent.config.variables import PREFIX, SECRET_PREFIX
from agent.core.errors import ConfigError, Problem
from agent.core.values import encodes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.config.settings import Settings

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


def secret_reader(settings: Settings, environ: Mapping[str, str]) -> Callable[[str], str]:
    """Return what looks a secret up by its name, anew each time, so that rotation works.

    ``FOOTFALL_SECRET_<NAME>`` wins over the file ``<NAME>`` in ``settings.secrets_dir``, of
    which one newline at the end is dropped. What is returned raises ``ConfigError`` for a
    secret that isn't there, can't be read, or has no proper name.
    """

    def read(name: str) -> str:
        if not _NAME.fullmatch(name) or name.startswith(PREFIX):
            raise _fault(
                name,
                "names of secrets consist of capital letters, digits and underscores, a letter "
                f"first, and don't begin with {PREFIX}",
            )
        variable = SECRET_PREFIX + name
        if variable in environ:
            if not encodes(environ[variable]):
                raise _fault(name, f"{variable} is not UTF-8 text; set it as UTF-8")
            return environ[variable]
        file = settings.secrets_dir / name
        try:
            return file.read_text("utf-8").removesuffix("\n")
        except FileNotFoundError:
            raise _fault(name, f"not found; set {variable}, or write the file {file}") from None
        except OSError as error:
            raise _fault(name, f"{file}: {error.strerror}; or set {variable}") from None
        except UnicodeDecodeError:
            raise _fault(name, f"{file} is not UTF-8 text; save it as UTF-8") from None

    return read


def _fault(name: str, message: str) -> ConfigError:
    return ConfigError([Problem(f"secret {name!r}", message)])
