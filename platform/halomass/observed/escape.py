"""Satellites that move along the line of sight as nothing does that the Milky Way holds.

Velocities along the line of sight are known to a few km/s, whatever the errors of proper
motions are, so that one beyond the escape speed of the heaviest Milky Way was never
measured: -888 stands for nothing, or a digit is mistyped. Of those that are known none has
half of that speed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from halomass.observed.placeholders import repeated_digits
from halomass.systems import FloatArray
from orrery.parameters import BoolArray
from orrery.tables.amplitudes import Amplitude

G = 4.30092e-6  # [kpc (km/s)^2 / Msun]
# Twice the largest mass [Msun] that is measured of the Milky Way; a profile of Navarro,
# Frenk & White (1997, ApJ 490, 493) with this radius [kpc] of 200 times the critical
# density, and concentration.
_HEAVIEST, _RADIUS, _CONCENTRATION = 3e12, 300.0, 10.0
_DOUBTFUL = 0.6  # of the escape speed: Leo I has 0.46, which is the largest
# How many times the Sun's motion is in velocities that are seen from it.
_LEAST, _MOST, _ERRORS = 0.7, 1.7, 3.0
_FEWEST, _LEVERAGE = 20, 40.0  # satellites, and km/s of the Sun's motion between them


@dataclass(frozen=True, eq=False)
class LineOfSight:
    """Velocities of satellites along the line of sight, in the Galaxy's frame.

    Arguments:
        seen: Of N satellites, as seen from the Sun `[N]` [km/s]; NaN where unknown.
        rest: The same without the Sun's motion `[N]` [km/s].
        distance: From the Galactic centre `[N]` [kpc].

    Example:
        >>> column = np.array([-888.0, 60.0])
        >>> found = LineOfSight(column, column + 90.0, np.array([80.0, 80.0]))
        >>> found.unbound.tolist(), found.in_words(0)
        ([True, False], 'moves with -798 km/s along the line of sight, where more than 531 km/s \
escape from any Milky Way')
    """

    seen: FloatArray
    rest: FloatArray
    distance: FloatArray

    @property
    def unbound(self) -> BoolArray:
        """Which satellites `[N]` would escape."""
        return np.asarray(np.abs(self.rest) > escape_speed(self.distance))

    def in_words(self, row: int) -> str:
        """Returns how fast a satellite moves, and that this is more than one can."""
        speed = self._escape_speed(row)
        return f"{self._moves(row)}, where more than {speed:.0f} km/s escape from any Milky Way"

    def _moves(self, row: int) -> str:
        return f"moves with {self.rest[row]:.0f} km/s along the line of sight"

    def _escape_speed(self, row: int) -> float:
        return float(escape_speed(self.distance[row : row + 1])[0])

    def _nearly_escapes(self, row: int) -> str:
        speed = self._escape_speed(row)
        share = 100 * abs(self.rest[row]) / speed
        return (
            f"{self._moves(row)}, {share:.0f} % of the {speed:.0f} km/s that escape from any "
            "Milky Way"
        )

    def doubts(self, rows: Iterable[int], names: tuple[str, ...]) -> list[str]:
        """Returns warnings of velocities that are hardly measured ones.

        Arguments:
            rows: Which satellites count.
            names: What the N satellites are called.
        """
        chosen = [*rows]
        # in both frames, so that a place that is none makes nobody fast
        slower = np.minimum(np.abs(self.rest), np.abs(self.seen))
        fast = slower > _DOUBTFUL * escape_speed(self.distance)
        found = [
            f"{names[row]} {self._nearly_escapes(row)}" for row in chosen if fast[row]
        ]
        alike = repeated_digits(self.seen)
        found += [
            f"{names[row]} has {self.seen[row]:g}" for row in chosen if alike[row]
        ]
        said = [f"{', '.join(found)}: look up the velocity"] if found else []
        own = (self.seen - self.rest)[chosen]
        held = Amplitude.of(own, self.seen[chosen], _FEWEST, _LEVERAGE)
        if held is not None and held.is_outside(_LEAST, _MOST, _ERRORS):
            said.append(
                f"velocities along the line of sight hold the Sun's motion {held} times, where "
                "heliocentric ones hold it once: are they corrected for it, or is their sign or "
                "their order another one?"
            )
        return said


def escape_speed(distance: FloatArray) -> FloatArray:
    """Returns the escape speed `[N]` [km/s] of the heaviest Milky Way.

    Arguments:
        distance: From its centre `[N]` [kpc].

    Example:
        >>> escape_speed(np.array([20.0, 250.0])).round()
        array([665., 394.])
    """
    scale = _RADIUS / _CONCENTRATION
    enclosed = np.log1p(_CONCENTRATION) - _CONCENTRATION / (1 + _CONCENTRATION)
    depth = G * _HEAVIEST / enclosed * np.log1p(distance / scale) / distance
    return np.asarray(np.sqrt(2 * depth))
