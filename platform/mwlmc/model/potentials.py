"""The two galaxies: forces, enclosed masses and densities.

Everything that pulls on a star is written as a pull k >= 0 with acceleration -k times
the vector from the centre. The dark halos have one pull for all three axes; the disc
and bulge, which are the same in every simulation, have one in the plane and one across
it, read from a table that is computed once for each process from the exact densities.

Positions have their three components on the first axis, `[3, B, N]`: simulation, then
star.
Units: kpc, km/s, Msun; time in kpc/(km/s).
"""

import itertools
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from scipy.interpolate import CubicSpline
from torch import Tensor

FloatArray = NDArray[np.floating[Any]]
Vector = tuple[Tensor, Tensor, Tensor]  # three components

G = 4.30091727e-6  # [kpc (km/s)^2 / Msun], CODATA 2018 and the IAU's nominal solar mass
GYR = 1.0 / 0.9777922216807893  # [kpc / (km/s)]
HUBBLE = 67.66e-3  # [km/s / kpc], Planck 2018
CRITICAL_DENSITY = 3.0 * HUBBLE**2 / (8.0 * np.pi * G)  # [Msun / kpc^3]

SUN_RADIUS = 8.3  # [kpc]
CIRCULAR_VELOCITY = 235.0  # [km/s], total, at the Sun

BULGE_MASS = 1.2e10  # [Msun], McMillan (2017), rounded as in Brooks et al. (2025b)
BULGE_SCALE = 0.2  # [kpc]
BULGE_CUTOFF = 1.8  # [kpc]
BULGE_SLOPE = 1.8
DISC_MASS = 5e10  # [Msun]
DISC_SCALE = 3.0  # [kpc]
DISC_HEIGHT = 0.4  # [kpc]; the vertical profile is sech^2(z / 2 DISC_HEIGHT)

LMC_RADIUS = 8.7  # [kpc], van der Marel & Kallivayalil (2014)
LMC_MASS_WITHIN = 1.7e10  # [Msun] inside LMC_RADIUS


# --- dark halos -----------------------------------------------------------------------------


@dataclass(frozen=True)
class NFW:
    """A Navarro-Frenk-White halo for each of B simulations.

    Arguments:
        amplitude: 4 pi rho_s r_s^3 [Msun], with shape `[B, 1]`.
        scale: Scale radius r_s [kpc], with shape `[B, 1]`.
    """

    amplitude: Tensor
    scale: Tensor

    def enclosed_mass(self, radius: Tensor) -> Tensor:
        """Returns the mass [Msun] within radii `[B, N]` [kpc]."""
        x = radius / self.scale
        return self.amplitude * (torch.log1p(x) - x / (1.0 + x))

    def density(self, radius: Tensor) -> Tensor:
        """Returns the density [Msun/kpc^3] at radii `[B, N]` [kpc]."""
        x = radius / self.scale
        return self.amplitude / (4.0 * np.pi * self.scale**3 * x * (1.0 + x) ** 2)

    def potential(self, radius: Tensor) -> Tensor:
        """Returns the potential [(km/s)^2] at radii `[B, N]` [kpc], zero at infinity."""
        return -G * self.amplitude * torch.log1p(radius / self.scale) / radius

    def pull(self, radius: Tensor) -> Tensor:
        """Returns the pull [1/time^2] at radii `[B, N]` [kpc]."""
        x = radius / self.scale
        # one division for both of the mass's terms and the radius: it is what the stars
        # wait for
        shape = torch.log1p(x) * (1.0 + x) - x
        return G * self.amplitude * shape / (radius * radius * radius * (1.0 + x))


@dataclass(frozen=True)
class Hernquist:
    """A Hernquist (1990) halo for each of B simulations.

    Arguments:
        mass: Total mass [Msun], with shape `[B, 1]`.
        scale: Scale radius a [kpc], with shape `[B, 1]`.
    """

    mass: Tensor
    scale: Tensor

    def enclosed_mass(self, radius: Tensor) -> Tensor:
        """Returns the mass [Msun] within radii `[B, N]` [kpc]."""
        return self.mass * (radius / (radius + self.scale)) ** 2

    def pull(self, radius: Tensor) -> Tensor:
        """Returns the pull [1/time^2] at radii `[B, N]` [kpc]."""
        outer = radius + self.scale
        return G * self.mass / (radius * outer * outer)


