"""How both galaxies' centres move: under each other's forces, and friction on the LMC.

The forces are those that stars feel, of `potentials` and `disc_and_bulge` (tested), written
for numpy: of a few simulations' centres a call takes longer than its arithmetic, and
numpy's take a quarter of the time of torch's.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from mwlmc.model.constants import G
from mwlmc.model.disc_and_bulge import StellarTable, bulge_density, disc_density
from mwlmc.model.potentials import NFW, Hernquist
from orrery.parameters import FloatArray

VELOCITY_DISPERSION = 120.0  # [km/s], of the Milky Way's halo, Vasiliev et al. (2021)
SEPARATION = 100.0  # [kpc], the numerator of the Coulomb logarithm
COULOMB_SOFTENING = 1.6  # times the LMC's scale radius: the denominator

Force = Callable[[FloatArray], FloatArray]


def equations_of_motion(
    milky_way: NFW, lmc: Hernquist, friction: FloatArray, stars: StellarTable
) -> Force:
    """Returns the function from a state of both centres to its time derivative.

    A state holds the Milky Way's position [kpc] and velocity [km/s], then the LMC's, with
    shape `[12, B]`. Where it is not finite, or both are in one place, nor is its derivative.

    Arguments:
        milky_way: The Milky Way's dark halos, of B simulations.
        lmc: The LMCs.
        friction: lambda_DF, with shape `[B]`.
        stars: Pulls of the Milky Way's disc and bulge.
    """
    lmc_pull = pull_of_lmc(lmc)
    milky_way_pull = _pull_of_milky_way(milky_way, stars)
    drag = _drag(milky_way, lmc, friction)

    def derivative(state: FloatArray) -> FloatArray:
        offset = state[6:9] - state[0:3]
        motion = state[9:12] - state[3:6]
        change = np.empty_like(state)
        change[0:3] = state[3:6]
        change[3:6] = lmc_pull(offset)
        change[6:9] = state[9:12]
        change[9:12] = milky_way_pull(offset) + drag(offset, motion)
        return change

    return derivative


def pull_of_lmc(lmc: Hernquist) -> Force:
    """Returns the function from the LMC's place, seen from a point, to its pull on that.

    From kpc to (km/s)^2/kpc, both with shape `[3, B]`.
    """
    strength = G * lmc.mass[:, 0].numpy()
    scale = lmc.scale[:, 0].numpy()

    def pull(offset: FloatArray) -> FloatArray:
        radius = _length(offset)
        outer = radius + scale
        return offset * (strength / (radius * outer * outer))

    return pull


def _pull_of_milky_way(halo: NFW, stars: StellarTable) -> Force:
    strength = G * halo.amplitude[:, 0].numpy()
    scale = halo.scale[:, 0].numpy()
    stellar_pulls = stars.few_pulls()

    def pull(offset: FloatArray) -> FloatArray:
        radius = _length(offset)
        x = radius / scale
        shape = np.log1p(x) * (1.0 + x) - x
        dark = strength * shape / (radius * radius * radius * (1.0 + x))
        plane, across = stellar_pulls(offset) + dark
        return -offset * np.stack([plane, plane, across])

    return pull


def _drag(
    milky_way: NFW, lmc: Hernquist, friction: FloatArray
) -> Callable[[FloatArray, FloatArray], FloatArray]:
    """Returns Chandrasekhar's friction on the LMC, Eq. 1 of Brooks et al. (2025b)."""
    scale = milky_way.scale[:, 0].numpy()
    amplitude = milky_way.amplitude[:, 0].numpy()
    density_scale = amplitude / (4.0 * math.pi * scale * scale * scale)
    coulomb = np.log(SEPARATION / (COULOMB_SOFTENING * lmc.scale[:, 0].numpy()))
    strength = 4.0 * math.pi * G**2 * lmc.mass[:, 0].numpy() * friction * coulomb

    def drag(offset: FloatArray, velocity: FloatArray) -> FloatArray:
        radius = _length(offset)
        x = radius / scale
        stars = disc_density(np.hypot(offset[0], offset[1]), offset[2])
        density = density_scale / (x * (1.0 + x) ** 2) + stars + bulge_density(radius)
        speed = _length(velocity)
        y = speed / (math.sqrt(2.0) * VELOCITY_DISPERSION)
        maxwell = special.erf(y) - 2.0 * y / math.sqrt(math.pi) * np.exp(-y * y)
        return -velocity * (strength * density * maxwell / (speed * speed * speed))

    return drag


def _length(vectors: FloatArray) -> FloatArray:
    length: FloatArray = np.sqrt((vectors * vectors).sum(0))
    return length
