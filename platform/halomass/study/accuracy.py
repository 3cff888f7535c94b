"""How accurate ensembles are, compared with published values.

Published are the numbers of Hayati et al. (2025). Theirs come from simulations of
structure formation; where ours come from a mock universe they need not agree. What is
farther from them than the bounds below is called a miss, one sentence each.
"""

from collections.abc import Mapping

import numpy as np
from astropy.table import Table

from halomass.study import literature
from halomass.study.ensembles import (
    LEFT_OUT_FEATURES,
    EvaluatedEstimator,
    label_noiseless,
    label_noisy,
    label_without,
)
from halomass.study.number_formats import format_floats
from halomass.systems import LOG_M_VIR, FloatArray
from orrery.sentences import Sentence, cell

# Our smallest error at 10^11.5 to 10^12.5 Msun must lie between: 0.16 is published.
RMSE_BOUNDS = (0.13, 0.20)  # [dex]
MIDDLE = (11.5, 12.5)  # [dex(solMass)]
VARIANCE_BOUND = 1.5  # a factor, and a wide one: published ratios are round numbers
RMSE_BOUND = 0.2  # of a published error, by which ours may differ
# The bias is compared between these: there are few hosts beyond.
BIASED = (11.5, 13.5)  # [dex(solMass)]
MASS_EDGES = np.arange(10.5, 14.6, 0.5)  # [dex(solMass)] of the bins of the errors
MASS_LABEL = (LOG_M_VIR.label, "dex")
# The table of errors, its columns for `MIDDLE`, and the numbers that judge these.
_RMSE = "accuracy.rmse"
_MIDDLE_COLUMNS = ("rmse_11_5_to_12", "rmse_12_to_12_5")
_BOUND_KEYS = (
    "bounds.accuracy.rmse.lightest",
    "bounds.accuracy.rmse.heaviest",
    "bounds.accuracy.rmse.lower",
    "bounds.accuracy.rmse.upper",
)
_BIAS_BOUND = "bounds.accuracy.bias"


# Why a variance would be larger (True) or smaller (False) than the published one.
_REASONS = {
    (
        "no satellites",
        True,
    ): "Hosts of a mock universe are drawn almost uniformly in log mass, so "
    "that the prior, all that is left without satellites, is wider.",
    (
        "no r",
        False,
    ): "In a mock universe distances say little of the mass, which is a property of "
    "the mock.",
}


def published_rmse() -> dict[str, float]:
    """Returns the published smallest errors [dex], by the ensemble's name."""
    return {
        **{label_noisy(n): value for n, value in literature.RMSE.items()},
        **{
            label_noiseless(n): value
            for n, value in literature.RMSE_WITHOUT_ERRORS.items()
        },
    }


def accuracy_tables(
    found: Mapping[str, EvaluatedEstimator], ratios: Mapping[str, tuple[float, float]]
) -> dict[str, Table]:
    """Returns how accurate ensembles are, compared with published values, by title.

    Arguments:
        found: By the ensemble's name.
        ratios: By the ensemble's name, how large the variance of its errors is compared
            with that of 25 neighbours, and the standard error.
    """
    return {**_errors(found), **_biases(found), **_variances(ratios)}


def _errors(found: Mapping[str, EvaluatedEstimator]) -> dict[str, Table]:
    published = published_rmse()
    smallest = {name: one.smallest_rmse() for name, one in found.items()}
    middle = {
        name: one.rmse_between(MIDDLE[0], MIDDLE[1]) for name, one in found.items()
    }
    rows = [
        (name, smallest[name], *middle[name], published.get(name, np.nan))
        for name in smallest
    ]
    names = ["ensemble", "smallest_rmse", *_MIDDLE_COLUMNS, "published"]
    table = Table(rows=rows, names=names)
    format_floats(table, "%.3f")
    table.meta["key"] = _RMSE
    table.meta["caption"] = (
        "Root mean square errors [dex] of hosts that were never trained on: in the best mass bin, "
        f"and in two; published are the smallest errors of {literature.SOURCE}. Where there are "
        "too few hosts for an error it is nan, and nothing is judged by it."
    )
    table.meta["metrics"] = dict(zip(_BOUND_KEYS, (*MIDDLE, *RMSE_BOUNDS), strict=True))
    table.meta["misses"] = _exactness_misses(smallest, middle)
    return {"Errors compared with published values": table}


