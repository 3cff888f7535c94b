"""Whether the mass of a host depends on a single neighbour, or on its errors of observation."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from astropy.table import Table

from halomass.observed.features import Features
from halomass.observed.host_neighbours import Neighbours
from halomass.observed.neighbour_counts import NEIGHBOUR_COUNTS
from halomass.study.ensembles import (
    ensemble_key,
    label_noisy,
    noisy_features,
)
from halomass.study.number_formats import format_floats
from halomass.study.seen_host import COPIES, SeenHost
from halomass.systems import FloatArray
from orrery.sentences import Sentence, cell

LEAVE_ONE_OUT_BOUND = 0.15  # [dex] by which no single satellite should move the mass
LEAVE_ONE_OUT = "mass.leave_one_out"  # the table's key
MOCK_OBSERVATIONS = "mock observations"  # of a host whose true values are known


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
    seen = SeenHost(host, true_values=True)
    return {name: seen.rows(b) for name, b in noisy_features(wanted).items()}


def mock_observation_label(name: str, x: FloatArray) -> str:
    """Returns the name of an ensemble's estimate from the copies `[n, S]` of a host."""
    return f"{name}, {MOCK_OBSERVATIONS} ({len(x)} of {COPIES})"


def ensemble_behind(name: str) -> str:
    """Returns the name of the ensemble that an estimate is from.

    Example:
        >>> ensemble_behind("25 neighbours, mock observations (198 of 200)")
        '25 neighbours'
    """
    return name.partition(f", {MOCK_OBSERVATIONS}")[0]


def asked_for(estimates: Iterable[str], true_values: bool) -> dict[str, str]:
    """Returns the estimates that answer what is asked, each with its ensemble's key.

    The others tell of the method: noiseless data and left-out features are no answers.

    Arguments:
        estimates: Their names.
        true_values: Whether the host's values are true ones, which mock surveys observe.

    Example:
        >>> asked_for(["25 neighbours", "25 neighbours, noiseless"], true_values=False)
        {'25 neighbours': '25'}
    """
    plain = {label_noisy(count) for count in NEIGHBOUR_COUNTS}
    return {
        name: ensemble_key(ensemble_behind(name))
        for name in estimates
        if ensemble_behind(name) in plain and (MOCK_OBSERVATIONS in name) is true_values
    }


def leave_one_out(
    host: Neighbours,
    wanted: Mapping[str, Features],
    predict: Callable[[str, str | None], float],
) -> dict[str, Table]:
    """Returns by how much the mass moves without each neighbour in turn, by title.

    Arguments:
        host: The host's neighbours; those that an ensemble sees are left out one by
            one.
        wanted: The features of ensembles, by their names; those of noisy features, of
            fewer neighbours than there are, take part.
        predict: The predicted mean of an ensemble, by its name, without a neighbour, by
            its name; with all if that is None.
    """
    # who sees all neighbours has no next one to put in the place of one left out
    used = {
        name: b
        for name, b in noisy_features(wanted).items()
        if b.neighbours < len(host)
    }
    if not used:
        return {}
    whole = {name: predict(name, None) for name in used}
    left_out = host.ranked().names[
        : max(binning.neighbours for binning in used.values())
    ]
    shifts = [[predict(name, out) - whole[name] for name in used] for out in left_out]
    table = Table([left_out, *np.transpose(shifts)], names=["left_out", *used])
    format_floats(table, "%+.3f")
    table.meta["key"] = LEAVE_ONE_OUT
    table.meta["shows"] = ["host.name"]
    table.meta["caption"] = (
        f"By how much the predicted mean of log10 of the mass of {host.name} moves when a "
        "neighbour is left out and the next one comes in; the environment, with the largest one's "
        "circular velocity, stays."
    )
    table.meta["misses"] = [
        Sentence(
            f"{out} alone moves the mass by {shift:+.2f} dex with {name}.",
            (cell(LEAVE_ONE_OUT, out, name),),
        )
        for out, moves in zip(left_out, shifts, strict=True)
        for name, shift in zip(used, moves, strict=True)
        if abs(shift) > LEAVE_ONE_OUT_BOUND
    ]
    return {"Leaving out one neighbour": table}


def largest_shifts(
    wanted: Mapping[str, Features], tables: Mapping[str, Table]
) -> tuple[Sentence, dict[str, float | str]]:
    """Returns in words whose leaving out moves the mass most, and the numbers by key.

    Arguments:
        wanted: The features of ensembles, by their names.
        tables: What `leave_one_out` has found.
    """
    words: list[str] = []
    numbers: dict[str, float | str] = {}
    shows: list[str] = []
    for name in noisy_features(wanted):
        moved = [table for table in tables.values() if name in table.colnames]
        if not moved:
            words.append(
                f"With {name} none can be left out: there is no next one to come in."
            )
            continue
        (table,) = moved
        shifts = np.abs(np.asarray(table[name], dtype=float))
        if np.isnan(shifts).all():
            words.append(f"With {name} no mass is known that one of them could move.")
            continue
        row = table[int(np.nanargmax(shifts))]
        key = f"{LEAVE_ONE_OUT}.largest.{ensemble_key(name)}"
        found: dict[str, float | str] = {
            f"{key}.neighbour": str(row["left_out"]),
            f"{key}.moved": float(row[name]),
        }
        numbers |= found
        shows += found
        words.append(
            f"With {name} no single one moves the mass by more than {row['left_out']}, "
            f"{row[name]:+.3f} dex."
        )
    return Sentence(" ".join(words), tuple(shows)), numbers
