"""Which subhalos have survived: how much of the circular velocity at infall tides have left.

The catalogues that networks learn from lose a satellite once its V_max has fallen below
a fraction of what it was at infall, or at its peak mass: UniverseMachine, Behroozi et
al. (2019), doi:10.1093/mnras/stz1182. Halo finders list what is left of it for much
longer. Tables and halo lists are cut alike, by what is here.

The peak velocity is another number. It is reached earlier, while a merger has
concentrated the halo for a while (Behroozi et al. 2014,
doi:10.1088/0004-637X/787/2/156), and is the larger one: the same threshold on it loses
satellites that are alive, those close to their host first, and makes hosts too heavy.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from halomass.mock import tides
from halomass.mock.mock_universe import THRESHOLDS
from halomass.mock.populations import V_PEAK, V_PEAK_SLOPE
from halomass.systems import FloatArray

THRESHOLD = THRESHOLDS["UM-SAGA"]  # the mock universe's default catalogue

# V_peak over V_max at infall, by which thresholds differ: the value with which both cuts
# give 48 zoom hosts the same masses. `python -m halomass.study.survival_calibration`
# computes it, and says what else it could be.
PEAK_OVER_INFALL = 1.16

Criterion = Literal["infall", "peak_velocity", "peak_mass", "bound_mass"]
# What the threshold at infall is divided by. The usual velocity of a peak mass is a peak.
_OVER_INFALL: dict[Criterion, float] = {
    "infall": 1.0,
    "peak_velocity": PEAK_OVER_INFALL,
    "peak_mass": PEAK_OVER_INFALL,
    "bound_mass": 1.0,
}


def median_v_peak(log_m_peak: FloatArray) -> FloatArray:
    """Returns the median peak circular velocity [km/s] of halos in the mock universe.

    Arguments:
        log_m_peak: log10 of the largest mass in their past [Msun], with any shape.
    """
    return 10.0 ** (V_PEAK + V_PEAK_SLOPE * (np.asarray(log_m_peak, np.float64) - 10))


def velocity_ratios(known: Mapping[str, FloatArray]) -> dict[Criterion, FloatArray]:
    """Returns V_max over its value in the past `[N]`, by each criterion, the best first.

    `infall`: over that at infall or at peak mass; `peak_velocity`: over the largest;
    `peak_mass`: over the usual largest one of halos of this peak mass; `bound_mass`:
    what tides leave of the velocity at infall when they leave this fraction of the peak
    mass.

    Where a value is missing it is NaN.

    Arguments:
        known: Of `vmax`, `v_infall`, `v_peak` [km/s], `log_m_peak` and `log_m`
            [dex(solMass)] those that are known, with shape `[N]`.

    Example:
        >>> known = {"vmax": np.array([60.0]), "v_peak": np.array([100.0])}
        >>> velocity_ratios(known)
        {'peak_velocity': array([0.6])}
        >>> velocity_ratios(known | {"v_infall": np.array([80.0])})["infall"]
        array([0.75])
    """
    past: dict[Criterion, FloatArray] = {}
    if "vmax" in known:
        if "v_infall" in known:
            past["infall"] = known["v_infall"]
        if "v_peak" in known:
            past["peak_velocity"] = known["v_peak"]
        if "log_m_peak" in known:
            past["peak_mass"] = median_v_peak(known["log_m_peak"])
    ratios: dict[Criterion, FloatArray] = {
        name: known["vmax"] / velocity for name, velocity in past.items()
    }
    if "log_m" in known and "log_m_peak" in known:
        # a present mass above the peak mass means that nothing was lost
        lost = np.minimum(known["log_m"] - known["log_m_peak"], 0.0)
        ratios["bound_mass"] = tides.velocity_fraction(10.0**lost)
    return ratios


def smallest_ratio(criterion: Criterion, threshold: float = THRESHOLD) -> float:
    """Returns the ratio by a criterion below which satellites are lost.

    Arguments:
        criterion: What the velocity today is compared with.
        threshold: The smallest V_max over that at infall.

    Raises:
        ValueError: If the threshold is not from 0 to below 1.

    Example:
        >>> round(smallest_ratio("peak_velocity", 0.7), 3)
        0.603
    """
    if not 0 <= threshold < 1:
        raise ValueError(
            f"threshold {threshold} must be from 0 to below 1, such as {THRESHOLD}"
        )
    return threshold / _OVER_INFALL[criterion]
