"""Whether columns that say the same of stars agree: places, distances, velocities.

One of them is used. Where the others contradict it, a column is in another unit than its
title says, was sorted without the rest of its table, or is of other stars.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from mwlmc.observed import star_distances
from mwlmc.observed.star_columns import DESCRIPTIONS
from mwlmc.sky import frames
from orrery.parameters import BoolArray, FloatArray
from orrery.tables.amplitudes import Amplitude
from orrery.tables.cleaning import CleanedColumns, clean_columns

_COMPARED = ("ra", "dec", "l", "b", "distance", "distance_modulus", "parallax", "v_los")
_FRAMES = (("ra", "dec"), ("l", "b"))
_FAR_APART = 1.0  # [deg] more than rounding, or another equinox, moves a star
_FAR_OFF = 1.0  # [mag] more than two ways to measure a distance differ by
_SHIFTED = 0.4  # [mag] more than the scales of two such ways do
_FAST = 50.0  # [km/s] more than pulsations and companions change a velocity
_SHIFTED_VELOCITY = 20.0  # [km/s] more than they do on average
_ROUNDED = 0.01  # of a distance, more than rounding moves it beyond its own bounds
_MOST = 0.2  # of the stars
_FEWEST, _MANY = 5, 20  # stars
# Parallaxes against one over distances: how many times as large they may be, by so many
# errors, where distances [1/kpc] differ enough to tell.
_LEAST, _LARGEST, _ERRORS, _LEVERAGE = 0.5, 2.0, 5.0, 0.005

_CHECK = (
    "one of these columns is in another unit, or in another order; look them up, and leave "
    "the wrong ones out"
)


@dataclass(frozen=True, eq=False)
class _Other:
    """A column that is not used, of a quantity that is compared.

    Arguments:
        title: Its title.
        quantity: What it holds.
        values: `[N]`; NaN where there is none.
    """

    title: str
    quantity: str
    values: FloatArray


def contradictions(table: Table, found: CleanedColumns, where: str) -> Iterator[str]:
    """Yields which columns that are not used contradict those that are.

    Arguments:
        table: As read, with N rows.
        found: Its columns.
        where: The file's name, for messages.
    """
    others = _others(table, found, where)
    yield from _of_places(found, others)
    used = star_distances.distances(found.values)
    if used is not None:
        for one in others:
            yield from _of_distances(found, used.values, one)
    yield from _of_bounds(found)
    for one in others:
        if one.quantity == "v_los" and "v_los" in found.values:
            yield from _of_velocities(found, one)


def _others(table: Table, found: CleanedColumns, where: str) -> list[_Other]:
    """Returns the unused columns of what is compared; not those that have no numbers."""
    described = {d.quantity: d for d in DESCRIPTIONS}
    others = []
    for column in found.understood:
        if column.quantity not in _COMPARED:
            continue
        # a modulus beside a distance is used for its errors alone
        modulus = column.quantity == "distance_modulus" and "distance" in found.values
        if column.used and not modulus:
            continue
        try:
            # one by one, as two of a quantity are too many
            alone = clean_columns(
                table[[column.title]], [described[column.quantity]], where
            )
        except ValueError:  # of no use anyway
            continue
        others += [
            _Other(column.title, quantity, values)
            for quantity, values in alone.values.items()
        ]
    return others


def _of_places(found: CleanedColumns, others: Sequence[_Other]) -> Iterator[str]:
    """Yields which places are not where those are that are used.

    A coordinate without its partner is taken with the partner that is used.
    """
    frame = next(names for names in _FRAMES if {*names} <= {*found.values})
    here = _direction(found.values, frame)
    for names in _FRAMES:
        firsts = [one for one in others if one.quantity == names[0]]
        seconds = [one for one in others if one.quantity == names[1]]
        for i in range(max(len(firsts), len(seconds))):
            pair = [*firsts[i : i + 1], *seconds[i : i + 1]]
            values = {**found.values, **{one.quantity: one.values for one in pair}}
            if not {*names} <= {*values}:
                continue
            chord = np.linalg.norm(here - _direction(values, names), axis=1)
            off = chord / (2 * np.sin(np.radians(_FAR_APART) / 2))
            titles = " and ".join(one.title for one in pair)
            what = f"places of {titles} are more than {_FAR_APART:g} deg from those of"
            yield from _said(off, what, found.title(frame[0]))


def _direction(values: Mapping[str, FloatArray], frame: Sequence[str]) -> FloatArray:
    longitude, latitude = (np.radians(values[name]) for name in frame)
    if frame[0] == "ra":
        longitude, latitude = frames.equatorial_to_galactic(longitude, latitude)
    return frames.direction(longitude, latitude)


def _of_distances(
    found: CleanedColumns, used: FloatArray, one: _Other
) -> Iterator[str]:
    quantity = next(
        name
        for name in ("distance", "distance_modulus", "parallax")
        if name in found.values
    )
    title = found.title(quantity)
    if one.quantity == "parallax":
        held = Amplitude.of(1 / used, one.values, _MANY, _LEVERAGE)
        if held is not None and held.is_outside(_LEAST, _LARGEST, _ERRORS):
            yield (
                f"parallaxes of {one.title} hold those of the distances of {title} {held} times, "
                f"not once: {_CHECK}"
            )
        return
    if one.quantity not in ("distance", "distance_modulus"):
        return
    modulus = one.quantity == "distance_modulus"
    moduli = one.values if modulus else 5 * np.log10(one.values) + 10
    off = moduli - (5 * np.log10(used) + 10)
    yield from _differences(
        off, _FAR_OFF, _SHIFTED, f"distances of {one.title}|mag", title
    )


def _of_bounds(found: CleanedColumns) -> Iterator[str]:
    """Yields that distances are not between their own 16th and 84th percentiles.

    Half of what is between these is taken as an error, whichever distance it is of.
    """
    if not {"distance", "distance_low", "distance_high"} <= {*found.values}:
        return
    distance, low, high = (
        found.values[name] for name in ("distance", "distance_low", "distance_high")
    )
    # above one where a distance is beyond a bound; NaN where there is none
    beyond = np.maximum(low / distance, distance / high) / (1 + _ROUNDED)
    titles = " and ".join(map(found.title, ("distance_low", "distance_high")))
    what = f"distances are not between {titles}, which make the errors of"
    yield from _said(beyond, what, found.title("distance"))


def _of_velocities(found: CleanedColumns, one: _Other) -> Iterator[str]:
    off = one.values - found.values["v_los"]
    what = f"velocities of {one.title}|km/s"
    yield from _differences(off, _FAST, _SHIFTED_VELOCITY, what, found.title("v_los"))


def _differences(
    off: FloatArray, far: float, shift: float, what: str, title: str
) -> Iterator[str]:
    """Yields that numbers differ by too much in many stars, or in most by about the same.

    Arguments:
        off: By how much they differ `[N]`.
        far: What is too much.
        shift: What is too much for all of them.
        what: The numbers and their unit, with a bar between.
        title: Of the column that is used.
    """
    what, _, unit = what.partition("|")
    said = [
        *_said(
            np.abs(off) / far,
            f"{what} are more than {far:g} {unit} from those of",
            title,
        )
    ]
    known = off[np.isfinite(off)]
    if not said and len(known) >= _MANY:
        low, middle, high = np.quantile(known, [0.16, 0.5, 0.84])
        # and so are most by themselves, not by a few
        if abs(middle) > shift and low * high > 0:
            said = [
                f"{what} are {middle:+.2g} {unit} from those of {title} in half of "
                f"{len(known)} rows: {_CHECK}"
            ]
    yield from said


def _said(off: FloatArray, what: str, title: str) -> Iterator[str]:
    known: BoolArray = np.isfinite(off)
    count = int(np.count_nonzero(off[known] > 1))
    if count >= _FEWEST and count > _MOST * np.count_nonzero(known):
        yield f"{count} of {np.count_nonzero(known)} {what} {title}: {_CHECK}"
