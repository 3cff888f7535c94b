"""How far the simulations reach that a posterior learned from, kept with it.

A flow answers for any data, also for such as it has never seen. Whoever opens a trained
posterior has no simulations at hand; what is kept of them here is enough to say that a
data vector is further out than all but one in a hundred.
"""

from dataclasses import dataclass

import numpy as np

from orrery.identity import JSON
from orrery.parameters import FloatArray
from orrery.storage.documents import read_numbers

UNUSUAL = 0.01  # of simulations that are called unusual themselves
_MEASURES = 2  # the most deviating entry, and all together
_FEWEST = 1000  # simulations that can tell one in two hundred
_RIDGE = 1e-6  # variance that keeps entries apart of which one decides another
_NAMED = 3  # entries that a sentence names


@dataclass(frozen=True, eq=False)
class Reach:
    """What summaries with measurement errors look like, of the simulations of the prior.

    Arguments:
        mean: Of each of S entries `[S]`.
        scale: Their standard deviations `[S]`; 1 where an entry is always the same.
        correlation: Of the entries `[S, S]`; None for sets, whose entries change places.
        worst_entry: How many standard deviations the most deviating entry of all but a
            few simulations is from the mean.
        whole_vector: The same of the squared distance with the covariance.

    Example:
        >>> x = np.random.default_rng(1).normal(size=(2000, 2))
        >>> reach = reach_of(x, is_set=False)
        >>> reach.furthest(np.array([0.5, -0.5])), reach.furthest(np.array([0.5, 9.0]))
        ([], [1, 0])
    """

    mean: FloatArray
    scale: FloatArray
    correlation: FloatArray | None
    worst_entry: float
    whole_vector: float

    def deviations(self, value: FloatArray) -> FloatArray:
        """Returns how many standard deviations entries `[S]` are from the mean, `[S]`."""
        return (value - self.mean) / self.scale

    def furthest(self, value: FloatArray) -> list[int]:
        """Returns the entries of an unusual vector `[S]` that deviate most; none of a usual one."""
        z = self.deviations(value)
        far = np.abs(z).max() > self.worst_entry
        if self.correlation is not None:
            far = (
                far or _distance(z[np.newaxis], self.correlation)[0] > self.whole_vector
            )
        return np.argsort(-np.abs(z))[:_NAMED].tolist() if far else []

    @property
    def document(self) -> JSON:
        """The same as plain JSON."""
        matrix = self.correlation
        return {
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "correlation": None if matrix is None else matrix.tolist(),
            "worst_entry": self.worst_entry,
            "whole_vector": self.whole_vector,
        }

    @classmethod
    def restore(cls, document: JSON, entries: int) -> "Reach":
        """Returns what `document` has described, of S entries.

        Raises:
            ValueError: If it holds no such numbers.
        """
        matrix = document["correlation"]
        return cls(
            read_numbers(document["mean"], (entries,)),
            read_numbers(document["scale"], (entries,)),
            None if matrix is None else read_numbers(matrix, (entries, entries)),
            float(read_numbers(document["worst_entry"], ())),
            float(read_numbers(document["whole_vector"], ())),
        )


def reach_of(x: FloatArray, *, is_set: bool) -> Reach | None:
    """Returns how far simulations reach; None where they are too few to tell.

    Arguments:
        x: Summaries with measurement errors `[N, S]`.
        is_set: Whether a row holds a set, padded to the same length.
    """
    if len(x) < _FEWEST:
        return None
    mean, spread = x.mean(axis=0), x.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    z = (x - mean) / scale
    level = 1 - UNUSUAL / _MEASURES
    worst = float(np.quantile(np.abs(z).max(axis=1), level))
    if is_set:
        return Reach(mean, scale, None, worst, 0.0)
    correlation = z.T @ z / len(z) + _RIDGE * np.eye(x.shape[1])
    whole = float(np.quantile(_distance(z, correlation), level))
    return Reach(mean, scale, correlation, worst, whole)


def _distance(z: FloatArray, correlation: FloatArray) -> FloatArray:
    """Returns squared distances `[N]` of deviations `[N, S]` with their covariance."""
    return np.einsum("ni,in->n", z, np.linalg.solve(correlation, z.T))
