"""The posterior: a normalising flow that learned p(theta | x) from simulated pairs.

The flow sees summaries as an observer would, with the measurement errors added anew in
every epoch, so it has them built in. Parameters with two finite bounds are learned as
the normal quantile of their place between the bounds: a uniform prior becomes a normal
one, and no draw can leave.
"""

import dataclasses
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from astropy.table import QTable, Table
from numpy.typing import NDArray
from sbi.neural_nets import posterior_nn
from sbi.neural_nets.estimators import ConditionalDensityEstimator
from scipy import special
from torch import Tensor, nn

from orrery import data_vector, exports, identity
from orrery.branches import LEARNING, TRAIN_NOISE, VALIDATION_NOISE
from orrery.identity import JSON, fingerprint
from orrery.learning import training
from orrery.learning.artefacts import ArtifactStore, origin
from orrery.learning.sets import SetLayout
from orrery.learning.training import Curve, OnEpoch, Trained, Training, single_precision
from orrery.pairs import Pairs, Splits, convolve
from orrery.parameters import FloatArray, Parameter, generator
from orrery.records import Observation

VERSION = 1  # of flows and their training; raised whenever their numbers change
KIND = "posterior"
DRAWS_AT_ONCE = 100_000
EDGE = 1e-9  # the nearest that a parameter comes to its bounds, as a fraction of their distance


@dataclass(frozen=True)
class Flow:
    """An autoregressive flow.

    Arguments:
        transforms: The number of autoregressive transforms; every other one reverses
            the order.
        hidden: The widths of the hidden layers of each transform's network.
        kind: Masked affine (Papamakarios et al. 2017, arXiv:1705.07057), or neural
            splines (Durkan et al. 2019, arXiv:1906.04032). Of one parameter an affine
            flow can only learn a normal distribution, so that one needs splines.
    """

    transforms: int = 5
    hidden: tuple[int, ...] = (50, 50)
    kind: Literal["maf", "nsf"] = "maf"

    def __post_init__(self) -> None:
        if self.transforms < 1 or not self.hidden or min(self.hidden) < 1:
            raise ValueError(
                f"{self} needs at least one transform and one hidden layer"
            )

    def build(
        self, theta: Tensor, x: Tensor, layout: SetLayout | None = None
    ) -> ConditionalDensityEstimator:
        """Returns an untrained flow.

        Arguments:
            theta: Parameters that standardise the flow, with shape `[N, P]`.
            x: Summaries likewise, with shape `[N, S]`.
            layout: How summaries hold a set, whose order must not matter; None if they
                do not.
        """
        # sbi's default embedding is one module that all flows share
        embedding = layout.build(x) if layout else nn.Identity()
        return posterior_nn(
            f"zuko_{self.kind}",
            z_score_theta="independent",
            z_score_x="none" if layout else "independent",
            num_transforms=self.transforms,
            hidden_features=list(self.hidden),
            embedding_net=embedding,
        )(theta, x)


@dataclass(frozen=True)
class Space:
    """The map between parameters and the unbounded numbers that the flow learns.

    Arguments:
        parameters: The P parameters.
    """

    parameters: tuple[Parameter, ...]

    @property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """The lower and upper bounds `[P]`."""
        return (
            np.array([p.lower for p in self.parameters]),
            np.array([p.upper for p in self.parameters]),
        )

    def outside(self, theta: FloatArray) -> NDArray[np.bool_]:
        """Returns which of `theta` `[..., P]` are beyond their bounds."""
        lower, upper = self.bounds
        return (theta < lower) | (theta > upper)

    @property
    def _mapped(self) -> tuple[list[int], FloatArray, FloatArray]:
        lower, upper = self.bounds
        mapped = np.flatnonzero(np.isfinite(upper - lower))
        return mapped.tolist(), lower[mapped], (upper - lower)[mapped]

    def unbounded(self, theta: FloatArray) -> FloatArray:
        """Returns what the flow learns, with the shape `[..., P]` of theta."""
        columns, lower, width = self._mapped
        free = np.array(theta, dtype=np.float64)
        place = (free[..., columns] - lower) / width
        free[..., columns] = special.ndtri(np.clip(place, EDGE, 1 - EDGE))
        return free

    def bounded(self, free: FloatArray) -> FloatArray:
        """Returns theta, with the shape `[..., P]` of what the flow learned."""
        columns, lower, width = self._mapped
        theta = np.array(free, dtype=np.float64)
        theta[..., columns] = lower + width * special.ndtr(theta[..., columns])
        return theta

    def log_stretch(self, free: FloatArray) -> FloatArray:
        """Returns log |d unbounded / d theta| `[...]` at the unbounded `[..., P]`."""
        columns, _, width = self._mapped
        z = free[..., columns]
        return np.sum(0.5 * z**2 + 0.5 * np.log(2 * np.pi) - np.log(width), axis=-1)


