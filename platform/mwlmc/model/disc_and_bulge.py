"""The Milky Way's disc and bulge: densities, enclosed masses, and forces read from a table.

Everything that pulls on a star is written as a pull k >= 0 with acceleration -k times
the vector from the centre. Disc and bulge, which are the same in every simulation, have
one pull in the plane and one across it, read from a table that is computed once for
each process from the exact densities.

Positions have their three components on the first axis, `[3, B, N]`: simulation, then
star. Units: kpc, km/s, Msun; time in kpc/(km/s).
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from scipy import special
from scipy.interpolate import CubicSpline
from torch import Tensor

from mwlmc.model.constants import (
    BULGE_CUTOFF,
    BULGE_MASS,
    BULGE_SCALE,
    BULGE_SLOPE,
    DISC_HEIGHT,
    DISC_MASS,
    DISC_SCALE,
    G,
)
from mwlmc.model.vectors import Vector
from orrery.parameters import FloatArray


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

    Example:
        >>> position = torch.tensor([[[8.3]], [[0.0]], [[0.0]]], dtype=torch.float64)
        >>> plane, across = stellar_table().pulls(position)
        >>> round(float(plane.sqrt() * 8.3)), bool(across > plane)
        (175, True)
    """

    plane: Tensor
    across: Tensor

    def pulls(self, position: Tensor | Vector) -> tuple[Tensor, Tensor]:
        """Returns the pulls in and across the plane, each `[B, N]`, at positions `[3, B, N]`."""
        height = position[2].abs()
        planar2 = position[0] * position[0] + position[1] * position[1]
        radius = planar2.sqrt()
        # both fractions R/(R + 6) and |z|/(|z| + 2.5) by one division
        near = radius + _R_UNIT
        low = height + _Z_UNIT
        scale = (_NODES - 1) / (near * low)
        u = radius * low * scale
        v = height * near * scale
        # a star at infinity, or not a number, stays inside the table and shows
        # elsewhere
        i = u.to(torch.int32).clamp(0, _NODES - 2)
        j = v.to(torch.int32).clamp(0, _NODES - 2)
        corner = i * _NODES + j
        soft2 = planar2 + height * height + _SOFTENING**2
        point = G * _STELLAR_MASS / (soft2 * soft2.sqrt())
        du = u - i
        dv = v - j
        plane = _bilinear(self.plane, corner, du, dv) * point
        across = _bilinear(self.across, corner, du, dv) * point
        return plane, across

    def few_pulls(self) -> Callable[[FloatArray], FloatArray]:
        """Returns `pulls` for numpy, from few positions `[3, B]` to pulls `[2, B]`.

        For stars by the thousand it is slower, and warns of one that is not a number.
        """
        table = torch.stack([self.plane, self.across]).numpy()
        corners = np.array([0, _NODES, 1, _NODES + 1])[:, None]

        def pulls(position: FloatArray) -> FloatArray:
            height = np.abs(position[2])
            planar2 = position[0] * position[0] + position[1] * position[1]
            radius = np.sqrt(planar2)
            u = (_NODES - 1) * radius / (radius + _R_UNIT)
            v = (_NODES - 1) * height / (height + _Z_UNIT)
            i = u.astype(np.int32).clip(0, _NODES - 2)
            j = v.astype(np.int32).clip(0, _NODES - 2)
            around = table.take(i * _NODES + j + corners, axis=1)  # [2, 4, B]
            both = around[:, :2] + (v - j) * (around[:, 2:] - around[:, :2])
            ratio = both[:, 0] + (u - i) * (both[:, 1] - both[:, 0])
            soft2 = planar2 + height * height + _SOFTENING**2
            pulled: FloatArray = ratio * (G * _STELLAR_MASS / (soft2 * np.sqrt(soft2)))
            return pulled

        return pulls


def _bilinear(table: Tensor, corner: Tensor, u: Tensor, v: Tensor) -> Tensor:
    low = table[corner]
    high = table[corner + _NODES]
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
    radius = np.maximum(radius, 1e-4)
    height = np.maximum(height, 1e-4)
    disc = np.full((2, _NODES, _NODES), DISC_MASS / _STELLAR_MASS)
    bulge = np.full((2, _NODES, _NODES), BULGE_MASS / _STELLAR_MASS)
    r = radius[:-1]
    z = height[:, :-1]
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
    below = np.zeros((len(edges), k.size))
    above = np.zeros((len(edges), k.size))
    steps = []
    for low, high in itertools.pairwise(edges):
        z = 0.5 * (high + low) + 0.5 * (high - low) * nodes
        mass = 0.5 * (high - low) * weights * _vertical_profile(z)
        up = np.exp(-np.outer(high - z, k))
        down = np.exp(-np.outer(z - low, k))
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
    # means over the disc of R^2, z^2, R^4 and z^4
    r2 = 6.0 * DISC_SCALE**2
    z2 = np.pi**2 / 3.0 * DISC_HEIGHT**2
    r4 = 120.0 * DISC_SCALE**4
    z4 = 7.0 * np.pi**4 / 15.0 * DISC_HEIGHT**4
    q2 = z2 - 0.5 * r2
    q4 = z4 - 3.0 * z2 * r2 + 0.375 * r4
    s2 = radius**2 + height**2
    c2 = height**2 / s2
    p2 = 1.5 * c2 - 0.5
    p4 = (35.0 * c2**2 - 30.0 * c2 + 3.0) / 8.0
    # derivatives by cos^2, which enter through d cos^2/dR = -2 R c^2/s^2 and its like
    # in z
    d2 = 1.5
    d4 = (70.0 * c2 - 30.0) / 8.0
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
    r = 0.5 * radius * (nodes + 1.0)
    weight = 0.5 * radius * weights
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
