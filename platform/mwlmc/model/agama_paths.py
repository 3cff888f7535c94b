"""Both galaxies' paths with agama's forces: the rewind of `trajectories`, solved another way.

The equations are those of `centres`; the forces and densities are agama's, and the
steps are adaptive, so that each solution checks the other. agama itself is imported by
`agama_engine` alone, which makes the potentials.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import integrate, special

from mwlmc.model import centres, trajectories
from mwlmc.model.constants import G
from mwlmc.model.trajectories import LOOKBACK, Trajectories
from mwlmc.sky import frames
from orrery.parameters import FloatArray

# Of 5 Myr, at which agama is given the LMC's path: positions of 99 % of the stars are
# converged to 1e-3 kpc.
STEPS = 440
TIMES = np.linspace(-LOOKBACK, 0.0, STEPS + 1)
_SKY = ("ra_lmc", "dec_lmc", "d_lmc", "vlos_lmc", "pmra_lmc", "pmdec_lmc")


@dataclass(frozen=True)
class AgamaPotentials:
    """Both galaxies of one simulation, as agama's potentials around the origin.

    Arguments:
        milky_way: Bulge, disc and dark halo.
        halo: The Milky Way's dark halo alone.
        lmc: The LMC.
        c200: The dark halo's concentration.
        a_lmc: The LMC's Hernquist scale radius [kpc].

    Example:
        >>> pair = AgamaPotentials(milky_way=None, halo=None, lmc=None, c200=9.4, a_lmc=16.0)
        >>> pair.c200
        9.4
    """

    milky_way: Any
    halo: Any
    lmc: Any
    c200: float
    a_lmc: float


def rewind(pair: AgamaPotentials, drawn: Mapping[str, float]) -> FloatArray:
    """Returns both centres' states `[T, 12]`: the Milky Way's x, v, then the LMC's x, v."""
    ra, dec, distance, v_los, pm_ra, pm_dec = (np.array(drawn[n]) for n in _SKY)
    today = frames.sky_to_galactocentric(
        np.radians(ra), np.radians(dec), distance, v_los, pm_ra, pm_dec
    )
    solution = integrate.solve_ivp(
        lambda _, state: _derivative(state, pair, 10.0 ** drawn["log10_lambda_df"]),
        (0.0, -LOOKBACK),
        np.concatenate([np.zeros(6), *today]),
        method="DOP853",
        t_eval=TIMES[::-1],
        # tight, so that the comparison shows the other engine's errors, not these
        rtol=1e-10,
        atol=1e-10,
    )
    if not solution.success:
        raise ArithmeticError(
            f"the rewind of {drawn} stopped ({solution.message}): draw other parameters"
        )
    return np.asarray(solution.y[:, ::-1].T)


def as_trajectories(
    pairs: Sequence[AgamaPotentials], paths: FloatArray
) -> Trajectories:
    """Returns the paths of B simulations from their states `[T, 12, B]`."""
    relative = paths[:, 6:] - paths[:, :6]
    # the Milky Way's centre falls in the LMC's field: that accelerates the stars' frame
    pulls = [pair.lmc.force(-relative[:, :3, b]) for b, pair in enumerate(pairs)]
    farthest, fastest = (
        np.linalg.norm(part, axis=1).max(0) for part in np.split(relative, 2, axis=1)
    )
    bound = (farthest < trajectories.FARTHEST) & (fastest < trajectories.FASTEST)
    return Trajectories(
        times=torch.as_tensor(TIMES),
        milky_way=torch.as_tensor(paths[:, :6]),
        lmc=torch.as_tensor(paths[:, 6:]),
        milky_way_acceleration=torch.as_tensor(np.stack(pulls, axis=-1)),
        runaway=torch.as_tensor(~bound),
    )


def _derivative(
    state: FloatArray, pair: AgamaPotentials, friction: float
) -> FloatArray:
    """Returns the time derivative of `[12]`: each centre is accelerated by the other galaxy."""
    offset = state[6:9] - state[0:3]
    velocity = state[9:12] - state[3:6]
    lmc = pair.milky_way.force(offset) + friction * _friction(offset, velocity, pair)
    return np.concatenate([state[3:6], pair.lmc.force(-offset), state[9:12], lmc])


def _friction(
    offset: FloatArray, velocity: FloatArray, pair: AgamaPotentials
) -> FloatArray:
    """Returns Chandrasekhar's friction on the LMC, Eq. 1 of Brooks et al. (2025b), `[3]`."""
    speed = math.hypot(velocity[0], velocity[1], velocity[2])
    x = speed / (math.sqrt(2.0) * centres.VELOCITY_DISPERSION)
    maxwell = special.erf(x) - 2.0 * x / math.sqrt(math.pi) * math.exp(-x * x)
    coulomb = math.log(centres.SEPARATION / (centres.COULOMB_SOFTENING * pair.a_lmc))
    strength = 4.0 * math.pi * G**2 * pair.lmc.totalMass() * coulomb
    density = float(pair.milky_way.density(offset))
    return -velocity * float(strength * density * maxwell / speed**3)
