"""One declaration, several journeys: on each of its sites, and in each of its variants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent.core.naming import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent.authoring import Declaration

_OF_DEVICE = frozenset(
    {
        "device",
        "device_scale_factor",
        "has_touch",
        "is_mobile",
        "no_viewport",
        "screen",
        "user_agent",
        "viewport",
    }
)
"""Options that a device brings itself."""
_PARAMS = "params"
"""The key of a variant that is no option of its context."""
_CHARACTERS = "is not a name: use lower-case letters, digits and underscores, a letter first"


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the journeys that a declaration makes; ``name`` is the function's where it is all."""

    name: str
    site: str
    key: str = ""
    """Its key in ``variants``; "" where there are none."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What it says of its context, over the declaration's own ``context``."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """What it says of the parameters, over the declaration's own ``params``."""


def variants_of(one: Declaration) -> Iterator[Variant]:
    """Yield the journeys of a sound declaration: ``name-site``, ``name-variant``, or both."""
    for site in one.sites or (one.site,):
        where = [one.name, site] if one.sites else [one.name]
        if not one.variants:
            yield Variant("-".join(where), site)
        for key, told in one.variants.items():
            options = {name: value for name, value in told.items() if name != _PARAMS}
            params = told.get(_PARAMS, {})
            yield Variant("-".join([*where, key]), site, key, options, params)


def wrong_variants(one: Declaration) -> Iterator[tuple[str, str, str]]:
    """Yield what can't be understood: the decorator's argument, its key or value, and why."""
    for site in dict.fromkeys(one.sites):
        if not isinstance(site, str) or not NAME.fullmatch(site):
            yield "sites", str(site), _CHARACTERS
        elif one.sites.count(site) > 1:
            yield "sites", site, f"twice the same: two journeys would be {one.name}-{site}"
    for key, told in one.variants.items():
        if not isinstance(key, str) or not NAME.fullmatch(key):
            yield "variants", str(key), _CHARACTERS
        elif not isinstance(told, dict):
            yield "variants", key, f'must be a table of options, as {{"{key}": {{"locale": "de"}}}}'
        elif not isinstance(told.get(_PARAMS, {}), dict):
            yield "variants", key, "params must be a table"
        else:
            for name in told.get(_PARAMS, {}):
                if name not in one.params:
                    known = ", ".join(sorted(one.params)) or "none"
                    why = f"the journey declares no parameter {name!r}; it declares: {known}"
                    yield "variants", key, why


def over(declared: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a context's options, ``options`` over ``declared``.

    A device brings its own size, scale, touch and user agent: what is declared of these goes.
    """
    if "device" in options:
        declared = {name: value for name, value in declared.items() if name not in _OF_DEVICE}
    return {**declared, **options}