def _exactness_misses(
    smallest: Mapping[str, float], middle: Mapping[str, FloatArray]
) -> list[Sentence]:
    far = [
        Sentence(
            f"{name}: the smallest error is {smallest[name]:.3f} dex, published is "
            f"{published:.3f} dex.",
            (_smallest(name), cell(_RMSE, name, "published")),
        )
        for name, published in published_rmse().items()
        if abs(smallest[name] / published - 1) > RMSE_BOUND
    ]
    pairs = (
        (label_noisy(25), label_noisy(10)),
        (label_noiseless(25), label_noisy(25)),
        (label_noiseless(10), label_noisy(10)),
    )
    disordered = [
        Sentence(
            f"{better} should be better than {worse}: {smallest[better]:.3f} and "
            f"{smallest[worse]:.3f} dex.",
            (_smallest(better), _smallest(worse)),
        )
        for better, worse in pairs
        if smallest[better] >= smallest[worse]  # never where one is unknown
    ]
    return [*_beyond(middle[label_noisy(25)]), *far, *disordered]


def _smallest(ensemble: str) -> str:
    return cell(_RMSE, ensemble, "smallest_rmse")


def _beyond(middle: FloatArray) -> list[Sentence]:
    """Returns whether the smaller of two errors is beyond `RMSE_BOUNDS`, in words."""
    low, high = RMSE_BOUNDS
    best = min(middle[np.isfinite(middle)], default=np.nan)
    if not (best < low or best > high):
        return []
    ensemble = label_noisy(25)
    column = _MIDDLE_COLUMNS[int(np.nanargmin(middle))]
    text = (
        f"{ensemble}: {best:.3f} dex at 10^{MIDDLE[0]}-{MIDDLE[1]}, beyond {low} to "
        f"{high}."
    )
    return [Sentence(text, (cell(_RMSE, ensemble, column), *_BOUND_KEYS))]


def _biases(found: Mapping[str, EvaluatedEstimator]) -> dict[str, Table]:
    largest = {
        name: one.largest_bias(BIASED[0], BIASED[1]) for name, one in found.items()
    }
    theirs = (
        literature.LARGEST_MEDIAN_BIAS,
        literature.SCATTER_OF_SEEDS,
        literature.SCATTER_OF_ENSEMBLES,
    )
    rows = [(name, bias, *found[name].scatter) for name, bias in largest.items()]
    names = [
        "ensemble",
        "largest_bias",
        "scatter_of_one_network",
        "scatter_of_the_mean",
    ]
    table = Table(rows=[*rows, (literature.SOURCE, *theirs)], names=names)
    format_floats(table, "%.4f")
    table.meta["key"] = "accuracy.bias"
    table.meta["caption"] = (
        "Largest median bias [dex] of either sign in mass bins between "
        f"10^{BIASED[0]} and 10^{BIASED[1]} Msun, how far one network scatters about the mean of "
        "all [dex], and how far that mean would if networks erred independently; published, in "
        f"the last row, is what the mean of {literature.NETWORKS} is expected to scatter."
    )
    numbers = {
        "accuracy.bias.lightest": BIASED[0],
        "accuracy.bias.heaviest": BIASED[1],
        "published.networks": literature.NETWORKS,
    }
    table.meta["shows"] = list(numbers)
    table.meta["metrics"] = {**numbers, _BIAS_BOUND: literature.LARGEST_MEDIAN_BIAS}
    table.meta["misses"] = _bias_misses(largest)
    return {"Bias and scatter compared with published values": table}


def _bias_misses(largest: Mapping[str, float]) -> list[Sentence]:
    return [
        Sentence(
            f"{name}: the largest median bias is {largest[name]:.3f} dex, published is "
            f"{literature.LARGEST_MEDIAN_BIAS:.2f} dex or less.",
            (cell("accuracy.bias", name, "largest_bias"), _BIAS_BOUND),
        )
        for name in published_rmse()
        if largest[name] > literature.LARGEST_MEDIAN_BIAS
    ]


def _variances(ratios: Mapping[str, tuple[float, float]]) -> dict[str, Table]:
    rows = [
        (what, *ratios[label_without(what)], literature.VARIANCE_RATIOS[without])
        for what, without in LEFT_OUT_FEATURES.items()
    ]
    table = Table(rows=rows, names=["left_out", "variance_ratio", "error", "published"])
    format_floats(table, "%.2f")
    table.meta["key"] = "accuracy.variance_ratios"
    table.meta["caption"] = (
        "Variance of the errors without some features, over that with all, of the same hosts; "
        "Appendix C of Hayati et al. (2025) gives round numbers."
    )
    table.meta["misses"] = [
        Sentence(
            f"{what}: the variance is {ours:.2f} times as large, published is about "
            f"{published:g} times. {_REASONS.get((what, ours > published), '')}".rstrip(),
            (
                cell("accuracy.variance_ratios", what, "variance_ratio"),
                cell("accuracy.variance_ratios", what, "published"),
            ),
        )
        for what, ours, _, published in rows
        if ours < published / VARIANCE_BOUND or ours > published * VARIANCE_BOUND
    ]
    return {"Variance without some features": table}
