"""Where the rigid model ends: LMCs so heavy that live galaxies move otherwise."""

import numpy as np

from mwlmc.model import total_masses
from mwlmc.study.quantities import quantities
from orrery.parameters import FloatArray
from orrery.results.recording import Recording
from orrery.results.sections import Caution

# The heaviest LMC of Garavito-Camargo et al. (2021), GC21M4b0: what
# `experiments/validation.py` finds of it with Chandrasekhar's friction as it is.
HEAVY_LMC = 2.5e11  # [Msun] in total
OVERSTATED = 1.18  # how many times as much the rigid Milky Way's velocity changes
REACHED = 0.025  # of the draws: beyond the central 95 % nobody reads an answer


def record_rigid_limit(
    recording: Recording, key: str, label: str, draws: FloatArray
) -> None:
    """Records how many draws have an LMC for which the rigid model overstates the reflex motion.

    Arguments:
        recording: Where it is recorded.
        key: Of the data, such as `desi.v_gsr`.
        label: What the posterior is called.
        draws: Draws of the posterior, with shape `[n, P]`.
    """
    share = heavy_share(draws)
    prefix = f"rigid_limit.{key}"
    numbers = {
        f"{prefix}.heavy_share": share,
        f"{prefix}.lmc_mass": HEAVY_LMC,
        f"{prefix}.ratio": OVERSTATED,
    }
    recording.metrics(numbers)
    if share <= REACHED:
        return
    text = (
        f"{100 * share:.1f} % of the draws have an LMC heavier than {HEAVY_LMC:.1e} Msun in "
        "total. With such an LMC a rigid Milky Way's velocity changes "
        f"{OVERSTATED:.2f} times as much as that of a live simulation: their reflex motion is "
        "too large for their mass."
    )
    title = f"LMC heavier than the rigid model allows, {label}"
    recording.add(Caution(prefix, title, text, tuple(numbers)))


def heavy_share(draws: FloatArray) -> float:
    """Returns the share of draws `[n, P]` whose LMC is heavier than `HEAVY_LMC` in total.

    Example:
        >>> one = np.zeros((2, 6))
        >>> one[:, 0] = 11.6
        >>> one[:, 1] = np.log10([0.9e11, 1.3e11])
        >>> heavy_share(one)
        0.5
    """
    edge = total_masses.lmc_within(np.array([HEAVY_LMC]))[0]
    within = 1e10 * quantities(draws)["M_LMC(<50 kpc)"]
    return float(np.mean(within > edge))
