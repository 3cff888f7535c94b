"""Neighbours that move faster than anything bound to their host, going by the others.

Whatever the host's mass, escaping takes two to three times the speed that is typical of
what is bound to it. A multiple of that is a sentinel, a mistyped digit or another unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from halomass.observed.errors import Orbits
from halomass.systems import FloatArray
from orrery.parameters import BoolArray

ABSURD = 10.0  # times the typical speed, which nothing has
_DOUBTFUL = 5.0  # times, which only large errors of proper motions give
_SLOWEST = 5.0  # [km/s] at 250 kpc the expansion alone is faster
_FEWEST = 5  # neighbours that say what is typical


@dataclass(frozen=True, eq=False)
class Speeds:
    """How fast the neighbours of a host move.

    Arguments:
        values: Of N neighbours `[N]` [km/s]; NaN where unknown.
        typical: The median of those that count [km/s]; infinite if they are too few.

    Example:
        >>> r = np.full(6, 80.0)
        >>> orbits = Orbits(r, np.array([90.0, -60.0, 10.0, 0.0, 44.0, 2100.0]), np.full(6, 130.0))
        >>> found = Speeds.of(orbits, np.full(6, True))
        >>> found.absurd.tolist(), found.in_words(5)
        ([False, False, False, False, False, True], 'moves with 2104 km/s, 15 times as fast as the \
median')
    """

    values: FloatArray
    typical: float

    @classmethod
    def of(cls, orbits: Orbits, counted: BoolArray) -> "Speeds":
        """Returns the speeds of neighbours.

        Arguments:
            orbits: Of N neighbours; NaN where unknown.
            counted: Which of them are known to be neighbours `[N]`.
        """
        values = np.hypot(orbits.v_r, orbits.v_t)
        known = values[counted & np.isfinite(values)]
        typical = float(np.median(known)) if len(known) >= _FEWEST else np.inf
        return cls(values, typical)

    @property
    def absurd(self) -> BoolArray:
        """Which neighbours `[N]` cannot move so fast."""
        return np.asarray(self.values > ABSURD * self.typical)

    def check_units(self, file: str) -> None:
        """Refuses velocities of which most are too slow for km/s.

        Raises:
            ValueError: If they are.
        """
        if self.typical < _SLOWEST:
            raise ValueError(
                f"{file}: half of its neighbours move with less than {self.typical:.3g} km/s, "
                "which no host's do: are their velocities in another unit? name it, as in vx_kms"
            )

    def in_words(self, row: int) -> str:
        """Returns how fast a neighbour moves, and the others."""
        times = self.values[row] / self.typical
        return (
            f"moves with {self.values[row]:.0f} km/s, {times:.0f} times as fast as the "
            "median"
        )

    def doubts(self, counted: BoolArray, names: Sequence[str]) -> list[str]:
        """Returns a warning of neighbours that count and are very fast, if there are any."""
        fast = counted & (self.values > _DOUBTFUL * self.typical)
        rows = np.flatnonzero(fast).tolist()
        found = [f"{names[row]} {self.in_words(row)}" for row in rows]
        return [f"{', '.join(found)}: look up its velocity"] if found else []