def length(vectors: Tensor | Vector) -> Tensor:
    """Returns the lengths `[...]` of vectors `[3, ...]`; many times faster than torch's norm."""
    return square(vectors).sqrt()


def square(vectors: Tensor | Vector) -> Tensor:
    """Returns the squared lengths `[...]` of vectors `[3, ...]`."""
    x, y, z = vectors[0], vectors[1], vectors[2]
    return x * x + y * y + z * z


def virial_radius(mass: FloatArray) -> FloatArray:
    """Returns r200 [kpc] of halos of mass M200 [Msun]: 200 times the critical density."""
    return np.cbrt(3.0 * mass / (800.0 * np.pi * CRITICAL_DENSITY))


def concentration(
    mass: FloatArray, circular_velocity: float = CIRCULAR_VELOCITY
) -> FloatArray:
    """Returns c200 of halos with M200 `[B]` [Msun] so that the whole Milky Way reaches v_c.

    Arguments:
        mass: M200 [Msun].
        circular_velocity: Circular velocity of halo, disc and bulge at 8.3 kpc [km/s].

    Raises:
        ValueError: If no concentration between 0.1 and 1000 reaches the velocity.
    """
    stars = stellar_circular_velocity(SUN_RADIUS)
    wanted = (
        (circular_velocity**2 - stars**2) * SUN_RADIUS / G
    )  # halo mass inside 8.3 kpc
    fraction = SUN_RADIUS / virial_radius(mass)
    low, high = np.full_like(mass, np.log(0.1)), np.full_like(mass, np.log(1000.0))

    def reached(log_c: FloatArray) -> FloatArray:
        c = np.exp(log_c)
        return mass * _nfw_shape(c * fraction) / _nfw_shape(c)

    if (reached(high) < wanted).any() or (reached(low) > wanted).any():
        raise ValueError(
            f"no NFW halo with M200 between {mass.min():.3g} and {mass.max():.3g} Msun reaches "
            f"{circular_velocity} km/s at {SUN_RADIUS} kpc: change circular_velocity or the prior"
        )
    for _ in range(
        60
    ):  # bisection halves an interval of 9 in ln c: converged to rounding
        middle = 0.5 * (low + high)
        short = reached(middle) < wanted
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.exp(0.5 * (low + high))


def _nfw_shape(x: FloatArray) -> FloatArray:
    return np.log1p(x) - x / (1.0 + x)


def milky_way_halo(mass: FloatArray, c200: FloatArray) -> NFW:
    """Returns NFW halos from M200 `[B]` [Msun] and c200 `[B]`."""
    amplitude = mass / _nfw_shape(c200)
    return NFW(_column(amplitude), _column(virial_radius(mass) / c200))


def lmc_scale(mass: FloatArray) -> FloatArray:
    """Returns the Hernquist scale [kpc] of LMCs of mass [Msun] with 1.7e10 Msun inside 8.7 kpc.

    Raises:
        ValueError: If a mass is not above 1.7e10 Msun.
    """
    if not (mass > LMC_MASS_WITHIN).all():
        raise ValueError(
            f"LMC mass {np.min(mass):.3g} Msun must be above {LMC_MASS_WITHIN:.3g}: the Hernquist "
            "profile cannot hold more inside 8.7 kpc than it has"
        )
    return LMC_RADIUS * (np.sqrt(mass / LMC_MASS_WITHIN) - 1.0)


def lmc_halo(mass: FloatArray) -> Hernquist:
    """Returns the LMCs' halos from their masses `[B]` [Msun]."""
    return Hernquist(_column(mass), _column(lmc_scale(mass)))


def _column(values: FloatArray) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float64)[:, None]


# --- disc and bulge, exact -------------------------------------------------------------------


def disc_density(cylindrical_radius: FloatArray, height: FloatArray) -> FloatArray:
    """Returns the disc's density [Msun/kpc^3] at R, z [kpc]: exponential times sech^2."""
    surface = (
        DISC_MASS
        / (2.0 * np.pi * DISC_SCALE**2)
        * np.exp(-cylindrical_radius / DISC_SCALE)
    )
    return surface * _vertical_profile(height)


