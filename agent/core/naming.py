"""What people may call journeys and sites: one rule, since folders, labels and ids hold them."""

from __future__ import annotations

import re

NAME = re.compile(r"[a-z][a-z0-9_]*")
JOURNEY = re.compile(rf"{NAME.pattern}(-{NAME.pattern}){{0,2}}")
"""A journey's: the function's, and behind it its site and its variant where it has several."""
