"""The verdict: whether the tests reject a posterior, and whether it learned anything at all.

No test of uniformity sees a posterior that ignored the data and returned the prior: its
coverage is perfect. So the log-probability of the truth, compared with that under the
prior, belongs to every judgement.
"""

from dataclasses import dataclass

import numpy as np
import scipy  # whose parts are imported where they are used

from orrery.judging.diagnostics import Coverage, Ranks
from orrery.judging.slopes import Slopes
from orrery.parameters import BoolArray, FloatArray

SIGNIFICANT = 3.0  # standard errors above nought from which a gain of many tests counts
# Of fewer tests a gain that is not significant says nothing. Of right posteriors that gain
# 0.35 nat it is significant in 1 % with 5 tests, 62 % with 50, 95 % with 100, all with 200.
FEWEST_GAIN_TESTS = 100
LEAST_GAIN = 0.01  # [nat] what is surely less is none, with any number of tests


@dataclass(frozen=True)
class ExpectedLogProbability:
    """The log-density of the truth under posteriors, and under a reference that saw no data.

    Arguments:
        mean: Mean over the tests of log q(theta | x) [nat].
        standard_error: Of that mean.
        reference: Mean over the tests of the log-density of the reference [nat].
        gain: The information gain over the reference: mean less reference [nat].
        gain_standard_error: Of the gain; the two terms share their tests.
        tests: Their number N.

    Example:
        >>> sharp = ExpectedLogProbability(1.5, 0.1, -0.5, 2.0, 0.1, tests=50)
        >>> sharp.informative, sharp.uninformative
        (True, False)
    """

    mean: float
    standard_error: float
    reference: float
    gain: float
    gain_standard_error: float
    tests: int

    @property
    def informative(self) -> bool:
        """Whether the gain is above nought by more than its scatter explains."""
        return self.gain > self.limit

    @property
    def uninformative(self) -> bool:
        """Whether the tests say that there is no gain; of too few neither this nor the other."""
        if self.informative:
            return False
        return self.tests >= FEWEST_GAIN_TESTS or self.gain + self.limit < LEAST_GAIN

    @property
    def limit(self) -> float:
        """How far from nought the gain of a posterior without one may be [nat].

        The error is estimated from the same tests: its quantile is Student's.
        """
        rare = scipy.stats.norm.sf(SIGNIFICANT)
        return float(scipy.stats.t.isf(rare, self.tests - 1) * self.gain_standard_error)


