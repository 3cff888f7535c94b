"""How ensembles fare on hosts of another universe than they were trained on: domain shift.

Each mock universe is a domain: a simulation, a model of its galaxies, a law of tides. That
an ensemble is right about hosts like its own says nothing of the Milky Way, which is a
host of no mock. So each is asked of the test hosts of each other, as Villanueva-Domingo
et al. (2022, arXiv:2111.08683) do between codes of galaxy formation. The interval that
holds 68 % of the truths in each of the domains is at least as wide as the statistical one:
what it is wider is the systematic part.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from astropy.table import Table

from halomass.observed.features import Features, features
from halomass.study.accuracy import MIDDLE
from halomass.study.ensembles import (
    EQUILIBRIUM,
    ensemble_key,
    label_of,
    noisy_features,
)
from halomass.study.number_formats import format_floats
from halomass.systems import LOG_M_VIR, FloatArray
from orrery.execution import summaries
from orrery.inference.ensembles import EvaluatedEnsemble
from orrery.judging.domain_shift import Transfer, transfer
from orrery.judging.regression import PredictionInterval
from orrery.results.recording import Recording
from orrery.results.sections import Answer
from orrery.sentences import Sentence, cell
from orrery.storage.dataset import Dataset

SHIFT = "mass.domain_shift"
SYSTEMATIC = "mass.systematic"
# Beyond these an ensemble does not hold on hosts of the other domain.
BIAS_BOUND = 0.05  # [dex]
COVERAGE_BOUNDS = (0.58, 0.80)  # of intervals that hold 68 % of their own hosts
# Hosts predicted alike of which another universe must have as many to be heard. Half the
# interval's width is known to a fifth by so few, which is little beside what universes
# differ; who is not heard at all would make the systematic part too small.
FEWEST_ELSEWHERE = 50
_BOUND_KEYS = (
    "bounds.domain_shift.bias",
    "bounds.domain_shift.coverage.lower",
    "bounds.domain_shift.coverage.upper",
)


@dataclass(frozen=True, eq=False)
class HostDomain:
    """Hosts of one kind: who was trained on them, and what it was tested on.

    Arguments:
        estimator: The ensemble, tested on N other such hosts.
        x: The features of these, with shape `[N, S]`.

    Example:
        >>> HostDomain(None, np.zeros((4, 3))).x.shape
        (4, 3)
    """

    estimator: EvaluatedEnsemble
    x: FloatArray

    def predicted_by(self, other: "HostDomain") -> EvaluatedEnsemble:
        """Returns the ensemble of a domain, tested on the hosts of this one."""
        if other is self:
            return self.estimator
        mean = other.estimator.ensemble.mean(self.x)[:, 0]
        return replace(other.estimator, truth=self.estimator.truth, members=mean[None])


# Each ensemble, tested on the hosts of each domain, by the names of whom it was trained
# and tested on.
Crossed = Mapping[tuple[str, str], EvaluatedEnsemble]


def cross_evaluate(domains: Mapping[str, HostDomain]) -> Crossed:
    """Returns each domain's ensemble, tested on the hosts of each domain."""
    return {
        (one, other): tested.predicted_by(trained)
        for one, trained in domains.items()
        for other, tested in domains.items()
    }


def transfers(crossed: Crossed) -> dict[tuple[str, str], Transfer]:
    """Returns how each ensemble fares on the hosts of each domain, by both their names."""
    return {
        (one, other): transfer(
            crossed[one, one], tested, tested.window, low=MIDDLE[0], high=MIDDLE[1]
        )
        for (one, other), tested in crossed.items()
    }


def shift_table(found: Mapping[str, Crossed]) -> dict[str, Table]:
    """Returns bias and coverage between all domains, by title.

    Arguments:
        found: The evaluated ensembles, by their name.
    """
    rows = [
        (name, trained, tested, *_numbers(one))
        for name, crossed in found.items()
        for (trained, tested), one in transfers(crossed).items()
    ]
    numbers = ["tests", "bias", "bias_error", "coverage", "coverage_error"]
    table = Table(rows=rows, names=["ensemble", "trained_on", "tested_on", *numbers])
    format_floats(table, "%.3f")
    low, high = MIDDLE
    table.meta["key"] = SHIFT
    table.meta["caption"] = (
        "How ensembles that were trained on hosts of one universe fare on the test hosts of "
        f"another, where the predicted mean is between 10^{low} and 10^{high} Msun: median of "
        "the answer, which is the median of hosts predicted alike, less the truth [dex], and "
        "the share of truths in the 68 % intervals. On its own hosts an ensemble has these "
        "by construction."
    )
    keys = ("mass.domain_shift.lightest", "mass.domain_shift.heaviest")
    table.meta["metrics"] = {
        **dict(zip(keys, MIDDLE, strict=True)),
        **dict(zip(_BOUND_KEYS, (BIAS_BOUND, *COVERAGE_BOUNDS), strict=True)),
    }
    table.meta["shows"] = list(keys)
    table.meta["misses"] = _shift_misses(table)
    return {"Domain shift: trained on one universe, tested on another": table}


