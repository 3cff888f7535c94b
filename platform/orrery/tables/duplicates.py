"""Rows of one thing that stand in a table more than once, as crossmatches make them.

An identifier says it, if there is one. Without it, two rows are one thing where they are
at the same place and all that was measured agrees within its errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from orrery.parameters import BoolArray, FloatArray

MATCH_RADIUS = 1.0 / 3600  # [deg] between two places that are one
AGREEMENT = 3.0  # errors between two values that are one
_EXACT = 2.0**53  # up to which floating-point numbers are as many as integers
_MOST_ROWS_EACH = 10  # of one thing, on average: an identifier of more is another's
# rows that have all numbers of another one, if each number is drawn by itself
_BY_CHANCE = 0.01
_FEWEST, _STEPS = 20, 3.5  # numbers that say how they were rounded, and steps between
_MOST_PAIRS = 10_000_000  # of rows at one place each, which still fit into memory
# Steps of degrees and of hours that are as wide as a place [deg], and a part of them.
_COARSE = (0.001, 0.0015, 1 / 3600, 1.5 / 3600)
_SAME_ANGLE, _MOSTLY = 1e-6, 0.9
# Rows within 0.1 deg of which one in 10,000 has another within an arcsecond.
_AROUND, _FEW = 0.1, 12

# [deg] nearer than which no survey sees two things: one has two identifiers there.
_UNRESOLVED = 0.05 / 3600

# Identifiers of things without a counterpart, in small letters.
_NOBODY = {"", "-", "--", "nan", "null", "none", "n/a", "0", "masked"}
_REPEATED_NINES = {"9" * n for n in range(2, 20)}


@dataclass(frozen=True, eq=False)
class ComparedValues:
    """What was measured of N things, to tell whether two of them are one.

    Arguments:
        values: The numbers `[N]`; NaN where there are none.
        errors: Their errors `[N]`; NaN where they are unknown.
        rounding: A difference that is none, where errors are unknown or smaller.

    Example:
        >>> v = ComparedValues(np.array([10.0, 12.0]), np.array([1.0, np.nan]), rounding=0.1)
        >>> v.agree(np.array([[0, 1]]))
        array([ True])
    """

    values: FloatArray
    errors: FloatArray
    rounding: float

    def agree(self, pairs: NDArray[np.intp]) -> BoolArray:
        """Returns whether the values of pairs of rows `[K, 2]` are one, `[K]`."""
        first, second = pairs.T
        error = np.nan_to_num(self.errors)
        allowed = AGREEMENT * np.hypot(error[first], error[second]) + self.rounding
        apart = np.abs(self.values[first] - self.values[second])
        # a value that only one of them has contradicts nothing
        return ~(apart > allowed)


def first_rows(identifiers: Sequence[object]) -> NDArray[np.intp]:
    """Returns for each of N rows the first row with the same identifier, `[N]`.

    Those that stand for nobody are all different: blanks, masked, zero, negative numbers
    and 999999. So are the long ones of a column of floating-point numbers, which have
    lost their last digits.

    Example:
        >>> first_rows([7, 8, 7, -1, -1]).tolist()
        [0, 1, 0, 3, 4]
    """
    known: dict[str, int] = {}
    first = np.arange(len(identifiers))
    for row, identifier in enumerate(identifiers):
        name = plain_identifier(identifier)
        if name is not None:
            first[row] = known.setdefault(name, row)
    return first


def plain_identifier(identifier: object) -> str | None:
    """Returns an identifier without what spellings differ in; None if it stands for nobody.

    Example:
        >>> plain_identifier(" Ursa  Minor"), plain_identifier("-9999")
        ('ursa minor', None)
    """
    if identifier is np.ma.masked:
        return None
    if isinstance(identifier, float) and not abs(identifier) < _EXACT:
        return None
    name = " ".join(str(identifier).lower().split())
    if name in _NOBODY or name in _REPEATED_NINES:
        return None
    return None if name.startswith("-") and name[1:].isdigit() else name


def are_identifiers(values: Sequence[object], integers: bool = False) -> bool:
    """Returns whether words or numbers tell things apart: surveys' names and flags do not.

    Arguments:
        values: One for each row.
        integers: Whether most must be integers, or end in one, as Gaia's do.

    Example:
        >>> are_identifiers([71, 72, 73, 71]), are_identifiers(["H3"] * 90 + ["SEGUE"] * 90)
        (True, False)
        >>> are_identifiers(["Gaia DR3 71", "Gaia DR3 72"], integers=True)
        True
    """
    names = [plain_identifier(value) for value in values]
    known = [name for name in names if name is not None]
    if len(known) > _MOST_ROWS_EACH * len(set(known)):
        return False
    return not integers or 2 * sum(map(_ends_in_integer, known)) > len(known)


def _ends_in_integer(name: str) -> bool:
    return name.rsplit(maxsplit=1)[-1].removesuffix(".0").isdigit()


def repeated_places(
    longitude: FloatArray,
    latitude: FloatArray,
    measured: Sequence[ComparedValues],
    identifiers: Sequence[object] | None = None,
    radius: float = MATCH_RADIUS,
) -> BoolArray:
    """Returns which rows `[N]` are at the place of an earlier row, with the same values.

    Arguments:
        longitude: In any frame `[N]` [rad].
        latitude: In the same `[N]` [rad].
        measured: What else must agree.
        identifiers: By which two rows are two things if both have one `[N]`.
        radius: Between two places that are one [deg].

    Raises:
        ValueError: If most rows are at one place.

    Example:
        >>> place = np.array([0.1, 0.1, 0.1])
        >>> v = ComparedValues(np.array([5.0, 5.0, 90.0]), np.ones(3), rounding=0.0)
        >>> repeated_places(place, place, [v]).tolist()
        [False, True, False]
    """
    pairs = near_pairs(longitude, latitude, identifiers, radius)
    for one in measured:
        pairs = pairs[one.agree(pairs)]
    repeated = np.zeros(len(longitude), dtype=bool)
    repeated[pairs[:, 1]] = True
    return repeated


def near_pairs(
    longitude: FloatArray,
    latitude: FloatArray,
    identifiers: Sequence[object] | None = None,
    radius: float = MATCH_RADIUS,
) -> NDArray[np.intp]:
    """Returns the pairs of rows at one place `[K, 2]`, in each the earlier row first.

    Two identifiers tell things apart, but for those that are nearer than any survey resolves:
    releases of one survey call a star differently. Where places are coarse, nearness says
    nothing.

    Arguments are those of `repeated_places`.

    Raises:
        ValueError: If most rows are at one place.

    Example:
        >>> near_pairs(np.array([0.1, 0.7, 0.1]), np.zeros(3)).tolist()
        [[0, 2]]
    """
    known = np.flatnonzero(np.isfinite(longitude) & np.isfinite(latitude))
    tree = cKDTree(_direction(longitude[known], latitude[known]))
    if tree.count_neighbors(tree, np.radians(radius)) > _MOST_PAIRS:
        raise ValueError(
            f"more than {_MOST_PAIRS} pairs of rows are at one place each: these are no "
            "positions of different things; look at their columns"
        )
    found = tree.query_pairs(np.radians(radius), output_type="ndarray")
    pairs = np.sort(known[found.astype(np.intp)], axis=1)
    if identifiers is None or not len(pairs):
        return pairs
    differ = np.array([_differ(identifiers, pair) for pair in pairs])
    if differ.any() and not _is_coarse_place(longitude, latitude):
        differ &= _apart(longitude, latitude, pairs) > np.radians(_UNRESOLVED)
    return pairs[~differ]


def _is_coarse_place(longitude: FloatArray, latitude: FloatArray) -> bool:
    """Returns whether two things may have one place, to its last digit, by chance."""
    place = np.stack([longitude, latitude], axis=1)
    once = np.unique(place[np.isfinite(place).all(axis=1)], axis=0)
    return len(once) < _FEWEST or _chance(once) >= _BY_CHANCE


def _apart(
    longitude: FloatArray, latitude: FloatArray, pairs: NDArray[np.intp]
) -> FloatArray:
    """Returns how far the two of each pair are from each other `[K]` [rad]."""
    place = _direction(longitude, latitude)
    return np.asarray(np.linalg.norm(place[pairs[:, 0]] - place[pairs[:, 1]], axis=1))


def equal_pairs(columns: Sequence[FloatArray], pairs: NDArray[np.intp]) -> BoolArray:
    """Returns which pairs `[K, 2]` have equal numbers in all columns, which is so by no chance.

    No pair has, where numbers are so coarse, or so much alike of rows that have others
    nearby, that one may by chance.

    Arguments:
        columns: What was measured, each `[N]`, none of which follows from the others.
        pairs: Of rows.

    Example:
        >>> pm = np.random.default_rng(0).normal(0, 2, 500)
        >>> pm[7] = pm[3]
        >>> pairs = np.array([[3, 7], [4, 8]])
        >>> equal_pairs([pm], pairs), equal_pairs([pm.round()], pairs).any()
        (array([ True, False]), np.False_)
    """
    numbers = np.stack(columns, axis=1)
    equal = (numbers[pairs[:, 0]] == numbers[pairs[:, 1]]).all(axis=1)
    if not equal.any():
        return equal
    once = np.asarray(np.isfinite(numbers).all(axis=1))
    once[pairs[equal, 1]] = False
    nearby = once.copy()
    nearby[np.setdiff1d(np.arange(len(numbers)), pairs)] = False
    others = int(np.count_nonzero(~equal)) + 1
    chance = others * max(_all_meeting(numbers[rows]) for rows in (once, nearby))
    return equal & (chance < _BY_CHANCE)


def _all_meeting(numbers: FloatArray) -> float:
    """Returns the share of all pairs of rows `[N, M]` that have equal numbers in all M."""
    return float(np.prod([_meeting(column) for column in numbers.T]))


def unshared_pairs(numbers: FloatArray, pairs: NDArray[np.intp]) -> BoolArray:
    """Returns which pairs `[K, 2]` have a number that no row elsewhere has.

    The distance of a cluster is that of many of its stars.

    Arguments:
        numbers: Of N rows `[N]`.
        pairs: Of rows.

    Example:
        >>> numbers = np.array([20.0, 31.7, 20.0, 31.7, 20.0])
        >>> unshared_pairs(numbers, np.array([[0, 2], [1, 3]]))
        array([False,  True])
    """
    first, second = pairs.T
    equal = numbers[first] == numbers[second]
    partners = np.bincount(pairs[equal].ravel(), minlength=len(numbers))
    _, place, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    return np.asarray(equal & (counts[place][first] == partners[first] + 1))


def are_coarse(angles: FloatArray) -> bool:
    """Returns whether most angles [deg] `[N]` are rounded to an arcsecond or more.

    Example:
        >>> are_coarse(np.array([12.345, 99.1])), are_coarse(np.array([12.34567, 99.12345]))
        (True, False)
    """
    known = angles[np.isfinite(angles)]
    for step in _COARSE:
        off = np.abs(known - np.round(known / step) * step)
        if np.count_nonzero(off < _SAME_ANGLE) > _MOSTLY * len(known):
            return True
    return False


def are_lonely(
    longitude: FloatArray, latitude: FloatArray, pairs: NDArray[np.intp]
) -> BoolArray:
    """Returns which pairs `[K, 2]` are where rows are so few that no two are at one place.

    By chance one in 10,000 has another within an arcsecond.

    Arguments:
        longitude: In any frame `[N]` [rad].
        latitude: In the same `[N]` [rad].
        pairs: Of rows.
    """
    places = _direction(longitude, latitude)
    tree = cKDTree(places[np.isfinite(places).all(axis=1)])
    around = tree.query_ball_point(
        places[pairs[:, 0]], np.radians(_AROUND), return_length=True
    )
    return np.asarray(around <= _FEW)


def equal_rows(columns: Sequence[FloatArray]) -> BoolArray:
    """Returns which rows `[N]` have all numbers of an earlier one, which is so by no chance.

    None has where numbers are so few or so coarse that two things may share them all.

    Arguments:
        columns: What was measured, each `[N]`, none of which follows from the others;
            rows where one is NaN are not compared.

    Example:
        >>> distance, v = np.random.default_rng(0).normal(60, 20, (2, 500))
        >>> again = [np.append(distance, distance[7]), np.append(v, v[7])]
        >>> equal_rows(again).nonzero()[0]
        array([500])
        >>> equal_rows([column.round() for column in again]).any()
        np.False_
    """
    numbers = np.stack(columns, axis=1)
    known = np.flatnonzero(np.isfinite(numbers).all(axis=1))
    repeated = np.zeros(len(numbers), dtype=bool)
    once, first, of = np.unique(
        numbers[known], axis=0, return_index=True, return_inverse=True
    )
    if len(once) == len(known):
        return repeated
    of = of.ravel()
    again = np.bincount(of, minlength=len(once)) > 1
    by_chance = _chance(once) >= _BY_CHANCE
    repeated[known] = ~(by_chance | _shared_by_chance(once, again))[of]
    repeated[known[first]] = False
    return repeated


def _chance(once: FloatArray) -> float:
    """Returns how many pairs of different rows `[N, M]` have equal numbers in all M."""
    return len(once) ** 2 / 2 * _all_meeting(once)


def _shared_by_chance(once: FloatArray, again: BoolArray) -> BoolArray:
    """Returns which different rows `[N, M]` share one number with so many that others may meet.

    Stars of a cluster have one distance, and velocities that are close.

    Arguments:
        once: The rows.
        again: Which of them are there more than once `[N]`.
    """
    found = np.zeros(len(once), dtype=bool)
    for place in range(once.shape[1]):
        column = once[:, place]
        order = np.argsort(column, kind="stable")
        starts = np.flatnonzero(np.diff(column[order])) + 1
        for group in np.split(order, starts):
            if len(group) >= _FEWEST and again[group].any():
                others = np.delete(once[group], place, axis=1)
                found[group] |= _chance(others) >= _BY_CHANCE
    return found


def _meeting(numbers: FloatArray) -> float:
    """Returns the share of all pairs of numbers `[N]` that are equal, or would be by chance.

    Numbers that were rounded meet as often as they are a few steps apart. This shows also
    where those that are equal were left out.
    """
    counts = np.unique(numbers, return_counts=True)[1].astype(float)
    pairs = len(numbers) * (len(numbers) - 1)
    equal = float(np.sum(counts * (counts - 1)) / max(pairs, 1))
    if len(counts) < _FEWEST:
        return equal
    ordered = np.sort(numbers)
    steps = np.diff(ordered)
    step = float(steps[steps > 0].min())
    beyond = np.searchsorted(ordered, ordered + _STEPS * step * (1 + 1e-3), "right")
    close = np.sum(beyond - np.searchsorted(ordered, ordered, "right"))
    return max(equal, float(close / _STEPS / pairs))


def _differ(identifiers: Sequence[object], pair: NDArray[np.intp]) -> bool:
    names = {plain_identifier(identifiers[row]) for row in pair}
    return len(names - {None}) > 1


def _direction(longitude: FloatArray, latitude: FloatArray) -> FloatArray:
    east = np.cos(latitude) * np.cos(longitude)
    north = np.cos(latitude) * np.sin(longitude)
    return np.stack([east, north, np.sin(latitude)], axis=1)
