"""Rows of a table that are the host itself, or one neighbour that two rows list."""

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from halomass.observed.errors import Orbits
from halomass.observed.plain_table import PlainTable
from halomass.systems import FloatArray
from orrery.parameters import BoolArray

_CENTRE = 0.05  # [kpc] where no neighbour is
_INNER = 2.0  # [kpc] where the one with the most stars hardly is, unless it rests there
_RESTING = 0.5  # of the usual speed; whoever falls so deep is faster than most
_FEWEST = 5  # neighbours, whose speed is the usual one
# Two rows so near each other in place and velocity may be one neighbour: of a thousand
# that are drawn at random two are in one of ten thousand tables.
_SAME_PLACE, _SAME_VELOCITY = 2.0, 5.0  # [kpc, km/s] on each axis
_SAME_STARS = 0.3  # [dex] by which two papers differ
_USUAL = 0.05  # pairs that meet by chance: where there are more, one says nothing
_AXES = ("x", "y", "z", "vx", "vy", "vz")


def check_no_host(
    table: PlainTable, orbits: Orbits, log_m_star: FloatArray, counted: BoolArray
) -> None:
    """Refuses a table that lists the host among its neighbours.

    Arguments:
        table: The rows.
        orbits: Of them `[N]`.
        log_m_star: Their stellar masses `[N]` [dex(solMass)].
        counted: Which are neighbours `[N]`.

    Raises:
        ValueError: If one is the host; it is named.
    """
    inside = counted & (orbits.r < _CENTRE)
    speed = np.hypot(orbits.v_r, orbits.v_t)
    if counted.sum() >= _FEWEST:
        heaviest = log_m_star >= np.max(log_m_star[counted])
        resting = speed < _RESTING * np.median(speed[counted])
        inside |= counted & heaviest & resting & (orbits.r < _INNER)
    inside &= orbits.r > 0  # at 0 it is refused as any row without a direction is
    if inside.any():
        row = int(inside.argmax())
        raise ValueError(
            f"{table.file}: {table.names()[row]!r} is {1e3 * orbits.r[row]:.3g} pc from the host's "
            f"centre and moves with {speed[row]:.3g} km/s: the host is no neighbour of itself; "
            "leave the row out"
        )


def near_each_other(
    table: PlainTable, orbits: Orbits, log_m_star: FloatArray, rows: Sequence[int]
) -> list[str]:
    """Returns a warning of neighbours so near each other that they may be one.

    Where nobody says the direction in which they are, they must have about as many stars
    too, and so many neighbours must not meet by chance.

    Arguments:
        table: The rows.
        orbits: Of them `[N]`.
        log_m_star: Their stellar masses `[N]` [dex(solMass)].
        rows: Which are neighbours.

    Example:
        >>> from astropy.table import Table
        >>> place = {axis: [90.0 + i, 90.5 + i] for i, axis in enumerate(_AXES)}
        >>> table = PlainTable.of(Table({"name": ["Sat", "Sat B"], **place}), "host.csv")
        >>> near_each_other(table, table.orbits(), np.zeros(2), [0, 1])
        ['Sat and Sat B are within 2 kpc and 5 km/s of each other: if they are one neighbour, \
leave one of them out']
    """
    if len(rows) < 2:
        return []
    kept = list(rows)
    limits = f"within {_SAME_PLACE:g} kpc and {_SAME_VELOCITY:g} km/s of each other"
    if set(_AXES) <= set(table.columns):
        scale = np.repeat([_SAME_PLACE, _SAME_VELOCITY], 3)
        where = np.stack([table.values(axis)[kept] for axis in _AXES], axis=1) / scale
    else:
        columns = np.stack([*orbits, log_m_star], axis=1)
        where = columns[kept] / [_SAME_PLACE, *[_SAME_VELOCITY] * 2, _SAME_STARS]
        limits += f" in distance and velocity, and {_SAME_STARS:g} dex in stars"
        if _by_chance(where) > _USUAL:
            return []
    pairs = cKDTree(where).query_pairs(1.0, p=np.inf, output_type="ndarray")
    names = table.names()
    found = [f"{names[kept[i]]} and {names[kept[j]]}" for i, j in np.sort(pairs)[:8]]
    if not found:
        return []
    return [
        f"{', '.join(found)} are {limits}: if they are one neighbour, leave one of them out"
    ]


def _by_chance(where: FloatArray) -> float:
    """Returns how many pairs of rows `[N, K]` are within 1 in all columns, if these are free."""
    count = len(where)
    pairs = count * (count - 1) / 2
    expected = pairs
    for column in np.sort(where, axis=0).T:
        within = np.searchsorted(column, column + 1.0, side="right") - np.arange(count)
        expected *= (within - 1).sum() / pairs
    return float(expected)
