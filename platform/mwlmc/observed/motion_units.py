"""Whether stars move as stars do, and their velocities scatter at least as their errors say.

A number in another unit can be one that a velocity may have: a redshift in place of km/s,
arcseconds in place of milliarcseconds. What gives it away is how all stars of a table move
together, and that measurements scatter no less than their errors.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from mwlmc.sky import frames
from orrery.parameters import FloatArray
from orrery.tables import titles
from orrery.tables.cleaning import CleanedColumns
from orrery.tables.error_columns import both_sides

_FEWEST = 20  # stars of which a scatter says anything
_SLOWEST = 1.0  # [km/s] stars of the coldest streams scatter more, errors included
_FASTEST = 5000.0  # [km/s] the Galaxy holds nothing that has a tenth of it
# times the typical error, which may be wrong by so much
_LEAST_SCATTER, _MOST_SCATTER = 0.2, 5.0
_DOUBTFUL_SCATTER = 0.6  # times the typical error; that of errors alone is one
# Titles of one component of velocities about the Galactic centre, and of the others.
_OUTWARD = ("v_r", "vr", "v_rad", "vel_r")
_AROUND = ("v_phi", "vphi", "v_theta", "vtheta", "vel_phi", "vel_theta")
_REMEDY = "convert the column, or name its unit, as in vlos_kms and pmra_masyr"


@dataclass(frozen=True, eq=False)
class _Motions:
    """Velocities of N stars along one axis, as the table gives them.

    Arguments:
        quantity: What they are.
        values: `[N]` [km/s]; NaN where unknown.
        errors: `[N]` [km/s]; NaN where unknown.
    """

    quantity: str
    values: FloatArray
    errors: FloatArray

    @property
    def known(self) -> FloatArray:
        """The values that there are."""
        return self.values[np.isfinite(self.values)]

    @property
    def scatter(self) -> float:
        """Half of the range of the middle 68 % [km/s]."""
        low, high = np.quantile(self.known, [0.16, 0.84])
        return float(high - low) / 2

    @property
    def error(self) -> float:
        """The median error [km/s]; 0 if none is known."""
        known = self.errors[np.isfinite(self.errors)]
        return float(np.median(known)) if len(known) else 0.0


def check_motions(found: CleanedColumns, distance: FloatArray, where: str) -> None:
    """Checks that the velocities of a table are in the units that are read there.

    Arguments:
        found: The columns of N stars.
        distance: Their distances `[N]` [kpc].
        where: The file's name, for messages.

    Raises:
        ValueError: If no stars move so, or errors are many times the scatter.
    """
    for motions in _motions(found.values, distance):
        if len(motions.known) < _FEWEST:
            continue
        title = found.title(motions.quantity)
        for wrong in _complaints(motions):
            raise ValueError(f"{where}: column {title!r}: {wrong}; {_REMEDY}")


def check_frame(found: CleanedColumns, where: str) -> None:
    """Checks that line-of-sight velocities are no component about the Galactic centre.

    Arguments:
        found: The columns.
        where: The file's name, for messages.

    Raises:
        ValueError: If their column is called as such a one, beside the others.
    """
    names = {c.title: titles.spellings([c.title])[c.title] for c in found.understood}
    outward = [c for c in found.understood if c.quantity == "v_los" and c.used]
    others = [title for title, said in names.items() if set(said) & {*_AROUND}]
    for column in outward:
        if others and set(names[column.title]) & {*_OUTWARD}:
            raise ValueError(
                f"{where}: column {column.title!r} stands beside {', '.join(others)}, as a "
                "velocity from the Galactic centre: give heliocentric ones, in a column vlos_kms"
            )


def scatter_doubts(found: CleanedColumns, distance: FloatArray) -> Iterator[str]:
    """Yields which velocities scatter less than their errors, which may be too large.

    Arguments:
        found: The columns of N stars.
        distance: Their distances `[N]` [kpc].
    """
    for motions in _motions(found.values, distance):
        if len(motions.known) < _FEWEST:
            continue
        if motions.scatter < _DOUBTFUL_SCATTER * motions.error:
            yield (
                f"{found.title(motions.quantity)}: {len(motions.known)} stars scatter by "
                f"{motions.scatter:.3g} km/s, and half of their errors are above "
                f"{motions.error:.3g} km/s, which alone scatter them more: are these in another "
                "unit, or no standard errors?"
            )


def _motions(
    columns: Mapping[str, FloatArray], distance: FloatArray
) -> Iterator[_Motions]:
    scales: dict[str, FloatArray] = {"v_los": np.ones(distance.shape)}
    across = frames.K * distance
    scales |= dict.fromkeys(("pm_ra", "pm_dec", "pm_l", "pm_b"), across)
    for quantity, scale in scales.items():
        if quantity in columns:
            errors = both_sides(columns, quantity)
            blank = np.full(distance.shape, np.nan)
            yield _Motions(
                quantity,
                columns[quantity] * scale,
                blank if errors is None else errors * scale,
            )


def _complaints(motions: _Motions) -> Iterator[str]:
    scatter = motions.scatter
    error = motions.error
    said = f"{len(motions.known)} stars scatter by {scatter:.3g} km/s"
    if scatter < _SLOWEST:
        yield f"{said}, less than those of any stream: these are in another unit"
    # errors of more than that are themselves in another unit
    if scatter > max(_FASTEST, _MOST_SCATTER * min(error, _FASTEST)):
        yield f"{said}, more than any stars: these are in another unit"
    if scatter < _LEAST_SCATTER * error:
        yield (
            f"{said}, and their typical error is {error:.3g} km/s, which scatters them more: "
            "numbers or errors are in another unit"
        )
