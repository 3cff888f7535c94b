"""An ensemble: the mean of many small networks that predict the parameters from summaries.

A network that minimises the squared error predicts the mean of what the parameters may
be. One network's answer depends on its first weights; that of a hundred scatters ten
times less, and that scatter is known from theirs. The error of the answer is known from
examples that were never trained on: see `regression`.

Summaries and parameters are standardised by the mean and the width of the training
pairs alone.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from astropy.table import Table
from torch import Tensor

from orrery import data_vector, identity
from orrery.execution import cluster
from orrery.identity import JSON, fingerprint
from orrery.learning.artefacts import ArtifactStore, labels, origin, read_parameters
from orrery.learning.members import Outcome
from orrery.learning.networks import Dense
from orrery.learning.options import Learning, Networks, check_members_shared
from orrery.learning.scaling import Scaling, scaling
from orrery.learning.training import Curve, OnEpoch, ignore_epoch, single_precision
from orrery.option_types import check_types
from orrery.pairs import Pairs, Splits
from orrery.parameters import FloatArray, Parameter, parameter_names
from orrery.records import Observation
from orrery.storage.documents import read_numbers
from orrery.storage.store import Location, locate

VERSION = 1  # of ensembles and their training; raised whenever their numbers change
KIND = "ensemble"


@dataclass(frozen=True, eq=False, repr=False)
class Ensemble:
    """Trained networks that know what they are. Two with the same document are the same.

    Arguments:
        parameters: The P parameters.
        names: The names of the S summaries.
        units: Their units.
        definition: Fingerprint of the summaries' definition.
        dataset: Fingerprint of the simulations.
        curve: The losses while they were trained, the mean over the members; one that
            has ended counts with its last losses. In units of the standardised
            parameters' variance.
        reseeded: How many first weights were collapsed and drawn again.
        document: All that decided the result, as plain JSON: options, seed, pairs,
            versions.
        scalings: Of the summaries and of the parameters.
        network: The K networks.

    Example:
        >>> ensemble = Ensemble(
        ...     parameters=(Parameter("mass", "dex(solMass)", "$m$"),),
        ...     names=("count", "spread"),
        ...     units=("", "km / s"),
        ...     definition="by hand",
        ...     dataset="toy",
        ...     curve=Curve(),
        ...     reseeded=0,
        ...     document={},
        ...     scalings=(
        ...         Scaling(mean=np.zeros(2), width=np.ones(2)),
        ...         Scaling(mean=np.array([12.0]), width=np.array([0.5])),
        ...     ),
        ...     network=Dense([torch.ones(3, 1, 2)], [torch.zeros(3, 1, 1)]),
        ... )
        >>> ensemble.mean(np.array([[1.0, 2.0]]))
        array([[13.5]])
    """

    parameters: tuple[Parameter, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    definition: str
    dataset: str
    curve: Curve
    reseeded: int
    document: JSON
    scalings: tuple[Scaling, Scaling] = field(repr=False)
    network: Dense = field(repr=False)

    def predict(self, x: FloatArray) -> FloatArray:
        """Returns the prediction of each member for each row, with shape `[K, N, P]`.

        Arguments:
            x: Summaries with their errors, with shape `[N, S]`.

        Raises:
            ValueError: If the summaries have another shape or are not finite.
        """
        of_x, of_theta = self.scalings
        standardised = of_x.standardised(data_vector.checked_rows(x, len(self.names)))
        with cluster.one_thread(), torch.no_grad():
            outputs = self.network.predict(single_precision(standardised))
        return of_theta.restored(outputs.mT.double().numpy())

    def mean(self, x: FloatArray) -> FloatArray:
        """Returns the members' mean prediction for each row, with shape `[N, P]`.

        Arguments and errors are those of `predict`.
        """
        # Of the members' answers, not of their weights, which mean nothing together.
        mean: FloatArray = self.predict(x).mean(axis=0)
        return mean

    def predict_observation(self, observation: Observation | Table) -> FloatArray:
        """Returns the prediction of each member for an observation, with shape `[K, P]`.

        Arguments:
            observation: What was observed, or a table of it: see
                `data_vector.from_table`.

        Raises:
            ValueError: If the observation's summaries are not those that the networks
                learned.
        """
        conformed = data_vector.conform_to(
            observation, self.definition, self.names, self.units, learner=KIND
        )
        return self.predict(conformed.value[np.newaxis])[:, 0]

    def __repr__(self) -> str:
        best = ", ".join(
            f"{loss:.3f}" for loss in np.quantile(self.document["loss"], (0, 0.5, 1))
        )
        return (
            f"Ensemble {self.document['fingerprint']}: {len(self.document['loss'])} members, "
            f"{self.reseeded} reseeded, predict {', '.join(parameter_names(self.parameters))} from "
            f"{len(self.names)} summaries; smallest, median and largest validation loss {best}"
        )


@dataclass(frozen=True)
class EnsemblePlan:
    """All that decides an ensemble.

    Arguments:
        splits: The pairs. Their summaries have measurement errors already.
        parameters: The P parameters, in the order of the pairs' columns.
        networks: How many networks, of which shape.
        learning: How they learn.
        seed: Decides the first weights and the order of the pairs.
        groups: For each of the S summaries its group: see `fit`.

    Example:
        >>> pairs = Pairs(np.linspace(-1, 1, 8).reshape(8, 1), np.ones((8, 2)))
        >>> names = ("count", "spread")
        >>> splits = Splits(
        ...     pairs, pairs, pairs, ("mass",), names, ("", "km / s"), "by hand", "toy", 0
        ... )
        >>> mass = Parameter("mass", "dex(solMass)", "$m$")
        >>> plan = EnsemblePlan(splits, (mass,), Networks(), Learning(), 1, ("all",))
        >>> plan.check()
        Traceback (most recent call last):
        ...
        ValueError: 1 groups for 2 summaries: name the group of each summary
    """

    splits: Splits
    parameters: tuple[Parameter, ...]
    networks: Networks
    learning: Learning
    seed: int
    groups: tuple[Hashable, ...]

    @cached_property
    def description(self) -> JSON:
        """The plan as plain JSON, with checksums in the place of pairs, and without words."""
        return {
            **self.problem,
            "networks": identity.describe(self.networks),
            "learning": identity.describe(self.learning, places=False),
            "seed": self.seed,
        }

    @cached_property
    def problem(self) -> JSON:
        """What is learned, whatever the networks, their learning and their seed."""
        return {
            **origin(self.splits, self.parameters),
            "groups": [str(group) for group in self.groups],
            "version": VERSION,
        }

    @cached_property
    def fingerprint(self) -> str:
        """The digits of all that decides the ensemble."""
        return fingerprint(self.description)

    def check(self) -> None:
        """Raises ValueError if the arguments do not belong together."""
        check_types(self.networks, "networks")
        check_types(self.learning, "learning")
        splits = self.splits
        splits.check_parameters(self.parameters)
        if len(self.groups) != len(splits.names):
            raise ValueError(
                f"{len(self.groups)} groups for {len(splits.names)} summaries: name the group of "
                "each summary"
            )
        check_members_shared(self.networks, self.learning)
        _check_pairs("training", splits.train)
        _check_pairs("validation", splits.validation)

    @cached_property
    def scalings(self) -> tuple[Scaling, Scaling]:
        """The scalings of the summaries and of the parameters."""
        pairs = self.splits.train
        own = parameter_names(self.parameters)
        of_x = scaling(pairs.x, self.groups, self.splits.names)
        return of_x, scaling(pairs.theta, own, own)

    def train(self, folder: Path, on_epoch: OnEpoch | None) -> Outcome:
        """Returns what the members learned."""
        # Imported here, so that reading an ensemble needs no Lightning.
        from orrery.learning.cohorts import MembersTask, train_members

        task = MembersTask(
            train=self._examples(self.splits.train),
            validation=self._examples(self.splits.validation),
            networks=self.networks,
            learning=self.learning,
            seed=self.seed,
            folder=folder.absolute(),
        )
        return train_members(task, on_epoch or ignore_epoch)

    def _examples(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        of_x, of_theta = self.scalings
        x = single_precision(of_x.standardised(pairs.x))
        return x, single_precision(of_theta.standardised(pairs.theta))


def _check_pairs(what: str, pairs: Pairs) -> None:
    if len(pairs) < 2:
        raise ValueError(f"{len(pairs)} {what} pairs are too few: simulate more")
    if not (np.isfinite(pairs.x).all() and np.isfinite(pairs.theta).all()):
        raise ValueError(
            f"the {what} pairs must be finite: leave out those that are not"
        )


def fit(
    splits: Splits,
    parameters: tuple[Parameter, ...],
    networks: Networks,
    learning: Learning,
    seed: int,
    folder: Location,
    groups: Sequence[Hashable] | None = None,
    on_epoch: OnEpoch | None = None,
) -> Ensemble:
    """Returns the ensemble that learned simulated pairs.

    Called again with the same arguments it opens the ensemble in `folder`; a call that
    was killed is continued. An ensemble with other arguments in the same folder is
    replaced.

    Arguments:
        splits: The pairs. Their summaries have measurement errors already.
        parameters: The P parameters, in the order of the pairs' columns.
        networks: How many networks, of which shape.
        learning: How they learn.
        seed: Decides the first weights and the order of the pairs.
        folder: Where the ensemble is kept.
        groups: For each of the S summaries the name or number of its group; those of
            one group, such as the distances of all neighbours, are standardised by
            their common mean and width. Each alone when None.
        on_epoch: Called after each epoch with its number and the mean losses of the
            members that still learn; with workers, of the first worker's.

    Raises:
        ValueError: If the arguments do not belong together, a group is constant, a
            member stays collapsed, or the ensemble in the folder is damaged.
        FloatingPointError: If a loss is not finite.
        BlockingIOError: If another process is training in the folder.
    """
    # A summary without a group is one of its own.
    each = tuple(splits.names if groups is None else groups)
    plan = EnsemblePlan(splits, parameters, networks, learning, seed, each)
    return fit_plan(plan, folder, on_epoch)


def fit_plan(
    plan: EnsemblePlan, folder: Location, on_epoch: OnEpoch | None = None
) -> Ensemble:
    """Returns the ensemble of a plan: see `fit`, which makes one of its arguments."""
    plan.check()
    store = ArtifactStore(folder, KIND)

    # Called only where the store does not hold the ensemble yet.
    def learn(unfinished: Path) -> tuple[JSON, dict[str, Tensor]]:
        outcome = plan.train(unfinished, on_epoch)
        document = {
            **plan.description,
            **labels(plan.parameters),
            **_known(outcome, plan.scalings),
        }
        return document, _named(outcome.network)

    store.get_or_train(plan.fingerprint, learn)
    # with today's labels: the document has those of who trained it
    found = store.open(_restore, plan.fingerprint)
    return replace(found, parameters=plan.parameters)


def _known(outcome: Outcome, scalings: tuple[Scaling, Scaling]) -> JSON:
    """Returns what the training found out, as plain JSON."""
    attempts = zip(outcome.numbers, outcome.attempts, strict=True)
    return {
        "scalings": [
            {"mean": s.mean.tolist(), "width": s.width.tolist()} for s in scalings
        ],
        "curve": {
            "train": _curve(outcome.train),
            "validation": _curve(outcome.validation),
        },
        "loss": outcome.loss.tolist(),
        "epoch": outcome.epoch.tolist(),
        "reseeded": {str(number): attempt for number, attempt in attempts if attempt},
    }


def _curve(losses: Tensor) -> list[float]:
    """Returns the mean of `[E, K]` over the members; those that ended count with their last."""
    # Else the mean would rise whenever a good member ends before a bad one.
    rows = losses.double().clone()
    for before, row in pairwise(rows):
        row[row.isnan()] = before[row.isnan()]
    return rows.mean(dim=1).tolist()


def _named(network: Dense) -> dict[str, Tensor]:
    kinds = {"weight": network.weights, "bias": network.biases}
    return {
        f"{kind}.{i}": t
        for kind, tensors in kinds.items()
        for i, t in enumerate(tensors)
    }


def load(folder: Location | str) -> Ensemble:
    """Returns the ensemble in a folder, without its training pairs.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If its files are damaged.
    """
    return ArtifactStore(locate(folder), KIND).open(_restore)


def _restore(document: JSON, weights: dict[str, Tensor]) -> Ensemble:
    summaries = document["summaries"]
    parameters = read_parameters(document)
    read_numbers(document["loss"], (document["networks"]["members"],))
    of_x, of_theta = document["scalings"]
    return Ensemble(
        parameters=parameters,
        names=tuple(summaries["names"]),
        units=tuple(summaries["units"]),
        definition=document["definition"],
        dataset=document["dataset"],
        curve=Curve.read(document["curve"]),
        reseeded=sum(document["reseeded"].values()),
        document=document,
        scalings=(
            Scaling.read(of_x, len(summaries["names"])),
            Scaling.read(of_theta, len(parameters)),
        ),
        network=_network(document, weights),
    )


def _network(document: JSON, weights: dict[str, Tensor]) -> Dense:
    layers = range(len(document["networks"]["hidden"]) + 1)
    return Dense(
        weights=[weights[f"weight.{i}"] for i in layers],
        biases=[weights[f"bias.{i}"] for i in layers],
    )
