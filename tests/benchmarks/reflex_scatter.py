"""How far the reflex motion that is fitted to one simulation's stars scatters by chance.

    python tests/benchmarks/reflex_scatter.py

One model, the middle of the prior, is simulated again and again with other stars, and the
reflex motion fitted to those of the shell that the simulations use, and to all beyond
its inner edge. The last line is one JSON object: standard deviations [km/s] of v_x, v_y,
v_z and the travel velocity, and the relative error that this many simulations leave.
"""

import json
from dataclasses import dataclass

import numpy as np

from mwlmc.replay import Replay
from mwlmc.simulator import Simulator
from orrery import runs
from orrery.identity import JSON

FITTED = ("v_x", "v_y", "v_z", "v_travel")


@dataclass(frozen=True)
class Scatter:
    """Simulates one model many times."""

    simulations: int = 192
    """How many times."""
    seed: int = 1
    """The root seed of the stars."""


def main(options: Scatter) -> None:
    """Prints what was measured."""
    usual = Simulator()
    inner, _ = usual.reflex_shell
    print(
        json.dumps(
            {
                "simulations": options.simulations,
                "relative_error": round((2 * options.simulations - 2) ** -0.5, 3),
                "in_shell": scatter(usual, options),
                "beyond": scatter(
                    Simulator(reflex_shell=(inner, usual.outer_edge)), options
                ),
            }
        )
    )


def scatter(simulator: Simulator, options: Scatter) -> JSON:
    """Returns the standard deviations of the fitted velocities [km/s]."""
    middle = [d.quantile(np.array([0.5]))[0] for d in simulator.prior.distributions]
    replay = Replay(simulator, np.array([middle]))
    made = replay.records(options.seed, range(options.simulations)).scalars
    found = {name: made[name] for name in ("v_x", "v_y", "v_z")}
    found["v_travel"] = np.sqrt(sum(v**2 for v in found.values()))
    return {name: round(float(found[name].std(ddof=1)), 2) for name in FITTED}


if __name__ == "__main__":
    runs.main(main, Scatter)
