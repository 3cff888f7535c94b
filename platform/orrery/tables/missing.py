"""Values that are none: masked, not a number, impossible, or a number that stands for nothing.

Surveys write -9999, 999 or 1e20 where they have no value, and zeros for both proper
motions. Outside of what a quantity can be, such a number is no value at once. Inside, it
is taken for one that stands for nothing if it is exactly such a number and either lies
apart from all others or is there far more often than those around it. So is any other
number which so many rows share that nothing else explains it, and an error of zero.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from orrery.identity import JSON
from orrery.parameters import BoolArray, FloatArray
from orrery.tables.columns import ColumnDescription, Consequence
from orrery.tables.number_words import SENTINELS
from orrery.tables.repeated_values import (
    expected_ties,
    judged_values,
    repeated_values,
    zeros_are_rounded,
)

NO_VALUE = "no value"

# How many times as often as any other number; of numbers without decimals, which meet.
_REPEATED, _REPEATED_ROUNDED = 2, 5
# How far apart from all others, in units of their scatter: near the ends of what can be,
# and elsewhere.
_APART, _APART_INSIDE = 1.0, 10.0
_ROUNDING = 1e-6  # single precision's
# Between the first and the second, the third and the fourth, and so on, lies a sentinel.
_KNOWN = np.sort(SENTINELS)
_NEAR = np.outer(_KNOWN, [1 - 2 * _ROUNDING, 1 + 2 * _ROUNDING]).ravel()
_RARE = 0.01  # measurements that could be exactly one number: a single one is none then


@dataclass(frozen=True)
class MissingCount:
    """How many rows of a column have no value, by one rule.

    Arguments:
        title: The column's, in the file.
        quantity: What it holds.
        rule: Why they have none.
        rows: How many.
        of: The number of all rows.
        consequence: What follows: the row is dropped, or only the value is unknown.

    Example:
        >>> print(MissingCount("rv", "v_los", "the sentinel -9999", 3, 200, "row"))
        rv: 3 of 200 rows have no v_los (the sentinel -9999): these rows are dropped
    """

    title: str
    quantity: str
    rule: str
    rows: int
    of: int
    consequence: Consequence

    def __str__(self) -> str:
        what = (
            "these rows are dropped" if self.consequence == "row" else "unknown there"
        )
        return (
            f"{self.title}: {self.rows} of {self.of} rows have no {self.quantity} "
            f"({self.rule}): {what}"
        )

    @property
    def entry(self) -> JSON:
        """The same as plain JSON."""
        return {
            "column": self.title,
            "quantity": self.quantity,
            "rule": self.rule,
            "rows": self.rows,
            "consequence": self.consequence,
        }


def missing_values(
    raw: FloatArray,
    physical: FloatArray,
    description: ColumnDescription,
    stated: Sequence[float] | None = None,
) -> Iterator[tuple[str, BoolArray]]:
    """Yields the rules by which rows have no value, each with its rows `[N]`; no row twice.

    Arguments:
        raw: The numbers as the file has them `[N]`; NaN where it has none.
        physical: The same in the description's unit.
        description: What the numbers can be.
        stated: The numbers that stand for nothing, if somebody knows; all others that
            can be are values then.

    Example:
        >>> raw = np.array([12.0, -9999.0, np.nan, 31.0])
        >>> rv = ColumnDescription("v_los", None, ("rv",), lower=-1500, upper=1500)
        >>> [(rule, int(rows.sum())) for rule, rows in missing_values(raw, raw, rv)]
        [('no value', 1), ('the sentinel -9999', 1)]
        >>> [rule for rule, _ in missing_values(raw, raw, rv, stated=[31.0])]
        ['no value', 'said to be none: 31', 'not -1500 to 1500']
    """
    left = ~np.isnan(raw)
    yield from _some(NO_VALUE, ~left)
    inside = left & _possible(physical, description)
    if stated is None:
        known = _sentinels(raw, physical, inside, description)
    else:
        known = _stated(raw, stated)
    for rule, rows in known:
        yield from _some(rule, rows & left)
        left = left & ~rows
    infinite = left & np.isinf(raw)
    yield from _some("infinite", infinite)
    impossible = left & ~infinite & ~inside
    yield from _some(f"not {description.range}", impossible)
    if stated is None:
        yield from _unlisted(raw, left & inside, description)


def _sentinels(
    raw: FloatArray,
    physical: FloatArray,
    inside: BoolArray,
    description: ColumnDescription,
) -> Iterator[tuple[str, BoolArray]]:
    inside = inside.copy()
    near = _near_sentinels(raw)
    known = [number for number in SENTINELS if number in near]
    for sentinel in (sign * number for number in known for sign in (-1, 1)):
        exact = np.isclose(raw, sentinel, rtol=_ROUNDING, atol=0)
        if not exact.any():
            continue
        fraction = abs(physical[exact][0]) / _largest(description)
        if _stands_for_nothing(exact, raw, inside, fraction, description):
            yield f"the sentinel {sentinel:g}", exact
            inside &= ~exact


def _near_sentinels(raw: FloatArray) -> set[float]:
    """Returns the sentinels near which a number is, of either sign: mostly there is none."""
    places = np.searchsorted(_NEAR, np.abs(raw))
    return set(_KNOWN[places[places % 2 == 1] // 2].tolist())


def _stated(
    raw: FloatArray, stated: Sequence[float]
) -> Iterator[tuple[str, BoolArray]]:
    for number in stated:
        yield f"said to be none: {number:.10g}", np.isclose(raw, number, _ROUNDING, 0)


def _unlisted(
    raw: FloatArray, rows: BoolArray, description: ColumnDescription
) -> Iterator[tuple[str, BoolArray]]:
    """Yields the numbers of some rows `[N]` that stand for nothing, though no survey's do."""
    zero = rows & (raw == 0)
    if description.ties == "errors":
        is_none = zero.any() and not zeros_are_rounded(raw[rows])
    else:
        is_none = description.zero_is_none
    if is_none:
        yield from _some("exactly 0, which stands for none", zero)
        rows = rows & ~zero
    elif zero.any() and _must_scatter(raw[rows], description):
        yield "exactly 0, though the others are not rounded so far", zero
        rows = rows & ~zero
    for one in judged_values(raw[rows], description.ties):
        if one.is_certain:
            value = one.repeated.value
            rule = f"exactly {value:.10g}, far more often than any number near it"
            yield from _some(rule, rows & (raw == value))


