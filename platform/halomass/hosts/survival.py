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
from dataclasses import dataclass

import numpy as np

from halomass.hosts.options import THRESHOLD, Criterion, check_threshold
from halomass.mock import tides
from halomass.mock.populations import PEAK_OVER_INFALL, V_PEAK, V_PEAK_SLOPE
from halomass.systems import FloatArray
from orrery.identity import JSON
from orrery.parameters import BoolArray

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


def velocity_limit(criterion: Criterion, threshold: float = THRESHOLD) -> float:
    """Returns the ratio by a criterion below which satellites are lost.

    Arguments:
        criterion: What the velocity today is compared with.
        threshold: The smallest V_max over that at infall.

    Raises:
        ValueError: If the threshold is not from 0 to below 1.

    Example:
        >>> round(velocity_limit("peak_velocity", 0.7), 3)
        0.603
    """
    check_threshold(threshold)
    return threshold / _OVER_INFALL[criterion]


@dataclass(frozen=True, eq=False)
class Remnants:
    """Which halos have not survived.

    Arguments:
        lost: These, with shape `[N]`.
        criterion: By what; None if nothing is known of them, or nobody asks.
        among: Which were asked about, with shape `[N]`.
        limit: The ratio by the criterion below which they are lost.

    Example:
        >>> known = {"vmax": np.array([60.0, 90.0]), "v_infall": np.array([100.0, 100.0])}
        >>> Remnants.of(known, np.array([True, True]), threshold=0.7).lost
        array([ True, False])
    """

    lost: BoolArray
    criterion: Criterion | None
    among: BoolArray
    limit: float | None = None

    @classmethod
    def of(
        cls, known: Mapping[str, FloatArray], among: BoolArray, threshold: float
    ) -> "Remnants":
        """Returns the remnants by the best criterion; whose value is missing is none.

        Arguments:
            known: What `velocity_ratios` takes.
            among: Which halos are asked about, with shape `[N]`.
            threshold: The smallest V_max over that at infall; with 0 nobody is lost.
        """
        ratios = velocity_ratios(known) if threshold else {}
        for criterion, ratio in ratios.items():
            limit = velocity_limit(criterion, threshold)
            return cls(among & (ratio <= limit), criterion, among, limit)
        return cls(np.zeros(len(among), np.bool_), None, among)

    def describe(self) -> JSON:
        """Returns how many were lost of how many, and by what, as plain JSON."""
        return {
            "criterion": self.criterion,
            "threshold": self.limit,
            "halos": int(self.among.sum()),
            "remnants": int(self.lost.sum()),
        }
