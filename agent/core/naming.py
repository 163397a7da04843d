"""What people may call journeys and sites: one rule, since folders, labels and ids hold them."""

from __future__ import annotations

import re

NAME = re.compile(r"[a-z][a-z0-9_]*")
