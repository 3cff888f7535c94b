"""Records of judgements: of a posterior that is known, and of predictions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import numpy as np
from sbi.inference import MarginalTrainer
from torch import Tensor

from orrery.judging import (
    calibration,
    diagnostics,
    intervals,
    local_calibration,
    misspecification,
    predictive,
    regression,
    verdicts,
)
from orrery.pairs import Pairs, Splits
from orrery.parameters import FloatArray, generator
from orrery.records import Observation

from .alike import alike
from .drawn import concluded, drawn, priors
from .quantities import Record, quantity

SEED = 20251126
SLOPES = np.array([[1.0, 0.5, -0.3], [0.0, 1.0, 0.8]])
COVARIANCE = np.diag([0.3, 0.2, 0.4]) + 0.05


@dataclass(frozen=True)
class LinearPosterior:
    """A posterior that is normal about a linear guess; its width is given, in units of the right.

    It is no network: its draws and densities are the same on all machines.
    """

    width: float = 0.9

    @property
    def covariance(self) -> FloatArray:
        return COVARIANCE

    @property
    def gain(self) -> FloatArray:
        seen = SLOPES.T @ SLOPES + self.covariance
        return np.linalg.solve(seen, SLOPES.T)

    @property
    def factor(self) -> FloatArray:
        inner = np.eye(2) - SLOPES @ self.gain
        return self.width * np.linalg.cholesky(inner)

    def sample_each(self, x: FloatArray, count: int, seed: int) -> FloatArray:
        normal = generator(seed, count).standard_normal((count, len(x), 2))
        return x @ self.gain + normal @ self.factor.T

    def log_prob(self, theta: FloatArray, x: FloatArray) -> FloatArray:
        z = np.linalg.solve(self.factor, (theta - x @ self.gain).T)
        return -0.5 * (z**2).sum(axis=0) - np.log(np.diag(self.factor)).sum()

    def draws(self, observation: Observation, count: int, seed: int) -> FloatArray:
        return self.sample_each(observation.value[None], count, seed)[:, 0]


def linear_splits(*counts: int) -> Splits:
    pairs = []
    for stream, count in enumerate(counts):
        theta = generator(SEED, 60, stream).normal(size=(count, 2))
        pairs.append(Pairs(theta, theta @ SLOPES))
    names = ("u", "v", "w")
    units = ("km / s",) * 3
    return Splits(*pairs, ("a", "b"), names, units, "golden", "golden", 0)


def linear_observation(value: Sequence[float]) -> Observation:
    units = ("km / s",) * 3
    return Observation(
        "stars", ("u", "v", "w"), units, np.array(value), COVARIANCE, "golden", {}
    )


# --- judging ---------------------------------------------------------------------------------


def judging() -> Record:
    """Returns judgements of a posterior, of data, and of predictions of one number."""
    return {
        **_calibrated(),
        **_verdicts(),
        **_draws(),
        **_predicted(),
        **_simulable(),
        **alike(),
        **_local(),
        **_regression(),
        **drawn(),
    }


def _calibrated() -> Record:
    """Returns how posteriors of several widths fare, in all that tests say of them."""
    record: Record = {}
    splits = linear_splits(200, 1, 160)
    for name, width in (("narrow", 0.75), ("good", 1.0)):
        found = calibration.calibrate(LinearPosterior(width), splits, SEED, 120, 150)
        intervals, coverage, ranks = found.intervals, found.coverage, found.ranks
        verdict = found.verdict
        control = found.negative_control.verdict
        record |= {
            f"{name}.numbers": quantity([*found.metrics.values()]),
            f"{name}.tarp": quantity(coverage.coverage),
            f"{name}.fractions": quantity(coverage.fractions[::10]),
            f"{name}.ranks": quantity(ranks.ranks[::10]),
            f"{name}.difference": quantity(ranks.difference[::10]),
            f"{name}.band": quantity([ranks.lower[::10], ranks.upper[::10]]),
            f"{name}.band_pvalue": quantity(ranks.band_pvalue),
            f"{name}.coverage": quantity(intervals.coverage),
            f"{name}.scatter": quantity([intervals.levels, intervals.standard_error]),
            f"{name}.rejected": quantity([len(verdict.names), len(control.names)]),
            f"{name}.control": quantity(found.negative_control.width),
        }
    few = calibration.calibrate(
        LinearPosterior(), linear_splits(1, 1, 40), SEED, 20, 40
    )
    record["few.reference"] = quantity(few.log_probability.reference)
    record |= priors(SEED)
    return record | _levels(found) | concluded(found)


def _levels(found: calibration.Calibration) -> Record:
    """Returns which p-values reject a posterior and its negative control."""
    pvalues = (0.0049, 0.0051, 0.0099, 0.0101, 0.049, 0.051)
    near = (0.004999, 0.005001, 0.009999, 0.010001, 0.049999, 0.050001)
    said, control = [], []
    for p in (*pvalues, *near):
        coverage = replace(found.coverage, ks_pvalue=p)
        both = np.array([p, 0.9])
        ranks = replace(found.ranks, ks_pvalue=both, band_pvalue=both)
        one = replace(found, coverage=coverage, ranks=ranks)
        copy = replace(found.negative_control, coverage=coverage, ranks=ranks)
        said.append((one.verdict.tarp, one.verdict.ranks, one.verdict.band))
        control.append(len(copy.verdict.names))
    usual = [
        verdicts.rejections(replace(found.coverage, ks_pvalue=p), found.ranks).tarp
        for p in (*pvalues, *near)
    ]
    return {
        "levels": quantity(said[:6]),
        "levels.near": quantity(said[6:]),
        "levels.control": quantity(control[:6]),
        "levels.usual": quantity(usual[:6]),
        "levels.usual.near": quantity(usual[6:]),
    }


def _verdicts() -> Record:
    """Returns gains just below and above what counts, and corrected p-values."""
    gains = (2.99, 3.01)
    informative = [
        verdicts.ExpectedLogProbability(
            0.0, 0.1, 0.0, 0.1 * gain, 0.1, 10_000
        ).informative
        for gain in gains
    ]
    log_prob = generator(SEED, 61).normal(0.0, 1.0, (2, 30))
    found = verdicts.expected_log_probability(*log_prob)
    pvalues = np.array([0.2, 0.004, 0.9, 0.03, 0.031])
    return {
        "gain.informative": quantity(informative),
        "gain": quantity([*vars(found).values()]),
        "holm": quantity(verdicts.holm(pvalues)),
    }


def _draws() -> Record:
    """Returns what is told of draws: intervals, leakage, and tests of one fixed parameter."""
    random = generator(SEED, 62)
    draws = random.normal(size=(80, 40, 2))
    theta = random.normal(size=(40, 2))
    theta[:, 1] = 0.5  # nothing scatters
    summary = intervals.posterior_summary(draws[:, 0])
    few = diagnostics.sbc_ranks(draws, theta, SEED, levels=5, simulations=30)
    return {
        "summary": quantity([summary.lower, summary.median, summary.upper]),
        "leakage": quantity(diagnostics.leakage(draws, theta)),
        "narrowed": quantity(diagnostics.narrowed(draws, 0.4)[:3, 0]),
        "fixed.fractions": quantity(diagnostics.tarp(draws, theta, SEED, 7).fractions),
        "fixed.band": quantity([few.lower, few.upper]),
        "fixed.band_pvalue": quantity(few.band_pvalue),
    }


def _predicted() -> Record:
    """Returns where data lie among replicates, from the middle to beyond all of them."""
    predicted = generator(SEED, 63).normal(size=(200, 2)) @ SLOPES
    record: Record = {}
    for number, far in enumerate((0.1, 2.0, 9.0)):
        found = predictive.check(
            predicted, linear_observation([far, 0.5, -far / 2]), SEED
        )
        record[f"predictive.{number}"] = quantity(
            [*found.tails, *found.deviations, found.worst_entry, found.whole_vector]
        )
        record[f"predictive.{number}.quantiles"] = quantity(found.quantiles)
    said = [
        len(
            predictive.predictive_table(replace(found, **{name: p}), "predictive").meta[
                "misses"
            ]
        )
        for name in ("worst_entry", "whole_vector")
        for p in (0.009999, 0.010001)
    ]
    alike = np.repeat(predicted[:1], 30, axis=0)
    tails = predictive.tail_probabilities(alike, alike[0])
    refused = [_is_refused(predictive.tail_probabilities, n) for n in (19, 20)]
    return record | {
        "predictive.misses": quantity(said),
        "predictive.alike": quantity(tails),
        "predictive.refused": quantity(refused),
    }


def _is_refused(judge: Any, count: int) -> bool:
    try:
        judge(np.zeros((count, 1)), np.zeros(1))
    except ValueError:
        return True
    return False


def _simulable() -> Record:
    """Returns where data lie among simulations of the prior, by a flow of their density too."""
    splits = linear_splits(400, 600, 410)
    learned = misspecification.learn_prior_predictive(splits, COVARIANCE, SEED)
    found = [learned.compare(linear_observation(value)) for value in _COMPARED]
    whitened = misspecification._whitening(linear_splits(50, 1, 1).train.x)
    rows = [len(rows) for rows in _trained_on()]
    return {
        **_densities(learned, found),
        "simulable": quantity(
            [(one.joint_pvalue, one.among.worst_entry, one.reference) for one in found]
        ),
        "simulable.tails": quantity([one.corrected_tails for one in found]),
        "simulable.furthest": quantity([one.furthest for one in found]),
        "simulable.pvalues": quantity(
            [replace(found[0], density_pvalue=p).pvalue for p in (0.02, 0.9)]
        ),
        "simulable.named": quantity(_named(found[0])),
        "simulable.passed": quantity([_conclusion(found[0], *n) for n in _CONCLUDED]),
        "simulable.training": quantity(_how_trained(splits)),
        "simulable.smallest": quantity([one.smallest_possible for one in found]),
        "simulable.rows": quantity(rows),
        # one entry follows from two others: only the ridge keeps them apart
        "simulable.matrix": quantity(whitened.matrix, relative=1e-4),
    }


_COMPARED = ([0.2, 0.3, -0.1], [2.0, -1.5, 1.0], [9.0, 0.0, 0.0])


def _densities(
    learned: misspecification.PriorPredictive,
    found: list[misspecification.Misspecification],
) -> Record:
    """Returns how dense the prior's simulations are where data lie, and what is said of it."""
    density = learned.flow.log_prob(learned.reference[None, :8])
    counted = replace(learned, flow=_Distance())
    by_distance = [counted.compare(linear_observation(value)) for value in _COMPARED]
    doubted = [
        misspecification._reason(one) in misspecification.verdict(one)
        for one in (replace(found[0], density_pvalue=p) for p in (0.0033, 0.0034))
    ]
    return {
        # by counting simulations: one of them may be on the other side elsewhere
        "density": quantity([one.density_pvalue for one in found], absolute=0.02),
        "density.counted": quantity([one.density_pvalue for one in by_distance]),
        "density.flow": quantity(density.detach().numpy(), absolute=5e-4),
        "simulable.doubted": quantity(doubted),
    }


