"""The stellar halo before the LMC came: a distribution function of constant anisotropy.

A tracer with inner slope 1, a Dehnen (1993) one or, with another outer slope, a double
power law (Zhao 1996), in a spherical potential, with f(E, L) = g(E) L^(-2 beta)
(Cuddeford 1991; Binney & Tremaine 2008, section 4.3.2). Above beta = 1/2 a tracer with
this cusp has no non-negative f: g is set to zero where it would be negative, as agama
does, and the share of the tracer that this removes is returned with the samples.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mwlmc.model.constants import G
from mwlmc.model.disc_and_bulge import bulge_density, disc_density
from mwlmc.model.options import Equilibrium
from orrery.parameters import FloatArray

VERSION = 1  # of the distribution function; raised whenever its numbers change


# Nodes in radius: everything is tabulated on them. They reach far enough in and out
# that the tracer outside holds 1e-7 of its mass within and 1e-4 beyond.
_RADII = np.geomspace(3e-3, 3e5, 257)  # [kpc]
_SPEED_NODES = 257

DEHNEN_SLOPE = 4.0  # of a Dehnen tracer far out
# Of shallower tracers too many stars are beyond the nodes; steeper ones nobody has seen.
_OUTER_SLOPES = (3.75, 12.0)


@dataclass(frozen=True)
class SphericalPotential:
    """A spherical potential on the nodes in radius.

    Arguments:
        potential: [(km/s)^2], zero at infinity, with shape `[K]`.
        mass: Enclosed mass [Msun], with shape `[K]`.
        density: [Msun/kpc^3], with shape `[K]`.

    Example:
        >>> potential = spherical_potential(5e11, 20.0, "halo")
        >>> bool((np.diff(potential.potential) > 0).all())
        True
    """

    potential: FloatArray
    mass: FloatArray
    density: FloatArray


def spherical_potential(
    m200_amplitude: float, scale: float, equilibrium: Equilibrium
) -> SphericalPotential:
    """Returns the potential in which the halo is in equilibrium before the LMC comes.

    Arguments:
        m200_amplitude: The NFW halo's 4 pi rho_s r_s^3 [Msun].
        scale: Its scale radius [kpc].
        equilibrium: `halo`, the NFW halo alone as in Brooks et al. (2025b), or `total`,
            with the sphere-averaged disc and bulge.

    Raises:
        ValueError: If there is no such equilibrium.
    """
    x = _RADII / scale
    potential = -G * m200_amplitude * np.log1p(x) / _RADII
    mass = m200_amplitude * (np.log1p(x) - x / (1.0 + x))
    density = m200_amplitude / (4.0 * np.pi * scale**3 * x * (1.0 + x) ** 2)
    if equilibrium == "halo":
        return SphericalPotential(potential, mass, density)
    if equilibrium == "total":
        stars = _stars()
        return SphericalPotential(
            potential + stars.potential, mass + stars.mass, density + stars.density
        )
    raise ValueError(f"no equilibrium {equilibrium!r}: choose 'halo' or 'total'")


@cache
def _stars() -> SphericalPotential:
    """Returns the sphere-averaged disc and bulge."""
    fine = np.geomspace(_RADII[0], _RADII[-1], 16 * (len(_RADII) - 1) + 1)
    # squared nodes in cos(theta): the thin disc lives near zero
    nodes, weights = np.polynomial.legendre.leggauss(400)
    t = 0.5 * (nodes + 1.0)
    cosine = t**3
    weight = 1.5 * t**2 * weights
    disc = disc_density(
        fine[:, None] * np.sqrt(1.0 - cosine**2), fine[:, None] * cosine
    )
    density = disc @ weight + bulge_density(fine)
    shells = 4.0 * np.pi * fine**3 * density  # by ln r
    step = np.log(fine[1] / fine[0])
    inside = shells[0] * step / 3.0 + _cumulative(shells, step)
    # the potential of the shells outside: the integral of dm / r
    outer = _cumulative(shells / fine, step)
    potential = -G * (inside / fine + outer[-1] - outer)
    return SphericalPotential(potential[::16], inside[::16], density[::16])


def _cumulative(values: FloatArray, step: float) -> FloatArray:
    return np.concatenate([[0.0], np.cumsum(0.5 * (values[1:] + values[:-1])) * step])


@dataclass(frozen=True)
class DistributionFunction:
    """A tabulated f(E, L) = g(E) L^(-2 beta).

    Arguments:
        beta: Anisotropy, from 0 to below 1.
        relative_energy: Psi at the nodes in radius, falling [(km/s)^2], with shape
            `[K]`.
        g: g at those energies, up to a constant factor, negative values clipped, `[K]`.
        clipped: The share of the tracer's mass beyond what a non-negative f can make.
        radial_cdf: Fraction of the tracer's stars within each node, with shape `[K]`.
        speed_cdf: Fraction of the stars at a node slower than each of the nodes in
            speed (in units of the escape speed), with shape `[K, S]`.

    Example:
        >>> potential = spherical_potential(5e11, 20.0, "halo")
        >>> f = distribution_function(potential, beta=0.3, tracer_scale=12.0)
        >>> position, velocity = f.sample(1000, np.random.default_rng(1))
        >>> position.shape, f.clipped
        ((3, 1000), 0.0)
    """

    beta: float
    relative_energy: FloatArray
    g: FloatArray
    clipped: float
    radial_cdf: FloatArray
    speed_cdf: FloatArray

    def sample(
        self, count: int, random: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Returns positions [kpc] and velocities [km/s] of stars, each `[3, count]`.

        The stars come by rising radius: so they find their places in the tables many
        times faster.
        """
        radius, node = self._radii(count, random)
        psi = np.exp(
            np.interp(np.log(radius), np.log(_RADII), np.log(self.relative_energy))
        )
        speed = self._speeds(node, random) * np.sqrt(2.0 * psi)
        # the cosine c between velocity and radius has density (1 - c^2)^(-beta)
        half = random.beta(1.0 - self.beta, 1.0 - self.beta, count)
        radial = speed * (2.0 * half - 1.0)
        tangential = speed * (2.0 * np.sqrt(half * (1.0 - half)))
        outward, south, east = _directions(count, random)
        angle = 2.0 * np.pi * random.random(count)
        sideways = south * (tangential * np.cos(angle)) + east * (
            tangential * np.sin(angle)
        )
        return outward * radius, outward * radial + sideways

    def _radii(
        self, count: int, random: np.random.Generator
    ) -> tuple[FloatArray, NDArray[Any]]:
        """Returns rising radii [kpc], and of each its nodes' one: the nearer, the likelier."""
        wanted = _rising(count, random)
        place = np.interp(wanted, self.radial_cdf, np.arange(len(_RADII)))
        place = np.minimum(place, len(_RADII) - 1.001)
        node = (place + random.random(count)).astype(np.intp)
        step = np.log(_RADII[1] / _RADII[0])
        return _RADII[0] * np.exp(step * place), node

    def _speeds(self, node: NDArray[Any], random: np.random.Generator) -> FloatArray:
        """Returns speeds in units of the escape speed, by inverting the nodes' CDFs."""
        rows, columns = self.speed_cdf.shape
        # shifted by its row's number, the table is one ascending list: one search finds
        # all
        shifted = (self.speed_cdf + np.arange(rows)[:, None]).ravel()
        wanted = node + random.random(len(node))
        first = node * columns
        right = np.clip(
            np.searchsorted(shifted, wanted), first + 1, first + columns - 1
        )
        low = shifted[right - 1]
        high = shifted[right]
        part = (wanted - low) / np.maximum(high - low, 1e-300)
        return (right - first - 1 + np.clip(part, 0.0, 1.0)) / (columns - 1)


