"""The dark halos of both galaxies: forces, enclosed masses and densities.

A force is written as a pull k >= 0 with acceleration -k times the vector from the
centre; a spherical halo has one pull for all three axes. Radii are `[B, N]`: simulation,
then star. Units: kpc, km/s, Msun; time in kpc/(km/s).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mwlmc.model.constants import (
    CIRCULAR_VELOCITY,
    CRITICAL_DENSITY,
    LMC_MASS_WITHIN,
    LMC_RADIUS,
    SUN_RADIUS,
    G,
)
from mwlmc.model.disc_and_bulge import stellar_circular_velocity
from orrery.parameters import FloatArray


@dataclass(frozen=True)
class NFW:
    """A Navarro-Frenk-White halo for each of B simulations.

    Arguments:
        amplitude: 4 pi rho_s r_s^3 [Msun], with shape `[B, 1]`.
        scale: Scale radius r_s [kpc], with shape `[B, 1]`.

    Example:
        >>> halo = milky_way_halo(np.array([1e12]), np.array([10.0]))
        >>> f"{float(halo.enclosed_mass(torch.tensor([[50.0]]))):.2e}"
        '3.44e+11'
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

    Example:
        >>> lmc = lmc_halo(np.array([1.5e11]))
        >>> f"{float(lmc.enclosed_mass(torch.tensor([[8.7]]))):.2e}"
        '1.70e+10'
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


def radius_200(mass: FloatArray) -> FloatArray:
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
    fraction = SUN_RADIUS / radius_200(mass)
    low = np.full_like(mass, np.log(0.1))
    high = np.full_like(mass, np.log(1000.0))

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
        low = np.where(short, middle, low)
        high = np.where(short, high, middle)
    return np.exp(0.5 * (low + high))


def _nfw_shape(x: FloatArray) -> FloatArray:
    return np.log1p(x) - x / (1.0 + x)


def milky_way_halo(mass: FloatArray, c200: FloatArray) -> NFW:
    """Returns NFW halos from M200 `[B]` [Msun] and c200 `[B]`."""
    amplitude = mass / _nfw_shape(c200)
    return NFW(_column(amplitude), _column(radius_200(mass) / c200))


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
    """Returns the LMCs' halos from their masses `[B]` [Msun]; of mass zero there is none.

    Raises:
        ValueError: If another mass is not above 1.7e10 Msun.
    """
    # without mass any scale gives the same: no pull
    scale = np.full_like(mass, LMC_RADIUS)
    there = mass != 0.0
    scale[there] = lmc_scale(mass[there])
    return Hernquist(_column(mass), _column(scale))


def _column(values: FloatArray) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float64)[:, None]
