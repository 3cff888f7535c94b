"""Bins that observed stars leave out, and why: too few stars there or in all, or no motions."""

from dataclasses import replace

import numpy as np

from mwlmc.sky import kinematics
from mwlmc.sky.binning import SkyBinning
from mwlmc.sky.kinematics import RestFrameStars
from mwlmc.sky.moment_errors import FEW_STARS
from orrery.identity import JSON

_FEWEST = 2  # stars in a bin
TOO_FEW = "fewer than two stars"
FEW_MOTIONS = "fewer than two stars with a proper motion"
SPARSE_PATCH = f"fewer than {FEW_STARS} stars in all bins of their patch"


def star_counts(stars: RestFrameStars, binning: SkyBinning) -> list[int]:
    """Returns how many of the stars, with the velocity in question, are in each bin."""
    return kinematics.binned_moments(stars, binning).count[0].tolist()


def supported_bins(stars: RestFrameStars, binning: SkyBinning, file: str) -> SkyBinning:
    """Returns the binning without what has too few stars for a mean with an error.

    Bins with fewer than two stars are left out, and all bins of a patch that has fewer
    than ten in them: the dispersion of so few says nothing about their errors.

    Arguments:
        stars: The selected stars.
        binning: How they are to be binned.
        file: The table's name.

    Raises:
        ValueError: If nothing is left.
    """
    moments = kinematics.binned_moments(stars, binning)
    counts, kept = moments.count[0].copy(), moments.kept[0]
    filled = counts >= _FEWEST
    for _, here in binning.placed_profiles:
        if kept[here][filled[here]].sum() < FEW_STARS:
            counts[here] = 0
    if not counts.any():
        few = (
            f"no patch of {binning.name!r} has {FEW_STARS} stars in its bins"
            if filled.any()
            else f"no bin of {binning.name!r} has {_FEWEST} of the {len(stars)} stars left"
        )
        raise ValueError(
            f"{file}: {few}: give a table with more stars, or bins that reach where they are"
        )
    return binning.supported(counts.tolist(), _FEWEST)


def describe_left_out(
    stars: RestFrameStars, binning: SkyBinning, supported: SkyBinning
) -> JSON:
    """Returns which bins are left out, as a binned table's provenance has them.

    Arguments:
        stars: The selected stars.
        binning: How they were to be binned.
        supported: The same without the bins that are left out.
    """
    left_out = [one for one in binning.bins if one not in supported.bins]
    # as if each star had a proper motion: what is then filled lacks nothing else
    measured = replace(stars, v_tb=np.zeros(len(stars)))
    filled = binning.supported(star_counts(measured, binning)).bins
    counts = dict(zip(binning.bins, star_counts(stars, binning), strict=True))
    sparse = [one for one in left_out if counts[one] >= _FEWEST]
    reasons = {
        "without_motions": [b for b in left_out if b in filled and b not in sparse],
        "in_sparse_patches": sparse,
    }
    found: JSON = {"left_out": [str(one) for one in left_out]}
    return found | {
        name: [str(one) for one in bins] for name, bins in reasons.items() if bins
    }


def left_out_bins(provenance: JSON) -> dict[str, list[str]]:
    """Returns the bins that were left out, by what they have.

    Arguments:
        provenance: A binned table's.

    Example:
        >>> left_out_bins({"left_out": ["a", "b"], "without_motions": ["b"]})
        {'fewer than two stars': ['a'], 'fewer than two stars with a proper motion': ['b'], \
'fewer than 10 stars in all bins of their patch': []}
    """
    unmeasured = provenance.get("without_motions", [])
    sparse = provenance.get("in_sparse_patches", [])
    others = {*unmeasured, *sparse}
    return {
        TOO_FEW: [one for one in provenance["left_out"] if one not in others],
        FEW_MOTIONS: unmeasured,
        SPARSE_PATCH: sparse,
    }
