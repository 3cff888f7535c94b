"""How halos are built: NFW profiles, whose concentration falls with mass and scatters.

Navarro, Frenk & White (1997), doi:10.1086/304888. Halos are spherical here and hold
nothing but dark matter.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from colossus.halo import concentration as colossus_concentration
from numpy.typing import NDArray

from halomass.cosmology import (
    HUBBLE_PARAMETER,
    G,
    colossus,
    virial_radius,
    virial_velocity,
)
from halomass.systems import FloatArray

# [dex], a choice of this mock between 0.11 (Dutton & Maccio 2014,
# doi:10.1093/mnras/stu742) and 0.16 (Diemer & Kravtsov 2015,
# doi:10.1088/0004-637X/799/1/108).
CONCENTRATION_SCATTER = 0.13
_MODEL = "diemer19"  # Diemer & Joyce (2019), doi:10.3847/1538-4357/aafad6
_TABLE = np.linspace(9.5, 15.5, 121)  # [dex(solMass)]


def enclosed_mass(x: FloatArray) -> FloatArray:
    """Returns the NFW mass within x scale radii, in units of 4 pi rho_s r_s^3."""
    return np.log1p(x) - x / (1 + x)


@cache
def _median_log_concentrations() -> FloatArray:
    # colossus keeps one cosmology for the process: ours must be set before it is asked
    colossus()
    mass = 10**_TABLE * HUBBLE_PARAMETER
    return np.log10(
        colossus_concentration.concentration(mass, "vir", 0.0, model=_MODEL)
    )


def median_log_concentration(log_mass: FloatArray) -> FloatArray:
    """Returns the median log10 of today's virial concentration of halos.

    Arguments:
        log_mass: log10 of the virial mass [Msun], with any shape.
    """
    return np.interp(log_mass, _TABLE, _median_log_concentrations())


@dataclass(frozen=True)
class NFWHosts:
    """NFW halos today.

    Arguments:
        log_mass: log10 of the virial mass [Msun], with shape `[B]`.
        concentration: Virial over scale radius, with shape `[B]`.

    Example:
        >>> hosts = NFWHosts(np.array([11.0, 12.0]), np.array([12.0, 9.0]))
        >>> hosts.radius.round(1), hosts.velocity.round(1)
        (array([122.4, 263.7]), array([ 59.3, 127.7]))
    """

    log_mass: FloatArray
    concentration: FloatArray

    def __getitem__(self, which: NDArray[np.int64]) -> "NFWHosts":
        return NFWHosts(self.log_mass[which], self.concentration[which])

    @cached_property
    def mass(self) -> FloatArray:
        """The virial mass [Msun]."""
        return 10.0**self.log_mass

    @cached_property
    def radius(self) -> FloatArray:
        """The virial radius [kpc]."""
        return virial_radius(self.log_mass)

    @cached_property
    def velocity(self) -> FloatArray:
        """The circular velocity at the virial radius [km/s]."""
        return virial_velocity(self.log_mass)

    @cached_property
    def scale_radius(self) -> FloatArray:
        """The scale radius [kpc]."""
        return self.radius / self.concentration

    @cached_property
    def scale_mass(self) -> FloatArray:
        """The mass unit 4 pi rho_s r_s^3 [Msun]."""
        return self.mass / enclosed_mass(self.concentration)

    @cached_property
    def scale_velocity(self) -> FloatArray:
        """The velocity unit sqrt(G M_s / r_s) [km/s] of the mass unit M_s."""
        return np.sqrt(G * self.scale_mass / self.scale_radius)