def _vertical_profile(height: FloatArray) -> FloatArray:
    # written with exponentials of -|z|, since cosh overflows in the far halo
    decay = np.exp(-np.abs(height) / DISC_HEIGHT)
    return decay / (DISC_HEIGHT * (1.0 + decay) ** 2)


def bulge_density(radius: FloatArray) -> FloatArray:
    """Returns the bulge's density [Msun/kpc^3] at radii [kpc]."""
    return BULGE_MASS / _bulge_norm() * _bulge_shape(radius)


def bulge_enclosed_mass(radius: FloatArray) -> FloatArray:
    """Returns the bulge's mass [Msun] within radii [kpc]."""
    edge = np.minimum(radius, 10.0 * BULGE_CUTOFF)
    return BULGE_MASS / _bulge_norm() * _bulge_integral(edge)


def _bulge_shape(radius: FloatArray) -> FloatArray:
    return (1.0 + radius / BULGE_SCALE) ** -BULGE_SLOPE * np.exp(
        -((radius / BULGE_CUTOFF) ** 2)
    )


def _bulge_integral(radius: FloatArray) -> FloatArray:
    nodes, weights = np.polynomial.legendre.leggauss(96)
    t = 0.5 * (nodes + 1.0)
    r = (
        np.asarray(radius)[..., None] * t**2
    )  # squared: more nodes near the steep centre
    volume = 4.0 * np.pi * r**2 * 2.0 * t * np.asarray(radius)[..., None]
    return (0.5 * weights * volume * _bulge_shape(r)).sum(-1)


@cache
def _bulge_norm() -> float:
    return float(_bulge_integral(np.array(10.0 * BULGE_CUTOFF)))


# --- disc and bulge, tabulated ---------------------------------------------------------------

# The table holds pulls in units of a softened point mass of the same total mass. That
# ratio is smooth and tends to 1 far away, so that linear interpolation is good to
# 1.1e-4 beyond 1 kpc (tested). Its axes are R/(R + 6) and |z|/(|z| + 2.5), which puts
# the nodes where the stars are.
_NODES = 257
TABLE_SIZE = _NODES**2
_R_UNIT = 6.0  # [kpc]
_Z_UNIT = 2.5  # [kpc]
_SOFTENING = 1.5  # [kpc]
_FAR = 60.0  # [kpc], beyond which the disc's multipoles replace the Hankel integral
_STELLAR_MASS = BULGE_MASS + DISC_MASS


@dataclass(frozen=True)
class StellarTable:
    """Pulls of disc, bulge or both, interpolated linearly.

    Arguments:
        plane: Ratio of the pull in the plane to the softened point mass's, on the nodes
            in R and then z, with shape `[nodes * nodes]`.
        across: The same of the pull across the plane.
    """

    plane: Tensor
    across: Tensor

    def pulls(self, position: Tensor | Vector) -> tuple[Tensor, Tensor]:
        """Returns the pulls in and across the plane, each `[B, N]`, at positions `[3, B, N]`."""
        height = position[2].abs()
        planar2 = position[0] * position[0] + position[1] * position[1]
        radius = planar2.sqrt()
        # both fractions R/(R + 6) and |z|/(|z| + 2.5) by one division
        near, low = radius + _R_UNIT, height + _Z_UNIT
        scale = (_NODES - 1) / (near * low)
        u, v = radius * low * scale, height * near * scale
        # a star at infinity, or not a number, stays inside the table and shows
        # elsewhere
        i = u.to(torch.int32).clamp(0, _NODES - 2)
        j = v.to(torch.int32).clamp(0, _NODES - 2)
        corner = i * _NODES + j
        soft2 = planar2 + height * height + _SOFTENING**2
        point = G * _STELLAR_MASS / (soft2 * soft2.sqrt())
        along = (corner, u - i, v - j)
        return _bilinear(self.plane, *along) * point, _bilinear(
            self.across, *along
        ) * point


def _bilinear(table: Tensor, corner: Tensor, u: Tensor, v: Tensor) -> Tensor:
    low, high = table[corner], table[corner + _NODES]
    low = low + v * (table[corner + 1] - low)
    high = high + v * (table[corner + _NODES + 1] - high)
    return low + u * (high - low)


