"""How ensembles fare on hosts of another universe than they were trained on: domain shift.

Each mock universe is a domain: a simulation, a model of its galaxies, a law of tides. That
an ensemble is right about hosts like its own says nothing of the Milky Way, which is a
host of no mock. So each is asked of the test hosts of each other, as Villanueva-Domingo
et al. (2022, arXiv:2111.08683) do between codes of galaxy formation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from halomass.mock.options import EQUILIBRIUM
from halomass.observed.features import Features, features
from halomass.study import masses
from halomass.study.accuracy import MIDDLE
from halomass.study.ensembles import ensemble_key, label_of, noisy_features
from halomass.study.number_formats import format_floats
from halomass.study.systematic_interval import (
    Crossed,
    SystematicInterval,
    systematic_interval,
    systematic_table,
)
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
# Beyond these an ensemble does not hold on hosts of the other domain.
BIAS_BOUND = 0.05  # [dex]
COVERAGE_BOUNDS = (0.58, 0.80)  # of intervals that hold 68 % of their own hosts
CERTAIN = 2.0  # standard errors, by which what is beyond is not beyond by chance
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
    numbers = ["asked", "tests", "bias", "bias_error", "coverage", "coverage_error"]
    table = Table(rows=rows, names=["ensemble", "trained_on", "tested_on", *numbers])
    format_floats(table, "%.3f")
    low, high = MIDDLE
    table.meta["key"] = SHIFT
    table.meta["caption"] = (
        "How ensembles that were trained on hosts of one universe fare on the test hosts of "
        f"another, where the predicted mean is between 10^{low} and 10^{high} Msun: median of "
        "the answer, which is the median of hosts predicted alike, less the truth [dex], and "
        "the share of truths in the 68 % intervals. Of the hosts that are asked those are "
        "tests that have an answer: where tests are fewer, an ensemble has too few hosts of "
        "its own in a part of these masses, and is not judged there. On its own hosts an "
        "ensemble has bias and coverage by construction."
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
    errors = (one.bias, one.bias_error, one.coverage, one.coverage_error)
    return one.asked, one.tests, *errors


def _shift_misses(table: Table) -> list[Sentence]:
    """Returns in a sentence for each ensemble how often it does not hold elsewhere."""
    names = dict.fromkeys(table["ensemble"].tolist())
    each = [_misses_of(table, name) for name in names]
    return [sentence for sentence in each if sentence]


def _misses_of(table: Table, name: str) -> Sentence | None:
    rows = table[table["ensemble"] == name]
    elsewhere = rows[rows["trained_on"] != rows["tested_on"]]
    # a pair that has no tests does not hold either, but nobody knows by how much
    other = elsewhere[np.isfinite(elsewhere["bias"])]
    beyond = _beyond(other, 0.0)
    unknown = len(elsewhere) - len(other)
    key = f"{SHIFT}.{ensemble_key(name)}"
    words, shows = [], []
    if beyond.any():
        low, high = COVERAGE_BOUNDS
        certain = int(_beyond(other, CERTAIN).sum())
        worst = other[int(np.argmax(np.abs(other["bias"])))]
        pair = f"trained on {worst['trained_on']} and tested on {worst['tested_on']}"
        place = f"{name}, {worst['trained_on']}, {worst['tested_on']}"
        words += [
            f"{beyond.sum()} of {len(other)} pairs of universes have a bias above "
            f"{BIAS_BOUND} dex or a coverage beyond {low} to {high}, {certain} of them by "
            f"more than two standard errors; the largest bias is {worst['bias']:+.3f} dex, "
            f"{pair}"
        ]
        shows += [f"{key}.beyond", f"{key}.pairs", *_BOUND_KEYS, f"{key}.certain"]
        shows += [cell(SHIFT, place, "bias")]
        counts = {"beyond": int(beyond.sum()), "pairs": len(other), "certain": certain}
        table.meta["metrics"] |= {f"{key}.{what}": n for what, n in counts.items()}
    if unknown:
        words += [f"of {unknown} pairs nothing is known, since they have too few tests"]
        shows += [f"{key}.unknown"]
        table.meta["metrics"] |= {f"{key}.unknown": unknown}
    return Sentence(f"{name}: {'; '.join(words)}.", tuple(shows)) if words else None


def _beyond(rows: Table, errors: float) -> NDArray[Any]:
    """Returns which rows are beyond a bound by more than so many standard errors."""
    coverage, own = rows["coverage"], rows["coverage_error"]
    found: NDArray[Any] = (
        np.abs(rows["bias"]) - BIAS_BOUND > errors * rows["bias_error"]
    )
    for bound, excess in zip(COVERAGE_BOUNDS, (-1, 1), strict=True):
        # the share of two or three hosts may be 0 or 1, which has no scatter of its own
        at_bound = np.sqrt(bound * (1 - bound) / rows["tests"])
        beyond = excess * (coverage - bound)
        found = found | (beyond > errors * np.maximum(own, at_bound))
    return found


def compare_universes(
    recording: Recording,
    hosts: Mapping[str, Dataset],
    answers: Mapping[str, PredictionInterval],
    found: Mapping[str, EvaluatedEnsemble],
    wanted: Mapping[str, Features],
    seed: int,
) -> None:
    """Records how ensembles fare on hosts of other universes, and what that does to the mass.

    Arguments:
        recording: Where it goes.
        hosts: Of each universe, by name, the main one first.
        answers: The host's mass by each ensemble.
        found: The ensembles.
        wanted: Their features.
        seed: Decides what is drawn to tell what chance alone would make.
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
    recording.answers(
        _answer(name, one, found[name].truth) for name, one in known.items()
    )
    recording.tables(systematic_table(systematic, seed) | shift_table(crossed))


def _answer(name: str, interval: SystematicInterval, prior: FloatArray) -> Answer:
    return Answer(
        f"posterior.mass.{ensemble_key(name)}.any_universe",
        f"{name}, outermost ends in all universes",
        "log10 M_vir",
        LOG_M_VIR.unit,
        interval.statistical.median,
        interval.lower,
        interval.upper,
        masses.prior_ends(prior),
        meaning=masses.MEANING,
        alternative=True,
        tests=(f"similar_hosts.{ensemble_key(name)}",),
    )
