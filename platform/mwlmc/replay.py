"""Simulates given parameters instead of drawing them: the way from a posterior back to stars.

What a posterior predicts is found by simulating its draws. Not every draw can be: a flow
may leave the prior, and the rewind of some parameters runs away. The prior holds
neither, so such draws are dropped, and counted, before anything is simulated.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mwlmc.simulator import STARS_STREAM, Simulator
from orrery.identity import JSON
from orrery.parameters import FloatArray, Prior, generator
from orrery.records import Records, Schema

VERSION = 2  # of the replay; raised whenever its numbers change
REWIND_BATCH = 256  # rewinds at once


@dataclass(frozen=True)
class Simulable:
    """The draws that can be simulated, and how many cannot.

    Arguments:
        theta: The prior's parameters, with shape `[B, P]`.
        outside: How many draws are where the prior has no density.
        runaway: How many others have a rewind that runs away.

    Example:
        >>> print(Simulable(np.zeros((8, 11)), outside=1, runaway=1))
        Of 10 draws 8 can be simulated: 1 are beyond the prior, and the rewind of 1 runs away.
    """

    theta: FloatArray
    outside: int
    runaway: int

    def __str__(self) -> str:
        total = len(self.theta) + self.outside + self.runaway
        return (
            f"Of {total} draws {len(self.theta)} can be simulated: {self.outside} are beyond the "
            f"prior, and the rewind of {self.runaway} runs away."
        )


def within_prior(prior: Prior, theta: FloatArray) -> NDArray[np.bool_]:
    """Returns which parameters `[N, P]` are where the prior has density, with shape `[N]`.

    Raises:
        ValueError: If there are not P parameters.
    """
    _check_shape(prior, theta)
    lower, upper = _support(prior)
    return np.all((theta >= lower) & (theta <= upper), axis=1)  # NaN is outside


def _support(prior: Prior) -> tuple[FloatArray, FloatArray]:
    ends = np.array([d.quantile(np.array([0.0, 1.0])) for d in prior.distributions])
    lower = np.array([p.lower for p in prior.parameters])
    upper = np.array([p.upper for p in prior.parameters])
    return np.maximum(lower, ends[:, 0]), np.minimum(upper, ends[:, 1])


def _check_shape(prior: Prior, theta: FloatArray) -> None:
    if theta.ndim != 2 or theta.shape[1] != len(prior.names):
        raise ValueError(
            f"theta of shape {theta.shape} must have one column for each of {prior.names}"
        )


def runaways(simulator: Simulator, theta: FloatArray) -> NDArray[np.bool_]:
    """Returns which parameters `[N, P]`, all within the prior, have a rewind that runs away."""
    parts = [
        theta[first : first + REWIND_BATCH]
        for first in range(0, len(theta), REWIND_BATCH)
    ]
    lost = [simulator.rewind(part).trajectories.runaway.numpy() for part in parts]
    return np.concatenate([np.zeros(0, dtype=bool), *lost])


def simulable(simulator: Simulator, theta: FloatArray) -> Simulable:
    """Returns the draws that a simulator can simulate, and how many it cannot.

    Arguments:
        simulator: The simulator.
        theta: Draws of its prior's parameters, in its order, with shape `[N, P]`.

    Raises:
        ValueError: If there are other parameters, or no draw is left.
    """
    inside = theta[within_prior(simulator.prior, theta)]
    lost = runaways(simulator, inside)
    found = Simulable(inside[~lost], len(theta) - len(inside), int(lost.sum()))
    if not len(found.theta):
        raise ValueError(
            f"{found} The posterior is not one of this simulator's parameters"
        )
    return found


@dataclass(frozen=True, eq=False)
class Replay:
    """A simulator of given parameters. Two with the same description are the same.

    Record i has the parameters i mod B, so whole shards can be made, and asking for k B
    records gives k skies for each. Its stars are those of the seed and of i, exactly as
    the simulator draws them: with a dataset's own parameters and seed its records come
    out again. Predictions need another seed, or they repeat the sampling noise that the
    posterior was trained on.

    Arguments:
        simulator: What simulates.
        theta: The parameters of its prior, in its order, with shape `[B, P]`.

    Example:
        >>> simulator = Simulator(stars=500)
        >>> theta = simulator.prior.draw(generator(1, 0))
        >>> Replay(simulator, theta).describe()["replay"]["count"]
        1
    """

    simulator: Simulator
    theta: FloatArray = field(repr=False)

    def __post_init__(self) -> None:
        own = np.array(self.theta, dtype=np.float64)
        outside = ~within_prior(self.simulator.prior, own)
        if outside.any() or not len(own):
            raise ValueError(
                f"{int(outside.sum())} of {len(own)} rows of theta are beyond the prior, the first "
                f"of them {own[outside][:1].tolist()}: give at least one, and only what "
                "`simulable` leaves"
            )
        own.setflags(write=False)
        object.__setattr__(self, "theta", own)

    @property
    def schema(self) -> Schema:
        """The columns of the records: the simulator's; nothing ran away before any of them."""
        return self.simulator.schema

    @property
    def gpus(self) -> float:
        """The share of a GPU that a process needs."""
        return self.simulator.gpus

    @property
    def versions(self) -> dict[str, int]:
        """The versions of the code that decides the records."""
        return {**self.simulator.versions, "replay": VERSION}

    @property
    def rounding(self) -> str:
        """What decides the last bits of stars here."""
        return self.simulator.rounding

    def describe(self) -> JSON:
        """Returns all that decides the records, as plain JSON."""
        digest = hashlib.sha256(np.ascontiguousarray(self.theta).tobytes()).hexdigest()
        replay = {"count": len(self.theta), "sha256": digest}
        simulator = self.simulator.describe()
        return {**simulator, "versions": self.versions, "replay": replay}

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        """Returns the records of the simulations with the given numbers.

        Arguments:
            seed: The root seed.
            indices: The simulations' numbers; each one's stars depend on `seed` and on
                its number.

        Raises:
            ValueError: If the rewind of a simulation's parameters runs away.
        """
        theta = self.theta[np.asarray(indices) % len(self.theta)]
        lost = np.flatnonzero(runaways(self.simulator, theta))
        if len(lost):
            raise ValueError(
                f"the rewind of simulation {indices[int(lost[0])]} runs away with "
                f"{theta[lost[0]].tolist()}: replay only what `simulable` leaves"
            )
        # the simulator's own stream: same seed and number, same stars
        streams = [generator(seed, index, STARS_STREAM) for index in indices]
        made = self.simulator.simulate(theta, streams)
        numbers: dict[str, NDArray[Any]] = {
            "index": np.asarray(indices, np.int64),
            "runaways": np.zeros(len(theta), np.int32),
        }
        return Records({**made.scalars, **numbers}, made.particles, made.offsets)
