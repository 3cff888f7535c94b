"""The posterior that is typical of several: one answer for many mock data vectors."""

import numpy as np

from orrery.parameters import FloatArray, generator


def average_posterior(draws: FloatArray, count: int, seed: int) -> FloatArray:
    """Returns draws `[count, P]` of the average of several posteriors.

    Each quantile of each parameter is the mean of the posteriors' quantiles, so that
    medians and widths are the mean ones (Vincent 1912; Ratcliff 1979, Psychological
    Bulletin 86, 446). A mixture of the posteriors would be wider than any, because their
    centres scatter. Parameters depend on each other by their ranks as in the posteriors.

    Arguments:
        draws: Of N posteriors, with shape `[n, N, P]`.
        count: Draws that are wanted.
        seed: Decides which are taken.

    Raises:
        ValueError: If there are fewer draws than are wanted.

    Example:
        >>> one = np.linspace(0.0, 1.0, 101)[:, None]
        >>> both = np.stack([one, one + 1.0], axis=1)
        >>> average_posterior(both, 202, seed=1).mean().round(9)
        np.float64(1.0)
    """
    number, posteriors, parameters = draws.shape
    if count > number * posteriors:
        raise ValueError(
            f"{count} draws of {posteriors} posteriors with {number} draws each: draw more"
        )
    ranks = draws.argsort(axis=0).argsort(axis=0)
    quantiles = np.sort(draws, axis=0).mean(axis=1, keepdims=True)
    each = np.take_along_axis(
        np.broadcast_to(quantiles, draws.shape), ranks, axis=0
    ).reshape(-1, parameters)
    taken = generator(seed).choice(len(each), count, replace=False)
    return each[taken]
