"""Whether a vector is like others: entry by entry, by groups of entries, and as a whole.

If it is one of them, its rank is uniform, whatever measures how unusual a vector is, as
long as the vector and the others go into the measure alike. So scales, widths and
covariances here are those of all vectors together, the one in question among them. Three
measures are asked: the most deviating entry, the most deviating group of entries, and the
distance from the mean with the covariance of all. A vector is as unusual as the measure
that finds it most unusual says, ranked among what that is for all others: of many entries,
groups and measures something always stands out, and so it does in the others.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from orrery.judging.distributions import LEVELS, NEARLY_ALL
from orrery.judging.predictive import DOUBTFUL, has_covariance, squared_distances
from orrery.parameters import FloatArray

RARE = 0.05  # p-value below which something stands out; `DOUBTFUL` is that of a verdict
# Quantiles between which a distribution is taken as normal; the outer ones know its tails.
KNOTS = (NEARLY_ALL[0], *LEVELS, NEARLY_ALL[1])
FEWEST_OTHERS = 20  # vectors whose 2.5 and 97.5 % mean anything


@dataclass(frozen=True, eq=False)
class Likeness:
    """A vector among n others of S entries.

    Arguments:
        names: The S entries' names.
        groups: The names of the G groups.
        value: The vector `[S]`.
        quantiles: The 2.5, 16, 50, 84 and 97.5 % of the others `[5, S]`.
        scores: How far each entry of the vector is out `[S]`: as many standard
            deviations as a normal number would be.
        entry_pvalues: For each entry how often a vector has an entry, or by another
            measure is, as far out `[S]`.
        group_pvalues: The same for each group `[G]`; NaN where it has more than half as
            many entries as there are others, from which no covariance can be told.
        joint_pvalue: The same for the whole vector; NaN likewise.
        others: The number n.

    Example:
        >>> others = np.random.default_rng(1).normal(size=(999, 3))
        >>> names, groups = ("a", "b", "c"), ("x", "y", "y")
        >>> found = compare_with_others(np.array([0.0, 9.0, 0.0]), others, names, groups)
        >>> found.passed, [found.names[i] for i in found.outlying], found.outlying_groups
        (False, ['b'], ('y',))
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    value: FloatArray
    quantiles: FloatArray
    scores: FloatArray
    entry_pvalues: FloatArray
    group_pvalues: FloatArray
    joint_pvalue: float
    others: int

    @property
    def pvalue(self) -> float:
        """How often a vector is as unusual."""
        each = [*self.entry_pvalues, *self.group_pvalues, self.joint_pvalue]
        return float(np.nanmin(each))

    @property
    def smallest_possible(self) -> float:
        """The p-value, at most, of a vector that is further out than all others."""
        groups = bool(np.isfinite(self.group_pvalues).any())
        return (1 + groups + math.isfinite(self.joint_pvalue)) / (1 + self.others)

    @property
    def unusual(self) -> bool:
        """Whether the others are too rarely like the vector."""
        return self.pvalue < DOUBTFUL

    @property
    def rare(self) -> bool:
        """Whether something stands out, which it does in so many of them."""
        return self.pvalue < RARE

    @property
    def passed(self) -> bool | None:
        """Whether it is like them; None where they are too few to say."""
        return None if self.smallest_possible >= DOUBTFUL else not self.unusual

    @property
    def outlying(self) -> list[int]:
        """The entries that stand out on their own, the worst first."""
        order = np.argsort(-np.abs(self.scores), kind="stable")
        return [i for i in order.tolist() if self.entry_pvalues[i] < RARE]

    @property
    def outlying_groups(self) -> tuple[str, ...]:
        """The groups that stand out, whether or not one of their entries does."""
        pairs = zip(self.groups, self.group_pvalues, strict=True)
        return tuple(name for name, pvalue in pairs if pvalue < RARE)


