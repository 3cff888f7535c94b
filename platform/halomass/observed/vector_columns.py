"""Columns of vectors that contradict each other, or of which one says nothing.

Three components of a place or a velocity are alike in size, whatever the host: satellites
in a plane are no more than some five times as far along as across it. A component that
differs by far more is in another unit, and one that is the same in all rows was not
measured.
"""

from collections.abc import Mapping, Sequence, Set

import numpy as np

from halomass import cosmology
from halomass.observed.errors import Orbits
from halomass.observed.unmeasured_columns import (
    FEWEST_MEASURED,
    LEAVE_OUT,
    check_copies,
    check_differs,
)
from halomass.systems import FloatArray
from orrery.parameters import BoolArray

POSITION, VELOCITY = ("x", "y", "z"), ("vx", "vy", "vz")
_PROJECTED = ("v_r", "v_t")
_CALLED = {
    **dict.fromkeys(POSITION, "all three coordinates"),
    **dict.fromkeys(VELOCITY, "all three components of the velocity"),
    "r": "distances from the host",
    "v_r": "radial velocities",
    "v_t": "tangential velocities",
}
_BY_CHANCE = 0.01  # vectors of a table that have one number three times
# Times that one component scatters more, or less, than both others: no units are nearer.
_UNEQUAL: dict[tuple[str, ...], float] = {POSITION: 100.0, VELOCITY: 50.0}
_CONTRADICTING = 0.2  # of the usual speed: more than any rounding


def check_vectors(
    values: Mapping[str, FloatArray], titles: Mapping[str, str], file: str
) -> None:
    """Refuses components in another unit than the others, and columns that nobody measured.

    A distance or velocity that is the same in all rows was not measured, nor was a
    component that is a copy of another one.

    Arguments:
        values: By quantity, `[N]`; NaN where there is none.
        titles: By quantity, of the columns that are there.
        file: The table's name, for messages.

    Raises:
        ValueError: If there are such.

    Example:
        >>> x, y, z = np.random.default_rng(0).normal(0, 90, (3, 20))
        >>> check_vectors({"x": x / 1e3, "y": y, "z": z}, dict(zip("xyz", "xyz")), "host.csv")
        Traceback (most recent call last):
        ValueError: host.csv: x scatters by 0.0613, y and z by 64.8 and 118: is it in another \
unit? name the unit, as in x_mpc or vx_kms
    """
    used = _used({*titles})
    for name in used:
        without = f"give its values: a table without {_CALLED[name]} cannot be used"
        remedy = LEAVE_OUT if _suffices({*titles} - {name}) else without
        check_differs(values[name], titles[name], file, remedy)
    check_copies(values, titles, used, file)
    for axes in (POSITION, VELOCITY):
        if set(axes) <= set(titles):
            _check_scatter(axes, values, titles, file)


def _used(names: Set[str]) -> list[str]:
    """Returns from which columns orbits may be: part of a vector says nothing."""
    place = POSITION if set(POSITION) <= names else ("r",)
    several = (place, VELOCITY, _PROJECTED)
    return [name for one in several if set(one) <= names for name in one]


def _suffices(names: Set[str]) -> bool:
    """Returns whether orbits follow from some columns."""
    if set(_PROJECTED) <= names:
        return "r" in names or set(POSITION) <= names
    return {*POSITION, *VELOCITY} <= names


def _check_scatter(
    axes: tuple[str, ...],
    values: Mapping[str, FloatArray],
    titles: Mapping[str, str],
    file: str,
) -> None:
    vector = np.stack([values[axis] for axis in axes])
    vector = vector[:, np.isfinite(vector).all(axis=0)]
    if vector.shape[1] < FEWEST_MEASURED:
        return
    low, high = np.quantile(vector, [0.16, 0.84], axis=1)
    scatter = (high - low) / 2
    order = np.argsort(scatter)
    least, middle, most = scatter[order]
    if middle > _UNEQUAL[axes] * least:
        odd = order[0]
    elif most > _UNEQUAL[axes] * middle:
        odd = order[2]
    else:
        return
    others = [place for place in range(3) if place != odd]
    names = " and ".join(titles[axes[place]] for place in others)
    sizes = " and ".join(f"{scatter[place]:.3g}" for place in others)
    raise ValueError(
        f"{file}: {titles[axes[odd]]} scatters by {scatter[odd]:.3g}, {names} by {sizes}: is it "
        "in another unit? name the unit, as in x_mpc or vx_kms"
    )


def of_one_number(vector: FloatArray) -> BoolArray:
    """Returns which of N vectors have one number in all three components, by no chance.

    Arguments:
        vector: `[3, N]`; NaN where there is no value.

    Example:
        >>> vector = np.random.default_rng(0).normal(0, 90, (3, 20))
        >>> vector[:, 7] = -1.0
        >>> np.flatnonzero(of_one_number(vector)).tolist()
        [7]
        >>> of_one_number(np.round(vector / 50)).any()
        np.False_
    """
    alike = (vector == vector[0]).all(axis=0)
    others = vector[:, ~alike & np.isfinite(vector).all(axis=0)]
    count = others.shape[1]
    if not alike.any() or count < FEWEST_MEASURED:
        return np.zeros_like(alike)
    meetings = [_meetings(others[0], component) for component in others[1:]]
    expected = vector.shape[1] * np.prod(meetings) / count**4
    return alike & bool(expected < _BY_CHANCE)


def _meetings(first: FloatArray, second: FloatArray) -> int:
    """Returns how many pairs, one of `[N]` and one of `[M]` numbers, are equal."""
    values, counts = np.unique(first, return_counts=True)
    own, times = np.unique(second, return_counts=True)
    _, left, right = np.intersect1d(values, own, return_indices=True)
    return int(counts[left] @ times[right])


def check_projections(
    projected: Orbits, said: Orbits, titles: Sequence[str], file: str
) -> None:
    """Refuses radial and tangential velocities that are not those of the vectors beside them.

    Arguments:
        projected: Of N rows, from the vectors.
        said: The same from columns of their own, with or without the expansion.
        titles: Of these columns.
        file: The table's name, for messages.

    Raises:
        ValueError: If they contradict each other.
    """
    known = np.isfinite(np.stack([*projected, *said])).all(axis=0)
    if known.sum() < FEWEST_MEASURED:
        return
    seen, own = (o.apply(lambda column: column[known]) for o in (projected, said))
    usual = np.median(np.hypot(seen.v_r, seen.v_t))
    expansion = cosmology.hubble() * seen.r
    radial = min(
        np.median(np.abs(own.v_r - seen.v_r - sign * expansion)) for sign in (-1, 0, 1)
    )
    across = np.median(np.abs(own.v_t - seen.v_t))
    if max(radial, across) > _CONTRADICTING * usual:
        raise ValueError(
            f"{file}: {' and '.join(titles)} differ from the velocities along and across x, y, z "
            f"by {radial:.3g} and {across:.3g} km/s in half of the rows: leave out those that are "
            "not relative to the host"
        )
