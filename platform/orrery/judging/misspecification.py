"""Whether the simulator can make an observation at all, asked before anything is inferred from it.

A posterior answers whatever it is asked, also about data that no parameters can
produce, and it says nothing about that. So the observation is looked for among
simulations of the prior that got the same measurement errors. If it is one more of
them, its rank is uniform, whatever measures how unusual a vector is. Three measures are
asked: its most deviating entry, its distance from the mean with the simulations'
covariance, and its density under a flow that learned the simulations (as in sbi's
`calc_misspecification_logprob`), which also sees what means and covariances do not.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from astropy.table import Table
from torch import Tensor

from orrery.branches import LEARNING, MISSPECIFICATION
from orrery.judging import predictive, verdicts
from orrery.judging.intervals import widths_or_one
from orrery.judging.predictive import DOUBTFUL, Predictive
from orrery.pairs import Pairs, Splits, convolve
from orrery.parameters import FloatArray, generator
from orrery.records import Observation

if TYPE_CHECKING:  # a second, which only who asks for a density waits for
    from sbi.neural_nets.estimators import UnconditionalDensityEstimator

TRAINING, REFERENCE = 8192, 1000  # simulations at most: seconds, not minutes
RIDGE = 1e-6  # variance that keeps entries apart of which one decides another
NAMED = 3  # entries that a warning names
NOISY = 0.5  # share of an entry's error from which on that of simulations is told


@dataclass(frozen=True)
class Misspecification:
    """An observation among the simulations of the prior.

    Arguments:
        among: Where it lies among all simulations with measurement errors.
        density_pvalue: How often a simulation that the flow never saw is as improbable.
        reference: The number of those simulations.
        simulations: The number of all.

    Example:
        >>> value, none = np.zeros(1), np.zeros((1, 1))
        >>> seen = Observation("stars", ("v",), ("km / s",), value, none, "binning", {})
        >>> among = predictive.check(np.linspace(-1, 1, 99)[:, None], seen, seed=1)
        >>> Misspecification(among, 0.002, 499, 99).pvalue
        0.006
    """

    among: Predictive
    density_pvalue: float
    reference: int
    simulations: int

    @property
    def names(self) -> tuple[str, ...]:
        """The S entries' names."""
        return self.among.observation.names

    @property
    def tails(self) -> FloatArray:
        """For each entry how often a simulation is as far out on either side, `[S]`."""
        return self.among.tails

    @property
    def corrected_tails(self) -> FloatArray:
        """The same, corrected for there being S of them, `[S]`."""
        return verdicts.holm(self.tails)

    @property
    def joint_pvalue(self) -> float:
        """How often a simulation is as far from the mean, with the simulations' covariance.

        NaN where they are too few for a covariance.
        """
        return self.among.whole_vector

    @property
    def measures(self) -> int:
        """How many measures are asked: not the distance, if simulations are too few for it."""
        return 3 if self.among.is_whole_tested else 2

    @property
    def pvalue(self) -> float:
        """How often one of the measures finds a simulation as unusual, at most."""
        smallest = min(self.density_pvalue, self.among.smallest)
        return min(1.0, self.measures * smallest)

    @property
    def smallest_possible(self) -> float:
        """The p-value of a vector that all simulations differ from."""
        return self.measures / (1 + self.simulations)

    @property
    def unusual(self) -> bool:
        """Whether the simulator makes such a vector too rarely."""
        return self.pvalue < DOUBTFUL

    @property
    def passed(self) -> bool | None:
        """Whether it makes the observation; None where too few simulations can say."""
        return None if self.smallest_possible >= DOUBTFUL else not self.unusual

    @property
    def furthest(self) -> list[int]:
        """The entries that deviate most, the worst first."""
        return np.argsort(-np.abs(self.among.deviations))[:NAMED].tolist()

    @property
    def metrics(self) -> dict[str, float]:
        """What sums the comparison up, by name."""
        deviations = self.among.deviations
        joint = {"joint_pvalue": self.joint_pvalue}
        return {
            **{_of_entry(self, i): float(deviations[i]) for i in self.furthest},
            "simulations": self.simulations,
            "entries": len(self.names),
            "measures": self.measures,
            "pvalue": self.pvalue,
            "density_pvalue": self.density_pvalue,
            **(joint if self.among.is_whole_tested else {}),
            "worst_entry_pvalue": self.among.worst_entry,
            "smallest_corrected_tail": float(self.corrected_tails.min()),
        }


