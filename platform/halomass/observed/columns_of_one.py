"""Columns that say one quantity twice, and contradict each other.

Only one of them is used. If another has other numbers, it has another unit or another
order of rows, and nobody knows which of both is right.
"""

from collections.abc import Callable, Mapping

import numpy as np

from halomass.observed.unmeasured_columns import FEWEST_MEASURED
from halomass.systems import FloatArray
from orrery.parameters import BoolArray

_MOST_DIFFERENT = 0.2  # of the rows
_SAME_DISTANCE = 0.05  # of it
_ROUNDED = 0.5  # [kpc] by which whole kpc are off
# [dex]: masses are often given to one decimal of their logarithm, or two digits.
_SAME_MASS = 0.1
_MASSES = (("log_m_star", "m_star"), ("log_m_peak", "m_peak"), ("log_m", "m"))


def check_lengths(
    values: Mapping[str, FloatArray], titles: Mapping[str, str], file: str
) -> None:
    """Refuses distances from the host that are not the lengths of the places beside them.

    Arguments:
        values: By quantity, `[N]` [kpc]; NaN where there is none.
        titles: By quantity, of the columns that are there.
        file: The table's name, for messages.

    Raises:
        ValueError: If more than a fifth of the rows differ by more than 5 %.

    Example:
        >>> x, y, z = np.random.default_rng(0).normal(0, 90, (3, 20))
        >>> columns = {"x": x, "y": y, "z": z, "r": 1.5 * np.sqrt(x**2 + y**2 + z**2)}
        >>> check_lengths(columns, dict(zip("xyzr", "xyzr")), "host.csv")
        Traceback (most recent call last):
        ValueError: host.csv: r and the length of x, y, z differ in 20 of 20 rows: are both in \
one unit, and relative to the host? leave out what is wrong
    """
    if not {"x", "y", "z", "r"} <= set(titles):
        return
    length = np.sqrt(sum(values[axis] ** 2 for axis in "xyz"))
    apart = np.abs(values["r"] - length)
    both = f"{titles['r']} and the length of {', '.join(titles[a] for a in 'xyz')}"
    remedy = "are both in one unit, and relative to the host? leave out what is wrong"
    _check(apart, apart > _SAME_DISTANCE * length + _ROUNDED, f"{file}: {both}", remedy)


def check_masses(
    titles: Mapping[str, str], log_masses: Callable[[str], FloatArray], file: str
) -> None:
    """Refuses masses whose logarithms stand beside them and say other numbers.

    Arguments:
        titles: By quantity, of the columns that are there.
        log_masses: Returns log10 of a quantity `[N]` [Msun].
        file: The table's name, for messages.

    Raises:
        ValueError: If more than a fifth of the rows differ by more than 0.1 dex.

    Example:
        >>> masses = {"log_m": np.arange(5.0, 15.0), "m": np.arange(15.0, 5.0, -1.0)}
        >>> check_masses({"log_m": "logM", "m": "M"}, masses.get, "host.csv")
        Traceback (most recent call last):
        ValueError: host.csv: logM and M differ in 9 of 10 rows: are both in one unit, and of \
the same rows? leave out what is wrong
    """
    for pair in _MASSES:
        if set(pair) <= set(titles):
            apart = np.abs(log_masses(pair[0]) - log_masses(pair[1]))
            both = f"{file}: {titles[pair[0]]} and {titles[pair[1]]}"
            remedy = (
                "are both in one unit, and of the same rows? leave out what is wrong"
            )
            _check(apart, apart > _SAME_MASS, both, remedy)


def _check(apart: FloatArray, differ: BoolArray, both: str, remedy: str) -> None:
    known = int(np.isfinite(apart).sum())
    count = int(differ.sum())
    if known >= FEWEST_MEASURED and count > _MOST_DIFFERENT * known:
        raise ValueError(f"{both} differ in {count} of {known} rows: {remedy}")
