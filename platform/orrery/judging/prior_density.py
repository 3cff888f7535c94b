"""The density of parameters before any data, estimated from simulations.

What is known of a prior is a sample of it. Each parameter's own distribution is smoothed;
how they hang together is that of a mixture of normal distributions, between their ranks
(Sklar's theorem; Nelsen 2006, An Introduction to Copulas, doi:10.1007/0-387-28678-0). The
mean log-density of truths under an estimate is, but for scatter, never above that under the
prior itself: of several estimates the one with the largest mean is the nearest. It is far
below where a parameter lies on separate islands, whose gaps one width of smoothing fills, and
means little for parameters that are whole numbers.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import scipy

from orrery.parameters import FloatArray

_CELLS = 1024  # between the smallest and the largest number of a parameter
# Times a scatter and N^-1/5 it is a bandwidth (Scott 1992, doi:10.1002/9780470316849).
_SCOTT = 1.06
_NORMAL_QUARTILES = 1.349  # between the quartiles of a normal distribution, in sigma
_GAPS = 3.0  # mean distances of neighbours: one in 20 ends is further out
# As wide as the sample is a normal distribution that reaches beyond its ends.
_TAIL = 3.0
# Of a variance of scores, so that parameters that say the same have a density.
_LEAST_VARIANCE = 1e-6
# Normal distributions in a mixture: as many as are most probable by rows it has not seen.
_COMPONENTS = (1, 2, 4, 8, 16)
_FEWEST_ROWS = 20  # for each of them, and each parameter
_HELD_OUT = 5  # every fifth row
# From which a mixture is learned: more take a minute and say no more.
_MOST_ROWS = 20_000
_WEIGHTS = np.linspace(0.0, 1.0, 21)


def log_prior_density(sample: FloatArray, theta: FloatArray) -> FloatArray:
    """Returns the log-density of parameters under what a sample says of its distribution, `[N]`.

    Arguments:
        sample: Parameters of simulations, with shape `[M, P]`.
        theta: Parameters of others, with shape `[N, P]`.

    Raises:
        ValueError: If shapes do not belong together, or there are fewer than two in the
            sample.

    Example:
        >>> uniform = np.random.default_rng(0).uniform(2.0, 4.0, (3000, 2))
        >>> float(log_prior_density(uniform, uniform[:500]).mean().round(1))
        -1.4
    """
    if theta.ndim != 2 or sample.shape[1:] != theta.shape[1:] or len(sample) < 2:
        raise ValueError(
            f"parameters of shapes {sample.shape} and {theta.shape} must be two or more rows "
            "[M, P] and some [N, P]"
        )
    each = [_Marginal.of(column) for column in sample.T]
    columns = zip(each, theta.T, strict=True)
    alone = np.sum([one.log_density(column) for one, column in columns], axis=0)
    if len(each) == 1:
        return np.asarray(alone)
    known = np.stack([one.scores(c) for one, c in zip(each, sample.T, strict=True)])
    asked = np.stack([one.scores(c) for one, c in zip(each, theta.T, strict=True)])
    return np.asarray(alone + _log_copula(known, asked))


def most_probable_mixture(one: FloatArray, other: FloatArray) -> FloatArray:
    """Returns the mixture of two log-densities `[N]` under which their numbers are most probable.

    Example:
        >>> near, far = np.array([-1.0, -1.0]), np.array([-9.0, -8.0])
        >>> most_probable_mixture(near, far)
        array([-1., -1.])
    """
    with np.errstate(divide="ignore"):
        logs = np.log(np.stack([_WEIGHTS, 1 - _WEIGHTS]))
    mixed = np.logaddexp(logs[0][:, None] + one, logs[1][:, None] + other)
    return np.asarray(mixed[mixed.mean(axis=1).argmax()])


@dataclass(frozen=True, eq=False)
class _Marginal:
    """The distribution of one parameter.

    Arguments:
        ordered: A sample of it `[M]`, ascending.
        edges: Of cells `[C + 1]`.
        density: In each of them `[C]`.
    """

    ordered: FloatArray
    edges: FloatArray
    density: FloatArray

    @classmethod
    def of(cls, sample: FloatArray) -> "_Marginal":
        ordered = np.sort(sample)
        # a prior that stops somewhere reaches a little further than M numbers of it
        more = _GAPS * (ordered[-1] - ordered[0]) / len(ordered)
        ends = (ordered[0] - more, ordered[-1] + more)
        counts, edges = np.histogram(ordered, _CELLS, ends)
        width = edges[1] - edges[0]
        low, high = np.percentile(ordered, [25, 75])
        scatter = min(ordered.std(), (high - low) / _NORMAL_QUARTILES)
        bandwidth = _SCOTT * scatter * len(ordered) ** -0.2
        # what would be smoothed over an end, where a prior may stop, comes back
        smooth = scipy.ndimage.gaussian_filter1d(
            counts.astype(float), max(bandwidth / width, 1.0), mode="reflect"
        )
        return cls(ordered, edges, smooth / (smooth.sum() * width))

    def log_density(self, theta: FloatArray) -> FloatArray:
        """Returns log-densities `[N]`, which are finite beyond the sample's ends too."""
        cell = np.searchsorted(self.edges, theta, side="right") - 1
        cell = np.where(theta == self.edges[-1], len(self.density) - 1, cell)
        inside = (cell >= 0) & (cell < len(self.density))
        here = np.where(
            inside, self.density[np.clip(cell, 0, len(self.density) - 1)], 0
        )
        # so much of the distribution is beyond all of M numbers
        beyond = 1 / (len(self.ordered) + 1)
        spread = _TAIL * max(self.ordered.std(), self.edges[1] - self.edges[0])
        tail = scipy.stats.norm.logpdf(theta, self.ordered.mean(), spread)
        with np.errstate(divide="ignore"):
            return np.logaddexp(np.log((1 - beyond) * here), np.log(beyond) + tail)

    def scores(self, theta: FloatArray) -> FloatArray:
        """Returns the numbers `[N]` of a standard normal distribution with the same ranks."""
        count = len(self.ordered)
        below = np.searchsorted(self.ordered, theta, side="left")
        upto = np.searchsorted(self.ordered, theta, side="right")
        # beyond the ends as far as the outermost of so many are
        ranks = np.clip((below + upto) / 2, 0.5, count - 0.5)
        return np.asarray(scipy.stats.norm.ppf(ranks / count))


