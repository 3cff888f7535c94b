"""What is told of a host among training hosts of similar mass: a verdict, a table, a figure."""

from collections.abc import Mapping, Sequence

import numpy as np
from astropy.table import Table

from halomass.observed.features import ENVIRONMENT, PROPERTIES, Features
from halomass.study.alternatives import Predict, alternatives, alternatives_table
from halomass.study.ensembles import ensemble_key
from halomass.study.robustness import LEAVE_ONE_OUT, largest_shifts, leave_one_out
from halomass.study.similar_hosts import HostLikeness
from orrery.judging.likeness import Likeness
from orrery.records import Observation
from orrery.results.panels import Panel
from orrery.results.recording import Number, Recording
from orrery.results.sections import (
    Caution,
    FigureSection,
    TableSection,
    Text,
    Verdict,
)
from orrery.results.views import Profiles
from orrery.sentences import Sentence

_MOST_NAMED = 3  # properties that a sentence names
_KIND_WORDS = {
    "r": "distances",
    "v_t": "tangential velocities",
    "v_r": "radial velocities",
    "log_m_star": "stellar masses",
    ENVIRONMENT: "the properties of the environment",
}
_LOOK = (
    "Look these values up first: one in another unit, or a galaxy that is no satellite, is more "
    "likely than such a host; hosts of a simulation (--catalogue) may be more like it."
)
_LABELS = {
    "r": r"$r$ [kpc]",
    "v_t": r"$v_\mathrm{t}$ [km/s]",
    "v_r": r"$v_\mathrm{r}$ [km/s]",
    "log_m_star": r"$\log_{10} M_*$ [M$_\odot$]",
}


def record_likeness(recording: Recording, judged: Sequence[HostLikeness]) -> None:
    """Records whether a host is like the training hosts of similar mass.

    Arguments:
        recording: Where it goes.
        judged: The host by each ensemble.
    """
    for one in judged:
        recording.metrics(metrics(one))
    verdicts = [likeness_verdict(one) for one in judged]
    name = judged[0].seen.host.name
    recording.add(
        Text(
            "similar_hosts",
            f"Is {name} like the training hosts of similar mass?",
            "\n\n".join(one.text for one in verdicts),
            tuple(dict.fromkeys(k for one in verdicts for k in one.shows)),
        )
    )
    for one, said in zip(judged, verdicts, strict=True):
        key = _prefix(one)
        test = f"Similar hosts, {one.ensemble}"
        recording.verdicts([Verdict(key, test, one.passed, said.text, said.shows)])
        if one.found is not None:
            _record_entries(recording, one, one.found)
        if one.passed is not True:
            what = "Unlike" if one.passed is False else "Not compared with"
            title = f"{what} the training hosts, {one.ensemble}"
            advice = _LOOK if one.passed is False else ""
            text = f"{said.text} {advice}".strip()
            recording.add(Caution(f"unlike.{key}", title, text, said.shows))


def _prefix(judged: HostLikeness) -> str:
    return f"similar_hosts.{ensemble_key(judged.ensemble)}"


def metrics(judged: HostLikeness) -> dict[str, Number]:
    """Returns the numbers of the comparison, by stable key."""
    numbers: dict[str, Number] = {
        "ensemble": judged.ensemble,
        "hosts": judged.similar,
        "window": judged.window,
        "surveys": judged.surveys,
    }
    found = judged.found
    if found is not None:
        numbers |= {
            "pvalue": found.pvalue,
            "worst_property_pvalue": float(found.entry_pvalues.min()),
            "worst_kind_pvalue": float(np.fmin.reduce(found.group_pvalues)),
            "joint_pvalue": found.joint_pvalue,
            "outlying": len(judged.outlying),
            "outlying_kinds": len(judged.outlying_kinds),
        }
        for kind, pvalue in zip(
            found.groups, found.group_pvalues.tolist(), strict=True
        ):
            numbers[f"kind.{kind}.pvalue"] = pvalue
        for place, name in enumerate(judged.named, 1):
            of_one = _outlier(judged, found, name).items()
            numbers |= {f"named.{place}.{what}": value for what, value in of_one}
    # what so few hosts cannot tell has no number
    return {
        f"{_prefix(judged)}.{name}": value
        for name, value in numbers.items()
        if isinstance(value, str) or not np.isnan(value)
    }