@cache
def _ratios() -> tuple[FloatArray, FloatArray]:
    """Returns the ratios of disc and of bulge, each `[2, nodes, nodes]`: in plane, across."""
    fraction = np.arange(_NODES) / (_NODES - 1)
    with np.errstate(divide="ignore"):
        radius = (_R_UNIT * fraction / (1.0 - fraction))[:, None]
        height = (_Z_UNIT * fraction / (1.0 - fraction))[None, :]
    # At a fraction of 1 the point is at infinity, where every ratio is its mass
    # fraction; the pulls at R = 0 or z = 0 are limits, reached from just beside them.
    finite = np.isfinite(radius) & np.isfinite(height)
    radius, height = np.maximum(radius, 1e-4), np.maximum(height, 1e-4)
    disc = np.full((2, _NODES, _NODES), DISC_MASS / _STELLAR_MASS)
    bulge = np.full((2, _NODES, _NODES), BULGE_MASS / _STELLAR_MASS)
    r, z = radius[:-1], height[:, :-1]
    distance2 = r**2 + z**2
    point = G * _STELLAR_MASS * (distance2 + _SOFTENING**2) ** -1.5
    disc[:, finite] = (np.stack(disc_pulls(r[:, 0], z[0])) / point).reshape(2, -1)
    bulge[:, finite] = (
        G * _interpolated_bulge_mass(np.sqrt(distance2)) / distance2**1.5 / point
    ).ravel()
    return disc, bulge


def _interpolated_bulge_mass(radius: FloatArray) -> FloatArray:
    """Returns the bulge's mass [Msun] within many radii [kpc], to 1e-8: the integral is slow."""
    edge = 10.0 * BULGE_CUTOFF
    nodes = np.geomspace(radius.min(), edge, 500)
    spline = CubicSpline(np.log(nodes), np.log(bulge_enclosed_mass(nodes)))
    mass: FloatArray = np.exp(spline(np.log(np.minimum(radius, edge))))
    return mass