# p-values of the density, and how many simulations there are
_CONCLUDED = ((0.9, 1410), (0.0033, 1410), (0.0034, 1410), (0.9, 299), (0.9, 300))


def _local() -> Record:
    """Returns what a classifier tells of draws at one observation, that are far too narrow."""
    splits = linear_splits(1, 1, 600)
    posterior, observation = LinearPosterior(0.4), linear_observation([0.2, 0.3, -0.1])
    found = local_calibration.local_calibration(
        splits.test.theta,
        splits.test.x,
        posterior.sample_each(splits.test.x, 9, SEED),
        posterior.draws(observation, 200, SEED),
        observation.value,
        width=0.5,
        seed=SEED,
        trials=4,
    )
    # statistics of networks that stop by the scores of few are others elsewhere; ranks are not
    return {"local.pvalues": quantity([found.pvalue, found.control_pvalue])}


def _conclusion(found: Any, density_pvalue: float, simulations: int) -> tuple[int, int]:
    """Returns whether data are unusual, and whether they pass: -1 where nothing can be said."""
    one = replace(found, density_pvalue=density_pvalue, simulations=simulations)
    return one.unusual, {None: -1, False: 0, True: 1}[one.passed]


def _named(found: Any) -> list[int]:
    """Returns which of more entries than a warning names are furthest out."""
    among = replace(found.among, deviations=np.array([0.1, -4.0, 3.0, 2.0, -2.5]))
    return replace(found, among=among).furthest


