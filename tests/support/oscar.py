"""A django-oscar shop: a target that nobody here wrote."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from tests.support.service import CACHE, ROOT, Service

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SOURCE = ROOT / "tests" / "oscar"
JOURNEYS = SOURCE / "journeys"
VENV = CACHE / "oscar-venv"
PREPARED = CACHE / "oscar"


class OscarShop(Service):
    """The prepared shop, served from a copy of its own: what customers do here stays here."""

    needs = PREPARED
    url = ""

    def prepare(self) -> None:
        shutil.copytree(PREPARED, self.folder / "data")

    def command(self) -> Sequence[str]:
        return [str(VENV / "bin" / "python"), str(SOURCE / "serve.py")]

    def environment(self) -> Mapping[str, str]:
        return os.environ | {"OSCAR_DATA": str(self.folder / "data")}

    def ready(self) -> bool:
        announced = self.announced()
        if announced:
            self.url = announced["shop"]
        return announced is not None
