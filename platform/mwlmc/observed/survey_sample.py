"""Where on the sky a survey has the stars of each bin, and how well they are measured."""

import numpy as np

from mwlmc.observed.star_tables import StarTable
from mwlmc.sky.binning import SkyBinning
from mwlmc.sky.kinematics import BinnedStars, RestFrameStars
from mwlmc.sky.moment_errors import FAR_OFF, are_usual
from mwlmc.sky.options import VELOCITIES
from mwlmc.sky.selection_function import NSIDE, Sample, occupancy
from orrery.parameters import BoolArray, FloatArray

_MOST_FAILED = 0.1  # of a survey's distances


def mean_sine_latitude(
    stars: RestFrameStars, binned: BinnedStars, binning: SkyBinning
) -> FloatArray:
    """Returns the mean sine of Galactic latitude of the stars in each of K bins, `[K]`.

    Arguments:
        stars: The stars of one survey.
        binned: Which of them fall in which bin.
        binning: How stars become summaries.
    """
    count = len(binning.bins)
    number = np.bincount(binned.bin, minlength=count)
    sine = stars.directions.galactic[binned.star, 2]
    sums = np.bincount(binned.bin, sine, minlength=count)
    return sums / np.maximum(number, 1)


def note_errors(
    table: StarTable, binned: BinnedStars, binning: SkyBinning
) -> StarTable:
    """Returns the stars with warnings of errors that are unknown, or far off all others'.

    Arguments:
        table: The selected stars, with their errors.
        binned: Which of them fall in which bin.
        binning: The bins.
    """
    return note_far_off_distances(note_unknown_errors(table, binned, binning), binned)


def note_unknown_errors(
    table: StarTable, binned: BinnedStars, binning: SkyBinning
) -> StarTable:
    """Returns the stars with a warning of the bins in which no star has an error, if others have.

    Arguments:
        table: The selected stars, with their errors.
        binned: Which of them fall in which bin.
        binning: How stars become summaries.
    """
    warnings = []
    for quantity in VELOCITIES:
        known = np.isfinite(table.velocity_errors(quantity))
        bins = [k for k, b in enumerate(binning.bins) if b.quantity == quantity]
        inside = [binned.star[binned.bin == k] for k in bins]
        blank = [
            str(binning.bins[k])
            for k, stars in zip(bins, inside, strict=True)
            if len(stars) and not known[stars].any()
        ]
        if blank and len(blank) < len(bins):
            warnings.append(
                "no star has an error, so that simulated ones get none, in: "
                + "; ".join(blank)
            )
    return table.with_warnings(warnings)


def note_far_off_distances(table: StarTable, binned: BinnedStars) -> StarTable:
    """Returns the stars with a warning of those whose distance error is far off all others'.

    Arguments:
        table: The selected stars, with their errors.
        binned: Which of them fall in which bin.
    """
    part = _relative_errors(table, binned)
    far_off = part[~_usual(part)]
    if not len(far_off):
        return table
    warning = (
        f"{len(far_off)} of {len(part)} stars have distance errors of more than {FAR_OFF:g} times "
        f"the typical {100 * np.median(part):.2g} % of the distance, up to "
        f"{100 * far_off.max():.3g} %: simulated stars get those of the others"
    )
    return table.with_warnings([warning])


def _relative_errors(table: StarTable, binned: BinnedStars) -> FloatArray:
    """Returns known errors of distance as parts of these, by the star: once in each bin."""
    part = (table.distance_error / table.distance)[binned.star]
    return part[np.isfinite(part)]


def _usual(part: FloatArray) -> BoolArray:
    """Returns which errors of distance did not fail: all, where many are far off.

    Those are stars of another kind, such as giants beside RR Lyrae, and in the survey.
    """
    if not len(part):
        return np.ones(0, dtype=bool)
    usual = are_usual(part)
    return usual if np.mean(~usual) <= _MOST_FAILED else np.ones_like(usual)


def survey_sample(
    table: StarTable, stars: RestFrameStars, binned: BinnedStars, binning: SkyBinning
) -> Sample:
    """Returns where on the sky the stars of each bin are, and with what errors.

    Arguments:
        table: The selected stars, with their errors.
        stars: The same in the rest frame.
        binned: Which of them fall in which bin.
        binning: How stars become summaries.
    """
    errors = {quantity: table.velocity_errors(quantity) for quantity in VELOCITIES}
    by_bin = [binned.star[binned.bin == k] for k in range(len(binning.bins))]
    occupied = tuple(
        occupancy(stars.directions.galactic[inside], errors[b.quantity][inside])
        for b, inside in zip(binning.bins, by_bin, strict=True)
    )
    # One scatter for the whole survey: distance errors of halo giants and BHB stars are
    # a fraction of the distance, much the same for all. Half of the 16-84 % would be a
    # tenth smaller for giants, whose errors vary by a factor of two.
    part = _relative_errors(table, binned)
    usual = part[_usual(part)]
    scatter = np.sqrt(np.mean(usual**2)) if len(part) else 0.0
    return Sample(binning.bins, occupied, NSIDE, float(scatter))