def _outlier(judged: HostLikeness, found: Likeness, name: str) -> dict[str, Number]:
    entry = found.names.index(name)
    whose = judged.neighbour(name)
    return {
        "property": name,
        **({"neighbour": whose} if whose else {}),
        "value": float(found.value[entry]),
        "lower": float(found.quantiles[0, entry]),
        "upper": float(found.quantiles[-1, entry]),
        "score": float(found.scores[entry]),
        "pvalue": float(found.entry_pvalues[entry]),
    }


def likeness_verdict(judged: HostLikeness) -> Sentence:
    """Returns in some sentences whether the host is like the training hosts of similar mass."""
    prefix, host = _prefix(judged), judged.seen.host.name
    among = (
        f"{judged.similar} that the ensemble of {judged.ensemble} predicts within "
        f"{judged.window:g} dex of it"
    )
    hosts, window = f"{prefix}.hosts", f"{prefix}.window"
    found = judged.found
    if found is None or judged.passed is None:
        text = f"Nobody knows whether {host} is like the training hosts of similar mass: {among} "
        text += "are too few to say; simulate more hosts."
        return Sentence(text, (*_names(judged), hosts, window))
    text = (
        f"{host} is {'like' if judged.passed else 'unlike'} the training hosts of similar mass: "
        f"{100 * found.pvalue:.3g} % of {among} are as unusual."
    )
    reason, more = _reason(judged, found)
    if np.isnan(found.joint_pvalue):
        text += (
            " So few do not tell whether all of its properties together are unusual."
        )
    if not judged.passed:
        reason += " Its mass is told all the same, by networks that have hardly seen its like."
    shows = (*_names(judged), f"{prefix}.pvalue", hosts, window, *more)
    return Sentence(f"{text} {reason}".strip(), shows)


def _names(judged: HostLikeness) -> tuple[str, str]:
    """Returns the keys of names with numbers in them, whose numbers say nothing."""
    return ("host.name", f"{_prefix(judged)}.ensemble")


def _reason(judged: HostLikeness, found: Likeness) -> tuple[str, tuple[str, ...]]:
    """Returns what stands out in words, and the keys of the numbers in them."""
    if not found.rare:
        return "", ()
    several = len(judged.outlying) > _MOST_NAMED
    groups = {"What stands out": judged.outlying[:_MOST_NAMED]}
    for kind, worst in judged.outlying_kinds.items():
        if {*worst} & {*judged.outlying}:  # these are named already
            continue
        groups[f"Together, {_KIND_WORDS[kind]} stand out, above all"] = worst
    sentences = []
    shows: list[str] = []
    for what, names in groups.items():
        if names:
            words = "; ".join(_in_words(judged, found, name) for name in names)
            sentences.append(f"{what}: {words}.")
            shows += [key for name in names for key in _keys(judged, name)]
        if several and what == "What stands out":
            sentences.append(f"{len(judged.outlying)} properties do, in all.")
            shows.append(f"{_prefix(judged)}.outlying")
    if not sentences:
        return "Each property alone is ordinary, their combination is not.", ()
    return " ".join(sentences), tuple(shows)


def _keys(judged: HostLikeness, name: str) -> list[str]:
    """Returns the keys of what is said of a property that stands out."""
    place = judged.named.index(name) + 1
    what = ["property", "value", "lower", "upper"]
    if judged.neighbour(name):
        what.insert(1, "neighbour")
    return [f"{_prefix(judged)}.named.{place}.{one}" for one in what]


def _in_words(judged: HostLikeness, found: Likeness, name: str) -> str:
    one = _outlier(judged, found, name)
    whose = f" ({one['neighbour']})" if "neighbour" in one else ""
    unit = dict(zip(judged.binning.names, judged.binning.units, strict=True))[name]
    return (
        f"{name}{whose} is {one['value']:.4g} {unit}, where 95 % of them have "
        f"{one['lower']:.4g} to {one['upper']:.4g}"
    )


