"""Whether the masses and radii of a catalogue are in one system of units.

A virial mass decides its virial radius, and most halos that lie in no other have their
largest mass today. So a column that lacks an h, or is in Mpc, shows by a number that it
differs by, whatever the halos are; where only some rows differ, two catalogues were put
together. What differs in no such way has another meaning, and is not judged.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from halomass.universe import MULTIDARK, Universe

_WIDTH = 0.01  # [dex] of a bin in which halos are counted
_LARGEST = 13.0  # [dex] of difference
_WINDOW = (
    0.07  # [dex] within which another matter density and rounding may move a number
)
_EXACT = 0.04  # [dex] by which most hosts have lost less of their mass
_OF_SPACING = (
    0.45  # of the distance between two numbers, which is less where h is near 1
)
_FEWEST = 20  # hosts that say anything
_KNOWN = 0.8  # of the hosts: differ by one of the numbers
_MOST = 0.05  # of the hosts: differ by one that is wrong
# Of the hosts: have lost a third of their mass, as those do that were satellites once.
_MOST_LOST = 0.5
_THOUSAND = 3.0  # [dex]


@dataclass
class HaloUnits:
    """Counts by how much masses differ from those of their radii, chunk after chunk.

    Arguments:
        file: The catalogue's name, for messages.
        scale: The scale factor.
        universe: The simulation's cosmology.
        masses: The unit of masses in the file: `Msun/h` or `Msun`.

    Example:
        >>> units = HaloUnits("a.bin", 1.0)
        >>> mass = np.linspace(11.0, 13.0, 40)
        >>> physical = np.cbrt(3 * 10**mass / (4 * np.pi * MULTIDARK.virial_density(1.0)))
        >>> units.add(mass - np.log10(0.678), mass - np.log10(0.678), 0.678 * physical)
        >>> units.check()
        Traceback (most recent call last):
        ValueError: a.bin: 40 of its 40 hosts have masses that are 1.47 times those of their \
virial radii, as if masses were in Msun, not Msun/h: convert them, or use the catalogue as it \
was released
    """

    file: str
    scale: float
    universe: Universe = MULTIDARK
    masses: str = "Msun/h"
    _by_radius: NDArray[np.int64] = field(init=False, repr=False)
    _by_peak: NDArray[np.int64] = field(init=False, repr=False)
    _smallest: float = field(default=np.inf, init=False, repr=False)
    _widest: float = field(default=0.0, init=False, repr=False)

    def __post_init__(self) -> None:
        bins = round(2 * _LARGEST / _WIDTH)
        self._by_radius = np.zeros(bins, np.int64)
        self._by_peak = np.zeros(bins, np.int64)

    def add(
        self,
        log_m_vir: NDArray[Any],
        log_m_peak: NDArray[Any],
        radius: NDArray[Any],
    ) -> None:
        """Counts hosts.

        Arguments:
            log_m_vir: log10 of their virial masses, with shape `[N]` [Msun].
            log_m_peak: log10 of their largest masses so far, with shape `[N]` [Msun].
            radius: Their virial radii, with shape `[N]` [comoving kpc/h], or none.
        """
        self._by_peak += _counts(log_m_peak.astype(np.float64) - log_m_vir)
        known = np.isfinite(radius) & (radius > 0)
        if not known.any():
            return
        length = radius[known].astype(np.float64)
        self._smallest = min(self._smallest, float(length.min()))
        self._widest = max(self._widest, float(length.max()))
        volume = np.log10(4 * np.pi / 3 * self.universe.virial_density(self.scale))
        physical = np.log10(length * self.scale / self.universe.hubble)
        self._by_radius += _counts(log_m_vir[known] - volume - 3 * physical)

    def check(self) -> None:
        """Refuses masses and radii in several systems of units, or in another one.

        Raises:
            ValueError: If too many hosts have them; it says which units.
        """
        # one radius for all is none
        if self._smallest < self._widest:
            what = "masses that are {} times those of their virial radii"
            self._check(self._by_radius, self._radius_numbers(), what, _MOST, _WINDOW)
        h = np.log10(self.universe.hubble)
        peaks = {
            -h: "the ones were in Msun, the others in Msun/h",
            h: "the ones were in Msun/h, the others in Msun",
        }
        what = "peak masses that are {} times their masses of today"
        self._check(self._by_peak, peaks, what, _MOST_LOST, _EXACT)

    def _radius_numbers(self) -> dict[float, str]:
        """Returns by how much wrong units differ [dex], and what these are."""
        h = np.log10(self.universe.hubble)
        other = "Msun" if self.masses == "Msun/h" else "Msun/h"
        mass = {
            0.0: "",
            (
                -h if other == "Msun" else h
            ): f"masses were in {other}, not {self.masses}",
        }
        length = {
            0.0: "",
            3 * h: "radii were in kpc, not kpc/h",
            3 * _THOUSAND: "radii were in Mpc/h, not kpc/h",
            3 * _THOUSAND + 3 * h: "radii were in Mpc, not kpc/h",
        }
        return {
            m + r: " and ".join(filter(None, (of_mass, of_radius)))
            for m, of_mass in mass.items()
            for r, of_radius in length.items()
            if m or r
        }

    def _check(
        self,
        counts: NDArray[np.int64],
        numbers: dict[float, str],
        what: str,
        most: float,
        window: float,
    ) -> None:
        window = min(window, _OF_SPACING * abs(np.log10(self.universe.hubble)))
        found = {number: _near(counts, number, window) for number in (0.0, *numbers)}
        total = int(counts.sum())
        if total < _FEWEST or sum(found.values()) < _KNOWN * total:
            return
        number = max(numbers, key=lambda one: found[one])
        if found[number] > most * total:
            raise ValueError(
                f"{self.file}: {found[number]} of its {total} hosts have "
                f"{what.format(f'{10**number:.3g}')}, as if {numbers[number]}: convert them, or "
                "use the catalogue as it was released"
            )


def _counts(difference: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns how many differences [dex] there are in each bin."""
    bins = round(2 * _LARGEST / _WIDTH)
    place = np.clip((difference + _LARGEST) / _WIDTH, 0, bins - 1).astype(np.int64)
    return np.bincount(place, minlength=bins)


def _near(counts: NDArray[np.int64], number: float, window: float) -> int:
    """Returns how many differences are near a number [dex]."""
    low, high = np.round((number + _LARGEST + np.array([-window, window])) / _WIDTH)
    return int(counts[int(low) : int(high)].sum())
