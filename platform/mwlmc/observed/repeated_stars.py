"""Stars that stand in a table more than once, as crossmatches and several epochs make them.

An identifier says it, if there is one, or that all that was measured agrees. So does what
two stars do not share by chance, where another epoch or another method gives a velocity or
a distance that differs: proper motions to the last digit, a distance that nobody else has,
or a place where there are so few stars that no other is there.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mwlmc.observed.star_columns import IDENTIFIERS, PAIRS
from mwlmc.observed.star_tables import StarTable
from mwlmc.sky import frames
from orrery.identity import JSON
from orrery.parameters import BoolArray, FloatArray
from orrery.tables.cleaning import CleanedColumns
from orrery.tables.duplicates import (
    ComparedValues,
    are_coarse,
    are_lonely,
    equal_pairs,
    equal_rows,
    first_rows,
    near_pairs,
    repeated_places,
    unshared_pairs,
)
from orrery.tables.error_columns import both_sides

_SAME_STAR = 1.0 / 60  # [deg] within which one identifier can be of one star
# Differences [kpc, km/s, mas/yr] that are none where errors are unknown.
_ROUNDING_DISTANCE, _ROUNDING_VELOCITY, _ROUNDING_MOTION = 1e-3, 1e-2, 1e-3


def repeated_stars(
    table: StarTable, found: CleanedColumns
) -> tuple[BoolArray, list[JSON]]:
    """Returns which rows are a star's again `[N]`, and how many by which rule.

    Arguments:
        table: The N rows.
        found: Their columns as the file has them.

    Raises:
        ValueError: If most rows are at one place.
    """
    again = np.zeros(len(table), dtype=bool)
    rules: list[JSON] = []
    for what, same in _by_rule(table, found):
        rules += _rule(what, same & ~again)
        again = again | same
    return again, rules


def _by_rule(
    table: StarTable, found: CleanedColumns
) -> Iterator[tuple[str, BoolArray]]:
    for quantity in IDENTIFIERS:
        if quantity in found.words:
            same = _same_identifier(table, found.words[quantity])
            yield found.title(quantity), same
    identifiers = found.words.get(IDENTIFIERS[0])
    yield "place, distance and velocity", _same_place(table, identifiers)
    yield from _at_one_place(table, found, identifiers)
    # also where its place was rounded, or its identifier
    radial = [table.distance, table.v_los]
    same = equal_rows(radial) | equal_rows([*radial, table.pm_l, table.pm_b])
    yield "distance and velocity, to the last digit", same


def _rule(what: str, rows: BoolArray) -> list[JSON]:
    if not rows.any():
        return []
    return [{"rule": f"the same {what}", "rows": int(rows.sum()), "consequence": "row"}]


def _same_identifier(table: StarTable, identifiers: Sequence[object]) -> BoolArray:
    """Returns which rows `[N]` have an earlier row's identifier, and are at its place.

    What is the same for stars at different places is the name of a field or a stream.
    """
    first = first_rows(identifiers)
    place = frames.direction(table.l, table.b)
    apart = np.linalg.norm(place - place[first], axis=1)
    return (first != np.arange(len(first))) & (apart < np.radians(_SAME_STAR))


def _usable_longitude(table: StarTable) -> FloatArray:
    usable = np.isfinite(table.distance + table.v_los)
    return np.where(usable, table.l, np.nan)


def _same_place(table: StarTable, identifiers: Sequence[object] | None) -> BoolArray:
    measured = (
        ComparedValues(table.distance, table.distance_error, _ROUNDING_DISTANCE),
        ComparedValues(table.v_los, table.v_los_error, _ROUNDING_VELOCITY),
    )
    try:
        return repeated_places(_usable_longitude(table), table.b, measured, identifiers)
    except ValueError as error:
        raise ValueError(f"{table.source['file']}: {error}") from None


def _at_one_place(
    table: StarTable, found: CleanedColumns, identifiers: Sequence[object] | None
) -> Iterator[tuple[str, BoolArray]]:
    """Yields the rows `[N]` at a star's place that say something else of it, by rule."""
    pairs = near_pairs(_usable_longitude(table), table.b, identifiers)
    motions, alike, known = _motions(found, pairs)
    if motions:
        equal = equal_pairs(motions, pairs)
        yield "place and proper motions, to the last digit", _later(table, pairs[equal])
    equal = unshared_pairs(table.distance, pairs) & alike
    yield "place and distance, to the last digit", _later(table, pairs[equal])
    equal = equal_pairs([table.v_los], pairs) & alike
    yield "place and velocity, to the last digit", _later(table, pairs[equal])
    frame = next(names for names in PAIRS[:2] if {*names} <= {*found.values})
    if not any(are_coarse(found.values[name]) for name in frame):
        alone = are_lonely(table.l, table.b, pairs) & alike & known
        yield (
            "place and proper motions, where stars are few",
            _later(table, pairs[alone]),
        )


def _later(table: StarTable, pairs: NDArray[np.intp]) -> BoolArray:
    """Returns the second rows of pairs `[K, 2]`, as a mask `[N]`."""
    again = np.zeros(len(table), dtype=bool)
    again[pairs[:, 1]] = True
    return again


def _motions(
    found: CleanedColumns, pairs: NDArray[np.intp]
) -> tuple[list[FloatArray], BoolArray, BoolArray]:
    """Returns proper motions as the file has them, two of `[N]` or none; of pairs, how they agree.

    That is `[K]` whether nothing says that they differ, and whether all are known, with
    their errors.
    """
    alike = np.ones(len(pairs), dtype=bool)
    frame = next((names for names in PAIRS[:1:-1] if {*names} <= {*found.values}), ())
    known = np.full(len(pairs), bool(frame))
    for quantity in frame:
        values = found.values[quantity]
        errors = both_sides(found.values, quantity)
        errors = np.full(values.shape, np.nan) if errors is None else errors
        alike &= ComparedValues(values, errors, _ROUNDING_MOTION).agree(pairs)
        known &= np.isfinite((values + errors)[pairs]).all(axis=1)
    return [found.values[quantity] for quantity in frame], alike, known