def _record_entries(
    recording: Recording, judged: HostLikeness, found: Likeness
) -> None:
    key, name = _prefix(judged), judged.seen.host.name
    survey = ""
    shows = [*_names(judged), f"{key}.hosts", f"{key}.window"]
    if judged.surveys:
        survey = (
            f" Its true values were observed by {judged.surveys} mock surveys; this is the one "
            "whose p-value is their median."
        )
        shows.append(f"{key}.surveys")
    among = (
        f"{name} among {judged.similar} training hosts that are predicted within "
        f"{judged.window:g} dex of it"
    )
    recording.add(
        TableSection(
            key,
            f"Properties among hosts of similar mass, {judged.ensemble}",
            property_table(judged, found),
            f"{among}: their median and 95 %, how far out the host is as a score that is normal "
            "for them, and how often one of them has some property that is as far out."
            f"{survey}",
            tuple(shows),
        ),
        FigureSection(
            f"{key}.properties",
            f"Among hosts of similar mass, {judged.ensemble}",
            property_profiles(judged, found),
            f"{among}, bands with 68 and 95 % of them: distances, velocities and stellar masses of "
            f"neighbours, ranked by their stars.{survey}",
            tuple(shows),
        ),
    )


def property_table(judged: HostLikeness, found: Likeness) -> Table:
    """Returns the comparison property by property."""
    low, _, median, _, high = found.quantiles
    table = Table(
        {
            "property": list(found.names),
            "neighbour": [judged.neighbour(name) or "" for name in found.names],
            "unit": list(judged.binning.units),
            "observed": found.value,
            "lower_95": low,
            "median": median,
            "upper_95": high,
            "score": found.scores,
            "pvalue": found.entry_pvalues,
        }
    )
    for name in ("observed", "lower_95", "median", "upper_95"):
        table[name].info.format = "%.4g"
    table["score"].info.format = "%+.1f"
    table["pvalue"].info.format = "%.3f"
    return table


def property_profiles(judged: HostLikeness, found: Likeness) -> Profiles:
    """Returns the properties of neighbours against their rank, over bands of similar hosts."""
    binning, host = judged.binning, judged.seen.host
    ranks = range(1, binning.neighbours + 1)
    bins = tuple((rank - 0.5, rank + 0.5) for rank in ranks)
    panels = tuple(
        Panel("", _LABELS[kind], bins, tuple(f"{kind}_{rank}" for rank in ranks))
        for kind in PROPERTIES
    )
    # errors are in the bands, as they are in training
    none = np.zeros((len(found.value), len(found.value)))
    seen = Observation(
        host.name,
        binning.names,
        binning.units,
        found.value,
        none,
        binning.fingerprint,
        {},
    )
    return Profiles(
        panels,
        seen,
        {"similar_hosts": found.quantiles},
        "rank by stellar mass",
        legend={"similar_hosts": "similar hosts"},
    )


def record_without(
    recording: Recording,
    judged: Sequence[HostLikeness],
    wanted: Mapping[str, Features],
    predict: Predict,
) -> None:
    """Records the mass without what stands out, and without each neighbour in turn.

    Arguments:
        recording: Where it goes.
        judged: The host by each ensemble.
        wanted: The features of all ensembles, by name.
        predict: Predicts masses.
    """
    seen = judged[0].seen

    def predict_without(name: str, neighbour: str | None) -> float:
        return predict(name, seen.rows(wanted[name], neighbour))

    every = [found for one in judged for found in alternatives(one, wanted, predict)]
    whole = {one.ensemble: predict_without(one.ensemble, None) for one in judged}
    recording.tables(alternatives_table(seen.host, every, whole))
    moved = leave_one_out(seen.host, wanted, predict_without)
    recording.tables(moved)
    largest, numbers = largest_shifts(wanted, moved)
    recording.metrics(numbers)
    title = "Leaving out one neighbour, the largest shifts"
    recording.add(Text(f"{LEAVE_ONE_OUT}.largest", title, largest.text, largest.shows))
