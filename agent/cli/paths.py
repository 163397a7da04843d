"""Paths as people type them."""

from __future__ import annotations

from pathlib import Path


def short(path: Path) -> str:
    """Return the path as it is typed from here, where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