def _some(rule: str, rows: BoolArray) -> Iterator[tuple[str, BoolArray]]:
    if rows.any():
        yield rule, rows


def _largest(description: ColumnDescription) -> float:
    return max(abs(description.lower), abs(description.upper))


def _possible(physical: FloatArray, description: ColumnDescription) -> BoolArray:
    lower = description.lower
    # angles from -180 to 180 or from 0 to 360, and none of both in one table
    if description.wraps and (physical[physical <= description.upper] > 180.0).any():
        lower = 0.0
    finite = np.isfinite(physical)
    return finite & (physical >= lower) & (physical <= description.upper)


def _stands_for_nothing(
    exact: BoolArray,
    raw: FloatArray,
    inside: BoolArray,
    fraction: float,
    description: ColumnDescription,
) -> bool:
    """Returns whether an exact sentinel is no value of these numbers.

    Arguments:
        exact: The rows that have it `[N]`.
        raw: The numbers `[N]`.
        inside: Those that can be `[N]`.
        fraction: Of the largest number that can be, that the sentinel is.
        description: Of the column.
    """
    if not inside[exact].any():
        return True
    others = raw[inside & ~exact]
    if len(others) == 0:
        return bool(exact.sum() > _REPEATED)  # all rows have it
    _, counts = np.unique(others, return_counts=True)
    rounded = np.mean(others == np.round(others)) > 0.5
    often = _REPEATED_ROUNDED if rounded else _REPEATED
    if exact.sum() >= often * counts.max():
        return True
    value = raw[exact][0]
    if any(one.value == value for one in repeated_values(raw[inside])):
        return True
    if _must_scatter(others, description):
        return True
    return _lies_apart(value, others, fraction, is_signed=description.lower < 0)


def _must_scatter(numbers: FloatArray, description: ColumnDescription) -> bool:
    """Returns whether no measurement among numbers `[N]` would be exactly a given one."""
    return description.ties == "none" and expected_ties(numbers) < _RARE


def _lies_apart(
    value: float, others: FloatArray, fraction: float, is_signed: bool
) -> bool:
    """Returns whether a number is further from all others than these scatter."""
    if others.min() <= value <= others.max():
        return False
    low, high = np.quantile(others, [0.16, 0.84])
    scatter = (high - low) / 2
    if not scatter:
        if is_signed:
            return False
        # most are one number, as errors that a survey gives all its stars
        scatter = np.ptp(others)
    apart = _APART if fraction > 0.5 else _APART_INSIDE
    return bool(np.abs(others - value).min() > apart * scatter)


def zero_pairs(first: FloatArray, second: FloatArray) -> BoolArray:
    """Returns where two numbers `[N]` are both exactly zero, which no measurement is.

    Example:
        >>> zero_pairs(np.array([0.0, 0.0]), np.array([0.0, 1.2]))
        array([ True, False])
    """
    return (first == 0) & (second == 0)