def _rising(count: int, random: np.random.Generator) -> FloatArray:
    """Returns uniform numbers in ascending order, without sorting them (Devroye 1986, V.3)."""
    steps = np.cumsum(random.standard_exponential(count + 1))
    return steps[:-1] / steps[-1]


def _directions(count: int, random: np.random.Generator) -> tuple[FloatArray, ...]:
    """Returns unit vectors `[3, count]`, even on the sphere: outward, southward and eastward."""
    z = 2.0 * random.random(count) - 1.0
    azimuth = 2.0 * np.pi * random.random(count)
    flat = np.sqrt(1.0 - z * z)
    cosine = np.cos(azimuth)
    sine = np.sin(azimuth)
    outward = np.stack([flat * cosine, flat * sine, z])
    south = np.stack([z * cosine, z * sine, -flat])
    return outward, south, np.stack([-sine, cosine, np.zeros(count)])


def distribution_function(
    potential: SphericalPotential,
    beta: float,
    tracer_scale: float,
    outer_slope: float = DEHNEN_SLOPE,
) -> DistributionFunction:
    """Returns the distribution function of a tracer with inner slope 1.

    Its density is proportional to 1 / (r (r + a)^(s - 1)), with the scale radius a and the
    outer slope s: Zhao's (1996) with alpha = 1, and Dehnen's for s = 4.

    The inversion is the fractional derivative of h = r^(2 beta) nu by Psi of order 3/2
    - beta (Cuddeford 1991, his eqs 3-6). It is done with h' or h'' linear in Psi
    between the nodes and the kernel's integrals exact, which is good to 1e-3 where
    nothing is clipped (tested against Jeans' equation).

    Arguments:
        potential: The spherical potential.
        beta: Constant anisotropy, from 0 to below 1.
        tracer_scale: The tracer's scale radius [kpc].
        outer_slope: Minus the slope of the tracer's density far out, from 3.75 to 12.

    Raises:
        ValueError: If beta is not from 0 to below 1, the scale is not positive, or the
            outer slope is out of range.
    """
    if not (0.0 <= beta < 1.0 and tracer_scale > 0.0):
        raise ValueError(
            f"beta0 = {beta} must be from 0 to below 1, and r_dehnen = {tracer_scale} kpc positive"
        )
    shallowest, steepest = _OUTER_SLOPES
    if not shallowest <= outer_slope <= steepest:
        raise ValueError(
            f"outer_slope = {outer_slope} must be from {shallowest:g} to {steepest:g}"
        )
    psi = -potential.potential
    g = _abel_inversion(potential, beta, tracer_scale, outer_slope)
    weights = _energy_weights(psi, 1.5 - beta)
    volume = _RADII ** (
        3.0 - 2.0 * beta
    )  # r^2 dr for equal steps in ln r, times r^(-2 beta)
    kept = np.maximum(g, 0.0)
    lost = np.maximum(-g, 0.0)
    shells = volume * (weights @ kept)
    clipped = float((volume * (weights @ lost)).sum() / max(shells.sum(), 1e-300))
    radial = _cumulative(shells, 1.0)
    return DistributionFunction(
        beta, psi, kept, clipped, radial / radial[-1], _speed_cdf(psi, kept, beta)
    )


