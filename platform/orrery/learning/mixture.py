"""A mixture of posteriors: flows that differ in their seeds err differently, and together err less.

The weights are those with which the mixture itself, not each member alone, gives the
validation pairs the largest mean log-density: "stacking" (Yao et al. 2018,
doi:10.1214/17-BA1091). A softmax of the members' total log-probabilities would, with
thousands of pairs, choose one member.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from astropy.table import QTable, Table
from numpy.typing import NDArray
from scipy import special

from orrery import exports, versions
from orrery.branches import LEARNING, MEMBERS, VALIDATION_NOISE
from orrery.identity import JSON, canonical
from orrery.learning import posterior
from orrery.learning.artefacts import ELSEWHERE, MALFORMED, ArtifactStore, damaged
from orrery.learning.belongings import (
    MEMBER,
    MIXTURE,
    TRAIN,
    contradiction_of_mixture,
    weighed,
)
from orrery.learning.flow_training import FlowPlan, train_together
from orrery.learning.posterior import Posterior
from orrery.learning.training import OnMember, ignore_member
from orrery.option_types import whole_number
from orrery.pairs import Pairs, convolve
from orrery.parameters import FloatArray, Parameter, generator
from orrery.records import Observation
from orrery.storage import files
from orrery.storage.documents import read_document, read_numbers, write_document
from orrery.storage.store import Location, locate
from orrery.terminal import say

VERSION = 1  # of the weights; raised whenever they change
KIND = MIXTURE
ROUNDS = 10_000
GAP = 1e-5  # [nat] how far from the best mean log-density the weights may stay


@dataclass(frozen=True, eq=False, repr=False)
class Mixture:
    """The weighted mean of the densities of some posteriors.

    Arguments:
        members: K posteriors of the same parameters, given the same summaries with the
            same errors.
        weights: Their weights `[K]`, none negative, with the sum 1.

    Raises:
        ValueError: If the weights are not that, or the members learned different things.

    Example:
        >>> import torch
        >>> from orrery.learning.options import Flow
        >>> from orrery.learning.training import Curve
        >>> flow = Flow(transforms=2).build(torch.randn(9, 1), torch.randn(9, 2))
        >>> mass = Parameter("mass", "dex(solMass)", "$m$", lower=10.0, upper=15.0)
        >>> member = Posterior(
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
        >>> mixture = Mixture((member, member), weights=np.array([0.25, 0.75]))
        >>> mixture.sample_each(np.zeros((4, 2)), count=8, seed=1).shape
        (8, 4, 1)
    """

    members: tuple[Posterior, ...]
    weights: FloatArray

    def __post_init__(self) -> None:
        _check_weights(self.weights, len(self.members))
        for number, member in enumerate(self.members):
            _check_alike(number, member, self.members[0])

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The P parameters."""
        return self.members[0].parameters

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the S summaries."""
        return self.members[0].names

    @property
    def covariance(self) -> FloatArray:
        """The measurement covariance `[S, S]` that the members have built in."""
        return self.members[0].covariance

    @property
    def definition(self) -> str:
        """Fingerprint of the definition of the summaries."""
        return self.members[0].definition

    def sample(
        self, observation: Observation | Table, count: int = 10_000, seed: int = 0
    ) -> QTable:
        """Returns draws of the parameters given an observation, as a table with units.

        Arguments and errors are those of `Posterior.sample`.
        """
        each = [member.document["fingerprint"] for member in self.members]
        seed = whole_number("seed", seed, 0)
        origin = {**self.members[0].origin(observation, seed), "posterior": each}
        if "warning" in origin:
            say(f"warning: {origin['warning']}")
        return exports.draws_table(
            self.parameters, self.draws(observation, count, seed), origin
        )

    def draws(
        self, observation: Observation | Table, count: int, seed: int
    ) -> FloatArray:
        """Returns draws of the parameters given an observation, with shape `[count, P]`.

        Arguments and errors are those of `Posterior.draws`.
        """
        return self._drawn(
            lambda member, number, own: member.draws(observation, number, own),
            count,
            seed,
        )

    def sample_each(self, x: FloatArray, count: int, seed: int) -> FloatArray:
        """Returns draws of the parameters given each row of summaries, with shape `[M, N, P]`.

        Each member gives its share of the draws, in random order.

        Arguments:
            x: Summaries with their errors, with shape `[N, S]`.
            count: The number M of draws for each.
            seed: The same seed gives the same draws.

        Raises:
            ValueError: If the summaries have another shape or are not finite.
        """
        return self._drawn(
            lambda member, number, own: member.sample_each(x, number, own), count, seed
        )

    def _drawn(
        self, draw: Callable[[Posterior, int, int], FloatArray], count: int, seed: int
    ) -> FloatArray:
        """Returns draws `[M, ...]`; `draw` is called with a member, its number of draws and a seed.

        Systematic: the number from a member differs by less than one from its weight's
            share.
        """
        count = whole_number("count", count, 1)
        origin = _origins(self.weights, count, seed)
        chosen = np.unique(origin).tolist()
        parts = [
            draw(self.members[k], int((origin == k).sum()), member_seed(seed, k))
            for k in chosen
        ]
        draws = np.empty((count, *parts[0].shape[1:]))
        for k, part in zip(chosen, parts, strict=True):
            draws[origin == k] = part
        return draws

    def log_prob(self, theta: FloatArray, x: FloatArray) -> FloatArray:
        """Returns log q(theta_i | x_i), with shape `[N]`; beyond the bounds it is -inf.

        Arguments and errors are those of `Posterior.log_prob`.
        """
        # Weighted densities are added, not their logarithms.
        each = np.array([member.log_prob(theta, x) for member in self.members])
        total: FloatArray = special.logsumexp(
            each, axis=0, b=self.weights[:, np.newaxis]
        )
        return total

    def __repr__(self) -> str:
        shares = ", ".join(f"{weight:.2f}" for weight in self.weights)
        return f"Mixture with weights {shares} of\n{self.members[0]!r}"


def _check_weights(weights: FloatArray, members: int) -> None:
    shape = np.shape(weights)
    one_each = members > 0 and shape == (members,)
    if not one_each or np.min(weights) < 0 or not abs(np.sum(weights) - 1) <= 1e-6:
        raise ValueError(
            f"weights {weights} must be one for each of {members} members, "
            "none negative, with the sum 1"
        )


def _check_alike(number: int, member: Posterior, first: Posterior) -> None:
    for what in ("parameters", "names", "units", "definition"):
        ours = _compared(member, what)
        theirs = _compared(first, what)
        if ours != theirs:
            raise ValueError(
                f"member {number} has the {what} {ours}, but member 0 has {theirs}: "
                "mix posteriors that were trained on the same pairs"
            )
    if not np.array_equal(member.covariance, first.covariance):
        raise ValueError(
            f"member {number} learned other errors than member 0: train both with one covariance"
        )


def _compared(member: Posterior, what: str) -> Any:
    """Returns what members must share; labels they may not, trained on different days."""
    if what == "parameters":
        return [parameter.describe() for parameter in member.parameters]
    return getattr(member, what)


def _origins(weights: FloatArray, count: int, seed: int) -> NDArray[np.int64]:
    """Returns which member each of `count` draws comes from."""
    random = generator(seed, LEARNING, MEMBERS)
    edges = np.cumsum(weights)
    places = (np.arange(count) + random.random()) / count * edges[-1]
    return random.permutation(np.searchsorted(edges, places, side="right"))


def member_seed(seed: int, number: int) -> int:
    """Returns the seed of a member; that of member 0 is `seed` itself."""
    if number == 0:
        # A mixture of one is the posterior that the seed alone would give.
        return seed
    return int(generator(seed, LEARNING, MEMBERS, number).integers(2**31))


def stacking_weights(log_prob: FloatArray) -> FloatArray:
    """Returns the weights `[K]` with which a mixture explains V pairs best.

    The mean log-density is concave in the weights. Expectation maximisation from equal
    weights climbs to its maximum, and how far below it is at most is known at each
    round: the largest mean ratio of a member's density to the mixture's, less 1.

    Arguments:
        log_prob: The members' log-densities of each pair, with shape `[V, K]`.

    Raises:
        ValueError: If a pair has no density under any member, or one that is not a
            number.
    """
    best = np.max(np.atleast_2d(log_prob), axis=1, keepdims=True, initial=-np.inf)
    if log_prob.ndim != 2 or not log_prob.size or not np.isfinite(best).all():
        raise ValueError(
            f"log-densities of shape {log_prob.shape} must be [V, K], with a finite one in each "
            "row: train the members for longer, or on more pairs"
        )
    # Relative to the best member of each pair: densities of many parameters underflow.
    density = np.exp(log_prob - best)
    weights = np.full(log_prob.shape[1], 1 / log_prob.shape[1])
    for _ in range(ROUNDS):
        ratio = (density / (density @ weights)[:, np.newaxis]).mean(axis=0)
        if ratio.max() - 1 < GAP:
            break
        weights = weights * ratio
    return weights / weights.sum()


def fit_flows(
    plan: FlowPlan, members: int, folder: Location, on_epoch: OnMember
) -> Posterior | Mixture:
    """Returns the posterior of one flow, or the mixture of several.

    Arguments and errors are those of `fit_members`.
    """
    if members == 1:
        return posterior.fit_plan(plan, folder, partial(on_epoch, 0))
    return fit_members(plan, members, folder, on_epoch)


def fit_members(
    plan: FlowPlan, members: int, folder: Location, on_epoch: OnMember | None = None
) -> Mixture:
    """Returns the mixture of flows that learned the same pairs from different seeds.

    Called again, finished members are opened and missing ones trained. More members
    leave those that are there as they were; one member is the posterior that
    `posterior.fit_plan` returns.

    Arguments:
        plan: Of the first member. Its seed decides those of the others and the errors
            of the validation pairs, which decide the weights.
        members: How many flows.
        folder: Where the members are kept, each in a folder of its own.
        on_epoch: Called after each epoch with the member's number, the epoch and the
            losses.

    Raises:
        ValueError: If there is no member, or for the reasons of `posterior.fit`.
        BlockingIOError: If another process is training in the folder.
    """
    if members < 1:
        raise ValueError(f"members={members} must be 1 or larger")
    # One lock for all of it: of two drivers with different numbers of members, one would
    # write weights for the other's.
    with files.locked(files.ensure_writable(folder), ELSEWHERE):
        return _fit_members(plan, members, folder, on_epoch or ignore_member)


def _fit_members(
    plan: FlowPlan, members: int, folder: Location, on_epoch: OnMember
) -> Mixture:
    plans = [plan.with_seed(member_seed(plan.seed, k)) for k in range(members)]
    folders = [_member_folder(folder, k) for k in range(members)]
    # in this process they would gain nothing, and all their pairs be in memory at once
    if plan.options.workers:
        stores = [ArtifactStore(each, posterior.KIND) for each in folders]
        train_together(plans, stores, on_epoch)
    fitted = tuple(
        posterior.fit_plan(plans[k], folders[k], partial(on_epoch, k))
        for k in range(members)
    )
    # One noise for all members: their densities are compared pair by pair.
    noise = generator(plan.seed, LEARNING, VALIDATION_NOISE)
    noisy = convolve(plan.splits.validation, plan.covariance, noise)
    mixed = Mixture(fitted, _weights(fitted, noisy))
    _write(folder, mixed)
    return mixed


def _member_folder(folder: Location, number: int) -> Location:
    return folder / f"{MEMBER}{number}"


def _weights(members: tuple[Posterior, ...], pairs: Pairs) -> FloatArray:
    each = [member.log_prob(pairs.theta, pairs.x) for member in members]
    return stacking_weights(np.stack(each, axis=1))


def _write(folder: Location, mixed: Mixture) -> None:
    document = {
        "members": [member.document["fingerprint"] for member in mixed.members],
        "weights": mixed.weights.tolist(),
        "version": VERSION,
    }
    whole = {**document, "fingerprint": weighed(document)}
    place = ArtifactStore(folder, KIND).document
    # The one that is there knows with which software it was made.
    if not _says(place, whole):
        write_document(place, {**whole, "versions": versions.software()})


def _says(place: Location, wanted: JSON) -> bool:
    """Returns whether a sound document has all of these members."""
    try:
        found = read_document(place, TRAIN)
    except (FileNotFoundError, ValueError):
        return False
    return canonical({**found, **wanted}) == canonical(found)


def load(folder: Location | str) -> Mixture:
    """Returns the mixture in a folder, without its training pairs; of a single posterior, that.

    Raises:
        FileNotFoundError: If there is neither.
        ValueError: If its files are damaged, or a member is not the one that was
            weighed.
    """
    folder = locate(folder)
    store = ArtifactStore(folder, KIND)
    single = ArtifactStore(folder, posterior.KIND)
    if single.document.exists() and not store.document.exists():
        return Mixture((posterior.load(folder),), np.ones(1))
    document = store.read(needed=("members", "weights"))
    reason = contradiction_of_mixture(document)
    if reason is not None:
        raise damaged(store.document, reason)
    try:
        known = [str(member) for member in document["members"]]
        weights = read_numbers(document["weights"], (len(known),))
        _check_weights(weights, len(known))
    except MALFORMED as error:
        raise damaged(store.document, error) from error
    members = tuple(
        posterior.load(_member_folder(folder, k)) for k in range(len(known))
    )
    for member, fingerprint in zip(members, known, strict=True):
        if member.document["fingerprint"] != fingerprint:
            raise ValueError(
                f"{store.document} weighs member {fingerprint}, but the folder holds "
                f"{member.document['fingerprint']}: train the mixture again"
            )
    return Mixture(members, weights)
