"""From simulated pairs and an observation to a posterior and its judgement.

Ask whether the simulator can make the observation at all, train a flow, sample it at
the observation, and judge it on held-out simulations: arrays and options in, a frozen
result out. Who tells of it, and where, is not decided here.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from orrery.inference.averaging import average_posterior
from orrery.inference.options import Inference
from orrery.judging import calibration, misspecification
from orrery.judging.calibration import Calibration
from orrery.judging.misspecification import Misspecification
from orrery.learning import mixture
from orrery.learning.flow_training import FlowPlan
from orrery.learning.mixture import Mixture
from orrery.learning.posterior import Posterior
from orrery.learning.training import OnMember, ignore_member
from orrery.option_types import check_types
from orrery.pairs import Splits
from orrery.parameters import FloatArray, Parameter
from orrery.records import Observation
from orrery.terminal import progress, say

VERSION = 8  # of answers and scores; raised whenever their numbers change


@dataclass(frozen=True, eq=False)
class Inferred:
    """What was learned from one observation.

    Arguments:
        posterior: The trained posterior.
        observation: What was observed.
        draws: Draws of the posterior at the observation, with shape `[n, P]`; of a mock,
            those of the average posterior of its realisations.
        calibration: How it fares on held-out simulations.
        misspecification: Whether the simulator can make the observation.

    Example:
        >>> import numpy as np
        >>> from types import SimpleNamespace
        >>> flow = SimpleNamespace(names=("x",))
        >>> Inferred(flow, None, np.zeros((5, 1)), None, None).draws.shape
        (5, 1)
    """

    posterior: Posterior | Mixture
    observation: Observation
    draws: FloatArray
    calibration: Calibration
    misspecification: Misspecification

    @property
    def members(self) -> tuple[Posterior, ...]:
        """The flows: those of the mixture, or the single one."""
        if isinstance(self.posterior, Mixture):
            return self.posterior.members
        return (self.posterior,)


OnChecked = Callable[[Misspecification], None]


def ignore_check(found: Misspecification) -> None:
    """Does nothing, for whoever asks for the whole result."""


def infer(
    label: str,
    splits: Splits,
    parameters: tuple[Parameter, ...],
    observation: Observation,
    options: Inference,
    seed: int,
    folder: Path,
    on_epoch: OnMember = ignore_member,
    on_checked: OnChecked = ignore_check,
) -> Inferred:
    """Returns the posterior of an observation, its draws and its judgements.

    Arguments:
        label: What the posterior is called while it is trained.
        splits: The pairs, without measurement errors.
        parameters: The P parameters.
        observation: What was observed, of the same definition as the pairs.
        options: How the posterior is learned and sampled.
        seed: Decides training, draws and tests.
        folder: Where trained posteriors are kept: a folder of its own for each, so that
            none replaces another. A training that was killed continues there.
        on_epoch: Called with a member's number, its epoch and its losses.
        on_checked: Called before the training with whether the simulator can make the
            observation: hours later it may be too late to hear of it.

    Raises:
        ValueError: If the observation is not of the pairs' definition.
        FloatingPointError: If a loss is not finite.
    """
    check_types(options)
    _check(observation, splits)
    say(f"learning which data the prior predicts, to compare {label} with them")
    simulable = misspecification.learn_prior_predictive(
        splits, observation.added_covariance, seed
    ).compare(observation)
    on_checked(simulable)
    estimate = train_posterior(
        label,
        splits,
        parameters,
        observation.added_covariance,
        options,
        seed,
        folder,
        on_epoch,
    )
    draws = _draws(estimate, observation, options, seed)
    judged = calibration.calibrate(
        estimate, splits, seed, options.calibration_draws, options.calibration_tests
    )
    return Inferred(estimate, observation, draws, judged, simulable)


def _draws(
    estimate: Posterior | Mixture,
    observation: Observation,
    options: Inference,
    seed: int,
) -> FloatArray:
    """Returns draws `[n, P]` of the posterior of an observation.

    Summaries scatter more or less with some parameters, and flows learn that, too: what
    does not scatter at all, as expected data, is no survey's, and has another posterior.
    """
    if observation.simulated is None:
        return estimate.draws(observation, options.draws, seed)
    x = observation.realisations(seed)
    count = max(options.calibration_draws, math.ceil(options.draws / len(x)))
    return average_posterior(estimate.sample_each(x, count, seed), options.draws, seed)


def _check(observation: Observation, splits: Splits) -> None:
    """Raises ValueError before hours of training, not after them."""
    if observation.definition != splits.definition:
        raise ValueError(
            f"observation {observation.name!r} has another binning than the simulations' "
            f"summaries ({observation.definition}, not {splits.definition}): use one for "
            "both"
        )


def train_posterior(
    label: str,
    splits: Splits,
    parameters: tuple[Parameter, ...],
    covariance: FloatArray,
    options: Inference,
    seed: int,
    folder: Path,
    on_epoch: OnMember = ignore_member,
) -> Posterior | Mixture:
    """Returns the trained flow, or the mixture of as many as are asked for.

    Arguments:
        label: What the posterior is called while it is trained.
        splits: The pairs, without measurement errors.
        parameters: The P parameters.
        covariance: The measurement covariance, with shape `[S, S]`.
        options: How the posterior is learned.
        seed: Decides first weights, errors and the order of the pairs.
        folder: Where trained posteriors are kept.
        on_epoch: Called with a member's number, its epoch and its losses.

    Raises:
        ValueError: For the reasons of `posterior.fit`.
        FloatingPointError: If a loss is not finite.
    """
    check_types(options)
    plan = FlowPlan(
        splits, parameters, covariance, options.flow, options.training, seed
    )
    epochs = options.members * options.training.max_epochs
    with progress(f"training {label}", epochs, unit="epochs") as advance:

        def on_member(member: int, epoch: int, losses: Mapping[str, float]) -> None:
            on_epoch(member, epoch, losses)
            advance(note=losses_in_words(losses))

        # More members join those that are there: their number is not in the name.
        place = folder / plan.fingerprint
        return mixture.fit_flows(plan, options.members, place, on_member)


def losses_in_words(losses: Mapping[str, float]) -> str:
    """Returns the losses of an epoch as a progress bar shows them.

    Example:
        >>> losses_in_words({"train": 1.25, "validation": 1.5})
        'train loss 1.250, validation loss 1.500'
    """
    return ", ".join(f"{name} loss {loss:.3f}" for name, loss in losses.items())