def _numbers(one: Transfer) -> tuple[float, ...]:
    return one.tests, one.bias, one.bias_error, one.coverage, one.coverage_error


def _shift_misses(table: Table) -> list[Sentence]:
    """Returns in a sentence for each ensemble how often it does not hold elsewhere."""
    low, high = COVERAGE_BOUNDS
    sentences = []
    for name in dict.fromkeys(table["ensemble"].tolist()):
        rows = table[table["ensemble"] == name]
        other = rows[rows["trained_on"] != rows["tested_on"]]
        beyond = np.abs(other["bias"]) > BIAS_BOUND
        beyond |= (other["coverage"] < low) | (other["coverage"] > high)
        if not beyond.any():
            continue
        worst = other[int(np.argmax(np.nan_to_num(np.abs(other["bias"]))))]
        place = f"{name}, {worst['trained_on']}, {worst['tested_on']}"
        count = f"{SHIFT}.{ensemble_key(name)}.beyond"
        pairs = f"{SHIFT}.{ensemble_key(name)}.pairs"
        table.meta["metrics"] |= {count: int(beyond.sum()), pairs: len(other)}
        sentences.append(
            Sentence(
                f"{name}: {beyond.sum()} of {len(other)} pairs of universes have a bias above "
                f"{BIAS_BOUND} dex or a coverage beyond {low} to {high}; the largest bias is "
                f"{worst['bias']:+.3f} dex, trained on {worst['trained_on']} and tested on "
                f"{worst['tested_on']}.",
                (count, pairs, *_BOUND_KEYS, cell(SHIFT, place, "bias")),
            )
        )
    return sentences


@dataclass(frozen=True)
class SystematicInterval:
    """Where a host's mass is, whichever of several universes it is like.

    Arguments:
        statistical: By the test hosts of the ensemble's own universe.
        by_domain: The same by those of each universe, if enough are predicted alike.

    Example:
        >>> own = PredictionInterval(12.0, 11.9, 12.0, 12.1, 0.68, 400)
        >>> other = PredictionInterval(12.0, 11.8, 11.9, 12.0, 0.68, 300)
        >>> found = SystematicInterval(own, {"own": own, "other": other})
        >>> found.lower, found.upper, round(found.below, 2)
        (11.8, 12.1, 0.17)
    """

    statistical: PredictionInterval
    by_domain: Mapping[str, PredictionInterval]

    @property
    def unknown(self) -> list[str]:
        """The universes in which too few hosts are predicted alike to tell."""
        return [
            name
            for name, one in self.by_domain.items()
            if np.isnan(one.lower + one.upper)
        ]

    @property
    def lower(self) -> float:
        """The smallest lower end of all universes; NaN if one is unknown."""
        # NaN if any is, as the smallest of a list may not be
        return float(np.min([one.lower for one in self.by_domain.values()]))

    @property
    def upper(self) -> float:
        """The largest upper end of all universes; NaN if one is unknown."""
        return float(np.max([one.upper for one in self.by_domain.values()]))

    @property
    def below(self) -> float:
        """The systematic part below the median: added in quadrature it gives `lower`."""
        own = self.statistical
        return _in_quadrature(own.median - self.lower, own.median - own.lower)

    @property
    def above(self) -> float:
        """The systematic part above the median: added in quadrature it gives `upper`."""
        own = self.statistical
        return _in_quadrature(self.upper - own.median, own.upper - own.median)


def _in_quadrature(whole: float, part: float) -> float:
    """Returns what has to be added in quadrature to a part to give the whole; NaN if unknown."""
    if np.isnan(whole + part):
        return np.nan
    return float(np.sqrt(max(whole**2 - part**2, 0.0)))


