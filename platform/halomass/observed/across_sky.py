"""Proper motions of satellites, held against the Sun's own motion.

Seen from the Sun all satellites drift backwards by its 250 km/s, along the line of sight
and across it. Proper motions that do not hold this once are swapped, turned or of other
rows. Satellites of one orbital plane hold it 0.7 to 1.4 times; of 10,000 such tables of
30 and more none holds it less than zero times by four errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from halomass.systems import FloatArray
from orrery.parameters import BoolArray
from orrery.tables.amplitudes import Amplitude

_KMS_AT_KPC = 4.74047  # [km/s] across the sky of 1 mas/yr at 1 kpc
_FEWEST, _LEVERAGE = 30, 40.0  # satellites, and km/s of the Sun's motion between them
_LEAST, _MOST, _DOUBTFUL_ERRORS = 0.7, 1.7, 3.5
_CERTAIN_ERRORS = 4.0


@dataclass(frozen=True, eq=False)
class AcrossSky:
    """How many times proper motions of satellites hold the Sun's motion, on either axis.

    Arguments:
        held: By quantity; None where the satellites are too few to tell.

    Example:
        >>> random = np.random.default_rng(0)
        >>> ra, dec = random.uniform(0, 360, 60), random.uniform(-90, 90, 60)
        >>> far, v, still = np.full(60, 50.0), np.zeros(60), np.zeros(60)
        >>> sky = {"ra": ra, "dec": dec, "distance": far, "pm_ra": v, "pm_dec": v}
        >>> found = AcrossSky.of(sky, np.array([10.0, 240.0, 60.0]), np.full(60, True))
        >>> str(found.held["pm_ra"]), len(found.doubts({"pm_ra": "pmra", "pm_dec": "pmdec"}))
        ('0.00 +- 0.00', 2)
    """

    held: Mapping[str, Amplitude | None]

    @classmethod
    def of(
        cls, values: Mapping[str, FloatArray], sun: FloatArray, counted: BoolArray
    ) -> "AcrossSky":
        """Returns what proper motions hold.

        Arguments:
            values: `ra`, `dec` [deg], `distance` [kpc], `pm_ra`, `pm_dec` [mas/yr] of N
                satellites `[N]`; NaN where unknown.
            sun: Its velocity along the axes of ICRS `[3]` [km/s].
            counted: Which satellites are near `[N]`.
        """
        ra, dec = (np.radians(values[name][counted]) for name in ("ra", "dec"))
        distance = values["distance"][counted]
        zero = np.zeros_like(ra)
        east = np.stack([-np.sin(ra), np.cos(ra), zero])
        north = [-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)]
        held = {}
        for name, axis in (("pm_ra", east), ("pm_dec", np.stack(north))):
            seen = _KMS_AT_KPC * distance * values[name][counted]
            expected = -np.einsum("i,in->n", sun, axis)
            held[name] = Amplitude.of(expected, seen, _FEWEST, _LEVERAGE)
        return cls(held)

    def check(self, titles: Mapping[str, str], file: str) -> None:
        """Refuses proper motions that hold the Sun's motion with the wrong sign.

        Raises:
            ValueError: If they do; the column is named.
        """
        for name, one in self.held.items():
            if one is not None and one.value < -_CERTAIN_ERRORS * one.error:
                raise ValueError(
                    f"{file}: {titles[name]} holds the Sun's motion {one} times, where proper "
                    "motions that are seen from the Sun hold it once: its sign is the other one"
                )

    def doubts(self, titles: Mapping[str, str]) -> list[str]:
        """Returns warnings of proper motions that hold it too seldom or too often."""
        return [
            f"{titles[name]} holds the Sun's motion {one} times, where proper motions that are "
            "seen from the Sun hold it once: is it in another unit or of another axis, or are its "
            "rows in another order?"
            for name, one in self.held.items()
            if one is not None and one.is_outside(_LEAST, _MOST, _DOUBTFUL_ERRORS)
        ]
