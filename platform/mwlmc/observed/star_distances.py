"""Distances of stars from what tables give: distances, distance moduli, or parallaxes.

A distance modulus with a symmetric error has a skewed distance: what is computed here is
its median, and the mean is larger by exp(0.106 sigma^2), sigma in magnitudes. One over a
parallax is too large on average by about (sigma / parallax)^2, and means nothing where the
error is large; so parallaxes below five errors are no distances.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from orrery.parameters import FloatArray
from orrery.tables.error_columns import both_sides

ASSUMED_ERROR = 0.1  # of the distance, where a table has no column for it
FEWEST_ERRORS = 5.0  # of a parallax that is a distance: a bias of 4 % at most
# What distances in kpc and distance moduli of halo stars both are, and errors of moduli
# only: no survey measures distances so well.
_MODULI = (10.0, 21.0)
_SMALLEST_PART = 0.025
_FEWEST = 20  # stars that say it


@dataclass(frozen=True, eq=False)
class Distances:
    """Distances of N stars.

    Arguments:
        values: Heliocentric distances `[N]` [kpc]; NaN where unknown.
        errors: Their standard errors `[N]` [kpc]; NaN where unknown.
        notes: Where they come from if that is no column of distances, and with which bias.

    Example:
        >>> distances({"distance_modulus": np.array([18.5])}).values.round(1)
        array([50.1])
    """

    values: FloatArray
    errors: FloatArray
    notes: tuple[str, ...] = ()


def distances(columns: Mapping[str, FloatArray]) -> Distances | None:
    """Returns distances from the best column that there is; None if there is none.

    Arguments:
        columns: By quantity, `[N]`: distances [kpc], distance moduli [mag] and parallaxes
            [mas], with their errors. Distances without any have those of moduli beside
            them.
    """
    if "distance" in columns:
        return _measured(columns)
    if "distance_modulus" in columns:
        return _of_moduli(columns)
    if "parallax" in columns:
        return _of_parallaxes(columns)
    return None


def modulus_doubts(columns: Mapping[str, FloatArray]) -> Iterator[str]:
    """Yields that distances may be distance moduli, if all of them could be.

    Arguments:
        columns: By quantity, as for `distances`.

    Example:
        >>> moduli = np.linspace(14.2, 19.1, 30)
        >>> [*modulus_doubts({"distance": moduli})][0][:42]
        'all 30 distances are from 14.2 to 19.1 kpc'
        >>> [*modulus_doubts({"distance": moduli, "distance_error": 0.08 * moduli})]
        []
    """
    values = columns.get("distance", np.empty(0))
    known = values[np.isfinite(values)]
    if len(known) < _FEWEST or known.min() < _MODULI[0] or known.max() > _MODULI[1]:
        return
    found = _measured(columns)
    part = found.errors / found.values
    assumed = any("assumed" in note for note in found.notes)
    if not assumed and np.nanmedian(part) > _SMALLEST_PART:
        return
    yield (
        f"all {len(known)} distances are from {known.min():.3g} to {known.max():.3g} kpc: are "
        "these distance moduli? if they are, call the column distance_modulus_mag"
    )


def _measured(columns: Mapping[str, FloatArray]) -> Distances:
    values = columns["distance"]
    errors = both_sides(columns, "distance")
    if errors is not None:
        return Distances(values, errors)
    if {"distance_low", "distance_high"} <= set(columns):
        half = (columns["distance_high"] - columns["distance_low"]) / 2
        return Distances(values, np.where(half > 0, half, np.nan))
    moduli = both_sides(columns, "distance_modulus")
    if moduli is not None:
        note = "errors of the distances are those of the distance moduli"
        return Distances(values, np.log(10) / 5 * values * moduli, (note,))
    # what a table has always been taken to have
    note = "no column has errors of the distances: 10 % is assumed"
    return Distances(values, ASSUMED_ERROR * values, (note,))


def _of_moduli(columns: Mapping[str, FloatArray]) -> Distances:
    moduli = columns["distance_modulus"]
    values = 10 ** (moduli / 5 - 2)
    errors = both_sides(columns, "distance_modulus")
    if errors is None:
        note = "distances are of distance moduli without errors: 10 % is assumed"
        return Distances(values, ASSUMED_ERROR * values, (note,))
    bias = np.exp((np.log(10) / 5 * np.nanmedian(errors)) ** 2 / 2) - 1
    note = (
        f"distances are medians, of distance moduli; with their errors means would be "
        f"{100 * bias:.2g} % larger"
    )
    return Distances(values, np.log(10) / 5 * values * errors, (note,))


def _of_parallaxes(columns: Mapping[str, FloatArray]) -> Distances:
    parallaxes = columns["parallax"]
    errors = both_sides(columns, "parallax")
    known = parallaxes > 0
    if errors is None:
        values = 1 / np.where(known, parallaxes, np.nan)
        note = (
            "distances are 1 / parallax, without errors: their bias is unknown and 10 % is "
            "assumed"
        )
        return Distances(values, ASSUMED_ERROR * values, (note,))
    known = known & (parallaxes >= FEWEST_ERRORS * errors)
    values = 1 / np.where(known, parallaxes, np.nan)
    fraction = (errors / parallaxes)[known]
    bias = f"{100 * np.median(fraction) ** 2:.2g} %" if known.any() else "nothing"
    note = (
        f"distances are 1 / parallax, too large by {bias} on average; {int((~known).sum())} rows "
        f"with less than {FEWEST_ERRORS:g} errors have none"
    )
    return Distances(values, values**2 * errors, (note,))
