"""Rules as data, in the shape in which Prometheus and vmalert read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Recording:
    """A series that is kept under a name of its own."""

    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the rule as YAML has it."""
        labels = {"labels": dict(self.labels)} if self.labels else {}
        return {"record": self.record, "expr": self.expr, **labels}


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert. ``wait`` is how long its expression must hold, such as ``5m``; empty: not at all.

    Values of labels and annotations are Go templates: ``literal`` what comes from a person.
    """

    alert: str
    expr: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    wait: str = ""

    def document(self) -> dict[str, Any]:
        """Return the rule as YAML has it."""
        return {
            "alert": self.alert,
            "expr": self.expr,
            **({"for": self.wait} if self.wait else {}),
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, in order, every ``interval``."""

    name: str
    interval: str
    rules: tuple[Recording | Alert, ...]

    def document(self) -> dict[str, Any]:
        """Return the group as YAML has it."""
        rules = [rule.document() for rule in self.rules]
        return {"name": self.name, "interval": self.interval, "rules": rules}


def literal(text: str) -> str:
    """Write text so that a Go template prints it as it is."""
    return text.replace("{{", '{{ "{{" }}')


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as a block, and nothing as an alias."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - the library's signature
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_multi_representer(str, _text)


def write(*documents: Mapping[str, Any]) -> str:
    """Write YAML, one document after the other, always the same for the same."""
    text = yaml.dump_all(
        documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000
    )
    return str(text)