def _abel_inversion(
    potential: SphericalPotential, beta: float, tracer_scale: float, outer_slope: float
) -> FloatArray:
    """Returns g at the nodes' energies, up to a constant factor, negative values included."""
    first, second = _augmented_density_derivatives(
        potential, beta, tracer_scale, outer_slope - DEHNEN_SLOPE
    )
    psi = -potential.potential
    if beta >= 0.5:
        return _fractional_integral(psi, first, beta - 0.5)
    return _fractional_integral(psi, second, beta + 0.5)


def _augmented_density_derivatives(
    potential: SphericalPotential, beta: float, a: float, extra: float
) -> tuple[FloatArray, FloatArray]:
    """Returns dh/dPsi and d2h/dPsi2 of h = r^(2 beta) nu, nu = 1/(r (r + a)^(3 + extra)).

    Arguments:
        potential: The spherical potential.
        beta: Constant anisotropy.
        a: The tracer's scale radius [kpc].
        extra: By how much the outer slope is steeper than Dehnen's.
    """
    r = _RADII
    h = r ** (2.0 * beta - 1.0) / (r + a) ** 3 * (r + a) ** -extra
    slope = (2.0 * beta - 1.0) / r - 3.0 / (r + a) - extra / (r + a)  # d ln h / dr
    bend = (2.0 * beta - 1.0) / r**2 - 3.0 / (r + a) ** 2 - extra / (r + a) ** 2
    h1 = h * slope
    h2 = h * (slope**2 - bend)
    psi1 = -G * potential.mass / r**2
    psi2 = 2.0 * G * potential.mass / r**3 - 4.0 * np.pi * G * potential.density
    return h1 / psi1, (h2 - h1 * psi2 / psi1) / psi1**2


