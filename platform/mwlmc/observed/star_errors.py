"""Whether the errors of a star table are there, and of the size that errors have.

Simulated stars get the errors of the observed ones. What is unknown would make them free
of noise, and what is no standard error, such as a percentage, a variance or a percentile,
gives them another one; both are said, and refused where most of a column is lost.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.stats import spearmanr

from mwlmc.observed.star_distances import Distances
from mwlmc.observed.star_tables import StarTable
from orrery.parameters import BoolArray, FloatArray
from orrery.tables.cleaning import CleanedColumns, check_share
from orrery.tables.error_columns import both_sides
from orrery.tables.options import MOST_MISSING

_FEWEST, _MANY = 20, 100  # stars of which a median, or a correlation, says anything
# Errors that no survey of distant stars has, in km/s and mas/yr: as typical ones, for the
# best twentieth, and for the worst thirtieth, where spectra are still of use.
_SMALLEST_ERRORS = {
    "v_los": 0.02,
    **dict.fromkeys(("pm_ra", "pm_dec", "pm_l", "pm_b"), 0.003),
}
_SMALLEST_OF_FEW = dict.fromkeys(("pm_ra", "pm_dec", "pm_l", "pm_b"), 0.004)
_LARGEST_OF_FEW = {"v_los": 80.0}
_FAR, _SMALLEST_PART = 10.0, 0.01  # [kpc], and of such distances
_LARGEST_PART = 0.4  # of distances
# Errors that neither grow with distances, by rank, nor scatter by this part of what these
# do, by logarithm: of numbers such as percentages, and of distances that reach so far.
_HARDLY, _ALIKE, _REACH, _PERCENTAGES = 0.2, 0.5, 1.5, (3.0, 50.0)
# One over squares is small where errors are large.
_TURNED, _SMALL = -0.4, 1.0  # [km/s] the typical one, as errors above it give
_REMEDY = (
    "mend the column, or leave it out; with `--most-missing 1` the errors of the other "
    "stars stand for theirs"
)
_PERCENTAGES_OR_BOUNDS = "are they in per cent, or the bounds themselves?"
_CORRELATIONS = ("pm_corr", "pm_ra_dec_corr", "pm_l_b_corr")
_NO_CORRELATION = "not -1 to 1"  # the rule by which a number is none
_ADVICE = {
    "v_los": ("line-of-sight velocities", "vlos_err_kms"),
    "pm_b": ("proper motions", "pmra_err_masyr and pmdec_err_masyr, or pmb_err_masyr"),
}


def without_false_correlations(found: CleanedColumns) -> CleanedColumns:
    """Returns columns without those that are called correlations, and hold something else.

    Where more than a fifth of a column's numbers are beyond -1 to 1, those few that could be
    correlations are none either. Empty rows, and numbers that stand for no value, say nothing.

    Arguments:
        found: The columns of N stars.

    Example:
        >>> from orrery.tables.missing import MissingCount
        >>> count = MissingCount("pm_corr", "pm_corr", "not -1 to 1", 2, 3, "value")
        >>> values = {"pm_corr": np.array([-0.3, np.nan, np.nan])}
        >>> found = without_false_correlations(CleanedColumns(values, (count,), ()))
        >>> found.values
        {}
    """
    values = dict(found.values)
    doubts = []
    for quantity in _CORRELATIONS:
        beyond = [
            count
            for count in found.counts
            if count.quantity == quantity and count.rule == _NO_CORRELATION
        ]
        if not beyond:
            continue
        wrong = beyond[0].rows
        known = int(np.isfinite(values[quantity]).sum())
        if known and wrong > MOST_MISSING * (known + wrong):
            del values[quantity]
            doubts.append(
                f"{beyond[0].title}: {wrong} of its {known + wrong} numbers are no correlations: "
                f"it is not used, also not the other {known}, and errors of proper motions are "
                "taken as uncorrelated; mend the column, or call it otherwise"
            )
    return replace(found, values=values, doubts=(*found.doubts, *doubts))


def check_known_errors(
    found: CleanedColumns,
    distance: Distances,
    motions_needed: bool,
    most_missing: float,
    where: str,
) -> None:
    """Checks that columns of errors hold errors of most stars that have a measurement.

    A column that is empty is as if it were not there, which `unknown_errors` says.

    Arguments:
        found: The columns of N stars.
        distance: Their distances.
        motions_needed: Whether errors of proper motions are needed.
        most_missing: The largest share of stars without an error.
        where: The file's name, for messages.

    Raises:
        ValueError: If too many errors are missing.
    """
    quantities = ["v_los"]
    if motions_needed:
        quantities += [q for q in ("pm_ra", "pm_dec", "pm_b") if q in found.values]
    for quantity in quantities:
        errors = both_sides(found.values, quantity)
        _check(found, quantity, errors, most_missing, where)
    moduli = "distance" not in found.values and "distance_modulus" in found.values
    kind = "distance_modulus" if moduli else "distance"
    if kind in found.values:
        _check_bounds(found, most_missing, where)
        _check(found, kind, distance.errors, most_missing, where)
    if motions_needed:
        _check_distance_errors(found, distance, where)


def _check_distance_errors(
    found: CleanedColumns, distance: Distances, where: str
) -> None:
    """Raises ValueError if errors, of which those of v_tb are made, are as large as distances."""
    part = distance.errors / distance.values
    known = part[np.isfinite(part)]
    if len(known) and np.median(known) > 1.0:
        raise ValueError(
            f"{where}: column {_error_titles(found)}: half of the errors are above "
            f"{100 * np.median(known):.3g} % of the distance, of which no error of v_tb can be "
            f"made: {_PERCENTAGES_OR_BOUNDS} mend the column, or leave it out"
        )


def _error_titles(found: CleanedColumns) -> str:
    """Returns the titles of the columns from which errors of distances are."""
    bounds = ("distance_low", "distance_high")
    errors = ("distance_error", "distance_modulus_error", "parallax_error")
    titles = [
        found.title(one) for one in found.values if one.startswith((*bounds, *errors))
    ]
    return " and ".join(map(repr, titles)) or "of distances"


def _check(
    found: CleanedColumns,
    quantity: str,
    errors: FloatArray | None,
    most_missing: float,
    where: str,
) -> None:
    measured = np.isfinite(found.values[quantity])
    columns = [q for q in found.values if q.startswith(f"{quantity}_error")]
    if not columns or not measured.any():
        return
    own = [count for count in found.counts if count.quantity in columns]
    if errors is None and not any(count.rule.startswith("not ") for count in own):
        return
    unknown = measured if errors is None else measured & np.isnan(errors)
    rules = ", ".join(f"{count.rows} {count.rule}" for count in own)
    titles = " and ".join(repr(found.title(one)) for one in columns)
    what = f"no error of {quantity} ({rules})"
    check_share(
        f"{where}: column {titles}", what, unknown[measured], most_missing, _REMEDY
    )


def _check_bounds(found: CleanedColumns, most_missing: float, where: str) -> None:
    """Checks that 16th percentiles are below 84th ones."""
    if not {"distance_low", "distance_high"} <= set(found.values):
        return
    low = found.values["distance_low"]
    high = found.values["distance_high"]
    turned: BoolArray = low > high
    titles = [found.title(one) for one in ("distance_low", "distance_high")]
    check_share(
        f"{where}: column {titles[0]!r}",
        f"larger numbers than {titles[1]!r}",
        turned,
        most_missing,
        "one is the 16th percentile of a distance and the other the 84th: are their titles "
        "exchanged?",
    )


def unknown_errors(stars: StarTable, motions_needed: bool) -> Iterator[str]:
    """Yields of which measurements no star has an error.

    Arguments:
        stars: As they were read.
        motions_needed: Whether proper motions are used.
    """
    measured = {"v_los": (stars.v_los, stars.v_los_error)}
    if motions_needed:
        measured["pm_b"] = (stars.pm_b, stars.pm_b_error)
    for quantity, (values, errors) in measured.items():
        known = np.isfinite(values)
        if known.any() and not np.isfinite(errors[known]).any():
            name, columns = _ADVICE[quantity]
            yield (
                f"errors of {name} are unknown and taken as 0: simulated stars get no such "
                f"noise, though the observed have it; give {columns}"
            )


def error_doubts(found: CleanedColumns, distance: Distances) -> Iterator[str]:
    """Yields which errors are smaller or larger than any survey's, or seem to be no errors.

    Arguments:
        found: The columns of N stars.
        distance: Their distances.
    """
    for quantity in (q for q in _SMALLEST_ERRORS if q in found.values):
        errors = both_sides(found.values, quantity)
        known = np.empty(0) if errors is None else errors[np.isfinite(errors)]
        if len(known) >= _FEWEST:
            yield from _sizes(found.title(quantity), quantity, known)
    yield from _distance_sizes(distance)
    yield from _turned_errors(found, distance.values)


def _sizes(title: str, quantity: str, errors: FloatArray) -> Iterator[str]:
    smallest, middle, largest = np.quantile(errors, [0.05, 0.5, 0.97])
    if middle < _SMALLEST_ERRORS[quantity]:
        yield (
            f"half of the errors of {title} are below {middle:.2g}, which no survey's are: are "
            "they in another unit?"
        )
    elif smallest < _SMALLEST_OF_FEW.get(quantity, 0.0):
        yield (
            f"a twentieth of the errors of {title} are below {smallest:.2g}, which no survey's "
            "are: are these variances? then call the column so, as in pmra_variance"
        )
    if len(errors) >= _MANY and largest > _LARGEST_OF_FEW.get(quantity, np.inf):
        yield (
            f"one in thirty of the errors of {title} are above {largest:.3g}, which few surveys' "
            "are: are these variances? then call the column so, as in vlos_variance"
        )


def _distance_sizes(distance: Distances) -> Iterator[str]:
    usable = np.isfinite(distance.values + distance.errors)
    values = distance.values[usable]
    errors = distance.errors[usable]
    far = values > _FAR
    part = errors / values
    if far.sum() >= _FEWEST and np.median(part[far]) < _SMALLEST_PART:
        yield (
            f"half of the errors of distances beyond {_FAR:g} kpc are below "
            f"{100 * np.median(part[far]):.2g} %, which no survey's are: are they in another unit?"
        )
    if len(part) >= _FEWEST and np.median(part) > _LARGEST_PART:
        yield (
            f"half of the errors of distances are above {100 * np.median(part):.3g} % of these, "
            f"which no survey's are: {_PERCENTAGES_OR_BOUNDS}"
        )
    elif _do_not_grow(values, errors):
        yield (
            f"errors of distances do not grow with these, and half are below "
            f"{np.median(errors):.3g} kpc, near and far: {_PERCENTAGES_OR_BOUNDS}"
        )


def _do_not_grow(distance: FloatArray, errors: FloatArray) -> bool:
    if len(errors) < _MANY or not _varied(errors):
        return False
    near, far = np.quantile(distance, [0.16, 0.84])
    least, most = _PERCENTAGES
    if far < _REACH * near or not least < np.median(errors) < most:
        return False
    scatter = np.std(np.log(errors))
    return (
        scatter < _ALIKE * np.std(np.log(distance))
        and _rank_correlation(distance, errors) < _HARDLY
    )


def _turned_errors(found: CleanedColumns, distance: FloatArray) -> Iterator[str]:
    """Yields that errors of velocities are small where others are large, as their inverse is.

    What is faint is measured less well in all ways.
    """
    errors = both_sides(found.values, "v_los")
    if errors is None or np.nanmedian(errors) > _SMALL:
        return
    motions = [both_sides(found.values, one) for one in ("pm_dec", "pm_b")]
    beside = next((one for one in motions if one is not None), distance)
    known = np.isfinite(errors + beside)
    if known.sum() < _MANY or not _varied(errors[known]) or not _varied(beside[known]):
        return
    if _rank_correlation(errors[known], beside[known]) < _TURNED:
        yield (
            f"errors of {found.title('v_los')} are smallest where stars are faintest or "
            "furthest: are these inverse variances? then call the column so, as in vlos_ivar"
        )


def _varied(values: FloatArray) -> bool:
    return bool(np.ptp(values) > 0)


def _rank_correlation(first: FloatArray, second: FloatArray) -> float:
    return float(spearmanr(first, second).statistic)
