"""The flat universe of a simulation, which need not be that of `cosmology`.

Lengths are physical. What the mock universe and observed hosts need is in `cosmology`,
whose numbers are those of the MultiDark boxes.
"""

from dataclasses import dataclass

import numpy as np

from halomass.cosmology import HUBBLE_PARAMETER, OMEGA_MATTER, G
from halomass.systems import FloatArray

_HUBBLE_PARAMETERS = (0.2, 2.0)  # others are written in km/s/Mpc, or are none


@dataclass(frozen=True)
class Universe:
    """A flat universe of matter and a cosmological constant.

    Arguments:
        hubble: The Hubble parameter [100 km/s/Mpc].
        omega_matter: The density of matter today, of the critical one.

    Example:
        >>> round(float(Universe(hubble=0.7).hubble_rate(1.0)), 4)  # [km/s/kpc]
        0.07
    """

    hubble: float = HUBBLE_PARAMETER
    omega_matter: float = OMEGA_MATTER

    def __post_init__(self) -> None:
        low, high = _HUBBLE_PARAMETERS
        if not (low <= self.hubble <= high and 0 < self.omega_matter <= 1):
            raise ValueError(
                f"h = {self.hubble} and a matter density of {self.omega_matter}: give h between "
                f"{low:g} and {high:g}, as 0.7 is, and a density above 0 and at most 1"
            )

    def hubble_rate(self, scale: float) -> float:
        """Returns the Hubble rate [km/s/kpc] at a scale factor."""
        matter = self.omega_matter / scale**3
        return float(0.1 * self.hubble * np.sqrt(matter + 1 - self.omega_matter))

    def virial_density(self, scale: float) -> float:
        """Returns the mean density [Msun/kpc^3] within the virial radius at a scale factor.

        Bryan & Norman (1998), doi:10.1086/305262, their equation 6.
        """
        rate = self.hubble_rate(scale)
        today = self.omega_matter / scale**3
        matter = today * (0.1 * self.hubble / rate) ** 2
        overdensity = 18 * np.pi**2 + 82 * (matter - 1) - 39 * (matter - 1) ** 2
        return float(overdensity * 3 * rate**2 / (8 * np.pi * G))

    def virial_radius(self, log_mass: FloatArray, scale: float) -> FloatArray:
        """Returns the virial radius [kpc] of halos at a scale factor.

        Arguments:
            log_mass: log10 of the virial mass [Msun], with any shape.
            scale: The scale factor.
        """
        volume = np.power(10.0, log_mass) / self.virial_density(scale)
        return np.cbrt(volume * 3 / (4 * np.pi))


MULTIDARK = Universe()
