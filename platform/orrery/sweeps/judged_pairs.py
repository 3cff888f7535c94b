"""What is kept of the pairs by which a trial is judged: draws, densities, means of their parts.

Two trials are compared on the same pairs, and other pairs would tell another difference. How
far it may be off is seen in parts of the pairs, which are the same of all trials.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from orrery.parameters import FloatArray

if TYPE_CHECKING:  # torch takes seconds
    from orrery.learning.mixture import Mixture
    from orrery.learning.posterior import Posterior

PARTS_OF_PAIRS = 10  # of the pairs: their scatter is known to a quarter
_PREFIX = "part."  # of what a trial reports of one of them


class JudgedPairs:
    """A posterior whose answers for its judgement are kept: sampling them costs most of it.

    Arguments:
        learned: The posterior.

    Example:
        >>> JudgedPairs(None).draws
        []
    """

    def __init__(self, learned: "Posterior | Mixture") -> None:
        self.learned = learned
        self.draws: list[FloatArray] = []
        self.log_densities: list[FloatArray] = []

    @property
    def covariance(self) -> FloatArray:
        """The errors that it has learned, with shape `[S, S]`."""
        return self.learned.covariance

    def sample_each(self, x: FloatArray, count: int, seed: int) -> FloatArray:
        """Returns draws `[M, N, P]` as the posterior gives them."""
        self.draws.append(self.learned.sample_each(x, count, seed))
        return self.draws[-1]

    def log_prob(self, theta: FloatArray, x: FloatArray) -> FloatArray:
        """Returns log-densities `[N]` as the posterior gives them."""
        self.log_densities.append(self.learned.log_prob(theta, x))
        return self.log_densities[-1]


def part_reports(
    values: Mapping[str, FloatArray], theta: FloatArray
) -> tuple[dict[str, float], ...]:
    """Returns the means of values in each part of the pairs; none where a part has no pair.

    A pair is in the same part whatever is measured of it, and whichever others are there.

    Arguments:
        values: Of each of N pairs, `[N]`, by objective.
        theta: The parameters of the pairs, with shape `[N, P]`.

    Example:
        >>> theta = np.arange(400.0)[:, None]
        >>> reports = part_reports({"gain": np.ones(400)}, theta)
        >>> len(reports), reports[0]
        (10, {'part.gain': 1.0})
    """
    part = _parts(theta)
    if len(np.unique(part)) < PARTS_OF_PAIRS:
        return ()
    return tuple(
        {
            f"{_PREFIX}{name}": float(each[part == k].mean())
            for name, each in values.items()
        }
        for k in range(PARTS_OF_PAIRS)
    )


def _parts(theta: FloatArray) -> NDArray[np.int64]:
    """Returns the part of each pair `[N]`: by its parameters, which all trials know."""
    rows = np.ascontiguousarray(theta, dtype=np.float64)
    return np.array(
        [zlib.crc32(row.tobytes()) % PARTS_OF_PAIRS for row in rows], np.int64
    )


def told_parts(curve: Sequence[Mapping[str, float]], objective: str) -> FloatArray:
    """Returns the means of an objective in each part of the pairs `[K]`; empty if untold.

    Arguments:
        curve: The reports of a trial.
        objective: Its name.
    """
    name = f"{_PREFIX}{objective}"
    return np.array([report[name] for report in curve if name in report])
