"""What rules can be written for."""

from enum import StrEnum


class Format(StrEnum):
    """What the rules are written for."""

    PROMETHEUS = "prometheus"
    OPENSLO = "openslo"
