"""Whether the model can make the data at all: posterior predictive checks.

A posterior says which parameters fit best, also where nothing fits. So its draws are
simulated again, measured with the observation's errors, and the observed data vector is
looked for among the replicated ones. Where it would be one of them, its rank is
uniform. The posterior has seen the data that it is now compared with, which pulls every
probability towards one half: a small one is a finding, a large one is little comfort
(Meng 1994, doi.org/10.1214/aos/1176325622).
"""

import math
from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from orrery.branches import LEARNING, PREDICTIVE
from orrery.judging.intervals import widths_or_one
from orrery.pairs import Pairs, Splits, convolve
from orrery.parameters import FloatArray, generator
from orrery.records import Observation
from orrery.sentences import Sentence, cell

QUANTILES = {
    "low_95": 0.025,
    "low_68": 0.16,
    "median": 0.5,
    "high_68": 0.84,
    "high_95": 0.975,
}
# Data that the model makes fail a test at this level once in a hundred times.
DOUBTFUL = 0.01
FEWEST_REPLICATES = (
    20  # replicated vectors, of which one tail probability below 0.1 can be told
)
# Vectors for each entry, from which on a distance with their own covariance says anything:
# then it finds two thirds of what it would if the covariance were known, and with hardly
# more vectors than entries all are equally far, whatever they are.
FEWEST_PER_ENTRY = 2


@dataclass(frozen=True)
class Predictive:
    """An observed data vector among n replicated ones.

    Arguments:
        observation: What was observed.
        predicted: The replicated vectors, with measurement errors, with shape `[n, S]`.
        quantiles: The 2.5, 16, 50, 84 and 97.5 % of the replicates, with shape `[5,
            S]`.
        tails: For each entry how often a replicate is as far out on either side, `[S]`.
        deviations: How far the observation is from the mean, in standard deviations,
            both of the replicates and the observation together, with shape `[S]`.
        worst_entry: How often a replicate's most deviating entry is as far from the
            mean: finds one bin that does not fit.
        whole_vector: How often a replicate is as far by chi^2 with the replicates'
            covariance: finds a trend that no single bin shows. NaN if they are fewer
            than twice the entries, which no covariance can be told from.

    Example:
        >>> value, none = np.zeros(1), np.zeros((1, 1))
        >>> seen = Observation("stars", ("v",), ("km / s",), value, none, "binning", {})
        >>> check(np.linspace(-1, 1, 99)[:, None], seen, seed=1).tails
        array([1.])
    """

    observation: Observation
    predicted: FloatArray
    quantiles: FloatArray
    tails: FloatArray
    deviations: FloatArray
    worst_entry: float
    whole_vector: float

    @property
    def replicates(self) -> int:
        """The number n of replicated vectors."""
        return len(self.predicted)

    @property
    def is_whole_tested(self) -> bool:
        """Whether there are enough replicates for the whole vector."""
        return not math.isnan(self.whole_vector)

    @property
    def smallest(self) -> float:
        """The smaller of the probabilities that could be told."""
        tested = (self.worst_entry, self.whole_vector)
        return min(one for one in tested if not math.isnan(one))


def all_summaries(splits: Splits) -> FloatArray:
    """Returns the summaries `[n, S]` of all simulations of a dataset, whatever their split.

    Each is there once: several draws of one simulation are no independent replicates.
    """
    once = splits.each_once
    return np.concatenate([part.x for part in (once.train, once.validation, once.test)])


def check(predicted: FloatArray, observation: Observation, seed: int) -> Predictive:
    """Returns where an observation lies among what draws of its posterior predict.

    Arguments:
        predicted: Summaries without measurement errors of simulations with parameters
            drawn from the posterior, with shape `[n, S]`.
        observation: What was observed.
        seed: Decides the measurement errors that the replicates get.

    Raises:
        ValueError: If the shapes do not belong together, a number is not finite, or
            there are too few replicates.
    """
    _check(predicted, observation.value)
    random = generator(seed, LEARNING, PREDICTIVE)
    clean = Pairs(np.empty((len(predicted), 0)), predicted)
    replicates = convolve(clean, observation.added_covariance, random).x
    z = _deviations(replicates, observation.value)
    return Predictive(
        observation,
        replicates,
        np.quantile(replicates, [*QUANTILES.values()], axis=0),
        tail_probabilities(replicates, observation.value),
        z[0],
        _rank(np.abs(z).max(axis=1)),
        _rank(squared_distances(z)) if has_covariance(z) else math.nan,
    )


def tail_probabilities(predicted: FloatArray, observed: FloatArray) -> FloatArray:
    """Returns for each entry how often a replicate is as far out on either side, `[S]`.

    The observed value counts as one of the replicates, so no probability is zero and,
    if it comes from the same distribution, one below p comes up in at most a fraction p
    of all cases.

    Arguments:
        predicted: Replicated data vectors, with their errors, with shape `[n, S]`.
        observed: The observed data vector, with shape `[S]`.

    Raises:
        ValueError: If the shapes do not belong together, a number is not finite, or
            there are too few replicates.
    """
    _check(predicted, observed)
    below = np.sum(predicted <= observed, axis=0) + 1
    above = np.sum(predicted >= observed, axis=0) + 1
    return np.minimum(1.0, 2.0 * np.minimum(below, above) / (len(predicted) + 1))


