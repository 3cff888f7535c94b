"""How much mass a model without an LMC gives a Milky Way that has one: a plain estimate.

    python tests/benchmarks/without_lmc.py

The same Milky Ways with the same stars are simulated with an LMC and without. Of half of
those without one, a polynomial learns the mass of the halo within 50 kpc from the three
velocity dispersions of the stars at 50-100 kpc, the reflex motion taken out; the other
half is asked with and without an LMC. No flow, no survey and no error of a star is in
this: it checks what `experiments/dispersions.py` finds. The last line is one JSON object:
mean shifts of the mass in per cent with their errors, those of Milky Ways whose LMC has
the mass of Brooks et al. (2026) within its error apart, and the polynomial's scatter.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mwlmc.simulator import Simulator
from mwlmc.study.follow_up import FOLLOW_UP
from mwlmc.study.literature import HALO_COLUMN
from orrery import runs
from orrery.execution import simulation
from orrery.identity import JSON, PLACE
from orrery.parameters import BoolArray, FloatArray

LMC_MASS = "log10_m_lmc_50"
DISPERSIONS = ("sigma_los", "sigma_l", "sigma_b")


@dataclass(frozen=True)
class Pairs:
    """Milky Ways with an LMC, and the same without."""

    simulations: int = 2048
    """How many of each."""
    seed: int = 1
    """The root seed."""
    datasets: Path = field(default=Path("datasets"), metadata=PLACE)
    """Where simulations are kept."""


def main(options: Pairs) -> None:
    """Prints what was measured."""
    alone = columns(Simulator(lmc_mass="none"), options)
    usual = columns(Simulator(), options)
    np.testing.assert_array_equal(alone[HALO_COLUMN], usual[HALO_COLUMN])
    mass = np.log(10.0) * alone[HALO_COLUMN]
    learned = np.arange(len(mass)) % 2 == 0
    middle = mass[learned].mean()
    terms = polynomial(alone)
    weights, *_ = np.linalg.lstsq(terms[learned], mass[learned] - middle, rcond=None)
    away = [polynomial(one) @ weights + middle - mass for one in (usual, alone)]
    published = FOLLOW_UP["M_LMC(<50 kpc)"]
    lmc = 10.0 ** usual[LMC_MASS] / 1e10
    low, high = published.median - published.minus, published.median + published.plus
    asked = ~learned
    near = asked & (lmc > low) & (lmc < high)
    print(
        json.dumps(
            {
                "simulations": options.simulations,
                "with_published_lmc": shift(away[0], near),
                "with_any_lmc": shift(away[0], asked),
                "without_lmc": shift(away[1], asked),
                "scatter": round(100 * float(away[1][asked].std()), 1),
            }
        )
    )


def columns(simulator: Simulator, options: Pairs) -> dict[str, FloatArray]:
    """Returns columns `[N]` of the simulations, in the order of their numbers."""
    halos = simulation.generate(
        simulator,
        options.simulations,
        options.seed,
        options.datasets,
        name="mwlmc",
        actors=0,
    )
    scalars = [halos.records(shard).scalars for shard in halos.shards]
    order = np.argsort(np.concatenate([some["index"] for some in scalars]))
    return {
        name: np.concatenate([some[name] for some in scalars])[order]
        for name in (HALO_COLUMN, LMC_MASS, *DISPERSIONS)
    }


def polynomial(found: dict[str, FloatArray]) -> FloatArray:
    """Returns all terms to the second order `[N, 10]` of the logarithms of the dispersions."""
    # about 100 km/s, so that the terms do not grow
    logs = [np.log(found[name] / 100.0) for name in DISPERSIONS]
    squares = [a * b for i, a in enumerate(logs) for b in logs[i:]]
    return np.stack([np.ones_like(logs[0]), *logs, *squares], axis=1)


def shift(away: FloatArray, chosen: BoolArray) -> JSON:
    """Returns the mean shift of the mass and its error, in per cent, and of how many."""
    some = 100.0 * np.expm1(away[chosen])
    error = some.std(ddof=1) / np.sqrt(len(some))
    return {
        "shift": round(float(some.mean()), 2),
        "error": round(float(error), 2),
        "number": len(some),
    }


if __name__ == "__main__":
    runs.main(main, Pairs)
