"""The posterior: a normalising flow that learned p(theta | x) from simulated pairs.

What is trained here is kept with all that decided it, and read again without what only
training needs.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from astropy.table import QTable, Table
from torch import Tensor

from orrery import data_vector, exports, identity
from orrery.identity import JSON
from orrery.learning.artefacts import ArtifactStore, labels, read_parameters
from orrery.learning.flow import FlowLoss, Space
from orrery.learning.flow_training import FlowPlan, set_layout
from orrery.learning.options import Flow, Training
from orrery.learning.reach import Reach
from orrery.learning.training import Curve, OnEpoch, single_precision
from orrery.option_types import whole_number
from orrery.pairs import Splits
from orrery.parameters import FloatArray, Parameter
from orrery.records import Observation
from orrery.storage.store import Location, locate
from orrery.terminal import say

if TYPE_CHECKING:
    from orrery.learning.flow import ConditionalDensityEstimator

KIND = "posterior"
DRAWS_AT_ONCE = 100_000


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

    Example:
        >>> flow = Flow(transforms=2).build(torch.randn(9, 1), torch.randn(9, 2))
        >>> mass = Parameter("mass", "dex(solMass)", "$m$", lower=10.0, upper=15.0)
        >>> untrained = Posterior(
        ...     parameters=(mass,),
        ...     names=("count", "spread"),
        ...     units=("", "km / s"),
        ...     definition="by hand",
        ...     dataset="toy",
        ...     covariance=np.eye(2),
        ...     curve=Curve(),
        ...     document={},
        ...     estimator=flow,
        ... )
        >>> untrained.sample_each(np.zeros((4, 2)), count=8, seed=1).shape
        (8, 4, 1)
        >>> untrained.log_prob(np.array([[16.0]]), np.zeros((1, 2)))
        array([-inf])
    """

    parameters: tuple[Parameter, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    definition: str
    dataset: str
    covariance: FloatArray
    curve: Curve
    document: JSON
    estimator: "ConditionalDensityEstimator" = field(repr=False)

    def sample(
        self, observation: Observation | Table, count: int = 10_000, seed: int = 0
    ) -> QTable:
        """Returns draws of the parameters given an observation, as a table with units.

        Where hardly any simulation is as far out as the observation, a warning says so,
        and stands in the table's metadata: the draws answer for data that the posterior
        has not learned from.

        Arguments:
            observation: What was observed, or a table of it: see
                `data_vector.from_table`.
            count: The number of draws.
            seed: The same seed gives the same draws.

        Raises:
            ValueError: If the observation's summaries are not those that the flow
                learned.
        """
        seed = whole_number("seed", seed, 0)
        origin = self.origin(observation, seed)
        if "warning" in origin:
            say(f"warning: {origin['warning']}")
        drawn = self.draws(observation, count, seed)
        return exports.draws_table(self.parameters, drawn, origin)

    def doubt(self, observation: Observation) -> str | None:
        """Returns in a sentence that an observation is further out than simulations are.

        None if it is not, or if the posterior was trained before this was kept.

        Arguments:
            observation: With the summaries that the flow learned.
        """
        kept = self.document.get("reach")
        if kept is None:
            return None
        reach = Reach.restore(kept, len(self.names))
        far = reach.furthest(observation.value)
        if not far:
            return None
        z = reach.deviations(observation.value)
        entries = ", ".join(f"{self.names[i]} ({z[i]:+.1f})" for i in far)
        return (
            f"fewer than one in a hundred simulations are as far out as {observation.name!r}; "
            f"furthest, in standard deviations: {entries}"
        )

    def origin(self, observation: Observation | Table, seed: int) -> JSON:
        """Returns where draws given an observation come from, as plain JSON.

        Arguments and errors are those of `sample`.
        """
        conformed = self._conformed(observation)
        warning = self.doubt(conformed)
        return {
            "observation": conformed.name,
            **({"warning": warning} if warning else {}),
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
        count = whole_number("count", count, 1)
        rows = self._rows(x).split(max(1, DRAWS_AT_ONCE // count))
        # sbi samples with the global generator, which is seeded and put back.
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
        # The flow's density is that of unbounded numbers; the map's slope makes it theta's.
        log_prob = density.double().numpy() + space.log_stretch(free)
        return np.where(space.outside(theta).any(axis=-1), -np.inf, log_prob)

    def _rows(self, x: FloatArray) -> Tensor:
        return single_precision(data_vector.checked_rows(x, len(self.names)))

    def _conformed(self, observation: Observation | Table) -> Observation:
        """Returns an observation as the flow learned it, with the errors that it has built in."""
        conformed = data_vector.conform_to(
            observation, self.definition, self.names, self.units, learner=KIND
        )
        self._check_errors(conformed)
        return conformed

    def _check_errors(self, conformed: Observation) -> None:
        sigma = np.sqrt(self.covariance.diagonal())
        rounding = data_vector.ROUNDING * np.outer(sigma, sigma)
        added = conformed.added_covariance
        differ = np.abs(added - self.covariance) > rounding
        if not differ.any():
            return
        # People know errors, not covariances: a diagonal entry is named first.
        own = np.flatnonzero(differ.diagonal())
        i, j = (own[0], own[0]) if len(own) else np.argwhere(differ)[0]
        raise ValueError(
            f"observation {conformed.name!r} has other errors than those that the posterior "
            "learned: "
            f"the covariance of {self.names[i]!r} and {self.names[j]!r} is "
            f"{added[i, j]:.6g}, not {self.covariance[i, j]:.6g}; give all "
            "of it, or train a posterior with the observation's"
        )

    def describe(self) -> str:
        """Returns what the posterior is, as a few lines for people."""
        losses = self.curve.validation
        pairs = self.document["pairs"]["train"]["count"]
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


def _range(parameter: Parameter) -> str:
    """Returns a parameter with its unit and its finite bounds, as people read it."""
    unit = f" [{parameter.unit}]" if parameter.unit else ""
    above = f" from {parameter.lower:g}" if np.isfinite(parameter.lower) else ""
    below = f" to {parameter.upper:g}" if np.isfinite(parameter.upper) else ""
    return parameter.name + unit + above + below


def fit(
    splits: Splits,
    parameters: Sequence[Parameter],
    covariance: FloatArray,
    flow: Flow,
    options: Training,
    seed: int,
    folder: Location | str,
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
    seed = whole_number("seed", seed, 0)
    errors = np.asarray(covariance, np.float64)
    plan = FlowPlan(splits, tuple(parameters), errors, flow, options, seed)
    return fit_plan(plan, locate(folder), on_epoch)


def fit_plan(
    plan: FlowPlan, folder: Location, on_epoch: OnEpoch | None = None
) -> Posterior:
    """Returns the posterior of a plan: see `fit`, which makes one of its arguments."""
    plan.check()
    store = ArtifactStore(folder, KIND)

    # Called only where the store does not hold the posterior yet.
    def learn(unfinished: Path) -> tuple[JSON, dict[str, Tensor]]:
        trained = plan.train(unfinished, on_epoch)
        reach = plan.reach
        document = {
            **plan.description,
            **labels(plan.parameters),
            "curve": identity.describe(trained.curve),
            "reach": None if reach is None else reach.document,
        }
        return document, trained.weights

    store.get_or_train(plan.fingerprint, learn)
    # with today's labels: the document has those of who trained it
    found = store.open(_restore, plan.fingerprint)
    return replace(found, parameters=plan.parameters)


def load(folder: Location | str) -> Posterior:
    """Returns the posterior in a folder, without its training pairs.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If its files are damaged.
    """
    return ArtifactStore(locate(folder), KIND).open(_restore)


def _restore(document: JSON, weights: dict[str, Tensor]) -> Posterior:
    summaries = document["summaries"]
    options = document["flow"]
    flow = Flow(options["transforms"], tuple(options["hidden"]), options["kind"])
    if document.get("reach") is not None:
        # damage is told here, by name, and not at the first observation
        Reach.restore(document["reach"], len(summaries["names"]))
    return Posterior(
        parameters=read_parameters(document),
        names=tuple(summaries["names"]),
        units=tuple(summaries["units"]),
        definition=document["definition"],
        dataset=document["dataset"],
        covariance=np.array(document["covariance"]),
        curve=Curve.read(document["curve"]),
        document=document,
        estimator=_rebuild(flow, document, weights),
    )


def _rebuild(
    flow: Flow, document: JSON, weights: dict[str, Tensor]
) -> "ConditionalDensityEstimator":
    # The standardisation is among the weights; these two rows only give the shapes.
    rows = torch.tensor([[0.0], [1.0]])
    theta = rows.expand(2, len(document["parameters"]))
    x = rows.expand(2, len(document["summaries"]["names"]))
    with torch.random.fork_rng(devices=[]):
        module = FlowLoss(flow.build(theta, x, set_layout(document["layout"])))
    module.load_state_dict(weights)
    return module.estimator.eval()
