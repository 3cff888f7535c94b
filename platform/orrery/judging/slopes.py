"""Whether posteriors follow the data as far as they should: the slopes of truths on their means.

The mean of a right posterior is the mean of all truths that have such data, so that truths
move with it one to one. Where a posterior stays too near to the prior they move more, and
less where it follows what is noise. Neither TARP's area nor ranks tell that from widths
that are wrong.

Where data say much, slopes are known to fractions of a per cent, and no network's is as
near to one. So what decides is also by how much such posteriors are displaced.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy  # whose parts are imported where they are used

from orrery.judging.intervals import check_draws
from orrery.parameters import BoolArray, FloatArray

# By so many standard deviations posteriors must be displaced to be rejected: intervals that
# are a tenth too narrow change what a reader concludes by about as much.
NOTABLE = 0.1
# Of fewer, right posteriors between bounds are rejected too often: at a level of 1 %, 2 to 3 %
# of those of six parameters with 20 tests.
FEWEST_SLOPE_TESTS = 100
_ROUNDING = 1e-13  # of means, relative to the largest truth


@dataclass(frozen=True)
class Slopes:
    """By how much truths move with the means of their posteriors, for P parameters.

    Arguments:
        slope: With shape `[P]`: 1 if the posterior is right, larger where it follows the
            data too little; not a number where means hardly differ from each other.
        error: Standard error of each, with shape `[P]`.
        z: How far each is from 1 in units of a right posterior's error, with shape `[P]`;
            also where there is no slope, because what decides is whether means and
            residuals go together.
        displacement: How far truths are from the means of their posteriors where these
            are one standard deviation of all means larger than usual: on average, and in
            units of the truths' scatter, with shape `[P]`.
        tests: The number N of tests.

    Example:
        >>> random = np.random.default_rng(0)
        >>> truth = random.normal(size=(500, 1))
        >>> data = truth + random.normal(size=(500, 1))
        >>> scatter = random.normal(size=(100, 500, 1))
        >>> right = calibration_slopes(0.5 * data + 0.5**0.5 * scatter, truth)
        >>> slow = calibration_slopes(0.3 * data + 0.5**0.5 * scatter, truth)
        >>> bool(right.pvalue[0] > 0.01), bool(slow.pvalue[0] < 1e-6)
        (True, True)
        >>> right.notable, slow.notable
        (array([False]), array([ True]))
    """

    slope: FloatArray
    error: FloatArray
    z: FloatArray
    displacement: FloatArray
    tests: int

    @cached_property
    def pvalue(self) -> FloatArray:
        """How often a right posterior's slope is at least as far from 1, with shape `[P]`."""
        found = 2.0 * scipy.stats.t.sf(np.abs(self.z), max(1, self.tests - 1))
        return np.asarray(found, dtype=float)

    @property
    def largest_displacement(self) -> float:
        """That of the parameter whose posteriors are displaced the most."""
        return float(max(self.displacement, key=abs))

    @property
    def notable(self) -> BoolArray:
        """Whether posteriors are displaced by more than `NOTABLE`, with shape `[P]`."""
        return np.asarray(np.abs(self.displacement) > NOTABLE)

    @property
    def enough(self) -> bool:
        """Whether there are so many tests that p-values mean what they say."""
        return self.tests >= FEWEST_SLOPE_TESTS


def calibration_slopes(
    draws: FloatArray, theta: FloatArray, share: float = 1.0
) -> Slopes:
    """Returns the slopes of truths on the means of their posteriors (Cox 1958).

    The scatter of a mean of finitely many draws, which must be independent, would make
    them smaller: its variance is taken away.

    doi.org/10.2307/2333203

    Arguments:
        draws: Posterior draws for each test, with shape `[M, N, P]`.
        theta: The truths, with shape `[N, P]`.
        share: How far the means would follow the data, in units of how far they do, if
            another posterior is meant: a negative control, as wide as this one.

    Raises:
        ValueError: If the shapes do not belong together, or a number is not finite.
    """
    check_draws(draws, theta)
    tests = len(theta)
    if len(draws) < 2 or tests < 2:
        unknown = np.full(theta.shape[1], np.nan)
        nothing = np.zeros_like(unknown)
        return Slopes(unknown, unknown, nothing, nothing, tests)
    truth = theta - theta.mean(axis=0)
    means = draws.mean(axis=0)
    means = share * (means - means.mean(axis=0))
    # one parameter at a time needs P times less memory
    variances = [each.var(axis=0, ddof=1) for each in np.moveaxis(draws, -1, 0)]
    noise = share**2 * np.stack(variances, axis=-1) / len(draws)
    squares = means**2 - noise
    common = squares.mean(axis=0)
    # of a right posterior nought on average, however little its means differ
    beyond = truth * means - squares
    least = _ROUNDING * np.abs(theta).max(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(common > least**2, 1 + beyond.mean(axis=0) / common, np.nan)
        error = _scatter(truth * means - slope * squares, means) / common
        moves = np.abs(means).max(axis=0) > least
        z = np.where(moves, beyond.mean(axis=0) / _scatter(beyond, means), 0.0)
        about = (truth - slope * means).var(axis=0) - slope**2 * noise.mean(axis=0)
        displacement = (slope - 1) * np.sqrt(common / about)
    # where there is no slope, nearly the same
    known = np.isfinite(displacement)
    displacement = np.where(known, displacement, z / np.sqrt(tests))
    return Slopes(slope, error, z, displacement, tests)


def _scatter(values: FloatArray, means: FloatArray) -> FloatArray:
    """Returns the standard error of the mean of values `[N, P]`.

    A test far from the others draws the regression to itself, so that its own residual is
    too small (MacKinnon & White 1985, doi.org/10.1016/0304-4076(85)90158-7).
    """
    leverage = 1 / len(means) + means**2 / np.sum(means**2, axis=0)
    residual = (values - values.mean(axis=0)) / np.maximum(1 - leverage, 0.5)
    return np.asarray(np.sqrt(np.sum(residual**2, axis=0)) / len(means))
