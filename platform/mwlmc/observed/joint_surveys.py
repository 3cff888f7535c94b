"""Several surveys as one: the bins of all of them, for one data vector.

Surveys of other kinds of stars, such as giants and blue horizontal branch stars, share no
star, so that their bins are independent, whatever their patches of the sky share.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mwlmc.observed.binned_table import BinnedTable
from mwlmc.sky.binning import SkyBinning
from mwlmc.sky.moment_errors import MomentErrors
from mwlmc.sky.moments import VelocityMoments
from mwlmc.sky.selection_function import Sample
from orrery.identity import JSON


def joint_binning(name: str, binnings: Sequence[SkyBinning]) -> SkyBinning:
    """Returns the binning with the profiles of several, which clip alike.

    Arguments:
        name: What it is called.
        binnings: None of whose bins is another's.

    Raises:
        ValueError: If they clip otherwise, or share a bin.

    Example:
        >>> from mwlmc.sky.binning import DESI_FOOTPRINT, QUADRANTS
        >>> radial = QUADRANTS.select(("v_gsr",))
        >>> len(joint_binning("both", [radial, DESI_FOOTPRINT]).profiles)
        7
    """
    first, *others = binnings
    if any(other.clip != first.clip for other in others):
        raise ValueError(
            f"binnings clip at {[b.clip for b in binnings]}: let all alike"
        )
    profiles = tuple(profile for one in binnings for profile in one.profiles)
    return SkyBinning(name, profiles, first.clip)


def joint_table(name: str, tables: Sequence[BinnedTable]) -> BinnedTable:
    """Returns the bins of several surveys as one table.

    The error of distance is one for all stars, as in a single survey: the root of the
    mean square over the stars.

    Arguments:
        name: What was observed.
        tables: The surveys, which have no star in common.

    Raises:
        ValueError: If two have the same bin, or another Sun, clipping or patch of a name,
            or cells of the sky of another size.
    """
    bins = tuple(b for table in tables for b in table.bins)
    return BinnedTable(
        name,
        bins,
        VelocityMoments(**_joined([vars(table.moments) for table in tables])),
        MomentErrors(**_joined([vars(table.errors) for table in tables])),
        np.concatenate([table.mean_sin_b for table in tables]),
        _joint_sample(tables),
        {
            "surveys": [{"name": t.name, **t.provenance} for t in tables],
            "definition": _joint_definition(tables),
        },
    )


def _joined(each: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([one[name] for one in each]) for name in each[0]}


def _joint_sample(tables: Sequence[BinnedTable]) -> Sample:
    samples = [table.sample for table in tables]
    sizes = {sample.nside for sample in samples}
    if len(sizes) > 1:
        raise ValueError(
            f"surveys have cells of nside {sorted(sizes)}: make their tables again"
        )
    stars = [int(table.moments.count.sum()) for table in tables]
    squares = [sample.distance_error**2 for sample in samples]
    return Sample(
        tuple(b for sample in samples for b in sample.bins),
        tuple(one for sample in samples for one in sample.stars),
        sizes.pop(),
        float(np.sqrt(np.average(squares, weights=stars))),
    )


def _joint_definition(tables: Sequence[BinnedTable]) -> JSON:
    patches: JSON = {}
    first = tables[0].provenance["definition"]
    for table in tables:
        definition = table.provenance["definition"]
        for key in definition.keys() - {"patches"}:
            if definition[key] != first[key]:
                raise ValueError(
                    f"{table.name!r} was binned with {key} {definition[key]}, not {first[key]}: "
                    "make it again with `python -m mwlmc.observed.binned_table`"
                )
        for name, windows in definition["patches"].items():
            if patches.setdefault(name, windows) != windows:
                raise ValueError(
                    f"{table.name!r} has another patch {name!r} than the other surveys: make it "
                    "again with `python -m mwlmc.observed.binned_table`"
                )
    return {**first, "patches": patches}