def systematic_interval(
    prediction: float, own: str, crossed: Crossed
) -> SystematicInterval:
    """Returns where the mass is if the host is like those of any of the universes.

    Arguments:
        prediction: The predicted mean by the ensemble of one universe.
        own: That universe's name.
        crossed: Each universe's ensemble, tested on the hosts of each.
    """
    statistical = crossed[own, own].interval(prediction)
    by_domain = {
        tested: statistical
        if tested == own
        else one.interval(prediction, FEWEST_ELSEWHERE)
        for (trained, tested), one in crossed.items()
        if trained == own
    }
    return SystematicInterval(statistical, by_domain)


def systematic_table(found: Mapping[str, SystematicInterval]) -> dict[str, Table]:
    """Returns the mass by the hosts of each universe that were predicted alike, by title.

    Arguments:
        found: By the name of the ensemble.
    """
    rows = [
        (name, domain, one.median, one.lower, one.upper, one.end_error, one.tests)
        for name, interval in found.items()
        for domain, one in interval.by_domain.items()
    ]
    columns = ["median", "lower", "upper", "end_error", "tests"]
    table = Table(rows=rows, names=["ensemble", "if_it_is_like", *columns])
    format_floats(table, "%.3f")
    table.meta["key"] = SYSTEMATIC
    table.meta["metrics"] = {}
    table.meta["shows"] = []
    table.meta["caption"] = (
        "log10 of the virial mass [Msun] by networks that were trained on the main universe, if "
        "the host is like those of another: median and 68 % of that universe's test hosts "
        "predicted alike, and the standard error of the ends of these."
    )
    for name, interval in found.items():
        sentence, numbers = _in_words(name, interval)
        table.meta["metrics"] |= numbers
        table.meta["shows"] += sentence.shows
        table.meta["caption"] += f" {sentence}"
    return {"Mass, whichever universe the host is like": table}


def _in_words(
    name: str, interval: SystematicInterval
) -> tuple[Sentence, dict[str, float]]:
    if interval.unknown:
        unknown = ", ".join(interval.unknown)
        words = f"{name}: too few hosts of {unknown} are predicted alike to tell."
        return Sentence(words), {}
    key = f"{SYSTEMATIC}.{ensemble_key(name)}"
    numbers = {
        f"{key}.lower": interval.lower,
        f"{key}.upper": interval.upper,
        f"{key}.below": interval.below,
        f"{key}.above": interval.above,
    }
    text = (
        f"{name}: whichever of these universes the host is like, its mass is within "
        f"{interval.lower:.2f} and {interval.upper:.2f}; beside the statistical interval that "
        f"is a systematic error of {interval.below:.2f} downwards and {interval.above:.2f} "
        "upwards."
    )
    return Sentence(text, tuple(numbers)), numbers


def compare_universes(
    recording: Recording,
    hosts: Mapping[str, Dataset],
    answers: Mapping[str, PredictionInterval],
    found: Mapping[str, EvaluatedEnsemble],
    wanted: Mapping[str, Features],
) -> None:
    """Records how ensembles fare on hosts of other universes, and what that does to the mass.

    Arguments:
        recording: Where it goes.
        hosts: Of each universe, by name, the main one first.
        answers: The host's mass by each ensemble.
        found: The ensembles.
        wanted: Their features.
    """
    main, *others = [name for name in hosts if name != EQUILIBRIUM]
    if not others:
        return  # catalogues have no variants
    crossed: dict[str, Crossed] = {}
    systematic: dict[str, SystematicInterval] = {}
    for one, binning in noisy_features(wanted).items():
        domains = {}
        for name in (main, *others):
            label = one if name == main else label_of(name, one)
            pairs = summaries.compute(features, hosts[name], binning, (LOG_M_VIR,))
            domains[name] = HostDomain(found[label], pairs.test.x)
        crossed[one] = cross_evaluate(domains)
        systematic[one] = systematic_interval(
            answers[one].prediction, main, crossed[one]
        )
    known = {name: one for name, one in systematic.items() if not one.unknown}
    recording.answers(_answer(name, one) for name, one in known.items())
    recording.tables(systematic_table(systematic) | shift_table(crossed))


def _answer(name: str, interval: SystematicInterval) -> Answer:
    return Answer(
        f"posterior.mass.{ensemble_key(name)}.any_universe",
        f"{name}, whichever universe the host is like",
        "log10 M_vir",
        LOG_M_VIR.unit,
        interval.statistical.median,
        interval.lower,
        interval.upper,
    )
