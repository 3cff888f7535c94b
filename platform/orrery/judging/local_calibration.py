"""Whether a posterior is right at one observation, and not only on the average of all.

Tests over all simulations pass a posterior that is too narrow here and too wide there.
L-C2ST (Linhart et al. 2023) trains a classifier to tell the truths of simulations from
draws of their posteriors, given their data; what it then says of draws at the observation
is how far the posterior is wrong there. The classifier and its test are sbi's.

A classifier of six parameters needs a gross fault. Whatever holds of all simulations holds
of those whose data are near the observation, too: ranks of their truths are uniform, and
tell smaller ones.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orrery.branches import LEARNING, ORDER
from orrery.judging.diagnostics import narrowed
from orrery.judging.intervals import widths_or_one
from orrery.parameters import FloatArray, generator

NULL_TRIALS = (
    100  # classifiers trained on permuted labels: the smallest p-value is 1 in 101
)
# A network that is small beside the number of simulations, and stops early: it is trained
# a hundred times, and only what generalises counts.
CLASSIFIER = {
    "hidden_layer_sizes": (64, 64),
    "max_iter": 100,
    "n_iter_no_change": 10,
}


@dataclass(frozen=True)
class LocalCalibration:
    """What a classifier finds of a posterior at one observation.

    Arguments:
        statistic: The mean square by which its probabilities differ from one half.
        null: The same of classifiers that were trained on permuted labels, `[T]`.
        control: The statistic of the same posterior made too narrow.

    Example:
        >>> found = LocalCalibration(0.01, np.array([0.02, 0.005, 0.03]), control=0.1)
        >>> found.pvalue, found.control_pvalue
        (0.75, 0.25)
    """

    statistic: float
    null: FloatArray
    control: float

    @property
    def pvalue(self) -> float:
        """How often the statistic of a right posterior is at least as large."""
        return self._pvalue(self.statistic)

    @property
    def control_pvalue(self) -> float:
        """The same of the posterior that was made too narrow, which must be small."""
        return self._pvalue(self.control)

    def _pvalue(self, statistic: float) -> float:
        # The statistic counts as one of the null's: no p-value is nought.
        return float((1 + np.sum(self.null >= statistic)) / (1 + len(self.null)))


def local_calibration(
    theta: FloatArray,
    x: FloatArray,
    draws: FloatArray,
    here: FloatArray,
    observation: FloatArray,
    width: float,
    seed: int,
    trials: int = NULL_TRIALS,
) -> LocalCalibration:
    """Returns whether draws of a posterior are told from truths at an observation.

    doi.org/10.48550/arXiv.2306.03580

    Arguments:
        theta: The truths of N simulations, with shape `[N, P]`.
        x: Their summaries with measurement errors, `[N, S]`.
        draws: Draws of the posterior of each, `[M, N, P]`, of which one is used, another
            for each: in a mixture's, those of one number are of one member. Their
            median is what the control is drawn towards.
        here: Draws of the posterior of the observation, `[K, P]`.
        observation: Its summaries, `[S]`.
        width: The width of the control's intervals in units of the posterior's.
        seed: Of the classifiers.
        trials: The number T of classifiers that are trained on permuted labels.

    Raises:
        ValueError: If the shapes do not belong together, or a number is not finite.
    """
    _check(theta, x, draws, here, observation)
    count = len(theta)
    which = generator(seed, LEARNING, ORDER).integers(len(draws), size=count)
    narrow = narrowed(draws, width)[which, np.arange(count)]
    here_narrow = narrowed(here[:, np.newaxis], width)[:, 0]
    judge = _judge(theta, x, draws[which, np.arange(count)], seed, trials)
    control = _judge(theta, x, narrow, seed, trials)
    judge.train_on_observed_data(verbosity=0).train_under_null_hypothesis(verbosity=0)
    control.train_on_observed_data(verbosity=0)
    place = _tensor(observation)
    null = judge.get_statistics_under_null_hypothesis(_tensor(here), place)
    return LocalCalibration(
        judge.get_statistic_on_observed_data(_tensor(here), place),
        np.asarray(null.scores, dtype=float),
        control.get_statistic_on_observed_data(_tensor(here_narrow), place),
    )


def _judge(
    theta: FloatArray, x: FloatArray, drawn: FloatArray, seed: int, trials: int
) -> Any:
    from sbi.diagnostics import LC2ST

    return LC2ST(
        prior_samples=_tensor(theta),
        xs=_tensor(x),
        posterior_samples=_tensor(drawn),
        seed=seed,
        z_score=True,
        classifier_kwargs=dict(CLASSIFIER, random_state=seed),
        num_trials_null=trials,
    )


def _tensor(values: FloatArray) -> Any:
    import torch

    return torch.as_tensor(np.asarray(values), dtype=torch.float32)


def _check(
    theta: FloatArray,
    x: FloatArray,
    draws: FloatArray,
    here: FloatArray,
    observation: FloatArray,
) -> None:
    count, parameters = theta.shape
    wanted = {
        "x": (x.shape[:1], (count,)),
        "draws": (draws.shape[1:], (count, parameters)),
        "here": (here.shape[1:], (parameters,)),
        "observation": (observation.shape, x.shape[1:]),
    }
    for name, (found, expected) in wanted.items():
        if found != expected:
            raise ValueError(
                f"{name} is of shape {found} where {expected} belongs to {count} simulations "
                f"of {parameters} parameters"
            )
    for name, values in {"theta": theta, "x": x, "draws": draws, "here": here}.items():
        if not np.isfinite(values).all():
            raise ValueError(f"{name} has numbers that are not finite: leave those out")


def nearest_simulations(
    x: FloatArray, observation: FloatArray, count: int
) -> NDArray[np.int64]:
    """Returns the numbers of the simulations whose data are nearest to an observation.

    Nearness is that of Mahalanobis, by the covariance of all data. Truths of simulations
    that are chosen by what a posterior is given are draws of it as much as others are.

    Arguments:
        x: Summaries `[N, S]` with measurement errors, as the posterior is given them.
        observation: Its summaries, `[S]`.
        count: How many, in order of their nearness.

    Raises:
        ValueError: If the shapes do not belong together, a number is not finite, or there
            are not so many simulations.

    Example:
        >>> nearest_simulations(np.array([[0.0], [5.0], [2.0]]), np.array([1.5]), count=2)
        array([2, 0])
    """
    if x.ndim != 2 or observation.shape != x.shape[1:]:
        raise ValueError(
            f"an observation of shape {observation.shape} is compared with data of shape "
            f"{x.shape}, of which each row should have the same"
        )
    if len(x) < 2 or not 1 <= count <= len(x):
        raise ValueError(f"{count} of {len(x)} simulations: of 2 or more give 1 to all")
    if not (np.isfinite(x).all() and np.isfinite(observation).all()):
        raise ValueError("data that are not finite are near to none: leave those out")
    scale = widths_or_one(x.std(axis=0), x)
    # differences of entries count, too, which those of each alone would hide
    z = (x - observation) / scale
    inverse = np.linalg.pinv(np.atleast_2d(np.cov(x / scale, rowvar=False)))
    distance = np.einsum("ni,ij,nj->n", z, inverse, z)
    return np.argsort(distance, kind="stable")[:count]