def compare_with_others(
    value: FloatArray,
    others: FloatArray,
    names: Sequence[str],
    groups: Sequence[str],
) -> Likeness:
    """Returns where a vector is among others.

    Arguments:
        value: The vector `[S]`.
        others: With shape `[n, S]`.
        names: The entries' names.
        groups: For each entry the name of its group.

    Raises:
        ValueError: If the shapes do not belong together, a number is not finite, or there
            are too few others.
    """
    _check(value, others, names, groups)
    scores = normal_scores(np.vstack([value, others]))
    distinct = tuple(dict.fromkeys(groups))
    columns = [np.array([of == one for of in groups]) for one in distinct]
    entries = np.abs(scores)
    # of groups of different sizes, distances are compared by how rare they are
    rarity = np.stack([_rarity(scores[:, chosen]) for chosen in columns], axis=1)
    joint = _squared_distance(scores)
    measures = (entries.max(axis=1), np.fmax.reduce(rarity, axis=1), joint)
    shares = [_shares_beyond(one, one) for one in measures if not np.isnan(one[0])]
    rarest = np.min(shares, axis=0)

    def corrected(of_all: FloatArray, values: FloatArray) -> FloatArray:
        found = _shares_beyond(rarest, _shares_beyond(of_all, values), above=True)
        # of few vectors the distances of many entries are untested
        return np.where(np.isnan(values), np.nan, 1.0 - found)

    return Likeness(
        tuple(names),
        distinct,
        value,
        np.quantile(others, LEVELS, axis=0),
        scores[0],
        corrected(measures[0], entries[0]),
        corrected(measures[1], rarity[0]),
        float(corrected(joint, joint[:1])[0]),
        len(others),
    )


def _check(
    value: FloatArray, others: FloatArray, names: Sequence[str], groups: Sequence[str]
) -> None:
    if others.ndim != 2 or value.shape != others.shape[1:]:
        raise ValueError(
            f"a vector of shape {value.shape} and others of shape {others.shape} must be [S] "
            "and [n, S]"
        )
    if not len(names) == len(groups) == len(value):
        raise ValueError(
            f"{len(names)} names and {len(groups)} groups for {len(value)} entries: give one "
            "of each for every entry"
        )
    if len(others) < FEWEST_OTHERS:
        raise ValueError(
            f"{len(others)} vectors are too few to compare with: give {FEWEST_OTHERS} or more"
        )
    if not (np.isfinite(value).all() and np.isfinite(others).all()):
        raise ValueError("all entries must be finite: leave out vectors with NaN")


def normal_scores(vectors: FloatArray) -> FloatArray:
    """Returns each entry as the normal number that would be as far out, `[n, S]`.

    Between the 2.5, 16, 50, 84 and 97.5 % of an entry the scores are linear, and beyond
    them they go on as they were: a distribution may be lopsided, and what is ten times as
    far out as all others has a score of its own and not just their highest rank.

    Arguments:
        vectors: With shape `[n, S]`.
    """
    knots = np.quantile(vectors, KNOTS, axis=0)
    at = scipy.special.ndtri(np.array(KNOTS))
    # an entry that hardly varies must not be divided by nought
    least = np.maximum(np.abs(knots).max(axis=0), 1.0) * np.finfo(float).eps
    steps = np.maximum(np.diff(knots, axis=0), least)
    slopes = np.diff(at)[:, None] / steps
    place = np.sum(vectors[None] > knots[1:-1, None], axis=0)
    column = np.arange(vectors.shape[1])
    scores: FloatArray = at[place] + slopes[place, column] * (
        vectors - knots[place, column]
    )
    return scores


def _squared_distance(scores: FloatArray) -> FloatArray:
    """Returns the squared distance of each row from the mean, with the rows' covariance `[n]`.

    NaN where the rows are too few for a covariance.
    """
    if not has_covariance(scores):
        return np.full(len(scores), np.nan)
    return squared_distances(scores - scores.mean(axis=0))


def _rarity(scores: FloatArray) -> FloatArray:
    """Returns how rare the distance of each row `[n, g]` would be, were the scores normal [nat]."""
    distance = _squared_distance(scores)
    rarity: FloatArray = -scipy.stats.chi2.logsf(distance, scores.shape[1])
    return rarity


def _shares_beyond(
    of_all: FloatArray, values: FloatArray, above: bool = False
) -> FloatArray:
    """Returns for each of some values how many of `[n]` reach it, as a share `[k]`.

    Arguments:
        of_all: With shape `[n]`.
        values: With shape `[k]`.
        above: Whether only those count that are larger.
    """
    ordered: NDArray[np.float64] = np.sort(of_all)
    place = np.searchsorted(ordered, values, side="right" if above else "left")
    return 1.0 - place / len(ordered)
