"""Stars of a satellite, a cluster or a stream, which are not of the Milky Way's smooth halo.

Simulated halos have none. Together in place, distance and velocity, such stars pull the
mean of a bin to their own velocity, and their number makes that mean look well known.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import special
from scipy.spatial import cKDTree

from mwlmc.observed.star_tables import StarTable
from mwlmc.sky import frames
from orrery.parameters import BoolArray, FloatArray, IntArray

# Radii on the sky [deg], and how far velocities are from a member's [km/s]: of clusters and
# dwarf galaxies, and of the Magellanic Clouds and pieces of streams.
_SIZES = ((0.5, 25.0), (5.0, 40.0))
_DEPTH = 0.3  # of the distance's logarithm: three errors of usual distances
_FEWEST = 10  # stars that are together
_CHANCE = 1e-7  # that so many stars of a halo have such velocities, for one of them
_MOST_CENTRES = 2000  # stars around which others are looked for
_MOST_NAMED = 5  # places


@dataclass(frozen=True, eq=False)
class _Clump:
    """Stars that are together.

    Arguments:
        centre: Number of the star around which they are.
        members: Their numbers `[M]`.
        radius: On the sky [deg].
        apart: How far their velocities are from that star's at most [km/s].
    """

    centre: int
    members: IntArray
    radius: float
    apart: float


def note_satellites(table: StarTable, v_gsr: FloatArray) -> StarTable:
    """Returns the stars with a warning of each place at which many move as one.

    Arguments:
        table: The N selected stars.
        v_gsr: Their rest-frame velocities along the line of sight `[N]` [km/s].
    """
    warnings = [_said(one, table, v_gsr) for one in _clumps(table, v_gsr)]
    return table.with_warnings(warnings)


def _said(one: _Clump, table: StarTable, v_gsr: FloatArray) -> str:
    longitude, latitude = np.degrees([table.l[one.centre], table.b[one.centre]])
    return (
        f"{len(one.members)} stars within {one.radius:g} deg of l = {longitude:.1f}, b = "
        f"{latitude:.1f} deg, {np.median(table.distance[one.members]):.3g} kpc away, have a v_gsr "
        f"within {one.apart:g} km/s of {v_gsr[one.centre]:.0f}, as stars of a dwarf galaxy, a "
        "cluster or a stream have: simulated halos have none; if these are, leave them out of the "
        "table"
    )


def _clumps(table: StarTable, v_gsr: FloatArray) -> Iterator[_Clump]:
    """Yields the places at which many stars move as one, each star in one of them."""
    left = np.ones(len(table), dtype=bool)
    for _ in range(_MOST_NAMED):
        found = [
            one
            for radius, apart in _SIZES
            if (one := _largest(table, v_gsr, left, radius, apart)) is not None
        ]
        if not found:
            return
        best = max(found, key=lambda one: len(one.members))
        left[best.members] = False
        yield best


def _largest(
    table: StarTable,
    v_gsr: FloatArray,
    left: BoolArray,
    radius: float,
    apart: float,
) -> _Clump | None:
    """Returns the stars together that are most, among those left `[N]`; None if none are."""
    numbers = np.flatnonzero(left)
    if len(numbers) < _FEWEST:
        return None
    places = frames.direction(table.l[numbers], table.b[numbers])
    depth = np.log(table.distance[numbers])
    speed = v_gsr[numbers]
    usual = _usual_share(speed, apart)
    tree = cKDTree(places)
    best = None
    for i in _crowded(tree, places, np.radians(radius)):
        near = np.array(tree.query_ball_point(places[i], np.radians(radius)))
        near = near[np.abs(depth[near] - depth[i]) < _DEPTH]
        members = near[np.abs(speed[near] - speed[i]) < apart]
        if len(members) < (_FEWEST if best is None else len(best.members) + 1):
            continue
        # the star itself says nothing
        if special.bdtrc(len(members) - 2, len(near) - 1, usual) < _CHANCE:
            best = _Clump(int(numbers[i]), numbers[members], radius, apart)
    return best


def _crowded(tree: cKDTree, places: FloatArray, reach: float) -> IntArray:
    """Returns which of the places `[N, 3]` have enough others around them; of many, some."""
    centres = np.arange(0, len(places), -(-len(places) // _MOST_CENTRES))
    around = tree.query_ball_point(places[centres], reach, return_length=True)
    return np.asarray(centres[around >= _FEWEST])


def _usual_share(speed: FloatArray, apart: float) -> float:
    """Returns the share of all stars whose velocity is so near to the most frequent one."""
    low, high = np.quantile(speed, [0.16, 0.84])
    # of a normal distribution; one that is as narrow as a satellite's says nothing
    share = 2 * apart / (np.sqrt(2 * np.pi) * max((high - low) / 2, 1e-9))
    return float(min(share, 1.0))
