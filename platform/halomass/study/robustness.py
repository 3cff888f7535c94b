"""Whether the mass of a host depends on a single neighbour, or on its errors of observation."""

from collections.abc import Mapping

import numpy as np
from astropy.table import Table

from halomass.observed.features import Features, features
from halomass.observed.host_neighbours import Neighbours, as_records, observation
from halomass.study.ensembles import EvaluatedEstimator, noisy_features
from halomass.study.number_formats import format_floats
from halomass.systems import FloatArray
from orrery.sentences import Sentence, cell

LEAVE_ONE_OUT_BOUND = 0.15  # [dex] by which no single satellite should move the mass
MOCK_OBSERVATIONS = "mock observations"  # of a host whose true values are known
COPIES = 200  # of a simulated host, each observed with errors of its own


def mock_observations(
    host: Neighbours, wanted: Mapping[str, Features]
) -> dict[str, FloatArray]:
    """Returns the features `[n, S]` of a simulated host, observed again and again.

    Its table holds true orbits; each copy gets errors of its own and a survey of its
    own, as the hosts of the training had. Copies of which too few neighbours are found
    are left out, if need be all: `mock_observation_label` counts the others.

    Arguments:
        host: The host's neighbours.
        wanted: The features of ensembles, by their names; the noisy ones take part.
    """
    copies = as_records(host, COPIES)
    rows = {
        name: features(copies, binning)
        for name, binning in noisy_features(wanted).items()
    }
    return {name: x[np.isfinite(x).all(axis=1)] for name, x in rows.items()}


def mock_observation_label(name: str, x: FloatArray) -> str:
    """Returns the name of an ensemble's estimate from the copies `[n, S]` of a host."""
    return f"{name}, {MOCK_OBSERVATIONS} ({len(x)} of {COPIES})"


def leave_one_out(
    host: Neighbours,
    wanted: Mapping[str, Features],
    found: Mapping[str, EvaluatedEstimator],
) -> dict[str, Table]:
    """Returns by how much the mass moves without each neighbour in turn, by title.

    Arguments:
        host: The host's neighbours; those that an ensemble sees are left out one by
            one.
        wanted: The features of ensembles, by their names.
        found: The ensembles; those of noisy features, of fewer neighbours than there
            are, take part.
    """
    # who sees all neighbours has no next one to put in the place of one left out
    used = {
        name: b
        for name, b in noisy_features(wanted).items()
        if b.neighbours < len(host)
    }
    if not used:
        return {}
    whole = {
        name: found[name].predict(observation(host, b)) for name, b in used.items()
    }
    left_out = host.ranked().names[
        : max(binning.neighbours for binning in used.values())
    ]
    shifts = [
        [
            found[name].predict(observation(host, b, out)) - whole[name]
            for name, b in used.items()
        ]
        for out in left_out
    ]
    table = Table([left_out, *np.transpose(shifts)], names=["left_out", *used])
    format_floats(table, "%+.3f")
    table.meta["key"] = "mass.leave_one_out"
    table.meta["shows"] = ["host.name"]
    table.meta["caption"] = (
        f"By how much log10 of the mass of {host.name} moves when a neighbour is left out and the "
        "next one comes in; the environment, with the largest one's circular velocity, stays."
    )
    table.meta["misses"] = [
        Sentence(
            f"{out} alone moves the mass by {shift:+.2f} dex with {name}.",
            (cell("mass.leave_one_out", out, name),),
        )
        for out, moves in zip(left_out, shifts, strict=True)
        for name, shift in zip(used, moves, strict=True)
        if abs(shift) > LEAVE_ONE_OUT_BOUND
    ]
    return {"Leaving out one neighbour": table}
