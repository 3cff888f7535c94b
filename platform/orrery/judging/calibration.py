"""A posterior judged on simulations that its training never saw.

The held-out summaries get measurement errors as an observation has them. Every test
then asks whether the truth could be one more draw of its own posterior. A control shows
that the tests can fail: the same draws, made too narrow, must be rejected, or passing
them says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy
from astropy.table import Table

from orrery.branches import LEARNING, TEST_NOISE
from orrery.judging import diagnostics, verdicts
from orrery.judging.diagnostics import Coverage, Ranks
from orrery.judging.intervals import IntervalCoverage, coverage_table
from orrery.judging.options import LEVEL
from orrery.judging.prior_density import log_prior_density, most_probable_mixture
from orrery.judging.slopes import Slopes, calibration_slopes
from orrery.judging.verdicts import ExpectedLogProbability, Rejections, holm
from orrery.pairs import Pairs, Splits, check_learned, convolve
from orrery.parameters import FloatArray, generator
from orrery.terminal import progress

VERSION = 15  # of all judgements; raised whenever one of their numbers changes

TOGETHER = 50  # tests that are sampled between two steps of the progress bar
OTHERS = 100  # other tests' data over which a truth's density without its own data is averaged
TOO_NARROW = 0.7  # width of the control in units of the posterior's own
TOO_LITTLE = 0.7  # how far the control of slopes follows the data, in the same units
# Intervals that are so much too narrow change what a reader concludes: the power of the
# tests against this width says whether they would have been noticed.
SLIGHTLY_NARROW = 0.9
# Sets of references over which TARP's coverage is averaged. Most of the scatter of a single
# set's area is its references': of 8 it is 0.6 times as large, and hardly smaller of more.
REFERENCES = 8


class Estimate(Protocol):
    """A posterior that can be judged.

    Example:
        >>> class Right:
        ...     covariance = np.eye(1)
        ...     def sample_each(self, x, count, seed):
        ...         return x + np.random.default_rng(seed).normal(size=(count, *x.shape))
        ...     def log_prob(self, theta, x):
        ...         return -0.5 * ((theta - x) ** 2 + np.log(2 * np.pi))[:, 0]
        >>> estimate: Estimate = Right()
        >>> estimate.sample_each(np.zeros((5, 1)), count=3, seed=1).shape
        (3, 5, 1)
    """

    @property
    def covariance(self) -> FloatArray:
        """The measurement covariance `[S, S]` that it has built in."""
        ...

    def sample_each(self, x: FloatArray, count: int, seed: int) -> FloatArray:
        """Returns draws `[count, N, P]` given each row of summaries `[N, S]`."""
        ...

    def log_prob(self, theta: FloatArray, x: FloatArray) -> FloatArray:
        """Returns log q(theta_i | x_i), with shape `[N]`."""
        ...


@dataclass(frozen=True)
class NegativeControl:
    """A negative control: the judged posterior, made so narrow that it must fail.

    Arguments:
        width: The width of its intervals in units of the judged posterior's.
        coverage: TARP.
        ranks: Simulation-based calibration.

    Example:
        >>> random = np.random.default_rng(1)
        >>> theta = random.normal(size=(50, 1))
        >>> _negative_control(random.normal(size=(100, 50, 1)), theta, seed=1).width
        0.7
    """

    width: float
    coverage: Coverage
    ranks: Ranks

    @property
    def verdict(self) -> Rejections:
        """Which tests reject it."""
        return verdicts.rejections(self.coverage, self.ranks, level=LEVEL)


@dataclass(frozen=True)
class Calibration:
    """How a posterior fares on held-out simulations.

    Arguments:
        tests: How many simulations.
        coverage: TARP.
        ranks: Simulation-based calibration.
        slopes: Of each parameter's truths on the posteriors' means.
        intervals: Coverage of each parameter's central intervals.
        log_probability: The information gain over the prior.
        power: How often TARP's area would reject a posterior `SLIGHTLY_NARROW` as wide.
        negative_control: The same posterior made too narrow, which the tests must reject.
        slopes_control: Slopes of one as wide that follows the data `TOO_LITTLE` times as
            far, which must not be one: widths are no matter to them.

    Example:
        >>> class Normal:
        ...     covariance = np.zeros((1, 1))
        ...     def sample_each(self, x, count, seed):
        ...         return np.random.default_rng(seed).normal(size=(count, len(x), 1))
        ...     def log_prob(self, theta, x):
        ...         return -0.5 * theta[:, 0] ** 2
        >>> theta = np.random.default_rng(2).normal(size=(60, 1))
        >>> pairs = Pairs(theta, np.zeros((60, 1)))
        >>> splits = Splits(pairs, pairs, pairs, ("a",), ("v",), ("",), "binning", "data", 0)
        >>> calibrate(Normal(), splits, seed=1, draws=50).tests  # doctest: +ELLIPSIS
        60
    """

    tests: int
    coverage: Coverage
    ranks: Ranks
    slopes: Slopes
    intervals: IntervalCoverage
    log_probability: ExpectedLogProbability
    power: float
    negative_control: NegativeControl
    slopes_control: Slopes

    def __repr__(self) -> str:
        # its curves are thousands of numbers, which nobody reads
        names = ", ".join(self.verdict.names) or "none"
        return f"<Calibration by {self.tests} tests: rejected by {names}>"

    @property
    def verdict(self) -> Rejections:
        """Which tests reject the posterior."""
        return verdicts.rejections(
            self.coverage, self.ranks, self.log_probability, LEVEL, self.slopes
        )

    @property
    def powerless(self) -> tuple[str, ...]:
        """Tests, by stable key, that pass the posterior and would also pass the control."""
        control = self.negative_control.verdict
        rejected = {
            "tarp": self.verdict.tarp or control.tarp,
            "sbc": self.verdict.ranks or self.verdict.band or control.ranks,
            "slopes": self.verdict.slopes
            or verdicts.astray(self.slopes_control, LEVEL).any(),
        }
        return tuple(name for name, either in rejected.items() if not either)

    @property
    def passed(self) -> dict[str, bool | None]:
        """Whether the posterior passes each test, by stable key; None where it could not fail."""
        verdict = self.verdict
        found = {
            "tarp": not verdict.tarp,
            "sbc": not (verdict.ranks or verdict.band),
            "slopes": not verdict.slopes,
            "information_gain": not verdict.gain,
        }
        untold = [*self.powerless]
        if not (verdict.gain or self.log_probability.informative):
            untold.append("information_gain")
        return {name: None if name in untold else ok for name, ok in found.items()}

    @property
    def rejected(self) -> tuple[int, ...]:
        """The numbers of the parameters whose ranks, corrected for P, fail either test."""
        rank = holm(self.ranks.ks_pvalue)
        band = holm(self.ranks.band_pvalue)
        return tuple(np.flatnonzero(np.minimum(rank, band) < LEVEL).tolist())

    @property
    def astray(self) -> tuple[int, ...]:
        """The numbers of the parameters whose slopes, corrected for P, are notably not 1."""
        return tuple(np.flatnonzero(verdicts.astray(self.slopes, LEVEL)).tolist())

    @property
    def metrics(self) -> dict[str, float]:
        """What sums the judgement up, by stable key."""
        return {
            "tests": self.tests,
            "level": LEVEL,
            "tarp.ks_pvalue": self.coverage.ks_pvalue,
            "tarp.area_to_curve": self.coverage.atc,
            "tarp.area_z": self.coverage.area_z,
            "tarp.area_pvalue": self.coverage.area_pvalue,
            "tarp.corrected_pvalue": self.coverage.pvalue,
            "tarp.power": self.power,
            "sbc.smallest_ks_pvalue": float(self.ranks.ks_pvalue.min()),
            "sbc.corrected_ks_pvalue": float(holm(self.ranks.ks_pvalue).min()),
            "sbc.corrected_band_pvalue": float(holm(self.ranks.band_pvalue).min()),
            "slopes.corrected_pvalue": float(holm(self.slopes.pvalue).min()),
            "slopes.largest_displacement": self.slopes.largest_displacement,
            "log_probability": self.log_probability.mean,
            "information_gain": self.log_probability.gain,
            "information_gain_error": self.log_probability.gain_standard_error,
            "information_gain_limit": self.log_probability.limit,
            "negative_control.tarp.ks_pvalue": self.negative_control.coverage.ks_pvalue,
            "negative_control.tarp.area_to_curve": self.negative_control.coverage.atc,
            "negative_control.sbc.smallest_ks_pvalue": float(
                self.negative_control.ranks.ks_pvalue.min()
            ),
            "negative_control.sbc.corrected_ks_pvalue": float(
                holm(self.negative_control.ranks.ks_pvalue).min()
            ),
            "negative_control.slopes.corrected_pvalue": float(
                holm(self.slopes_control.pvalue).min()
            ),
        }


SUMMED_UP = {
    "tarp.ks_pvalue": "tarp",
    "sbc.corrected_ks_pvalue": "sbc",
    "sbc.corrected_band_pvalue": "sbc_band",
    "slopes.corrected_pvalue": "slopes",
    "slopes.largest_displacement": "displacement",
    "negative_control.tarp.ks_pvalue": "control_tarp",
    "negative_control.sbc.corrected_ks_pvalue": "control_sbc",
    "negative_control.slopes.corrected_pvalue": "control_slopes",
    "tarp.area_to_curve": "atc",
    "tarp.area_z": "area_z",
    "tarp.power": "power",
    "information_gain": "gain",
    "information_gain_error": "gain_error",
}


def calibration_table(judged: Mapping[str, Calibration]) -> Table:
    """Returns several judgements in one table: p-values, those of negative controls, and gains."""
    result = Table(
        {"posterior": list(judged), "tests": [one.tests for one in judged.values()]}
    )
    for name, column in SUMMED_UP.items():
        result[column] = [one.metrics[name] for one in judged.values()]
        result[column].info.format = (
            "%.3f" if "negative_control" not in name else "%.2g"
        )
    # What a verdict, or a figure's legend, says of TARP: its shape and its area together.
    both = [one.coverage.pvalue for one in judged.values()]
    control = [one.negative_control.coverage.pvalue for one in judged.values()]
    for name, pvalues, form in (
        ("tarp_both", both, "%.3f"),
        ("control_tarp_both", control, "%.2g"),
    ):
        result.add_column(pvalues, name=name, index=result.colnames.index("sbc"))
        result[name].info.format = form
    # Posteriors of one survey after the other share truths and references: their areas lean
    # together, for which Holm's correction holds, too.
    areas = np.array([one.coverage.area_pvalue for one in judged.values()])
    result.add_column(holm(areas), name="area", index=result.colnames.index("power"))
    result["area"].info.format = "%.3f"
    result.meta["key"] = "calibration"
    result.meta["caption"] = (
        "p-values of TARP (of its shape, one-sample Kolmogorov-Smirnov; of shape and area "
        "together, which decides; and these of a negative control) and of simulation-based "
        "calibration (Kolmogorov-Smirnov and bands, corrected for the number of parameters, and "
        "the same of a negative control); of the slopes of truths on the posteriors' means "
        "(likewise), and the largest displacement by them in standard deviations; TARP's area to "
        "curve, its z in units of the scatter of a right posterior's, its two-sided p-value, "
        "corrected for the number of posteriors, and the power of that test against a posterior "
        f"{SLIGHTLY_NARROW:g} times as wide; and the information gain over the prior [nat]."
    )
    result.meta["metrics"] = {"calibration.power.width": SLIGHTLY_NARROW}
    result.meta["shows"] = list(result.meta["metrics"])
    return result


def calibrate(
    estimate: Estimate,
    splits: Splits,
    seed: int,
    draws: int = 1000,
    tests: int = 2000,
    references: int = REFERENCES,
) -> Calibration:
    """Returns the judgement of a posterior.

    Arguments:
        estimate: The posterior.
        splits: The pairs it was trained on. Only the test split is used, and what the
            training parameters say of the prior.
        seed: Decides errors, draws and references.
        draws: How many draws each test gets.
        tests: How many simulations at most.
        references: Sets of references over which TARP's coverage is averaged.

    Raises:
        ValueError: If there are fewer than two tests, no draws or no references, or the
            posterior's numbers are not finite, or the pairs are of other parameters or
            summaries than those that it says it has.
    """
    check_learned(estimate, splits)
    if min(tests, len(splits.test)) < 2:
        raise ValueError(
            f"a posterior is judged by 2 tests or more, not {min(tests, len(splits.test))}: "
            "hold out more simulations"
        )
    held_out = Pairs(splits.test.theta[:tests], splits.test.x[:tests])
    test = convolve(
        held_out, estimate.covariance, generator(seed, LEARNING, TEST_NOISE)
    )
    drawn = _draws(estimate, test.x, draws, seed)
    log_prob = estimate.log_prob(test.theta, test.x)
    verdicts.check_log_densities(log_prob, "of truths")
    coverage = diagnostics.tarp(drawn, test.theta, seed, references=references)
    return Calibration(
        len(test),
        coverage,
        diagnostics.sbc_ranks(drawn, test.theta, seed),
        calibration_slopes(drawn, test.theta),
        coverage_table(drawn, test.theta),
        verdicts.expected_log_probability(
            log_prob, _without_data(estimate, test, splits.each_once.train.theta)
        ),
        _power(coverage, drawn, test.theta, seed, references),
        _negative_control(drawn, test.theta, seed, references),
        calibration_slopes(drawn, test.theta, TOO_LITTLE),
    )


def _power(
    coverage: Coverage,
    drawn: FloatArray,
    theta: FloatArray,
    seed: int,
    references: int = REFERENCES,
) -> float:
    """Returns how often the area of a posterior `SLIGHTLY_NARROW` as wide is rejected.

    Its mean is the area by which narrowing moves the judged posterior's, its scatter
    that of a right posterior's. The level is halved for the two tests of TARP.
    """
    narrow = diagnostics.tarp(
        diagnostics.narrowed(drawn, SLIGHTLY_NARROW), theta, seed, references=references
    )
    moved = (narrow.atc - coverage.atc) / coverage.area_error
    edge = scipy.stats.t.isf(LEVEL / 4, max(1, len(theta) - 1))
    return float(
        scipy.stats.norm.sf(edge - moved) + scipy.stats.norm.cdf(-edge - moved)
    )


def _negative_control(
    drawn: FloatArray, theta: FloatArray, seed: int, references: int = REFERENCES
) -> NegativeControl:
    narrow = diagnostics.narrowed(drawn, TOO_NARROW)
    return NegativeControl(
        TOO_NARROW,
        diagnostics.tarp(narrow, theta, seed, references=references),
        diagnostics.sbc_ranks(narrow, theta, seed),
    )


def _draws(estimate: Estimate, x: FloatArray, draws: int, seed: int) -> FloatArray:
    """Returns draws `[draws, N, P]` for the summaries `[N, S]` of each test."""
    seeds = generator(seed, LEARNING, TEST_NOISE, draws)
    parts = []
    with progress("calibrating", len(x), unit="tests") as advance:
        for first in range(0, len(x), TOGETHER):
            some = x[first : first + TOGETHER]
            parts.append(estimate.sample_each(some, draws, int(seeds.integers(2**31))))
            advance(len(some))
    return np.concatenate(parts, axis=1)


def _without_data(estimate: Estimate, test: Pairs, others: FloatArray) -> FloatArray:
    """Returns each truth's log-density without its data, `[N]`.

    The mean of other tests' posteriors is the prior as the flow knows it: a posterior
    that ignores the data gains nothing over it, whatever shape the prior has. Where
    posteriors are narrow, hardly any of so few is at a truth, and the parameters of all
    other simulations tell more.

    Arguments:
        estimate: The posterior.
        test: Held-out pairs.
        others: Parameters `[M, P]` of other simulations.
    """
    count = min(OTHERS, len(test) - 1)
    shifted = [
        estimate.log_prob(test.theta, np.roll(test.x, k, axis=0))
        for k in range(1, count + 1)
    ]
    known = scipy.special.logsumexp(shifted, axis=0) - np.log(count)
    if len(others) < 2:  # which is no distribution
        return known
    return most_probable_mixture(log_prior_density(others, test.theta), known)
