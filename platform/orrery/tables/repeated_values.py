"""Values that far more rows of a table share than those around them.

Measured numbers are spread: of those with many decimals no two are the same, and of
rounded ones each is about as frequent as the ones next to it. A number that stands far
above them was written, not measured: for what is missing, or for what was assumed.

How much that says depends on the quantity. No two velocities are one; stars of one galaxy
may be given one distance; a survey may give all its stars one error, and only one far
above all others stands for none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from orrery.parameters import BoolArray, FloatArray

_FEWEST_ROWS = 5
_SMALLEST_SHARE = 1e-3  # of the rows; fewer move no mean
_AROUND = 25  # different values on either side that are compared
_FEWEST_OTHERS = 10  # different values on either side, fewer of which tell nothing
_TIMES = 2  # as often as the most frequent value around
_BY_CHANCE = 1e-6  # that a value is as frequent, if it were like those around
_RARE = 0.1  # of different values around, of which none has come twice
_FIGURES = 3  # of a number that is round
_MOST_ALIKE = 7  # digits of a number: more are none of a single-precision one
_SINGLE_PRECISION = 1e-6

_MOSTLY_ROUND = 0.3  # of the others, among which round ones are usual
_CERTAIN_TIMES = 10  # as often as the most frequent value around, among round ones
_DOUBTFUL_SHARE = 0.01  # of the rows
# How many times as large as nearly all others an error is that stands for none, or may.
_CERTAIN_ERROR, _DOUBTFUL_ERROR = 50.0, 5.0
_NEARLY_ALL = 0.99
_LARGEST_STEP, _MOST_DIGITS = 3, 9  # of numbers that were rounded, as powers of ten
_EXACT = 1e-7  # about single precision's

Ties = Literal["none", "some", "errors", "many"]
"""Which exactly equal numbers a column has: none, as velocities; some, as distances of
stars of one galaxy; those of errors; or many, which say nothing."""


@dataclass(frozen=True)
class RepeatedValue:
    """A number that far more rows have than those around it.

    Arguments:
        value: The number.
        rows: How many rows have it.
        around: How many have the most frequent number around it.
        of: How many rows have any number.

    Example:
        >>> RepeatedValue(-500.0, rows=90, around=1, of=1000).share
        0.09
    """

    value: float
    rows: int
    around: int
    of: int

    @property
    def share(self) -> float:
        """Of all rows."""
        return self.rows / self.of

    @property
    def times(self) -> float:
        """How many times as frequent it is as those around it."""
        return self.rows / self.around


def repeated_values(numbers: FloatArray) -> Iterator[RepeatedValue]:
    """Yields the numbers that far more rows share than those around them, by size.

    Arguments:
        numbers: Of N rows, all finite `[N]`.

    Example:
        >>> numbers = np.random.default_rng(0).normal(0, 100, 500)
        >>> numbers[:20] = -500.0
        >>> [(one.value, one.rows, one.around) for one in repeated_values(numbers)]
        [(-500.0, 20, 1)]
        >>> list(repeated_values(np.round(numbers[20:])))
        []
    """
    distinct, counts = np.unique(numbers, return_counts=True)
    if len(distinct) <= 2 * _FEWEST_OTHERS:
        return
    fewest = max(_FEWEST_ROWS, _SMALLEST_SHARE * len(numbers))
    for place in np.flatnonzero(counts >= fewest).tolist():
        rows = int(counts[place])
        nearby = np.sort(_around(counts, place))
        # two numbers side by side may both stand for nothing
        most = max(int(nearby[-2]), _peak(counts, place))
        chance = special.pdtrc(rows - 1, _expected(nearby[:-1]))
        if rows >= _TIMES * most and chance < _BY_CHANCE:
            # -0.0 is 0.0
            yield RepeatedValue(float(distinct[place]) + 0.0, rows, most, len(numbers))


def _around(counts: NDArray[np.intp], place: int) -> NDArray[np.intp]:
    below = counts[max(place - _AROUND, 0) : place]
    above = counts[place + 1 : place + 1 + _AROUND]
    return np.concatenate([below, above])


def _peak(counts: NDArray[np.intp], place: int) -> int:
    """Returns how many rows a value has at least if the others rise towards it from both sides.

    Numbers that are rounded more coarsely than they scatter do, around their mean.
    """
    if not 2 <= place < len(counts) - 2:
        return 0
    below = counts[place - 1] ** 2 / counts[place - 2]
    above = counts[place + 1] ** 2 / counts[place + 2]
    return int(min(below, above))


def _expected(counts: NDArray[np.intp]) -> float:
    """Returns how many rows a value has on average, of values of which only some occur."""
    mean = float(np.mean(counts))
    # numbers that nobody has are not among them: of rare ones, those that come once
    return min(mean, 2 * (mean - 1) + _RARE)


def are_round(numbers: FloatArray) -> BoolArray:
    """Returns which numbers `[N]` have three figures or fewer, also in single precision.

    Example:
        >>> are_round(np.array([-500.0, 0.0, 9.99, 43.21, np.float32(0.1)]))
        array([ True,  True,  True, False,  True])
    """
    size = np.abs(np.where(numbers == 0, 1.0, numbers))
    last = 10.0 ** (np.floor(np.log10(size)) - _FIGURES + 1)
    off = np.abs(numbers - np.round(numbers / last) * last)
    return np.asarray(off <= _SINGLE_PRECISION * size)


def are_written(numbers: FloatArray) -> BoolArray:
    """Returns which numbers `[N]` look as if somebody wrote them: round ones, and all nines.

    Example:
        >>> are_written(np.array([-500.0, 9.999, -777.7, 43.21, np.float32(99.999)]))
        array([ True,  True,  True, False,  True])
    """
    size = np.abs(np.where(numbers == 0, 1.0, numbers))
    leading = size / 10.0 ** np.floor(np.log10(size))
    digit = np.floor(leading * (1 + _SINGLE_PRECISION))
    written = are_round(numbers)
    for count in range(_FIGURES + 1, _MOST_ALIKE + 1):
        alike = digit * (10.0 - 10.0 ** (1 - count)) / 9
        written |= np.abs(leading - alike) <= _SINGLE_PRECISION * alike
    return written


def zeros_are_rounded(numbers: FloatArray) -> bool:
    """Returns whether numbers from zero on `[N]` may be zero because they were rounded.

    Then their steps are as large as the smallest of them, and zero is no more frequent
    than those are. All may also be zero.

    Example:
        >>> zeros_are_rounded(np.array([0.0, 0.1, 0.3, 0.2, 0.0, 0.1]))
        True
        >>> zeros_are_rounded(np.array([0.0, 4.1, 4.3, 4.2, 0.0, 4.1]))
        False
    """
    distinct, counts = np.unique(numbers, return_counts=True)
    if len(distinct) < 2:
        return True
    if len(distinct) == 2:
        return False
    step = np.diff(distinct[1:]).min()
    near = counts[1 : 1 + _AROUND].max()
    return bool(distinct[1] <= 2 * step and counts[0] <= _TIMES * near)


def expected_ties(numbers: FloatArray) -> float:
    """Returns how many measured numbers have exactly one given value, because of rounding.

    Of each digit it is asked how many numbers `[N]` of either sign end there: so many
    could have been rounded to the value, if they are as dense there as about zero.
    Infinitely many where few numbers tell nothing.

    Example:
        >>> velocities = np.random.default_rng(1).normal(0, 100, 1000)
        >>> round(expected_ties(velocities.round(1)), 1), expected_ties(velocities) < 1e-3
        (0.6, True)
    """
    sizes = np.sort(np.abs(numbers[numbers != 0]))
    if len(sizes) < 2 * _FEWEST_OTHERS:
        return np.inf
    third = len(sizes) // 3
    density = third / len(sizes) / (2 * sizes[third])
    steps = 10.0 ** np.arange(_LARGEST_STEP, -_MOST_DIGITS, -1)
    ending = [
        np.sum(np.abs(sizes - np.round(sizes / s) * s) <= _EXACT * sizes) for s in steps
    ]
    return float(density * np.max(ending * steps))


@dataclass(frozen=True)
class JudgedValue:
    """A number that stands for no value, or may.

    Arguments:
        repeated: The number, and how often it comes.
        is_certain: Whether nothing else explains it.

    Example:
        >>> JudgedValue(RepeatedValue(-500.0, rows=90, around=1, of=1000), True).is_certain
        True
    """

    repeated: RepeatedValue
    is_certain: bool


def judged_values(numbers: FloatArray, ties: Ties) -> Iterator[JudgedValue]:
    """Yields the numbers that stand for no value because so many rows share them, or may.

    Arguments:
        numbers: Of N rows, all finite `[N]`.
        ties: Which equal numbers the column has.

    Example:
        >>> errors = np.repeat([0.1, 100.0], [180, 20])
        >>> [one.repeated.value for one in judged_values(errors, "errors")]
        [100.0]
    """
    if ties == "errors":
        yield from _of_errors(numbers)
    elif ties != "many":
        shared = list(repeated_values(numbers))
        # each next to what nobody wrote
        others = numbers[~np.isin(numbers, [one.value for one in shared])]
        for one in shared:
            judge = _is_no_velocity if ties == "none" else _is_no_distance
            if judge(one, others):
                yield JudgedValue(one, is_certain=True)
            elif one.share >= _DOUBTFUL_SHARE:
                yield JudgedValue(one, is_certain=False)


def _is_no_velocity(one: RepeatedValue, others: FloatArray) -> bool:
    if _is_far_outside(one.value, others):
        return True
    if not are_written(np.array([one.value])).any():
        return False  # a mean that was filled in, or that of a cluster's stars
    rare = float(np.mean(are_round(others))) < _MOSTLY_ROUND
    return rare or one.times >= _CERTAIN_TIMES


def _is_no_distance(one: RepeatedValue, others: FloatArray) -> bool:
    if not are_written(np.array([one.value])).any():
        return False
    # stars of one galaxy may be further than all others, at a distance of many figures
    return one.value > 0 and _is_far_outside(one.value, others)


def _is_far_outside(value: float, others: FloatArray) -> bool:
    """Returns whether a number lies further outside of nearly all others than these are wide."""
    low, high = np.quantile(others, [1 - _NEARLY_ALL, _NEARLY_ALL])
    width = high - low
    return bool(value > high + width or value < low - width)


def _of_errors(numbers: FloatArray) -> Iterator[JudgedValue]:
    """Yields numbers that many rows have, far above the errors of most."""
    if not len(numbers):
        return
    distinct, counts = np.unique(numbers, return_counts=True)
    below = np.cumsum(counts) - counts
    fewest = max(_FEWEST_ROWS, _SMALLEST_SHARE * len(numbers))
    frequent = (counts >= fewest) & (2 * below >= len(numbers)) & are_written(distinct)
    # most are not above the median, so that few are left to be compared one by one
    frequent &= distinct > _DOUBTFUL_ERROR * np.median(numbers)
    for place in np.flatnonzero(frequent).tolist():
        usual = np.quantile(numbers[numbers < distinct[place]], _NEARLY_ALL)
        value = float(distinct[place])
        one = RepeatedValue(value, int(counts[place]), 1, len(numbers))
        if value > _CERTAIN_ERROR * usual:
            yield JudgedValue(one, is_certain=True)
        elif value > _DOUBTFUL_ERROR * usual and one.share >= _DOUBTFUL_SHARE:
            yield JudgedValue(one, is_certain=False)
