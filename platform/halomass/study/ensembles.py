"""Which ensembles are trained: their names, and the features that each sees."""

from collections.abc import Mapping
from typing import Protocol

from halomass.mock.options import EQUILIBRIUM, STEEPER_TIDES
from halomass.observed.features import Feature, Features
from halomass.observed.neighbour_counts import NEIGHBOUR_COUNTS
from halomass.systems import FloatArray
from orrery.records import Observation

# Which ensembles stand in one figure: its heading and their names, by its key.
FIGURES = {
    "fewer_neighbours": ("Fewer neighbours", ("25 neighbours", "10 neighbours")),
    "noiseless_data": (
        "Noiseless data",
        ("25 neighbours", "25 neighbours, noiseless"),
    ),
    "features_left_out": (
        "Features left out",
        (
            "25 neighbours",
            *(
                f"25 neighbours, {what}"
                for what in ("no satellites", "no r", "no v_t", "no v_r")
            ),
        ),
    ),
}
LEFT_OUT_FEATURES: dict[str, tuple[Feature, ...]] = {
    "no satellites": ("satellites",),
    "no r": ("r",),
    "no v_t": ("v_t",),
    "no v_r": ("v_r",),
}


# How what an ensemble sees, and what it learned from, are called in keys of files and
# numbers, which outlive the labels.
_FEATURE_KEYS = {
    "no satellites": "no_satellites",
    "no r": "no_r",
    "no v_t": "no_v_t",
    "no v_r": "no_v_r",
}
HOST_KEYS = {
    "ESMDPL/UM": "esmdpl_um",
    "ESMDPL/UM-SAGA": "esmdpl_um_saga",
    "VSMDPL/UM": "vsmdpl_um",
    "VSMDPL/UM-SAGA": "vsmdpl_um_saga",
    EQUILIBRIUM: "equilibrium_velocities",
}
TIDES_KEYS = {STEEPER_TIDES: "steeper_tides"}


def host_keys() -> dict[str, str]:
    """Returns the stable key of all hosts that ensembles learn from, by their name.

    Example:
        >>> host_keys()["steeper tides"]
        'steeper_tides'
    """
    return {**HOST_KEYS, **TIDES_KEYS}


def ensemble_keys() -> dict[str, str]:
    """Returns the stable key of each ensemble that there can be, by its name.

    Example:
        >>> keys = ensemble_keys()
        >>> keys["25 neighbours"], keys["VSMDPL/UM, 10 neighbours"]
        ('25', '10.vsmdpl_um')
    """
    largest = max(NEIGHBOUR_COUNTS)
    keys = {label_signed(): f"{largest}.signed_v_r"}
    keys |= {label_without(what): f"{largest}.{k}" for what, k in _FEATURE_KEYS.items()}
    for count in NEIGHBOUR_COUNTS:
        keys[label_noisy(count)] = f"{count}"
        keys[label_noiseless(count)] = f"{count}.noiseless"
        for hosts, key in host_keys().items():
            keys[label_of(hosts, label_noisy(count))] = f"{count}.{key}"
    return keys


def ensemble_key(name: str) -> str:
    """Returns the stable key of an ensemble by its name: its neighbours, and what is special.

    Raises:
        KeyError: If there is no such ensemble.

    Example:
        >>> ensemble_key("25 neighbours, no v_r")
        '25.no_v_r'
    """
    return ensemble_keys()[name]


def label_noisy(count: int) -> str:
    """Returns the name of the ensemble of so many neighbours, observed with errors."""
    return f"{count} neighbours"


def label_noiseless(count: int) -> str:
    """Returns the name of the ensemble of so many neighbours, observed without errors."""
    return f"{count} neighbours, noiseless"


def label_without(what: str) -> str:
    """Returns the name of the ensemble that lacks some features, one of `LEFT_OUT_FEATURES`."""
    return f"{label_noisy(max(NEIGHBOUR_COUNTS))}, {what}"


def label_signed() -> str:
    """Returns the name of the ensemble that sees the sign of radial velocities."""
    return f"{label_noisy(max(NEIGHBOUR_COUNTS))}, signed v_r"


def label_of(hosts: str, name: str) -> str:
    """Returns the name of an ensemble that learned from other hosts, which have a name."""
    return f"{hosts}, {name}"


def ensemble_features(
    seed: int, neighbours: int, variant: str = ""
) -> dict[str, Features]:
    """Returns the features of each ensemble, by its name: one survey for all.

    Arguments:
        seed: Decides the errors of observation.
        neighbours: How many neighbours the host has; ensembles that need more are left
            out.
        variant: The training hosts, if others than the main ones: names begin with it,
            and there are none but the noisy features.
    """
    noisy = {
        label_noisy(count): Features(count, seed=seed) for count in NEIGHBOUR_COUNTS
    }
    noiseless = {
        label_noiseless(count): Features(count, errors=False, seed=seed)
        for count in NEIGHBOUR_COUNTS
    }
    largest = max(NEIGHBOUR_COUNTS)
    cut = {
        label_without(what): Features(largest, without=without, seed=seed)
        for what, without in LEFT_OUT_FEATURES.items()
    }
    signed = {label_signed(): Features(largest, radial="asinh", seed=seed)}
    # other hosts show the effect of the hosts alone: the plain features are enough
    if variant:
        every = {label_of(variant, name): binning for name, binning in noisy.items()}
    else:
        every = {**noisy, **noiseless, **cut, **signed}
    return {
        name: binning
        for name, binning in every.items()
        if binning.neighbours <= neighbours
    }


def noisy_features(wanted: Mapping[str, Features]) -> dict[str, Features]:
    """Returns the features with errors and nothing left out, by the main ensembles' names."""
    return {
        name: wanted[name]
        for name in map(label_noisy, NEIGHBOUR_COUNTS)
        if name in wanted
    }


class EvaluatedEstimator(Protocol):
    """An estimator that was tested on hosts that it never saw.

    Example:
        >>> class Constant:
        ...     scatter = (0.06, 0.006)
        ...     def predict(self, observation): return 12.0
        ...     def smallest_rmse(self): return 0.16
        ...     def rmse_between(self, low, high): return np.array([0.17, 0.16])
        ...     def largest_bias(self, low, high): return 0.03
        >>> estimator: EvaluatedEstimator = Constant()
        >>> estimator.smallest_rmse()
        0.16
    """

    def predict(self, observation: Observation) -> float: ...
    def smallest_rmse(self) -> float: ...
    def rmse_between(self, low: float, high: float) -> FloatArray: ...
    def largest_bias(self, low: float, high: float) -> float: ...
    @property
    def scatter(self) -> tuple[float, float]: ...
