"""Where a host's mass is, whichever of several universes it is like: its systematic error.

In each universe an interval holds 68 % of the truths of hosts predicted alike. From the
lowest of their lower ends to the highest of their upper ends, so many or more are held in
each. That is at least as wide as the statistical interval; what it is wider, in quadrature,
is the systematic part. It is on the safe side, the more so the fewer hosts there are:
both are said, by what it holds and by what chance alone would make of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.table import Table

from halomass.study.ensembles import ensemble_key
from halomass.study.number_formats import format_floats
from halomass.systems import FloatArray
from orrery.branches import BOOTSTRAP, LEARNING
from orrery.inference.ensembles import EvaluatedEnsemble
from orrery.judging.regression import (
    INTERVAL_LEVEL,
    PredictionInterval,
    predicted_alike,
)
from orrery.parameters import generator
from orrery.sentences import Sentence

SYSTEMATIC = "mass.systematic"
# Hosts predicted alike of which another universe must have as many to be heard. Half the
# interval's width is known to a fifth by so few. That is not little beside what universes
# differ, see `by_chance`; but who is not heard at all would leave no systematic part.
FEWEST_ELSEWHERE = 50
RESAMPLES = 1000  # by which two digits of an average by chance are known
_QUANTILES = (0.5 - INTERVAL_LEVEL / 2, 0.5, 0.5 + INTERVAL_LEVEL / 2)

# Each ensemble, tested on the hosts of each domain, by the names of whom it was trained
# and tested on.
Crossed = Mapping[tuple[str, str], EvaluatedEnsemble]


@dataclass(frozen=True)
class SystematicInterval:
    """Where a host's mass is, whichever of several universes it is like.

    Arguments:
        statistical: By the test hosts of the ensemble's own universe.
        by_domain: The same by those of each universe, if enough are predicted alike.
        masses: What these would have, had they the host's prediction: one array of log10
            of the mass for each universe.

    Example:
        >>> own = PredictionInterval(12.0, 11.9, 12.0, 12.1, 0.68, 400)
        >>> other = PredictionInterval(12.0, 11.8, 11.9, 12.0, 0.68, 300)
        >>> masses = {"own": np.array([11.9, 12.0]), "other": np.array([11.7, 11.9])}
        >>> found = SystematicInterval(own, {"own": own, "other": other}, masses)
        >>> found.lower, found.upper, round(found.below, 2)
        (11.8, 12.1, 0.17)
        >>> found.shares
        {'own': 1.0, 'other': 0.5}
    """

    statistical: PredictionInterval
    by_domain: Mapping[str, PredictionInterval]
    masses: Mapping[str, FloatArray]

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
        return float(_in_quadrature(own.median - self.lower, own.median - own.lower))

    @property
    def above(self) -> float:
        """The systematic part above the median: added in quadrature it gives `upper`."""
        own = self.statistical
        return float(_in_quadrature(self.upper - own.median, own.upper - own.median))

    @property
    def shares(self) -> dict[str, float]:
        """The share of each universe's hosts that is between `lower` and `upper`."""
        if self.unknown:
            return dict.fromkeys(self.by_domain, np.nan)
        low, high = self.lower, self.upper
        return {
            name: float(np.mean((low <= masses) & (masses <= high)))
            for name, masses in self.masses.items()
        }

    def by_chance(self, seed: int) -> tuple[float, float]:
        """Returns `below` and `above` as they were on average if all universes were its own.

        The outermost of several ends lies further out than each, if only since each is
        known from few hosts. Here all have their numbers of hosts, drawn from those of the
        ensemble's own universe, independently: hosts that universes share make it less.

        Arguments:
            seed: Decides what is drawn.
        """
        if self.unknown:
            return np.nan, np.nan
        own = next(n for n, one in self.by_domain.items() if one is self.statistical)
        random = generator(seed, LEARNING, BOOTSTRAP)
        ends = {
            name: np.quantile(
                random.choice(self.masses[own], (RESAMPLES, len(masses))), _QUANTILES, 1
            )
            for name, masses in self.masses.items()
        }
        low, median, high = ends[own]
        lowest = np.min([one[0] for one in ends.values()], axis=0)
        highest = np.max([one[2] for one in ends.values()], axis=0)
        below = _in_quadrature(median - lowest, median - low)
        above = _in_quadrature(highest - median, high - median)
        return float(below.mean()), float(above.mean())