@dataclass(frozen=True)
class _Whitening:
    """Takes from each entry what the entries before it say of it, by the simulations' covariance.

    From there a flow, which also goes from entry to entry, learns the rest in seconds.
    """

    mean: FloatArray
    scale: FloatArray
    matrix: FloatArray

    def __call__(self, x: FloatArray) -> Tensor:
        white = (x - self.mean) / self.scale @ self.matrix
        return torch.from_numpy(white.astype(np.float32))


@dataclass(frozen=True)
class _NoTracker:
    """A tracker for sbi that keeps nothing; its own would leave a folder of logs behind."""

    log_dir: str | None = None

    def log_metric(self, name: str, value: float, step: int | None = None) -> None:
        """Forgets a number."""

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Forgets numbers."""

    def log_params(self, params: dict[str, Any]) -> None:
        """Forgets options."""

    def add_figure(self, name: str, figure: Any, step: int | None = None) -> None:
        """Forgets a figure."""

    def flush(self) -> None:
        """Has nothing to write."""


@dataclass(frozen=True, eq=False)
class PriorPredictive:
    """What the simulator makes of its prior, as a survey with errors would see it.

    Arguments:
        x: Summaries of all simulations, without measurement errors, with shape `[N,
            S]`.
        covariance: The measurement covariance, with shape `[S, S]`.
        seed: Decides errors and training.
        whitening: From summaries to what the flow learned.
        flow: The density of summaries with errors.
        reference: Simulations with errors that the flow never saw, as it would see
            them, `[R, S]`.

    Example:
        >>> random = np.random.default_rng(1)
        >>> pairs = Pairs(np.zeros((64, 1)), random.normal(size=(64, 1)))
        >>> splits = Splits(pairs, pairs, pairs, ("a",), ("v",), ("",), "binning", "data", 0)
        >>> learn_prior_predictive(splits, np.eye(1), seed=1).x.shape
        (192, 1)
    """

    x: FloatArray
    covariance: FloatArray
    seed: int
    whitening: _Whitening = field(repr=False)
    flow: "UnconditionalDensityEstimator" = field(repr=False)
    reference: Tensor = field(repr=False)

    def compare(self, observation: Observation) -> Misspecification:
        """Returns where an observation lies among the simulations.

        Raises:
            ValueError: If it has other summaries or other errors than the simulations.
        """
        among = predictive.check(self.x, observation, self.seed)
        added = observation.added_covariance
        if not np.allclose(added, self.covariance, rtol=1e-6, atol=0):
            raise ValueError(
                f"observation {observation.name!r} has other errors than those that the "
                "simulations got: learn their density with the observation's added_covariance"
            )
        density = self._density(observation.value)
        return Misspecification(among, density, len(self.reference), len(self.x))

    def _density(self, value: FloatArray) -> float:
        """Returns how often a simulation that the flow never saw is as improbable.

        The observation itself is counted, which keeps it from nought. A flow that a
        classifier can tell from the simulations finds less, but no more: the rank among
        simulations it never saw stays uniform. So no classifier is trained here, as sbi
        does to warn of its flow.
        """
        with _apart(self.seed), torch.no_grad():
            usual = self.flow.log_prob(self.reference)
            own = self.flow.log_prob(self.whitening(value[np.newaxis]))
        return float(1 + (usual <= own).sum()) / (1 + len(self.reference))


def learn_prior_predictive(
    splits: Splits, covariance: FloatArray, seed: int
) -> PriorPredictive:
    """Returns what the simulator makes of its prior, with measurement errors.

    It takes some seconds, and leaves the global generators alone.

    Arguments:
        splits: The pairs, without measurement errors.
        covariance: The measurement covariance, with shape `[S, S]`.
        seed: Decides errors and training.

    Raises:
        ValueError: If the covariance does not belong to the summaries.
    """
    random = generator(seed, LEARNING, MISSPECIFICATION)
    # a rank among several draws of one simulation would be surer than it is
    once = splits.each_once
    held_out = np.concatenate([once.validation.x, once.test.x])[:REFERENCE]
    train = _noisy(splits.train.x[:TRAINING], covariance, random)
    unseen = _noisy(held_out, covariance, random)
    whitening = _whitening(train)
    with _apart(seed):
        flow = _density(whitening(train))
    return PriorPredictive(
        predictive.all_summaries(splits),
        covariance,
        seed,
        whitening,
        flow,
        whitening(unseen),
    )


def _noisy(
    x: FloatArray, covariance: FloatArray, random: np.random.Generator
) -> FloatArray:
    return convolve(Pairs(np.empty((len(x), 0)), x), covariance, random).x


def _whitening(x: FloatArray) -> _Whitening:
    mean = x.mean(axis=0)
    scale = widths_or_one(x.std(axis=0), x)
    z = (x - mean) / scale
    correlation = z.T @ z / len(z) + RIDGE * np.eye(x.shape[1])
    return _Whitening(mean, scale, np.linalg.inv(np.linalg.cholesky(correlation)).T)


@contextmanager
def _apart(seed: int) -> Iterator[None]:
    """Seeds torch for a while, on one thread, whose sums do not depend on the machine."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _density(x: Tensor) -> "UnconditionalDensityEstimator":
    """Returns a small flow that learned the density of vectors `[N, S]`."""
    from sbi.inference import MarginalTrainer
    from sbi.neural_nets import marginal_nn
    from sbi.neural_nets.factory import ZukoFlowType

    build = marginal_nn(ZukoFlowType.MAF, hidden_features=50, num_transforms=3)
    trainer = MarginalTrainer(build, tracker=_NoTracker(), show_progress_bars=False)
    with warnings.catch_warnings():
        # Each epoch brings less; where it stops decides the power of the test, not its
        # size.
        warnings.filterwarnings("ignore", message="Maximum number of epochs")
        return trainer.append_samples(x).train(
            training_batch_size=250,
            learning_rate=3e-3,
            stop_after_epochs=5,
            max_num_epochs=20,
        )


