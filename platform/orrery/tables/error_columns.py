"""Errors of measurement in the forms that tables give: symmetric, of two sides, or as squares."""

from collections.abc import Iterator, Mapping

import numpy as np

from orrery.parameters import FloatArray
from orrery.tables.cleaning import CleanedColumns


def both_sides(columns: Mapping[str, FloatArray], quantity: str) -> FloatArray | None:
    """Returns errors `[N]` of a quantity, the mean of both sides' if these differ.

    None if there is no such column, or nothing in it. Inverse variances and variances are
    used where there are no errors themselves.

    Arguments:
        columns: By quantity, `[N]`: errors are called as `with_errors` calls them.
        quantity: Whose errors.

    Example:
        >>> columns = {"v_error_below": np.array([1.0]), "v_error_above": np.array([3.0])}
        >>> both_sides(columns, "v")
        array([2.])
        >>> both_sides({"v_error_ivar": np.array([0.25])}, "v")
        array([2.])
    """
    for found in _forms(columns, f"{quantity}_error"):
        if np.isfinite(found).any():
            return found
    return None


def _forms(columns: Mapping[str, FloatArray], error: str) -> Iterator[FloatArray]:
    if error in columns:
        yield columns[error]
    sides = (f"{error}_below", f"{error}_above")
    if set(sides) <= set(columns):
        yield (columns[sides[0]] + columns[sides[1]]) / 2
    for form, power in ((f"{error}_ivar", -0.5), (f"{error}_variance", 0.5)):
        if form in columns:
            # of nothing there is no error
            yield np.where(columns[form] > 0, columns[form], np.nan) ** power


def one_sided(found: CleanedColumns) -> Iterator[str]:
    """Yields which columns of errors are of one side alone, which says nothing."""
    for quantity in found.values:
        name, _, side = quantity.rpartition("_error_")
        other = {"below": "above", "above": "below"}.get(side)
        if other is None or f"{name}_error" in found.values:
            continue
        if f"{name}_error_{other}" not in found.values:
            title = found.title(quantity)
            yield f"{title} has errors {side} alone, which are not used: give those {other}"
