"""Bins that observed stars leave out, and why: too few stars, or stars without proper motions."""

from dataclasses import replace

import numpy as np

from mwlmc.sky import kinematics
from mwlmc.sky.binning import SkyBinning
from mwlmc.sky.kinematics import RestFrameStars
from orrery.identity import JSON

TOO_FEW = "fewer than two stars"
FEW_MOTIONS = "fewer than two stars with a proper motion"


def star_counts(stars: RestFrameStars, binning: SkyBinning) -> list[int]:
    """Returns how many of the stars, with the velocity in question, are in each bin."""
    return kinematics.binned_moments(stars, binning).count[0].tolist()


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
    without_motions = [str(one) for one in left_out if one in filled]
    found: JSON = {"left_out": [str(one) for one in left_out]}
    return found | ({"without_motions": without_motions} if without_motions else {})


def left_out_bins(provenance: JSON) -> dict[str, list[str]]:
    """Returns the bins that were left out, by what they have.

    Arguments:
        provenance: A binned table's.

    Example:
        >>> left_out_bins({"left_out": ["a", "b"], "without_motions": ["b"]})
        {'fewer than two stars': ['a'], 'fewer than two stars with a proper motion': ['b']}
    """
    unmeasured = provenance.get("without_motions", [])
    return {
        TOO_FEW: [one for one in provenance["left_out"] if one not in unmeasured],
        FEW_MOTIONS: unmeasured,
    }