def _log_copula(known: FloatArray, asked: FloatArray) -> FloatArray:
    """Returns by how much scores `[P, N]` are more probable together than each for itself."""
    # a constant hangs together with nothing
    varied = known.std(axis=1) > 0
    if varied.sum() < 2:
        return np.zeros(asked.shape[1])
    together = _log_mixture(known[varied].T, asked[varied].T)
    return np.asarray(together - scipy.stats.norm.logpdf(asked[varied]).sum(axis=0))


def _log_mixture(known: FloatArray, asked: FloatArray) -> FloatArray:
    """Returns log-densities `[N]` of scores `[N, P]` under a mixture learned from `[M, P]`."""
    # takes half a second
    from sklearn.mixture import GaussianMixture

    def learn(rows: FloatArray, components: int) -> GaussianMixture:
        mixture = GaussianMixture(
            components,
            reg_covar=_LEAST_VARIANCE,
            init_params="k-means++",
            random_state=0,
        )
        with warnings.catch_warnings():
            # one that is still on its way is an estimate too, and judged like the others
            warnings.simplefilter("ignore")
            return mixture.fit(rows)

    rows = known[:: -(-len(known) // _MOST_ROWS)]
    held_out = np.arange(len(rows)) % _HELD_OUT == 0
    most = len(rows) // (_FEWEST_ROWS * known.shape[1])
    tried = [count for count in _COMPONENTS if count <= most] or [1]
    best = tried[0]
    if len(tried) > 1:
        scores = [learn(rows[~held_out], n).score(rows[held_out]) for n in tried]
        best = tried[int(np.argmax(scores))]
    return np.asarray(learn(rows, best).score_samples(asked))
