"""Satellites in equilibrium: the simple alternative to integrating their orbits.

Distances follow the profile of subhalos in simulations, velocities the anisotropic
Jeans equation of that profile in an NFW halo. Satellites then know nothing of when and
with whom they fell in, heavy ones sink no more than light ones, and there is no
backsplash.
"""

from functools import cache

import numpy as np
from scipy import special
from scipy.interpolate import RegularGridInterpolator

from halomass.mock.structure import NFWHosts, enclosed_mass
from halomass.mock.subhalo_orbits import PhaseSpacePositions
from halomass.systems import FloatArray

# Einasto's profile through the radial percentiles of subhalos, in virial radii.
_SHAPE = 0.638
_SCALE = 0.396
# beta(r) = INNER + (OUTER - INNER) r / (r + R_vir): 0.1 inside, 0.3 at the virial
# radius
_INNER = 0.05
_OUTER = 0.55
_RADII = np.geomspace(1e-3, 30, 600)  # [virial radii]
_CONCENTRATIONS = np.geomspace(1.0, 60.0, 60)


def tracer_density(x: FloatArray) -> FloatArray:
    """Returns the number density of satellites at x virial radii, without normalisation."""
    return np.exp(-2 / _SHAPE * (x / _SCALE) ** _SHAPE)


def tracer_fraction(x: FloatArray) -> FloatArray:
    """Returns the fraction of satellites in the halo that lie within x virial radii."""
    order = 3 / _SHAPE
    scale = 2 / _SHAPE
    whole = special.gammainc(order, scale * (1 / _SCALE) ** _SHAPE)
    return (
        special.gammainc(order, scale * (np.minimum(x, 1.0) / _SCALE) ** _SHAPE) / whole
    )


def tracer_radius(uniform: FloatArray) -> FloatArray:
    """Returns the distances [virial radii] within which the given fractions of satellites lie."""
    order = 3 / _SHAPE
    whole = special.gammainc(order, 2 / _SHAPE * (1 / _SCALE) ** _SHAPE)
    depth = special.gammaincinv(order, uniform * whole)
    return _SCALE * (depth * _SHAPE / 2) ** (1 / _SHAPE)


def anisotropy(x: FloatArray) -> FloatArray:
    """Returns beta = 1 - sigma_t^2 / sigma_r^2 (one tangential component) at x virial radii."""
    return _INNER + (_OUTER - _INNER) * x / (1 + x)


def integrating_factor(x: FloatArray) -> FloatArray:
    """Returns exp(2 * integral of beta dx / x), up to a constant."""
    return x ** (2 * _INNER) * (1 + x) ** (2 * (_OUTER - _INNER))


def solve_jeans(concentration: float) -> FloatArray:
    """Returns the radial dispersion [virial velocities] on a grid of radii.

    Binney & Mamon (1982), doi:10.1093/mnras/200.2.361.

    Arguments:
        concentration: The host's.
    """
    force = (
        enclosed_mass(concentration * _RADII)
        / enclosed_mass(np.asarray(concentration))
        / _RADII**2
    )
    weight = tracer_density(_RADII) * integrating_factor(_RADII)
    # the integral runs from outside in, over log r
    pull = weight * force * _RADII
    pieces = np.diff(np.log(_RADII)) * (pull[1:] + pull[:-1]) / 2
    outside = np.concatenate([np.cumsum(pieces[::-1])[::-1], [0.0]])
    return np.sqrt(outside / weight)


# a table, because each satellite would need a solution for its host's concentration
@cache
def _table() -> RegularGridInterpolator:
    axes = (np.log(_CONCENTRATIONS), np.log(_RADII))
    values = np.stack([solve_jeans(float(c)) for c in _CONCENTRATIONS])
    return RegularGridInterpolator(axes, values, bounds_error=False, fill_value=None)


def radial_dispersion(concentration: FloatArray, x: FloatArray) -> FloatArray:
    """Returns the radial dispersion [virial velocities] at x virial radii, with shape `[K]`."""
    return _table()(np.stack([np.log(concentration), np.log(x)], axis=-1))


def equilibrium_positions(
    hosts: NFWHosts, uniform: FloatArray, normal: FloatArray
) -> PhaseSpacePositions:
    """Returns where satellites in equilibrium are.

    Arguments:
        hosts: The host of each of K satellites.
        uniform: Random numbers between 0 and 1, with shape `[K]`.
        normal: Standard normal draws, with shape `[3, K]`.
    """
    x = tracer_radius(uniform)
    # beta fixes one tangential component; there are two, hence the hypotenuse below
    radial = radial_dispersion(hosts.concentration, x) * hosts.velocity
    tangential = radial * np.sqrt(1 - anisotropy(x))
    return PhaseSpacePositions(
        x * hosts.radius, radial * normal[0], tangential * np.hypot(*normal[1:])
    )
