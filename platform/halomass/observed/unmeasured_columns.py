"""Columns that no measurement gives: one number in all rows, or the numbers of another column."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from halomass.systems import FloatArray

FEWEST_MEASURED = 8  # rows, fewer of which tell nothing
LEAVE_OUT = "give its values, or leave the column out"


def is_one_number(numbers: FloatArray) -> bool:
    """Returns whether a column has one number in all of several rows.

    Arguments:
        numbers: Of N rows `[N]`; NaN where there is none.

    Example:
        >>> is_one_number(np.full(10, 40.0)), is_one_number(np.full(3, 40.0))
        (True, False)
    """
    known = numbers[np.isfinite(numbers)]
    return len(known) >= FEWEST_MEASURED and bool(np.ptp(known) == 0)


def check_differs(
    numbers: FloatArray, title: str, file: str, remedy: str = LEAVE_OUT
) -> None:
    """Refuses a column that has one number in all rows.

    Arguments:
        numbers: Of N rows `[N]`; NaN where there is none.
        title: The column's.
        file: The table's name, for messages.
        remedy: What to do.

    Raises:
        ValueError: If there are several rows, and all have one.

    Example:
        >>> check_differs(np.zeros(12), "v_t", "host.csv")
        Traceback (most recent call last):
        ValueError: host.csv: v_t is 0 in all 12 rows, which no measurement is: give its values, \
or leave the column out
    """
    if not is_one_number(numbers):
        return
    known = numbers[np.isfinite(numbers)]
    raise ValueError(
        f"{file}: {title} is {known[0] + 0.0:g} in all {len(known)} rows, which no "
        f"measurement is: {remedy}"
    )


def check_copies(
    values: Mapping[str, FloatArray],
    titles: Mapping[str, str],
    names: Sequence[str],
    file: str,
) -> None:
    """Refuses two columns that have the same numbers, but for their signs.

    Arguments:
        values: By quantity, `[N]`; NaN where there is none.
        titles: By quantity, of the columns that are there.
        names: The quantities, no two of which are one.
        file: The table's name, for messages.

    Raises:
        ValueError: If two have in several rows, and in all of them.

    Example:
        >>> columns = {"vx": np.arange(9.0), "vy": -np.arange(9.0)}
        >>> check_copies(columns, {"vx": "vx", "vy": "vy"}, ("vx", "vy"), "host.csv")
        Traceback (most recent call last):
        ValueError: host.csv: vx and vy are the same in all 9 rows: one is a copy of the other; \
give the values of each
    """
    for first, second in combinations([n for n in names if n in titles], 2):
        one, other = np.abs(values[first]), np.abs(values[second])
        known = np.isfinite(one + other)
        if known.sum() >= FEWEST_MEASURED and (one == other)[known].all():
            raise ValueError(
                f"{file}: {titles[first]} and {titles[second]} are the same in all {known.sum()} "
                "rows: one is a copy of the other; give the values of each"
            )
