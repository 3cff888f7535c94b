"""A host's mass without what stands out in it, beside the mass with it.

A mass that hangs on a neighbour or a property which no training host has is not wrong for
that, but who reads it must see what it would be otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from astropy.table import Table

from halomass.observed.features import ENVIRONMENT, Features
from halomass.observed.host_neighbours import Neighbours
from halomass.observed.neighbour_counts import NEIGHBOUR_COUNTS
from halomass.study.ensembles import (
    LEFT_OUT_FEATURES,
    label_noisy,
    label_without,
)
from halomass.study.similar_hosts import HostLikeness
from halomass.systems import FloatArray

Predict = Callable[[str, FloatArray], float]
"""The predicted mean of an ensemble, by its name, for rows of features `[C, S]`."""


@dataclass(frozen=True)
class Alternative:
    """A mass without what stands out in a host.

    Arguments:
        of: The ensemble for which something stands out.
        ensemble: Which predicts the mass.
        left_out: What it does without.
        instead: What stands in its place.
        predicted: log10 of the virial mass [Msun].

    Example:
        >>> name = "25 neighbours"
        >>> Alternative(name, name, "Leo 5", "the next neighbour", 11.98).predicted
        11.98
    """

    of: str
    ensemble: str
    left_out: str
    instead: str
    predicted: float


def alternatives(
    judged: HostLikeness, wanted: Mapping[str, Features], predict: Predict
) -> list[Alternative]:
    """Returns the mass without each neighbour and property that stands out.

    Arguments:
        judged: The host.
        wanted: The features of all ensembles, by name.
        predict: Predicts masses.
    """
    return [
        *_without_neighbours(judged, wanted, predict),
        *_with_typical_environment(judged, wanted, predict),
        *_without_kinds(judged, wanted, predict),
    ]


def _without_neighbours(
    judged: HostLikeness, wanted: Mapping[str, Features], predict: Predict
) -> list[Alternative]:
    """Returns the mass without neighbours, where there is a next one to come in."""
    seen, binning = judged.seen, wanted[judged.ensemble]
    neighbours = (judged.neighbour(name) for name in judged.named)
    named = dict.fromkeys(name for name in neighbours if name is not None)
    if len(seen.host) <= binning.neighbours:
        return []
    return [
        Alternative(
            judged.ensemble,
            judged.ensemble,
            name,
            "the next neighbour",
            predict(judged.ensemble, seen.rows(binning, name)),
        )
        for name in named
    ]


def _with_typical_environment(
    judged: HostLikeness, wanted: Mapping[str, Features], predict: Predict
) -> list[Alternative]:
    """Returns the mass with an environment as similar hosts have it."""
    found, binning = judged.found, wanted[judged.ensemble]
    odd = [name for name in judged.outlying if name in binning.names]
    if found is None or not (odd or ENVIRONMENT in judged.outlying_kinds):
        return []
    names = [
        n
        for n, k in zip(found.names, judged.binning.kinds, strict=True)
        if k == ENVIRONMENT
    ]
    rows = judged.seen.rows(binning)
    for name in odd or names:
        # both are logarithms of the same values, and have the same names
        median = found.quantiles[len(found.quantiles) // 2, found.names.index(name)]
        rows[:, binning.names.index(name)] = median
    mass = predict(judged.ensemble, rows)
    left_out = ", ".join(odd or names)
    instead = "the median of similar hosts"
    return [Alternative(judged.ensemble, judged.ensemble, left_out, instead, mass)]


def _without_kinds(
    judged: HostLikeness, wanted: Mapping[str, Features], predict: Predict
) -> list[Alternative]:
    """Returns the mass by ensembles that do not see what stands out."""
    binning = wanted[judged.ensemble]
    kinds = {*judged.outlying_kinds, *map(_kind, judged.outlying)}
    unseen = {
        label_without(what): f"all {', '.join(left_out)}"
        for what, left_out in LEFT_OUT_FEATURES.items()
        if kinds & {*left_out} and binning.neighbours == max(NEIGHBOUR_COUNTS)
    }
    ranks = [_rank(name) for name in judged.named]
    first = min((rank for rank in ranks if rank), default=0)
    # what needs fewer neighbours does not see the faint ones
    unseen |= {
        label_noisy(count): f"all neighbours but the first {count}"
        for count in NEIGHBOUR_COUNTS
        if count < binning.neighbours and count < first
    }
    return [
        Alternative(
            judged.ensemble,
            name,
            what,
            "nothing",
            predict(name, judged.seen.rows(wanted[name])),
        )
        for name, what in unseen.items()
        if name in wanted
    ]


def _kind(name: str) -> str:
    return name.rpartition("_")[0]


def _rank(name: str) -> int:
    """Returns the rank of the neighbour whose property it is; 0 of the environment."""
    rank = name.rpartition("_")[2]
    return int(rank) if rank.isdecimal() else 0


def alternatives_table(
    host: Neighbours, found: Sequence[Alternative], masses: Mapping[str, float]
) -> dict[str, Table]:
    """Returns the mass without what stands out beside that with it, by title.

    Arguments:
        host: The host.
        found: The masses without; there is no table if there are none.
        masses: The predicted mean with everything, by the ensemble's name.
    """
    if not found:
        return {}
    rows = [
        (
            one.ensemble,
            one.left_out,
            one.instead,
            one.predicted,
            one.predicted - masses[one.of],
        )
        for one in found
    ]
    table = Table(
        rows=rows, names=["ensemble", "left_out", "instead", "predicted_mean", "moved"]
    )
    table["predicted_mean"].info.format = "%.2f"
    table["moved"].info.format = "%+.3f"
    table.meta["key"] = "mass.without_outliers"
    table.meta["shows"] = ["host.name"]
    table.meta["caption"] = (
        f"The predicted mean of log10 of the virial mass [Msun] of {host.name} without what "
        "stands out among training hosts of similar mass, and by how much it is more than with it."
    )
    return {"Mass without what stands out": table}
