"""Whether the velocities in a table have larger errors than networks have learned of.

Networks learn from hosts that are observed as the Milky Way is. A host that is seen from
outside has larger errors of proper motions: they make its neighbours seem faster, and the
mass comes out too high. No comparison with the hosts of the training finds it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from astropy.table import Table

from halomass.observed.neighbour_columns import VELOCITY_COLUMNS
from halomass.observed.neighbour_counts import NEIGHBOUR_COUNTS
from halomass.systems import FloatArray
from orrery.tables.cleaning import clean_columns
from orrery.tables.columns import ColumnDescription
from orrery.tables.error_columns import both_sides

# Of each component across the sky. Of mock hosts like the Milky Way the mass by 25 neighbours,
# observed with errors of this size instead of those that small networks have learned, was
# 0.05 dex too high; with 50 km/s 0.02 too low, with 100 and 150 km/s 0.14 and 0.33 too high.
LARGEST_LEARNED = 75.0  # [km/s]
_ACROSS = 2  # components, from which nearly all of the error comes
_FASTEST = 5000.0  # [km/s]
_ERRORS = tuple(e for d in VELOCITY_COLUMNS for e in d.with_errors(_FASTEST)[1:])
# How many components have each error.
_AXES = ({"vx": 1, "vy": 1, "vz": 1}, {"v_r": 1, "v_t": _ACROSS})


def error_columns(table: Table) -> tuple[ColumnDescription, ...]:
    """Returns the descriptions of errors of velocities; none if the table's are not understood.

    No mass rests on them: they say nothing then.

    Example:
        >>> table = Table({"vx_err": [9.0], "e_vx": [7.0]})
        >>> len(error_columns(table[["e_vx"]])), len(error_columns(table))
        (15, 0)
    """
    return _ERRORS if _understood(table) is not None else ()


def _understood(table: Table) -> Mapping[str, FloatArray] | None:
    """Returns the errors that a table has, by quantity; None if they are not understood."""
    try:
        return clean_columns(table, _ERRORS, "").values
    except ValueError:
        return None


def too_large(table: Table, log_m_star: FloatArray, rows: Sequence[int]) -> list[str]:
    """Returns a warning of errors of velocities that make the mass too high.

    Nothing is said of a table without such errors.

    Arguments:
        table: As it was read, with N rows.
        log_m_star: Their stellar masses `[N]` [dex(solMass)].
        rows: Which are neighbours: those with the most stars count.

    Example:
        >>> columns = {"v_r": [9.0, 40.0], "v_t": [150.0, 90.0]}
        >>> errors = {"v_r_err": [5.0, 5.0], "v_t_err": [90.0, 110.0]}
        >>> (warning,) = too_large(Table(columns | errors), np.array([6.0, 8.0]), [0, 1])
        >>> warning.partition(",")[0]
        'velocities have errors of 101 km/s in each component across the sky'
    """
    found = _understood(table) or {}
    order = np.argsort(-log_m_star[list(rows)], kind="stable")
    seen = np.asarray(rows, np.int64)[order][: max(NEIGHBOUR_COUNTS)]
    for axes in _AXES:
        each = [
            count * error[seen] ** 2
            for name, count in axes.items()
            if (error := both_sides(found, name)) is not None
        ]
        size = np.sqrt(_mean(np.sum(each, axis=0)) / _ACROSS) if each else 0.0
        if size > LARGEST_LEARNED:
            return [
                f"velocities have errors of {size:.0f} km/s in each component across the sky, "
                "and networks have learned those of the Milky Way's satellites: above "
                f"{LARGEST_LEARNED:g} km/s they make the mass of a host like it too high"
            ]
    return []


def _mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0