class _Loss(nn.Module):
    """The negative log-probability of each pair, as a module's forward: all that DDP sees."""

    def __init__(self, estimator: ConditionalDensityEstimator) -> None:
        super().__init__()
        self.estimator = estimator

    def forward(self, theta: Tensor, x: Tensor) -> Tensor:
        return self.estimator.loss(theta, x)


@dataclass(frozen=True)
class _Noisy:
    """Pairs with measurement errors that are drawn anew in every epoch."""

    pairs: Pairs
    covariance: FloatArray
    seed: int

    def __call__(self, epoch: int) -> tuple[Tensor, Tensor]:
        random = generator(self.seed, LEARNING, TRAIN_NOISE, epoch)
        return _tensors(convolve(self.pairs, self.covariance, random))


def _tensors(pairs: Pairs) -> tuple[Tensor, Tensor]:
    return single_precision(pairs.theta), single_precision(pairs.x)


@dataclass(frozen=True, eq=False, repr=False)
class Posterior:
    """A trained flow that knows what it is. Two with the same document are the same.

    Arguments:
        parameters: The P parameters.
        names: The names of the S summaries.
        units: Their units.
        definition: Fingerprint of the summaries' definition.
        dataset: Fingerprint of the simulations.
        covariance: The measurement covariance `[S, S]` that the flow has built in.
        curve: The losses while it was trained.
        document: All that decided the result, as plain JSON: options, seed, pairs,
            versions.
        estimator: The flow itself.
    """

    parameters: tuple[Parameter, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    definition: str
    dataset: str
    covariance: FloatArray
    curve: Curve
    document: JSON
    estimator: ConditionalDensityEstimator = field(repr=False)

    def sample(
        self, observation: Observation | Table, count: int = 10_000, seed: int = 0
    ) -> QTable:
        """Returns draws of the parameters given an observation, as a table with units.

        Arguments:
            observation: What was observed, or a table of it: see
                `data_vector.from_table`.
            count: The number of draws.
            seed: The same seed gives the same draws.

        Raises:
            ValueError: If the observation's summaries are not those that the flow
                learned.
        """
        drawn = self.draws(observation, count, seed)
        return exports.table(self.parameters, drawn, self.origin(observation, seed))

    def origin(self, observation: Observation | Table, seed: int) -> JSON:
        """Returns where draws given an observation come from, as plain JSON.

        Arguments and errors are those of `sample`.
        """
        return {
            "observation": self._conformed(observation).name,
            "posterior": self.document["fingerprint"],
            "dataset": self.dataset,
            "definition": self.definition,
            "seed": seed,
        }

    def draws(
        self, observation: Observation | Table, count: int, seed: int
    ) -> FloatArray:
        """Returns draws of the parameters given an observation, with shape `[count, P]`.

        Arguments and errors are those of `sample`.
        """
        return self.sample_each(
            self._conformed(observation).value[np.newaxis], count, seed
        )[:, 0]

    def sample_each(self, x: FloatArray, count: int, seed: int) -> FloatArray:
        """Returns draws of the parameters given each row of summaries.

        Arguments:
            x: Summaries with their errors, with shape `[N, S]`.
            count: The number M of draws for each.
            seed: The same seed gives the same draws. The global generators are left
                alone.

        Returns:
            Draws with shape `[M, N, P]`.

        Raises:
            ValueError: If the summaries have another shape or are not finite.
        """
        if count < 1:
            raise ValueError(f"{count} draws are too few: ask for 1 or more")
        rows = self._rows(x).split(max(1, DRAWS_AT_ONCE // count))
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            draws = [
                self.estimator.sample(torch.Size([count]), batch) for batch in rows
            ]
        return Space(self.parameters).bounded(torch.cat(draws, dim=1).double().numpy())

    def log_prob(self, theta: FloatArray, x: FloatArray) -> FloatArray:
        """Returns log q(theta_i | x_i), with shape `[N]`; beyond the bounds it is -inf.

        Arguments:
            theta: Parameters, with shape `[N, P]`.
            x: Summaries with their errors, with shape `[N, S]`.

        Raises:
            ValueError: If the shapes do not belong together, or summaries are not
                finite.
        """
        space = Space(self.parameters)
        if theta.shape != (len(x), len(self.parameters)):
            raise ValueError(
                f"parameters of shape {theta.shape} must have one row of {len(self.parameters)} "
                f"for each of {len(x)} rows of summaries"
            )
        free = space.unbounded(theta)
        with torch.no_grad():
            density = -self.estimator.loss(single_precision(free), self._rows(x))
        log_prob = density.double().numpy() + space.log_stretch(free)
        return np.where(space.outside(theta).any(axis=-1), -np.inf, log_prob)

    def _rows(self, x: FloatArray) -> Tensor:
        return single_precision(data_vector.rows(x, len(self.names)))

    def _conformed(self, observation: Observation | Table) -> Observation:
        """Returns an observation as the flow learned it, with the errors that it has built in."""
        learned = self.definition, self.names, self.units
        conformed = data_vector.conform_to(observation, *learned, KIND)
        self._check_errors(conformed)
        return conformed

    def _check_errors(self, conformed: Observation) -> None:
        sigma = np.sqrt(self.covariance.diagonal())
        rounding = data_vector.ROUNDING * np.outer(sigma, sigma)
        differ = np.abs(conformed.covariance - self.covariance) > rounding
        if not differ.any():
            return
        own = np.flatnonzero(differ.diagonal())
        i, j = (own[0], own[0]) if len(own) else np.argwhere(differ)[0]
        raise ValueError(
            f"observation {conformed.name!r} has other errors than those that the posterior "
            "learned: "
            f"the covariance of {self.names[i]!r} and {self.names[j]!r} is "
            f"{conformed.covariance[i, j]:.6g}, not {self.covariance[i, j]:.6g}; give all "
            "of it, or train a posterior with the observation's"
        )

    def describe(self) -> str:
        """Returns what the posterior is, as a few lines for people."""
        losses, pairs = self.curve.validation, self.document["pairs"]["train"]["count"]
        lines = {
            "parameters": ", ".join(_range(p) for p in self.parameters),
            "summaries": ", ".join(self.names),
            "definition": self.definition,
            "dataset": f"{self.dataset}, {pairs} pairs for training",
            "training": f"{len(losses)} epochs, validation loss {min(losses):.3f} nat",
        }
        head = f"Posterior {self.document['fingerprint']}: {len(self.parameters)} parameters given "
        body = [
            textwrap.fill(
                text, 100, initial_indent=f"  {name:12}", subsequent_indent=" " * 14
            )
            for name, text in lines.items()
        ]
        return "\n".join([f"{head}{len(self.names)} summaries", *body])

    def __repr__(self) -> str:
        return self.describe()


@dataclass(frozen=True)
class _Plan:
    """All that decides a posterior."""

    splits: Splits
    parameters: tuple[Parameter, ...]
    covariance: FloatArray
    flow: Flow
    options: Training
    seed: int

    def describe(self) -> JSON:
        """Returns the plan as plain JSON, with checksums in the place of pairs."""
        return {
            **origin(self.splits, self.parameters),
            "covariance": np.asarray(self.covariance, dtype=np.float64).tolist(),
            "flow": identity.describe(self.flow),
            "layout": self.splits.layout,
            "training": identity.describe(self.options),
            "seed": self.seed,
            "version": VERSION,
        }

    def check(self) -> None:
        """Raises ValueError if parameters, covariance and pairs do not belong together."""
        splits, size = self.splits, len(self.splits.names)
        splits.check_parameters(self.parameters)
        if self.covariance.shape != (size, size):
            raise ValueError(
                f"a covariance of shape {self.covariance.shape} does not belong to {size} "
                "summaries: use that of an observation with the same binning"
            )
        for pairs in (splits.train, splits.validation):
            self._check_theta(pairs.theta)

    def _check_theta(self, theta: FloatArray) -> None:
        outside = Space(self.parameters).outside(theta).any(axis=0)
        if outside.any():
            parameter = self.parameters[int(np.argmax(outside))]
            column = theta[:, int(np.argmax(outside))]
            raise ValueError(
                f"{parameter.name} reaches from {column.min():g} to {column.max():g}, beyond its "
                f"bounds {parameter.lower:g} and {parameter.upper:g}: widen the bounds"
            )

    def train(self, folder: Path, on_epoch: OnEpoch | None) -> Trained:
        """Returns the trained weights of a flow that is standardised by noisy pairs."""
        examples = _Noisy(
            _free(self.splits.train, self.parameters), self.covariance, self.seed
        )
        module = self._untrained(*examples(0))
        noise = generator(self.seed, LEARNING, VALIDATION_NOISE)
        validation = convolve(
            _free(self.splits.validation, self.parameters), self.covariance, noise
        )
        return training.train(
            module,
            examples,
            _tensors(validation),
            self.options,
            self.seed,
            folder,
            on_epoch,
        )

    def _untrained(self, theta: Tensor, x: Tensor) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return _Loss(self.flow.build(theta, x, _layout(self.splits.layout)))


def _layout(numbers: Sequence[int] | None) -> SetLayout | None:
    return SetLayout(*numbers) if numbers else None


def _range(parameter: Parameter) -> str:
    """Returns a parameter with its unit and its finite bounds, as people read it."""
    unit = f" [{parameter.unit}]" if parameter.unit else ""
    above = f" from {parameter.lower:g}" if np.isfinite(parameter.lower) else ""
    below = f" to {parameter.upper:g}" if np.isfinite(parameter.upper) else ""
    return parameter.name + unit + above + below


def _free(pairs: Pairs, parameters: tuple[Parameter, ...]) -> Pairs:
    return dataclasses.replace(pairs, theta=Space(parameters).unbounded(pairs.theta))


def fit(
    splits: Splits,
    parameters: tuple[Parameter, ...],
    covariance: FloatArray,
    flow: Flow,
    options: Training,
    seed: int,
    folder: Path,
    on_epoch: OnEpoch | None = None,
) -> Posterior:
    """Returns the posterior that a flow learned from simulated pairs.

    Called again with the same arguments it opens the posterior in `folder`; a call that
    was killed is continued. A posterior with other arguments in the same folder is
    replaced.

    Arguments:
        splits: The pairs, without measurement errors.
        parameters: The P parameters, in the order of the pairs' columns.
        covariance: The measurement covariance, with shape `[S, S]`.
        flow: The flow's options.
        options: The training's options.
        seed: Decides the first weights, the errors and the order of the pairs.
        folder: Where the posterior is kept.
        on_epoch: Called after each epoch with its number and its losses.

    Raises:
        ValueError: If parameters, covariance and pairs do not belong together, or if
            the posterior in the folder is damaged.
        BlockingIOError: If another process is training in the folder.
    """
    plan = _Plan(splits, parameters, covariance, flow, options, seed)
    plan.check()
    description = plan.describe()
    store = ArtifactStore(folder, KIND)

    def learn(unfinished: Path) -> tuple[JSON, dict[str, Tensor]]:
        trained = plan.train(unfinished, on_epoch)
        document = {**description, "curve": identity.describe(trained.curve)}
        return document, trained.weights

    store.get_or_train(fingerprint(description), learn)
    return load(folder)


def load(folder: Path | str) -> Posterior:
    """Returns the posterior in a folder, without its training pairs.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If its files are damaged.
    """
    return ArtifactStore(Path(folder), KIND).open(_restore)


def _restore(document: JSON, weights: dict[str, Tensor]) -> Posterior:
    summaries, options, curve = (
        document["summaries"],
        document["flow"],
        document["curve"],
    )
    flow = Flow(options["transforms"], tuple(options["hidden"]), options["kind"])
    return Posterior(
        parameters=tuple(Parameter(**entry) for entry in document["parameters"]),
        names=tuple(summaries["names"]),
        units=tuple(summaries["units"]),
        definition=document["definition"],
        dataset=document["dataset"],
        covariance=np.array(document["covariance"]),
        curve=Curve(tuple(curve["train"]), tuple(curve["validation"])),
        document=document,
        estimator=_rebuild(flow, document, weights),
    )


def _rebuild(
    flow: Flow, document: JSON, weights: dict[str, Tensor]
) -> ConditionalDensityEstimator:
    # The standardisation is among the weights; these two rows only give the shapes.
    rows = torch.tensor([[0.0], [1.0]])
    theta = rows.expand(2, len(document["parameters"]))
    x = rows.expand(2, len(document["summaries"]["names"]))
    with torch.random.fork_rng(devices=[]):
        module = _Loss(flow.build(theta, x, _layout(document["layout"])))
    module.load_state_dict(weights)
    return module.estimator.eval()