@dataclass(frozen=True)
class Rejections:
    """Which tests reject a posterior.

    Arguments:
        level: How often each of the tests but the last rejects a right posterior, at most.
        tarp: The coverage of regions around random references, by its shape or by its
            area; of too few tests it says nothing, and does not reject.
        ranks: The ranks of some parameter, by their Kolmogorov-Smirnov tests, corrected
            for the number of parameters.
        band: The same ranks, by whether they leave their simultaneous band.
        slopes: The slope of some parameter's truths on the posteriors' means, corrected
            for the number of parameters, where it displaces posteriors by more than
            `NOTABLE`: they follow the data too little or too much; of few tests never.
        gain: The gain over the reference is not significantly above nought, by enough
            tests: it says nothing.

    Example:
        >>> Rejections(
        ...     level=0.05, tarp=True, ranks=False, band=False, slopes=False, gain=True
        ... ).names
        ('TARP', 'gain')
    """

    level: float
    tarp: bool
    ranks: bool
    band: bool
    slopes: bool
    gain: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The tests that reject, as a sentence names them."""
        tests = {
            "TARP": self.tarp,
            "SBC": self.ranks,
            "SBC's band": self.band,
            "slopes": self.slopes,
            "gain": self.gain,
        }
        return tuple(name for name, rejects in tests.items() if rejects)


def expected_log_probability(
    log_prob: FloatArray, reference: FloatArray
) -> ExpectedLogProbability:
    """Returns the mean log-density of the truths, and the information gain in it.

    A gain of zero belongs to a posterior that says no more than the reference.

    Arguments:
        log_prob: log q(theta_i | x_i) of each test's truth, with shape `[N]`.
        reference: The log-density of the same truths without their data, as an estimate
            of the prior has it, with shape `[N]`. What that lacks is in the gain, too.

    Raises:
        ValueError: If the shapes differ, there are fewer than two tests, or a
            log-density is not finite.
    """
    if log_prob.shape != reference.shape or log_prob.ndim != 1:
        raise ValueError(
            f"log-probabilities of shapes {log_prob.shape} and {reference.shape} must be those of "
            "the same tests"
        )
    if len(log_prob) < 2:
        raise ValueError(
            f"{len(log_prob)} tests have no scatter: hold out 2 simulations or more"
        )
    check_log_densities(log_prob, "of truths")
    check_log_densities(reference, "of truths without their data")
    # Test by test: a truth in the prior's tail is hard for both, and its share cancels.
    gain = log_prob - reference
    return ExpectedLogProbability(
        mean=float(log_prob.mean()),
        standard_error=_standard_error(log_prob),
        reference=float(reference.mean()),
        gain=float(gain.mean()),
        gain_standard_error=_standard_error(gain),
        tests=len(gain),
    )


def check_log_densities(values: FloatArray, what: str) -> None:
    """Raises ValueError unless all log-densities are finite.

    Arguments:
        values: The log-densities, of any shape.
        what: Of which they are, for the message.

    Example:
        >>> check_log_densities(np.array([-3.0, 0.5]), "of truths")
    """
    wrong = ~np.isfinite(values)
    if wrong.any():
        raise ValueError(
            f"{wrong.sum()} of {wrong.size} log-densities {what} are not finite, such as "
            f"{values[wrong][0]:.4g}: no gain can be told; train the posterior again, or leave out "
            "truths that it cannot have"
        )


def _standard_error(values: FloatArray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def holm(pvalues: FloatArray) -> FloatArray:
    """Returns p-values `[K]` corrected for being K: the smallest is K times as large.

    If all K hypotheses are true, the smallest falls below a level in at most that
    fraction of all cases, however the K depend on each other (Holm 1979).

    doi.org/10.2307/4615733
    """
    order = np.argsort(pvalues)
    # A larger p-value never becomes the smaller one by its smaller factor.
    steps = np.maximum.accumulate(pvalues[order] * np.arange(len(pvalues), 0, -1))
    corrected = np.empty_like(steps)
    corrected[order] = np.minimum(steps, 1.0)
    return corrected


def astray(slopes: Slopes, level: float) -> BoolArray:
    """Returns which slopes, corrected for their number, are notably not 1; of few tests none.

    Arguments:
        slopes: Of P parameters.
        level: How often one of all may reject a right posterior, at most.

    Example:
        >>> z = np.array([0.2, 6.0])
        >>> slopes = Slopes(np.ones(2), np.ones(2), z, z / 20, tests=400)
        >>> astray(slopes, level=0.01)
        array([False,  True])
    """
    found = (holm(slopes.pvalue) < level) & slopes.notable
    return np.asarray(found & slopes.enough)


def rejections(
    coverage: Coverage,
    ranks: Ranks,
    log_probability: ExpectedLogProbability | None = None,
    level: float = 0.05,
    slopes: Slopes | None = None,
) -> Rejections:
    """Returns which tests reject a posterior.

    Arguments:
        coverage: Of `tarp`.
        ranks: Of `sbc_ranks`.
        log_probability: Of `expected_log_probability`; without it the gain is not
            judged.
        level: How often each of the other tests may reject a right posterior.
        slopes: Of `calibration_slopes`; without them they are not judged.

    Raises:
        ValueError: If the level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level = {level} must be between 0 and 1")
    return Rejections(
        level=level,
        tarp=coverage.enough and coverage.pvalue < level,
        # With P parameters one of them would fall below the level P times as often.
        ranks=bool(holm(ranks.ks_pvalue).min() < level),
        band=bool(holm(ranks.band_pvalue).min() < level),
        slopes=slopes is not None and bool(astray(slopes, level).any()),
        gain=log_probability is not None and log_probability.uninformative,
    )
