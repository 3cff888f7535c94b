"""Whether the errors of binned velocities are those of so many stars.

The mean of N stars is known to their dispersion over the root of N, whatever they are. An
error that is far from it, or a dispersion far from those of all other bins, is of numbers
that slipped through: a sentinel among velocities, a mistyped digit, a unit.
"""

from collections.abc import Sequence

import numpy as np

from mwlmc.sky.moment_errors import FEW_STARS, MomentErrors
from mwlmc.sky.moments import VelocityMoments
from mwlmc.sky.selection_function import Bin
from orrery.parameters import BoolArray, FloatArray

FURTHEST = 5.0  # times larger or smaller than expected; bootstraps stay within 1.5
# [km/s] of v_gsr: the heaviest galaxy that is simulated has 200.
LARGEST_DISPERSION = 400.0


def check_errors(
    bins: Sequence[Bin], moments: VelocityMoments, errors: MomentErrors, where: str
) -> None:
    """Checks the errors and dispersions of K bins against the numbers of their stars.

    Of v_gsr bins with few stars have errors of the other bins' dispersion, and are
    compared with the typical one. Of v_tb both grow with the distance, as errors of
    proper motions do, and only bins with many stars are compared, each with its own.

    Arguments:
        bins: The K bins.
        moments: Their counts, means and dispersions [km/s].
        errors: Their errors [km/s].
        where: The file's name, for messages.

    Raises:
        ValueError: If one is absurd; bin and numbers are named.
    """
    radial = np.array([b.quantity == "v_gsr" for b in bins])
    many = moments.count >= FEW_STARS
    scatter = moments.dispersion
    compared = many
    if (radial & many).any():
        typical = float(np.median(scatter[radial & many]))
        most = min(FURTHEST * typical, LARGEST_DISPERSION)
        absurd = radial & many & (scatter > most)
        _refuse(bins, absurd, f"a dispersion above {most:.3g} km/s", scatter, where)
        scatter = np.where(radial & ~many, typical, scatter)
        compared = many | radial
    expected = scatter / np.sqrt(moments.count)
    near = (errors.mean <= FURTHEST * expected) & (errors.mean * FURTHEST >= expected)
    what = f"an error of the mean that is {FURTHEST:g} times off that of so many stars"
    _refuse(bins, compared & ~near, what, errors.mean, where)


def _refuse(
    bins: Sequence[Bin], absurd: BoolArray, what: str, values: FloatArray, where: str
) -> None:
    if absurd.any():
        k = int(absurd.argmax())
        raise ValueError(
            f"{where}: {bins[k]} has {what}, {values[k]:.4g} km/s: look at the velocities of its "
            "stars, or make the table again with `python -m mwlmc.observed.binned_table`"
        )
