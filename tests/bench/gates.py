"""How often release gates err: ``python -m tests.bench.gates [GATES]`` prints the table."""

from __future__ import annotations

import sys

from tests.support.gate_simulation import BOUNDS, share_of

_GATES = 20_000
_SEED = 15


def main() -> None:
    """Play all promises through."""
    gates = int(sys.argv[1]) if len(sys.argv) > 1 else _GATES
    sys.stdout.write(f"| of {gates:,} gates | share | promised |\n|---|---|---|\n")
    for bound in BOUNDS:
        share = share_of(bound.site, gates, _SEED, bound.what)
        promised = f"≥ {bound.least:.0%}" if bound.least else f"≤ {bound.most:.1%}"
        sys.stdout.write(f"| {bound.name} | {share:.2%} | {promised} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
