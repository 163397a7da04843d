"""How hard the properties are tried: the usual share, or many times that.

``pytest --hypothesis-profile=long -o timeout=0`` tries fifty times as many examples.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

_USUAL = 100
# No example has a deadline: a busy machine is no fault of the code.
settings.register_profile("usual", deadline=None)
settings.register_profile("long", max_examples=50 * _USUAL, deadline=None)
settings.load_profile("usual")


def effort(examples: int, **more: object) -> settings:
    """Return settings with so many examples in an everyday run, and the profile's share else.

    They are the same ones on every machine, so that a build never fails by chance; a profile
    that asks for more draws other ones each time.
    """
    share = settings().max_examples / _USUAL
    return settings(
        max_examples=max(1, round(examples * share)),
        derandomize=share <= 1,
        database=None,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
        ],
        **more,
    )