def entry_table(found: Misspecification) -> Table:
    """Returns the comparison entry by entry: the value, what simulations give, and how unusual."""
    seen, quantiles = found.among.observation, found.among.quantiles
    of = dict(zip(predictive.QUANTILES, quantiles, strict=True))
    result = Table(
        {
            "summary": list(seen.names),
            "unit": list(seen.units),
            "observed": seen.value,
            "lower": of["low_68"],
            "median": of["median"],
            "upper": of["high_68"],
            "tail_probability": found.tails,
            "corrected": found.corrected_tails,
        }
    )
    for name in result.colnames[2:6]:
        result[name].info.format = "%.4g"
    for name in result.colnames[6:]:
        result[name].info.format = "%.3f"
    return result


def noisy_entries(observation: Observation) -> dict[str, float]:
    """Returns how many entries simulations know hardly better than the observation does.

    `entries` of them have errors of themselves above the `share` of the measured ones, and
    `beyond` of them have larger ones than those.

    Arguments:
        observation: Whose simulations' errors are known.
    """
    ratio = observation.simulation_noise
    return {
        "entries": int((ratio > NOISY).sum()),
        "beyond": int((ratio > 1).sum()),
        "share": NOISY,
    }


def verdict(found: Misspecification) -> str:
    """Returns in a sentence whether the simulator can make the observation."""
    if not found.unusual:
        return f"The simulator can make this observation (p = {found.pvalue:.2g})."
    return (
        f"The simulator cannot make this observation: at most {100 * found.pvalue:.2g} % of its "
        f"own data vectors are as unusual. {_reason(found)} A posterior will be learned all the "
        "same, but it answers for data that the model does not describe."
    )


def verdict_metrics(found: Misspecification) -> tuple[str, ...]:
    """Returns the names of the `metrics` in the sentence of `verdict`."""
    if not found.unusual:
        return ("pvalue",)
    return ("pvalue", *(_of_entry(found, i) for i in found.furthest))


def _of_entry(found: Misspecification, entry: int) -> str:
    return f"deviation.{found.names[entry]}"


def _reason(found: Misspecification) -> str:
    worst = ", ".join(
        f"{found.names[i]} ({found.among.deviations[i]:+.1f} standard deviations)"
        for i in found.furthest
    )
    if (
        found.corrected_tails.min() < DOUBTFUL
        or found.among.worst_entry < DOUBTFUL / found.measures
    ):
        return f"Furthest out: {worst}."
    return f"Each entry alone is ordinary, their combination is not. Furthest out: {worst}."
