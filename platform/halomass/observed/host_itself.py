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


def near_each_other(table: PlainTable, rows: Sequence[int]) -> list[str]:
    """Returns a warning of neighbours so near each other that they may be one."""
    if not set(_AXES) <= set(table.columns) or len(rows) < 2:
        return []
    scale = np.repeat([_SAME_PLACE, _SAME_VELOCITY], 3)
    where = np.stack([table.values(axis)[list(rows)] for axis in _AXES], axis=1) / scale
    pairs = cKDTree(where).query_pairs(1.0, p=np.inf, output_type="ndarray")
    names = table.names()
    found = [f"{names[rows[i]]} and {names[rows[j]]}" for i, j in np.sort(pairs)[:8]]
    if not found:
        return []
    return [
        f"{', '.join(found)} are within {_SAME_PLACE:g} kpc and {_SAME_VELOCITY:g} km/s of each "
        "other: if they are one neighbour, leave one of them out"
    ]
