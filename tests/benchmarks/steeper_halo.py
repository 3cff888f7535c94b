"""What real stars' dispersions say of a stellar halo whose density falls faster than the model's.

    python tests/benchmarks/steeper_halo.py

The Milky Way and the LMC of Brooks et al. (2026), with the masses and the anisotropy that
they print, are simulated as ever. Stars are test particles: with weights g'(E) / g(E) they
are those of another tracer of the same anisotropy in the same galaxies, here of density
1 / (r (r + a)^(n - 1)), of which n = 4 is the model's own. Their dispersions along the line
of sight are compared with those of SDSS K giants and of DESI's stars, without the errors of
measurement, bin by bin. No flow and no prior is in this. The last line is one JSON object:
for each n how fast the density falls today at 30-56 and at 56-82 kpc, chi^2 in so many
bins, and how much larger the real dispersions are, in per cent.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mwlmc.model import distribution
from mwlmc.model.distribution import SphericalPotential, distribution_function
from mwlmc.observed.data_vectors import observe
from mwlmc.observed.options import Measurement
from mwlmc.simulator import Simulator
from mwlmc.sky import kinematics
from mwlmc.sky.binning import DESI_FOOTPRINT, QUADRANTS, SkyBinning
from mwlmc.study import dispersions
from mwlmc.study.shell_options import Dispersions
from orrery import runs
from orrery.identity import JSON
from orrery.parameters import FloatArray, generator
from orrery.records import Observation, Records

SCALES = {4: 12.5, 5: 18.0, 6: 25.0, 7: 28.0}  # [kpc] by n
SHELLS = ((30.0, 56.0), (56.0, 82.0))  # [kpc]
FEWEST = 10  # stars of a bin
_FURTHEST = 82.0  # [kpc] bins beyond have few stars
_SLOPES = np.linspace(0.0, 8.0, 321)


@dataclass(frozen=True)
class SteeperHalo:
    """Stars of other tracers in the galaxies of the follow-up."""

    simulations: int = 8
    """How many, whose stars are taken together."""
    seed: int = 1
    """The root seed."""


@dataclass(frozen=True, eq=False)
class Stars:
    """Stars of simulations with the same galaxies: today, and their energy before the LMC came."""

    position: FloatArray  # [kpc], [N, 3]
    velocity: FloatArray  # [km/s], [N, 3]
    energy: FloatArray  # relative [(km/s)^2], [N]


def main(options: SteeperHalo) -> None:
    """Prints what was measured."""
    simulator = Simulator()
    theta = dispersions.truth(simulator)
    beta = float(theta[simulator.prior.names.index("beta0")])
    stars, potential = simulated(simulator, theta, options)
    own = distribution_function(potential, beta, SCALES[4]).g
    found = {}
    for n, scale in SCALES.items():
        other = distribution_function(potential, beta, scale, n).g
        chosen = weighted(
            stars, potential, other / np.maximum(own, 1e-300), options.seed
        )
        found[f"{n}"] = {
            "slopes": [slope(chosen, shell) for shell in SHELLS],
            **compared(chosen),
        }
    print(json.dumps({"simulations": options.simulations, "tracers": found}))


def simulated(
    simulator: Simulator, theta: FloatArray, options: SteeperHalo
) -> tuple[Stars, SphericalPotential]:
    """Returns the stars of all simulations, and the potential that they were in equilibrium in."""
    past = simulator.rewind(np.repeat(theta[None], options.simulations, axis=0))
    halo = past.galaxies.milky_way
    potential = distribution.spherical_potential(
        float(halo.amplitude[0]), float(halo.scale[0]), simulator.equilibrium
    )
    streams = [generator(options.seed, i) for i in range(options.simulations)]
    before = simulator.initial_stars(past, streams)
    today = simulator.evolved(past, before)
    first, speed, position, velocity = (
        part.double().numpy().reshape(3, -1).T
        for part in (before.position, before.velocity, today.position, today.velocity)
    )
    radius = np.log(np.linalg.norm(first, axis=1))
    psi = np.exp(
        np.interp(radius, np.log(distribution._RADII), np.log(-potential.potential))
    )
    return Stars(position, velocity, psi - 0.5 * np.sum(speed**2, axis=1)), potential


def weighted(
    stars: Stars, potential: SphericalPotential, ratio: FloatArray, seed: int
) -> Stars:
    """Returns as many stars, drawn again by the ratio of two distributions of energy."""
    psi = -potential.potential
    weight = np.interp(stars.energy, psi[::-1], ratio[::-1])
    weight[stars.energy <= 0.0] = 0.0  # unbound by rounding
    count = len(weight)
    drawn = generator(seed, 2**16).choice(count, count, p=weight / weight.sum())
    return Stars(stars.position[drawn], stars.velocity[drawn], stars.energy[drawn])


def slope(stars: Stars, shell: tuple[float, float]) -> float:
    """Returns the likeliest power with which the density falls within a shell."""
    low, high = shell
    r = np.linalg.norm(stars.position, axis=1)
    logs = np.log(r[(r >= low) & (r < high)] / low)
    grid = np.linspace(low, high, 401)
    norms = np.trapezoid((grid / low) ** (2.0 - _SLOPES[:, None]), grid, axis=1)
    likelihood = (2.0 - _SLOPES) * logs.sum() - len(logs) * np.log(norms)
    return round(float(_SLOPES[np.argmax(likelihood)]), 2)


def compared(stars: Stars) -> JSON:
    """Returns chi^2 of the real stars' dispersions, in how many bins, and their mean excess."""
    particles = dict(zip(("x", "y", "z"), stars.position.T, strict=True))
    particles |= dict(zip(("vx", "vy", "vz"), stars.velocity.T, strict=True))
    records = Records(
        {"index": np.zeros(1, int)}, particles, np.array([0, len(stars.energy)])
    )
    value, error, ours = [], [], []
    for binning, seen in observed():
        value.append(seen.value)
        error.append(np.sqrt(np.diag(seen.covariance)))
        ours.append(kinematics.velocity_moments(records, binning)[0])
    real, sigma, model = (np.concatenate(part) for part in (value, error, ours))
    excess = np.average(real / model - 1.0, weights=(model / sigma) ** 2)
    return {
        "chi2": round(float(np.sum(((real - model) / sigma) ** 2)), 1),
        "bins": len(real),
        "excess": round(100 * float(excess), 1),
    }


def observed() -> Iterator[tuple[SkyBinning, Observation]]:
    """Yields the dispersions of SDSS's stars, then DESI's, without errors of measurement."""
    filled = Measurement("mean+dispersion", lmc_today="inferred")
    for whole, table in zip(
        (QUADRANTS, DESI_FOOTPRINT), dispersions._surveys(Dispersions()), strict=True
    ):
        radial = whole.select(("v_gsr",))
        enough = radial.supported(
            [
                count if one.upper <= _FURTHEST else 0
                for one, count in zip(radial.bins, table.counts(radial), strict=True)
            ],
            FEWEST,
        )
        binning = filled.binning(enough).with_moments(("dispersion",))
        yield binning, observe(table, binning)


if __name__ == "__main__":
    runs.main(main, SteeperHalo)