def _how_trained(splits: Splits) -> list[float]:
    """Returns how a flow learns the density: what stops it early elsewhere hides its bounds."""
    heard: list[float] = []

    def train(self: Any, **options: float) -> None:
        heard.extend(options[name] for name in sorted(options))

    with patch.object(MarginalTrainer, "train", train):
        misspecification.learn_prior_predictive(splits, COVARIANCE, SEED)
    return heard


class _Distance:
    """A density that falls with the distance from the mean, the same on all machines."""

    def log_prob(self, x: Tensor) -> Tensor:
        return -(x**2).sum(dim=-1)


def _trained_on() -> list[FloatArray]:
    """Returns the simulations that a flow would learn, of more than it takes, and those kept."""
    heard: list[FloatArray] = []
    with patch.object(misspecification, "_density", heard.append):
        found = misspecification.learn_prior_predictive(
            linear_splits(8300, 600, 410), COVARIANCE, SEED
        )
    return [*heard, found.reference]


def _regression() -> Record:
    """Returns errors of predictions, in bins and alone, with what tests say of new ones."""
    truth, members = predictions()
    mean = members.mean(axis=0)
    errors = regression.binned(truth, members[:2], np.array([10.0, 10.6, 11.2, 13.0]))
    density = regression.log_probability(truth, mean, like=20)
    intervals = [
        regression.prediction_interval(p, truth, mean, 0.25, fewest=20)
        for p in (11.0, 12.0)
    ]
    scatter = regression.member_scatter(members)
    ratio = regression.variance_ratio(truth, members[0], mean, SEED)
    two = regression.binned(truth[:4], truth[:4] - 0.1, truth[[0, 1, 3, 4]])
    none = regression.binned(truth, truth, np.array([10.5, 13.0]))
    edges = (errors.rmse, errors.rmse_error, errors.bias, errors.bias_error)
    alike = [_interval_of(truth, mean, count) for count in (99, 100)]
    return {
        "errors": quantity(edges),
        "errors.middles": quantity(errors.middles),
        "errors.two": quantity([two.rmse, two.rmse_error]),
        "errors.counts": quantity(errors.counts),
        "errors.none": quantity([none.rmse, none.rmse_error]),
        "errors.density": quantity(density.each[::10]),
        "errors.mean": quantity([density.mean, density.standard_error]),
        "errors.interval": quantity([[*vars(one).values()] for one in intervals]),
        "errors.scatter": quantity([scatter.one, scatter.mean]),
        "errors.ratio": quantity([ratio.ratio, ratio.error]),
        "errors.alike": quantity(alike),
        "errors.usual": quantity(regression.log_probability(truth, mean).mean),
    }


def predictions() -> tuple[FloatArray, FloatArray]:
    """Returns the truths `[N]` of tests, and what four members predict of them `[4, N]`."""
    random = generator(SEED, 64)
    truth = np.sort(random.uniform(10.5, 13.0, 450))
    shared = random.normal(0.02, 0.15, 450)
    return truth, truth + shared + random.normal(0.0, 0.05, (4, 450))


def _interval_of(truth: FloatArray, mean: FloatArray, count: int) -> bool:
    """Returns whether so many tests that are predicted alike give an interval."""
    try:
        regression.prediction_interval(
            12.0, truth[:count], 12.0 + 0 * mean[:count], 0.1
        )
    except regression.TooFewAlikeError:
        return False
    return True