def _check(predicted: FloatArray, observed: FloatArray) -> None:
    if predicted.ndim != 2 or observed.shape != predicted.shape[1:]:
        raise ValueError(
            f"predicted summaries of shape {predicted.shape} and an observation of shape "
            f"{observed.shape} must be [n, S] and [S]: use the same binning for both"
        )
    if len(predicted) < FEWEST_REPLICATES:
        raise ValueError(
            f"{len(predicted)} predictions are too few: simulate {FEWEST_REPLICATES} or more"
        )
    if not (np.isfinite(predicted).all() and np.isfinite(observed).all()):
        raise ValueError(
            "predictions and observation must be finite: leave out those with NaN"
        )


def _deviations(replicates: FloatArray, observed: FloatArray) -> FloatArray:
    """Returns all vectors, the observed one first, in standard deviations from their mean."""
    # The observed vector goes into the mean like any other: only then is its rank
    # uniform if it is one of them, with any number of replicates and any distribution.
    together = np.vstack([observed, replicates])
    scale = together.std(axis=0)
    return (together - together.mean(axis=0)) / widths_or_one(scale, together)


def has_covariance(z: FloatArray) -> bool:
    """Returns whether vectors `[n, S]` are enough to be compared with their own covariance.

    Example:
        >>> has_covariance(np.zeros((13, 6))), has_covariance(np.zeros((12, 6)))
        (True, False)
    """
    # one of them is the vector in question
    return len(z) > FEWEST_PER_ENTRY * z.shape[1]


def squared_distances(z: FloatArray) -> FloatArray:
    """Returns squared distances `[n]` of rows from nought, with the rows' own covariance.

    They say something only where `has_covariance` does.

    Arguments:
        z: Deviations from the mean, with shape `[n, S]`.
    """
    inverse = np.linalg.pinv(z.T @ z / len(z), hermitian=True)
    return np.einsum("ni,ij,nj->n", z, inverse, z)


def _rank(discrepancy: FloatArray) -> float:
    """Returns the fraction that is as far out as the first, itself counted."""
    return float(np.mean(discrepancy >= discrepancy[0]))


def predictive_table(found: Predictive, key: str) -> Table:
    """Returns the check as a table for a report: its caption, and what failed, in its metadata.

    Arguments:
        found: The check.
        key: Of the table; the numbers in the sentences are metrics below it.
    """
    seen = found.observation
    columns = dict(zip(QUANTILES, found.quantiles, strict=True))
    result = Table(
        {
            "summary": list(seen.names),
            "unit": list(seen.units),
            "observed": seen.value,
            **columns,
            "deviation": found.deviations,
            "tail_probability": found.tails,
        }
    )
    for name in ("observed", *columns):
        result[name].info.format = "%.4g"
    result["deviation"].info.format = "%+.2f"
    result["tail_probability"].info.format = "%.3f"
    result.meta["key"] = key
    result.meta["caption"] = _caption(found)
    result.meta["misses"] = _misses(found, key)
    result.meta["metrics"] = {
        f"{key}.replicates": found.replicates,
        f"{key}.worst_entry_pvalue": found.worst_entry,
        **(
            {f"{key}.whole_vector_pvalue": found.whole_vector}
            if found.is_whole_tested
            else {f"{key}.entries": len(seen.names)}
        ),
    }
    # how many entries there are is said in the verdict alone
    result.meta["shows"] = [
        name for name in result.meta["metrics"] if name != f"{key}.entries"
    ]
    return result


def _caption(found: Predictive) -> str:
    whole = f"its whole data vector in {100 * found.whole_vector:.1f} %."
    if not found.is_whole_tested:
        # they were told at the beginning, and the entries are the table's rows
        whole = "which are too few to test its whole data vector of so many entries."
    return (
        f"{found.observation.name} among {found.replicates} simulations of its own posterior with "
        "measurement errors: medians, 68 and 95 % intervals, and how often one is as far out on "
        "either side. A simulation's most unusual entry is as unusual in "
        f"{100 * found.worst_entry:.1f} % of them, {whole}"
    )


def untested(found: Predictive) -> str:
    """Returns in words why the whole data vector could not be tested."""
    return (
        f"untested, as {found.replicates} simulations are too few for "
        f"{len(found.observation.names)} entries"
    )


def _misses(found: Predictive, key: str) -> list[Sentence]:
    misses = []
    if found.worst_entry < DOUBTFUL:
        i = int(np.argmax(np.abs(found.deviations)))
        name = found.observation.names[i]
        text = (
            f"The model does not make {name}: it is {found.deviations[i]:+.1f} standard "
            "deviations from what the posterior predicts "
            f"(p = {found.worst_entry:.2g} for the most unusual entry)."
        )
        shows = (cell(key, name, "deviation"), f"{key}.worst_entry_pvalue")
        misses.append(Sentence(text, shows))
    if found.whole_vector < DOUBTFUL:
        text = (
            "The model does not make the data vector as a whole "
            f"(p = {found.whole_vector:.2g}): something is missing in it, or the errors are wrong."
        )
        misses.append(Sentence(text, (f"{key}.whole_vector_pvalue",)))
    return misses
