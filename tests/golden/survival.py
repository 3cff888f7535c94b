"""Records of which threshold on the peak velocity amounts to the one on that at infall."""

from halomass.study import survival_calibration

from .quantities import Record, quantity

SEED = 20251126


def calibration() -> Record:
    """Returns what a cut by the peak velocity amounts to, of few hosts."""
    found = survival_calibration.threshold_calibration(hosts=50, seed=SEED)
    numbers = [list(found[name]) for name in found.colnames]
    return {
        "survival.thresholds": quantity(numbers),
        "survival.quotients": quantity([*found.meta.values()]),
    }
