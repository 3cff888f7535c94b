"""The Sagittarius stream, whose stars do not belong to the smooth halo: where its arms are."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import interpolate

from mwlmc.sky import frames
from orrery.parameters import BoolArray, FloatArray

OFF_PLANE = 12.0  # [deg] from the stream's plane within which a star may belong to it
DEPTHS = 3  # of an arm, within which of its mean distance a star may


@dataclass(frozen=True)
class Arm:
    """One arm of the Sagittarius stream, from RR Lyrae stars (Hernitschek et al. 2017, tables 4-5).

    Arguments:
        start: The first longitude along the stream [deg]; the others follow every 10
            deg.
        distance: Mean heliocentric distances `[N]` [kpc].
        depth: Their standard deviations along the line of sight `[N]` [kpc].

    Example:
        >>> mean, depth = TRAILING.at(np.array([170.0]))
        >>> TRAILING.end, mean.round(), depth.round()
        (355.0, array([91.]), array([7.]))
    """

    start: float
    distance: tuple[float, ...]
    depth: tuple[float, ...]

    @property
    def end(self) -> float:
        """The last longitude [deg]."""
        return self.start + 10.0 * (len(self.distance) - 1)

    def at(self, longitude: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Returns mean distance and depth `[M]` [kpc] at longitudes `[M]` [deg] on the arm."""
        distance, depth = _splines(self)
        return interpolate.splev(longitude, distance), interpolate.splev(
            longitude, depth
        )


@cache
def _splines(arm: Arm) -> tuple[Any, Any]:
    knots = arm.start + 10.0 * np.arange(len(arm.distance))
    # smoothed, since the published means scatter by their errors from knot to knot
    fine = np.arange(arm.start, arm.end + 0.05, 0.1)
    lines = (np.interp(fine, knots, values) for values in (arm.distance, arm.depth))
    distance, depth = (interpolate.splrep(fine, line, s=len(fine)) for line in lines)
    return distance, depth


# fmt: off
LEADING = Arm(
    5.0,
    (28.83, 14.3, 34.14, 36.65, 45.94, 50.5, 52.59, 49.19, 46.22, 40.59, 34.8, 31.19, 25.9, 21.34,
     19.66, 16.2),
    (1.621, 2.8, 2.8, 4.1, 3.68, 3.33, 4.52, 3.75, 4.66, 3.88, 6.3, 3.08, 5.0, 2.7, 2.05, 3.4),
)
TRAILING = Arm(
    105.0,
    (55.4, 62.3, 57.2, 66.9, 81.3, 83.1, 89.02, 92.98, 86.7, 60.0, 53.0, 43.15, 36.55, 31.17,
     28.41, 25.57, 24.7, 18.0, 20.34, 21.2, 20.8, 21.66, 22.0, 20.1, 19.7, 27.605),
    (3.2, 3.5, 2.3, 5.8, 6.1, 5.2, 5.13, 8.99, 10.5, 2.8, 6.78, 6.65, 6.28, 6.16, 4.66, 5.14,
     4.86, 7.7, 4.44, 4.7, 5.17, 4.84, 4.41, 5.3, 6.43, 1.245),
)

# fmt: on
# Axes of the stream's coordinates in equatorial ones (Belokurov et al. 2014).
_STREAM_AXES = np.array(
    [
        [0.21215555, -0.84846291, -0.48487186],
        [-0.93595354, -0.31910658, 0.14886895],
        [0.28103559, -0.42223415, 0.86182209],
    ]
)


def stream_coordinates(
    ra: FloatArray, dec: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Returns longitude (0 to 360) and latitude `[N]` [deg] along the Sagittarius stream.

    Arguments:
        ra: Right ascension `[N]` [rad].
        dec: Declination `[N]` [rad].
    """
    longitude, latitude = frames.angles(frames.direction(ra, dec) @ _STREAM_AXES.T)
    return np.degrees(longitude), np.degrees(latitude)


def in_sagittarius_stream(
    ra: FloatArray, dec: FloatArray, distance: FloatArray
) -> BoolArray:
    """Returns which stars `[N]` may belong to the Sagittarius stream.

    A star may when it is within 12 deg of the stream's plane and its distance within
    three depths of an arm's mean.

    Arguments:
        ra: Right ascension `[N]` [rad].
        dec: Declination `[N]` [rad].
        distance: Heliocentric distance `[N]` [kpc].
    """
    longitude, latitude = stream_coordinates(ra, dec)
    member = np.zeros(longitude.shape, dtype=bool)
    # the arms overlap in longitude at different distances: a star may be in either
    for arm in (LEADING, TRAILING):
        mean, depth = arm.at(longitude)
        along = (longitude >= arm.start) & (longitude <= arm.end)
        member |= along & (np.abs(distance - mean) < DEPTHS * depth)
    return member & (np.abs(latitude) < OFF_PLANE)