def disc_pulls(radius: FloatArray, height: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Returns the disc's exact pulls in and across the plane on a grid, each `[I, J]`.

    The potential of a disc is a Hankel transform (Binney & Tremaine 2008, section
    2.6.2), with the vertical profile folded in; far away, where its integrand
    oscillates, the multipole expansion to l = 4 takes over, good to 6e-4 of the disc
    there and to 1e-5 beyond 120 kpc. The heights are also nodes of an integral over z:
    give a grid as fine as the disc is thin.

    Arguments:
        radius: R > 0 [kpc], with shape `[I]`.
        height: z > 0 [kpc], ascending, with shape `[J]`.
    """
    near_plane, near_across = _hankel_pulls(
        np.minimum(radius, _FAR), np.minimum(height, _FAR)
    )
    far_plane, far_across = _multipole_pulls(radius[:, None], height[None, :])
    far = radius[:, None] ** 2 + height[None, :] ** 2 > _FAR**2
    return np.where(far, far_plane, near_plane), np.where(far, far_across, near_across)


def _hankel_pulls(
    radius: FloatArray, height: FloatArray
) -> tuple[FloatArray, FloatArray]:
    k, weight = _wave_numbers()
    surface = weight / (1.0 + (k * DISC_SCALE) ** 2) ** 1.5
    even, odd = _vertical_transform(k, height)  # [J, K]
    j1 = special.j1(radius[:, None] * k) * k / radius[:, None]
    j0 = special.j0(radius[:, None] * k) * k
    plane = (j1 * surface) @ even.T
    across = (j0 * surface) @ odd.T / height
    return G * DISC_MASS * plane, G * DISC_MASS * across


def _wave_numbers(
    panels: int = 160, largest: float = 60.0
) -> tuple[FloatArray, FloatArray]:
    # Gauss-Legendre panels, narrow where k is small: there the far disc's wiggles are
    nodes, weights = np.polynomial.legendre.leggauss(48)
    edges = np.linspace(0.0, 1.0, panels + 1) ** 2 * largest
    half = 0.5 * np.diff(edges)[:, None]
    middle = 0.5 * (edges[1:] + edges[:-1])[:, None]
    return (middle + half * nodes).ravel(), (half * weights).ravel()


def _vertical_transform(
    k: FloatArray, height: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Returns, each `[J, K]`, the transform of the vertical profile and its fall with height / k.

    With below(z) the integral of the profile times exp(-k (z - z')) over z' < z, and
    above(z) its mirror image, they are below + above and below - above: marched from
    node to node, so that no exponential overflows.
    """
    nodes, weights = np.polynomial.legendre.leggauss(12)
    edges = np.concatenate([[0.0], height])
    below, above = np.zeros((len(edges), k.size)), np.zeros((len(edges), k.size))
    steps = []
    for low, high in itertools.pairwise(edges):
        z = 0.5 * (high + low) + 0.5 * (high - low) * nodes
        mass = 0.5 * (high - low) * weights * _vertical_profile(z)
        up, down = np.exp(-np.outer(high - z, k)), np.exp(-np.outer(z - low, k))
        steps.append((np.exp(-k * (high - low)), mass @ up, mass @ down))
    for j in range(len(steps) - 1, -1, -1):
        above[j] = above[j + 1] * steps[j][0] + steps[j][2]
    below[0] = above[0]  # the profile is even
    for j, (fade, up, _) in enumerate(steps):
        below[j + 1] = below[j] * fade + up
    return (below + above)[1:], (below - above)[1:]


def _multipole_pulls(
    radius: FloatArray, height: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Returns the pulls from the moments of order 0, 2 and 4 of the disc's mass."""
    r2, z2 = (
        6.0 * DISC_SCALE**2,
        np.pi**2 / 3.0 * DISC_HEIGHT**2,
    )  # means of R^2 and z^2
    r4, z4 = (
        120.0 * DISC_SCALE**4,
        7.0 * np.pi**4 / 15.0 * DISC_HEIGHT**4,
    )  # of R^4 and z^4
    q2 = z2 - 0.5 * r2
    q4 = z4 - 3.0 * z2 * r2 + 0.375 * r4
    s2 = radius**2 + height**2
    c2 = height**2 / s2
    p2, p4 = 1.5 * c2 - 0.5, (35.0 * c2**2 - 30.0 * c2 + 3.0) / 8.0
    # derivatives by cos^2, which enter through d cos^2/dR = -2 R c^2/s^2 and its like
    # in z
    d2, d4 = 1.5, (70.0 * c2 - 30.0) / 8.0
    radial = 1.0 + 3.0 * q2 * p2 / s2 + 5.0 * q4 * p4 / s2**2
    turn = 2.0 * (q2 * d2 / s2 + q4 * d4 / s2**2)
    scale = G * DISC_MASS / s2**1.5
    return scale * (radial + turn * c2), scale * (radial - turn * (1.0 - c2))


@cache
def stellar_table(
    component: str = "total", dtype: torch.dtype = torch.float64
) -> StellarTable:
    """Returns the table of `disc`, `bulge` or `total`, computed once for each process.

    Raises:
        ValueError: If there is no such component.
    """
    disc, bulge = _ratios()
    grids = {"disc": disc, "bulge": bulge, "total": disc + bulge}
    if component not in grids:
        raise ValueError(
            f"no stellar component {component!r}: choose one of {sorted(grids)}"
        )
    plane, across = torch.as_tensor(grids[component], dtype=dtype)
    return StellarTable(plane.flatten(), across.flatten())


@cache
def stellar_mass_within(radius: float) -> float:
    """Returns the mass [Msun] of disc and bulge inside a sphere of a radius [kpc]."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    r, weight = 0.5 * radius * (nodes + 1.0), 0.5 * radius * weights
    surface = DISC_MASS / DISC_SCALE**2 * np.exp(-r / DISC_SCALE) * r
    height = np.sqrt(radius**2 - r**2)
    inside = np.tanh(height / (2.0 * DISC_HEIGHT))  # of the column's stars
    return float(
        (weight * surface * inside).sum() + bulge_enclosed_mass(np.array(radius))
    )


@cache
def stellar_circular_velocity(radius: float) -> float:
    """Returns the circular velocity [km/s] of disc and bulge in the plane at a radius [kpc].

    From the exact forces: the table's would move all concentrations by 2e-5, and with
    them the LMC's path by 0.005 kpc.
    """
    heights = np.geomspace(1e-4, 50.0 * DISC_HEIGHT, 128)
    disc = float(disc_pulls(np.array([radius]), heights)[0][0, 0])
    bulge = G * float(bulge_enclosed_mass(np.array(radius))) / radius**3
    return radius * math.sqrt(disc + bulge)