def _fractional_integral(
    psi: FloatArray, values: FloatArray, order: float
) -> FloatArray:
    """Returns the Riemann-Liouville integral of `values` over Psi of an order from 0 to 1.

    The integral of values(Psi') (Psi - Psi')^(order - 1) / Gamma(order) from zero to
    Psi, with the values linear between the nodes. Order 0 returns the values.
    """
    if order == 0.0:
        return values
    # gaps[i, k] = Psi_i - Psi_k at the nodes further out, k > i; zero elsewhere
    gaps = np.maximum(psi[:, None] - psi[None, :], 0.0)
    zeroth = gaps**order / special.gamma(order + 1.0)
    first = gaps * zeroth / (order + 1.0)  # the gamma function of order + 2
    width = -np.diff(psi)
    slope = (
        values[:-1] - values[1:]
    ) / width  # by Psi, in the cell between nodes k and k + 1
    # integral over a cell by parts: the values at its ends, less the slope's share
    cells = zeroth[:, 1:] * values[1:] - zeroth[:, :-1] * values[:-1]
    return (cells + (first[:, 1:] - first[:, :-1]) * slope).sum(1)


def _energy_weights(psi: FloatArray, power: float) -> FloatArray:
    """Returns weights `[K, K]` so that weights @ g is the density of g, over r^(-2 beta).

    The integral over E of g(E) (Psi - E)^(power - 1), with g constant in the cell
    around a node.
    """
    edges = np.concatenate([[psi[0]], 0.5 * (psi[1:] + psi[:-1]), [0.0]])
    gaps = np.maximum(psi[:, None] - edges[None, :], 0.0) ** power
    return (gaps[:, 1:] - gaps[:, :-1]) / power


def _speed_cdf(psi: FloatArray, g: FloatArray, beta: float) -> FloatArray:
    """Returns, for each node, the distribution of speed over escape speed: g v^(2 - 2 beta)."""
    speed = np.linspace(0.0, 1.0, _SPEED_NODES)
    middle = 0.5 * (speed[1:] + speed[:-1])
    volume = np.diff(speed ** (3.0 - 2.0 * beta))
    energy = psi[:, None] * (1.0 - middle**2)
    # g is a power of E over wide ranges: interpolated in logarithms, and zero where
    # clipped
    log_g = np.log(np.maximum(g, 1e-300 * g.max()))
    density = np.exp(
        np.interp(np.log(energy), np.log(psi[::-1]), log_g[::-1], left=log_g[-1])
    )
    density *= volume
    total = np.cumsum(density, axis=1)
    cdf = np.concatenate([np.zeros((len(psi), 1)), total], axis=1)
    # a node whose stars were all clipped is never drawn; any distribution serves
    return cdf / np.where(total[:, -1:] > 0.0, total[:, -1:], 1.0)