def _in_quadrature(whole: Any, part: Any) -> Any:
    """Returns what has to be added in quadrature to a part to give the whole; NaN if unknown."""
    return np.sqrt(np.maximum(whole**2 - part**2, 0.0))


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
    masses = {
        tested: _masses_alike(one, prediction)
        for (trained, tested), one in crossed.items()
        if trained == own
    }
    return SystematicInterval(statistical, by_domain, masses)


def _masses_alike(one: EvaluatedEnsemble, prediction: float) -> FloatArray:
    """Returns the masses of tests predicted alike, had they this very prediction."""
    alike = predicted_alike(one.predicted, prediction, one.window)
    masses: FloatArray = prediction + (one.truth - one.predicted)[alike]
    return masses


def systematic_table(
    found: Mapping[str, SystematicInterval], seed: int
) -> dict[str, Table]:
    """Returns the mass by the hosts of each universe that were predicted alike, by title.

    Arguments:
        found: By the name of the ensemble.
        seed: Decides what is drawn to tell what chance alone would make.
    """
    rows = [
        (name, domain, *_numbers(one), interval.shares[domain], one.tests)
        for name, interval in found.items()
        for domain, one in interval.by_domain.items()
    ]
    columns = ["median", "lower", "upper", "end_error", "within_outermost", "tests"]
    table = Table(rows=rows, names=["ensemble", "if_it_is_like", *columns])
    format_floats(table, "%.3f")
    table.meta["key"] = SYSTEMATIC
    table.meta["metrics"] = {}
    table.meta["shows"] = []
    table.meta["caption"] = (
        "log10 of the virial mass [Msun] by networks that were trained on the main universe, if "
        "the host is like those of another: median and 68 % of that universe's test hosts "
        "predicted alike, the standard error of these ends, and the share of these hosts that "
        "is within the outermost ends of all universes."
    )
    for name, interval in found.items():
        sentence, numbers = _in_words(name, interval, seed)
        table.meta["metrics"] |= numbers
        table.meta["shows"] += sentence.shows
        table.meta["caption"] += f" {sentence}"
    return {"Mass, whichever universe the host is like": table}


def _numbers(one: PredictionInterval) -> tuple[float, ...]:
    return one.median, one.lower, one.upper, one.end_error


def _in_words(
    name: str, interval: SystematicInterval, seed: int
) -> tuple[Sentence, dict[str, float]]:
    if interval.unknown:
        unknown = ", ".join(interval.unknown)
        words = f"{name}: too few hosts of {unknown} are predicted alike to tell."
        return Sentence(words), {}
    key = f"{SYSTEMATIC}.{ensemble_key(name)}"
    shares = interval.shares.values()
    below_by_chance, above_by_chance = interval.by_chance(seed)
    numbers = {
        f"{key}.lower": interval.lower,
        f"{key}.upper": interval.upper,
        f"{key}.smallest_share": min(shares),
        f"{key}.largest_share": max(shares),
        f"{key}.below": interval.below,
        f"{key}.above": interval.above,
        f"{key}.below_by_chance": below_by_chance,
        f"{key}.above_by_chance": above_by_chance,
    }
    text = (
        f"{name}: whichever of these universes the host is like, its mass is within "
        f"{interval.lower:.2f} and {interval.upper:.2f} with a probability of 68 % or more; "
        f"{100 * min(shares):.0f} % to {100 * max(shares):.0f} % of their hosts predicted "
        "alike are. In quadrature with the statistical interval that is a systematic error of "
        f"{interval.below:.2f} downwards and {interval.above:.2f} upwards; as few hosts, "
        "drawn independently, of universes without any difference would make "
        f"{below_by_chance:.2f} and {above_by_chance:.2f} on average."
    )
    return Sentence(text, tuple(numbers)), numbers
