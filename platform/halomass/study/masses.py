"""The mass of a host by each ensemble, compared with published masses of the Milky Way.

An ensemble gives two masses, which have two names: the predicted mean, that of its
networks, and the median of hosts predicted alike, that of the test hosts whose
predicted means are near. Tables show both; figures show the second with its interval,
because a biased mean may lie outside.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from astropy.table import Table

from halomass.cosmology import LOG_M200C_OVER_M_VIR
from halomass.observed.host_neighbours import Neighbours
from halomass.observed.neighbour_counts import NEIGHBOUR_COUNTS
from halomass.study import literature, published_masses
from halomass.study.ensembles import label_noiseless, label_noisy
from halomass.study.host_warnings import warning_sentences
from halomass.study.number_formats import format_floats
from halomass.study.robustness import COPIES, MOCK_OBSERVATIONS
from halomass.systems import LOG_M_VIR, FloatArray
from orrery.results.panels import Constraint
from orrery.results.sections import Answer
from orrery.sentences import Sentence, cell

VERSION = 15  # of answers and comparisons; raised whenever they change

# Within these the Milky Way's mass must be; published values lie between 11.7 and 12.2.
MILKY_WAY_BOUNDS = (11.9, 12.4)  # [dex(solMass)]
MASS_BOUND = 0.15  # [dex] from a published mass: about the error of one
_BOUND_KEYS = ("bounds.mass.lower", "bounds.mass.upper", "bounds.mass.from_published")
UNKNOWN = (
    " An interval is missing where too few hosts of the tests were predicted alike, or all of them "
    "on one side: such a mass is at the edge of those that were simulated, or beyond."
)


PUBLISHED_CAPTION = (
    "Virial masses of the Milky Way. Published masses within 200 times the critical density are "
    f"shifted by {-LOG_M200C_OVER_M_VIR:.3f} dex, total masses are taken as virial. Intervals are "
    "as published: 68 %, but for those that are marked. Ours are medians and 68 % of hosts "
    "predicted alike (median_alike in the tables), not the networks' predicted means."
)


MEANING = "the logarithm of the virial mass of the host's halo"
"""What the answer is."""

AXIS = r"$\log_{10}\,(M_\mathrm{vir}\,/\,M_\odot)$"


class MassEstimate(Protocol):
    """log10 of a host's virial mass [Msun]: predicted, and the median and ends of 68 % about it.

    Example:
        >>> from types import SimpleNamespace
        >>> one = SimpleNamespace(prediction=12.2, median=12.17, lower=12.0, upper=12.3)
        >>> estimate: MassEstimate = one
        >>> published_intervals({"25 neighbours": estimate})[0].ours
        (12.0, 12.17, 12.3)
    """

    @property
    def prediction(self) -> float: ...
    @property
    def median(self) -> float: ...
    @property
    def lower(self) -> float: ...
    @property
    def upper(self) -> float: ...


class EstimatorScore(Protocol):
    """The errors of an estimator on test hosts [dex], and the log-density of the truths [nat].

    Example:
        >>> from types import SimpleNamespace
        >>> score: EstimatorScore = SimpleNamespace(
        ...     rmse=0.16, bias=-0.01, log_probability=0.4, standard_error=0.02
        ... )
        >>> one = SimpleNamespace(prediction=12.2, median=12.17, lower=12.0, upper=12.3)
        >>> estimator_table({"flow": (score, one)})["Estimators"]["rmse"][0]
        np.float64(0.16)
    """

    @property
    def rmse(self) -> float: ...
    @property
    def bias(self) -> float: ...
    @property
    def log_probability(self) -> float: ...
    @property
    def standard_error(self) -> float: ...


def prior_ends(masses: FloatArray) -> tuple[float, float]:
    """Returns 16 and 84 % of hosts' masses `[N]`, among which one of unknown mass was looked for.

    Example:
        >>> prior_ends(np.linspace(11.0, 13.0, 201))
        (11.32, 12.68)
    """
    low, high = np.percentile(masses, [16, 84]).tolist()
    return low, high


def mass_answer(
    key: str,
    name: str,
    interval: MassEstimate,
    prior: FloatArray,
    tests: Sequence[str],
    alternative: bool = True,
) -> Answer:
    """Returns an answer; where nobody knows the error of a predicted mean, that stands alone.

    Arguments:
        key: Of the ensemble or flow.
        name: What the answer is called.
        interval: The mass.
        prior: Masses `[N]` of hosts before any was seen.
        tests: With what the keys of verdicts on it begin.
        alternative: Whether another answer is the one recommended.
    """
    unknown = np.isnan(interval.median) and np.isfinite(interval.prediction)
    return Answer(
        f"posterior.mass.{key}",
        name,
        "log10 M_vir",
        LOG_M_VIR.unit,
        interval.median,
        interval.lower,
        interval.upper,
        prior_ends(prior),
        interval.prediction if unknown else None,
        MEANING,
        alternative=alternative,
        tests=(*tests,),
    )


def host_mass_table(
    host: Neighbours, estimates: Mapping[str, MassEstimate]
) -> dict[str, Table]:
    """Returns the mass of a host by each ensemble, by title.

    Arguments:
        host: The host's neighbours, with their warnings.
        estimates: By the ensemble's name; ends of unknown intervals are NaN.
    """
    true_values = any(MOCK_OBSERVATIONS in name for name in estimates)
    rows = [
        (name, _values(name, true_values), *_masses(estimate))
        for name, estimate in estimates.items()
    ]
    table = Table(rows=rows, names=["ensemble", "values", *_MASSES])
    format_floats(table, "%.2f")
    table.meta["key"] = "mass"
    table.meta["caption"] = (
        f"log10 of the virial mass [Msun] of {host.name}: predicted_mean is the mean of the "
        "networks' predictions; median_alike, lower_alike and upper_alike are the median and 68 % "
        "of test hosts predicted alike; predicted_mean_200c is the predicted mean of the mass "
        "within 200 times the critical density."
    )
    table.meta["caption"] += _exceptions(estimates) + _missing(table["lower_alike"])
    table.meta["shows"] = ["host.name"]
    if true_values:
        table.meta["metrics"] = {"mass.mock_observations": COPIES}
        table.meta["shows"] += table.meta["metrics"]
    table.meta["misses"] = warning_sentences(host)
    table.meta["misses_are"] = "Warnings of the table"
    title = f"Mass, {host.name}: predicted means and medians of hosts predicted alike"
    return {title: table}


def _values(name: str, true_values: bool) -> str:
    """Returns what an ensemble was given of the host, and what it took that for."""
    if not true_values:
        return "as observed"
    if MOCK_OBSERVATIONS in name:
        return "true, observed with errors"
    if name in map(label_noiseless, NEIGHBOUR_COUNTS):
        return "true"
    return "true, taken for observed"


def _exceptions(estimates: Mapping[str, MassEstimate]) -> str:
    """Returns sentences on the rows that are not what the others are, if there are any."""
    sentences = {
        MOCK_OBSERVATIONS: f" The table of the host holds true values. The rows of mock "
        f"observations come first: there {COPIES} surveys observe it with errors as in the "
        "training, and the mean of those that find enough neighbours is shown, as many as the "
        "name says. Where none does there is no mass. Other ensembles that learned errors take "
        "true values for observed ones, which makes the mass too low.",
        "noiseless": " Noiseless ensembles were trained on values without errors and "
        "tested on such: they take the host's values as exact, and their intervals hold for "
        "noiseless data only.",
    }
    return "".join(
        text
        for what, text in sentences.items()
        if any(what in one for one in estimates)
    )


def mass_tables(
    host: Neighbours, own: str | None, estimates: Mapping[str, MassEstimate]
) -> dict[str, Table]:
    """Returns the host's mass by each ensemble, as published, and what moves it, by title.

    Arguments:
        host: The host's neighbours.
        own: The catalogue that most ensembles were trained on; the Milky Way's masses
            by these are judged. None for another host, of which nothing is published.
        estimates: By the ensemble's name, which begins with its catalogue if that is
            another.
    """
    if own is None:
        return host_mass_table(host, estimates)
    compared = _compared_with_table3(own, estimates)
    return host_mass_table(host, estimates) | compared | _moved(estimates)


def _compared_with_table3(
    own: str, estimates: Mapping[str, MassEstimate]
) -> dict[str, Table]:
    rows = []
    for name, estimate in estimates.items():
        # "25 neighbours" is of our own hosts, "VSMDPL/UM, 25 neighbours" of others
        catalogue, _, of = name.rpartition(", ")
        catalogue = catalogue or own
        for count in (n for n in NEIGHBOUR_COUNTS if of == label_noisy(n)):
            published_mass = _table3(catalogue, count)
            rows.append((catalogue, count, *_masses(estimate), *published_mass))
    published = ("published", "published_lower", "published_upper")
    table = Table(rows=rows, names=["trained_on", "neighbours", *_MASSES, *published])
    format_floats(table, "%.2f")
    table.meta["key"] = "mass.by_catalogue"
    table.meta["caption"] = (
        "log10 of the Milky Way's virial mass [Msun], predicted mean and median of hosts predicted "
        "alike as in the table before, by networks trained on other hosts; published, to be "
        "compared with predicted means: Table 3 of Hayati et al. (2025), with the one 68 % "
        "interval that is given."
    )
    numbers = (*MILKY_WAY_BOUNDS, MASS_BOUND)
    table.meta["metrics"] = dict(zip(_BOUND_KEYS, numbers, strict=True))
    table.meta["misses"] = _beyond(own, estimates) + _far(table)
    return {"Masses by catalogue": table}


def _beyond(own: str, estimates: Mapping[str, MassEstimate]) -> list[Sentence]:
    low, high = MILKY_WAY_BOUNDS
    return [
        Sentence(
            f"{own}, {name}: {estimates[name].prediction:.2f} is beyond {low} to {high}.",
            (cell("mass", name, "predicted_mean"), *_BOUND_KEYS[:2]),
        )
        for name in map(label_noisy, NEIGHBOUR_COUNTS)
        if name in estimates and not low <= estimates[name].prediction <= high
    ]


def _far(table: Table) -> list[Sentence]:
    return [
        _far_from_published(row)
        for row in table
        if abs(row["predicted_mean"] - row["published"]) > MASS_BOUND
    ]


def _far_from_published(row: Any) -> Sentence:
    text = (
        f"{row['trained_on']}, {label_noisy(row['neighbours'])}: "
        f"{row['predicted_mean']:.2f} is more than {MASS_BOUND} dex from the published "
        f"{row['published']:.2f}."
    )
    place = f"{row['trained_on']}, {row['neighbours']}"
    ours, theirs = (
        cell("mass.by_catalogue", place, name)
        for name in ("predicted_mean", "published")
    )
    return Sentence(text, (ours, _BOUND_KEYS[2], theirs))


_MASSES = (
    "predicted_mean",
    "median_alike",
    "lower_alike",
    "upper_alike",
    "predicted_mean_200c",
)


def _masses(one: MassEstimate) -> tuple[float, ...]:
    inner = published_masses.to_log_m_200c(one.prediction)
    return one.prediction, one.median, one.lower, one.upper, inner


def _table3(catalogue: str, count: int) -> tuple[float, float, float]:
    """Returns a published mass, and the ends of its interval: it is given for one alone."""
    published = literature.VARIANTS.get(catalogue)
    middle = published.milky_way.get(count, np.nan) if published else np.nan
    given = (catalogue, count) == (literature.PREFERRED, max(NEIGHBOUR_COUNTS))
    below, above = literature.MILKY_WAY_INTERVAL if given else (np.nan, np.nan)
    return middle, middle - below, middle + above


def _moved(estimates: Mapping[str, MassEstimate]) -> dict[str, Table]:
    first = next(iter(estimates))
    reference = estimates[first].prediction
    # these take observed values for exact ones: they move for another reason
    noiseless = [label_noiseless(count) for count in NEIGHBOUR_COUNTS]
    rows = [
        (name, one.prediction, one.prediction - reference)
        for name, one in estimates.items()
        if name not in noiseless
    ]
    table = Table(rows=rows, names=["ensemble", "predicted_mean", "moved"])
    table["predicted_mean"].info.format = "%.2f"
    table["moved"].info.format = "%+.3f"
    table.meta["key"] = "mass.what_moves_it"
    table.meta["caption"] = (
        f"What moves the predicted mean of log10 of the virial mass, {reference:.2f} by {first}: "
        "other catalogues, other velocities of satellites, other features, fewer neighbours."
    )
    table.meta["shows"] = [cell("mass.what_moves_it", first, "predicted_mean")]
    return {"What moves the predicted mean": table}


def estimator_table(
    scores: Mapping[str, tuple[EstimatorScore, MassEstimate]], max_neighbours: int = 50
) -> dict[str, Table]:
    """Returns the errors of estimators on the same hosts, and the mass by them, by title.

    Arguments:
        scores: By the estimator's name.
        max_neighbours: How many the flow of a set sees at most.
    """
    rows = [
        (
            name,
            score.rmse,
            score.bias,
            score.log_probability,
            score.standard_error,
            *_masses(estimate)[:4],
        )
        for name, (score, estimate) in scores.items()
    ]
    names = ["estimator", "rmse", "bias", "log_probability", "error"]
    # a flow has draws, and no hosts predicted alike: these columns are called otherwise
    table = Table(rows=rows, names=[*names, "prediction", "median", "lower", "upper"])
    format_floats(table, "%.3f")
    table.meta["key"] = "mass.estimators"
    table.meta["caption"] = (
        "Root mean square error and median bias of the same test hosts [dex], mean log-density of "
        "their true masses [nat] (the ensemble's with a normal error taken from tests predicted "
        "alike), and the Milky Way's mass: prediction is the ensemble's predicted mean and the "
        "flows' median; median, lower and upper are those of hosts predicted alike and, of flows, "
        "of draws. Flows were trained on several draws of the errors of each host, the ensemble "
        f"on one; the flow of a set sees up to {max_neighbours} of them, the others "
        f"{label_noisy(25)}."
    )
    table.meta["metrics"] = {"mass.estimators.max_neighbours": max_neighbours}
    table.meta["shows"] = list(table.meta["metrics"])
    table.meta["caption"] += _missing(table["lower"])
    return {"Estimators": table}


def published_intervals(
    ours: Mapping[str, MassEstimate],
) -> list[Constraint]:
    """Returns the rows of the figure of published masses, ours first.

    The middle of ours is the median of hosts predicted alike, and the label says so: a
    biased predicted mean may be outside its own interval.

    Arguments:
        ours: By label, log10 of virial masses [Msun]. Those that noisy features give
            are shown, if their interval is known.
    """
    rows = [
        Constraint(f"{name} (median)", (one.lower, one.median, one.upper), None)
        for name, one in ours.items()
        if name.rpartition(", ")[2] in map(label_noisy, NEIGHBOUR_COUNTS)
        and np.isfinite([one.lower, one.upper]).all()
    ]
    for study in published_masses.PUBLISHED_MASSES:
        middle, below, above = study.log_m_vir()
        # a limit has no two ends to be drawn
        if np.isfinite(below + above):
            interval = (middle - below, middle, middle + above)
            rows.append(Constraint(study.label_with_interval, None, interval))
    return rows


def _missing(ends: FloatArray) -> str:
    return UNKNOWN if np.isnan(ends).any() else ""
