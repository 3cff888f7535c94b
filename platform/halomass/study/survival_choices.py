"""What the choice of who has survived does to the mass of a simulated host.

A table says who is a remnant by some columns or by others, and catalogues that networks
learn from by one threshold or another. Each choice is another list of satellites, and
another mass.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from astropy.table import Table

from halomass.hosts.options import THRESHOLD, Criterion
from halomass.hosts.survival import velocity_limit
from halomass.mock.options import THRESHOLDS
from halomass.observed.features import Features
from halomass.observed.host_neighbours import Neighbours, observation
from halomass.study.ensembles import EvaluatedEstimator, noisy_features
from halomass.study.number_formats import format_floats
from orrery.identity import JSON
from orrery.sentences import Sentence, cell

SURVIVAL_BOUND = 0.05  # [dex] by which the choice should not move the mass
USED = "as used"
_MEANING: dict[Criterion, str] = {
    "infall": "V_max over that at infall",
    "peak_velocity": "V_max over V_peak",
    "peak_mass": "V_max over the usual V_peak of the peak mass",
    "bound_mass": "what the bound mass leaves of V_max",
}
NOT_CUT = "nobody: the catalogue has galaxies, or all shall count"
# Cuts by the peak velocity are often meant so, and are not the same.
_TAKEN_FOR_INFALL = "V_max over V_peak, taken for that at infall"


def survival_cuts(host: Neighbours) -> dict[str, tuple[float, Criterion]]:
    """Returns thresholds at infall and criteria by which a host's table could be cut, by name.

    Arguments:
        host: The host's neighbours as its table was cut; nothing is returned if no
            columns identify remnants.

    Example:
        >>> from halomass.observed.host_neighbours import HostEnvironment, Orbits
        >>> import numpy as np
        >>> one = np.array([80.0])
        >>> around = HostEnvironment(91.7, 761.0, 17_000.0)
        >>> cut = {"criterion": "infall", "threshold_at_infall": 0.7, "criteria": ["infall"]}
        >>> host = Neighbours(
        ...     "A host", ("a",), Orbits(one, one, one), one, around, {"selection": cut}
        ... )
        >>> survival_cuts(host)["nobody is lost"]
        (0.0, 'infall')
    """
    selection = host.provenance.get("selection", {})
    if "criterion" not in selection:
        return {}
    used: Criterion = selection["criterion"]
    at_infall = selection["threshold_at_infall"]
    cuts = {_name(one, at_infall): (at_infall, one) for one in selection["criteria"]}
    cuts |= {_name(used, t): (t, used) for t in THRESHOLDS.values()}
    if "peak_velocity" in selection["criteria"]:
        # so that the ratio itself is compared with the threshold at infall
        scale = THRESHOLD / velocity_limit("peak_velocity", THRESHOLD)
        if at_infall * scale < 1:
            cuts[f"{_TAKEN_FOR_INFALL} > {at_infall:.3g}"] = (
                at_infall * scale,
                "peak_velocity",
            )
    cuts.pop(_name(used, at_infall))
    return cuts | {"nobody is lost": (0.0, used)}


def _name(criterion: Criterion, threshold: float) -> str:
    return f"{_MEANING[criterion]} > {velocity_limit(criterion, threshold):.3g}"


def survival_table(
    host: Neighbours,
    others: Mapping[str, Neighbours],
    wanted: Mapping[str, Features],
    found: Mapping[str, EvaluatedEstimator],
) -> dict[str, Table]:
    """Returns by how much the mass moves if others of the table's rows count, by title.

    Arguments:
        host: The host's neighbours.
        others: The same table cut otherwise, by the cut; if there is none, no table is
            returned.
        wanted: The features of ensembles, by their names.
        found: The ensembles; those of noisy features take part.
    """
    if not others:
        return {}
    used = noisy_features(wanted)
    whole = _predicted(host, used, found)
    rows = [(USED, *_counts(host), *whole, *[0.0] * len(whole))]
    for name, other in others.items():
        masses = _predicted(other, used, found)
        moved = [mass - before for mass, before in zip(masses, whole, strict=True)]
        rows.append((name, *_counts(other), *masses, *moved))
    moves = [f"moved, {name}" for name in used]
    table = Table(rows=rows, names=["cut", "kept", "stripped", *used, *moves])
    format_floats(table, "%.3f")
    selection = host.provenance["selection"]
    table.meta["key"] = "mass.survival"
    table.meta["shows"] = ["host.name", "host.threshold"]
    table.meta["caption"] = (
        f"log10 of the mass of {host.name} by the ensembles' predicted means, and by how much it "
        f"moves, if other rows count as remnants than those of which {selection['survival']} is "
        f"not above {selection['threshold']:g}, the cut that is used: by other columns, with the "
        "thresholds of both models of satellites, or if nobody is lost. The values are taken as "
        "observed ones; stripped counts the whole table, kept what is near."
    )
    table.meta["misses"] = _large(table, moves)
    return {"Who has survived": table}


def _predicted(
    host: Neighbours,
    used: Mapping[str, Features],
    found: Mapping[str, EvaluatedEstimator],
) -> list[float]:
    return [
        found[name].predict(observation(host, binning))
        if binning.neighbours <= len(host)
        else float("nan")
        for name, binning in used.items()
    ]


def _counts(host: Neighbours) -> tuple[int, int]:
    selection = host.provenance["selection"]
    return len(host), selection["stripped"]


def _large(table: Table, moves: list[str]) -> list[Sentence]:
    return [
        Sentence(
            f"Cut as {row['cut']!r}, the mass moves by {row[move]:+.2f} dex with "
            f"{move.removeprefix('moved, ')}.",
            (cell("mass.survival", row["cut"], move),),
        )
        for row in table
        for move in moves
        if abs(row[move]) > SURVIVAL_BOUND
    ]


def catalogue_cut_table(cuts: Sequence[JSON]) -> dict[str, Table]:
    """Returns what is left out of each snapshot of a catalogue, by title.

    Arguments:
        cuts: What was left out of each: `CatalogueSystems.cuts`.
    """
    rows = [
        (
            cut["scale"],
            _MEANING[cut["criterion"]] if cut["criterion"] else NOT_CUT,
            cut["threshold"] if cut["criterion"] else np.nan,
            cut["halos"],
            cut["remnants"],
            cut["not_tested"],
        )
        for cut in cuts
    ]
    names = ["scale", "lost_if_small", "threshold", "halos", "remnants", "not_tested"]
    table = Table(rows=rows, names=names)
    table["scale"].info.format = "%.4g"
    table["threshold"].info.format = "%.3f"
    table.meta["key"] = "hosts.survival"
    table.meta["caption"] = (
        "Halos that are no neighbours because tides have left little of them: halo finders list "
        "them longer than a catalogue of galaxies does. Those count whose ratio, named in "
        "lost_if_small, is above the threshold; halos are those of large enough peak mass. "
        "not_tested counts hosts on the side of the tests that are none: errors of two states of a "
        "host are not independent, so that those of the latest snapshot alone are tested."
    )
    return {"Remnants in the catalogues": table}
