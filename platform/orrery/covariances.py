"""Covariances of errors: which matrices are none.

A matrix that is none would still give draws: those of whichever half of it is read, or of
its eigenvalues without their sign. All is compared in units of the errors, since numbers
in small units, such as those of accelerations, are all alike near nought.
"""

from collections.abc import Sequence

import numpy as np

from orrery.parameters import BoolArray, FloatArray

_ROUNDING = 1e-6  # of correlations, as in a file with few digits


def check_covariance(
    what: str,
    covariance: FloatArray,
    names: Sequence[str],
    negligible: FloatArray | None = None,
) -> None:
    """Returns if errors can have a covariance.

    Arguments:
        what: What has it, for the message.
        covariance: With shape `[S, S]`, finite.
        names: Of the S entries.
        negligible: Errors `[S]` below which nothing matters; none when None.

    Raises:
        ValueError: If it is not symmetric, or a variance or an eigenvalue is negative.

    Example:
        >>> check_covariance("the vector", np.array([[4.0, 1.0], [1.0, 1.0]]), "ab")
        >>> check_covariance("the vector", np.array([[4.0, 1.0], [0.0, 1.0]]), "ab")
        Traceback (most recent call last):
        ...
        ValueError: the vector has a covariance of 'a' and 'b' that is 1 one way and 0 the other: \
give both halves of the matrix
    """
    variances = covariance.diagonal()
    errors = np.sqrt(np.abs(variances))
    errors = errors if negligible is None else np.maximum(errors, negligible)
    unit = np.where(errors > 0, errors, 1.0)
    scaled = covariance / unit / unit[:, np.newaxis]
    if (scaled.diagonal() < -_ROUNDING).any():
        i = int(np.argmin(scaled.diagonal()))
        raise ValueError(
            f"{what} has the variance {variances[i]:g} of {names[i]!r}: give the squares of "
            "errors, which are not negative"
        )
    uneven = np.argwhere(np.abs(scaled - scaled.T) > _ROUNDING)
    if len(uneven):
        i, j = uneven[0]
        raise ValueError(
            f"{what} has a covariance of {names[i]!r} and {names[j]!r} that is "
            f"{covariance[i, j]:g} one way and {covariance[j, i]:g} the other: give both "
            "halves of the matrix"
        )
    _check_possible(what, scaled, names, exact=errors == 0)


def _check_possible(
    what: str, scaled: FloatArray, names: Sequence[str], exact: BoolArray
) -> None:
    """Raises ValueError if a matrix in units of its errors is that of no errors.

    Arguments:
        what: What has it.
        scaled: The symmetric matrix `[S, S]`.
        names: Of the S entries.
        exact: Which of them have no error `[S]`, so that they share none.
    """
    shared = np.where(exact | exact[:, np.newaxis], scaled, 0.0)
    if shared.any():
        i, j = np.argwhere(shared)[0]
    else:
        values, vectors = np.linalg.eigh(scaled)
        if values.min(initial=0.0) >= -_ROUNDING * max(len(names), 1):
            return
        i, j = np.sort(np.argsort(-np.abs(vectors[:, 0]))[:2])
    raise ValueError(
        f"{what} has a covariance that no errors can have, most of all of {names[i]!r} and "
        f"{names[j]!r}: of two entries it is no larger than the product of their errors, and "
        "all together it has no negative eigenvalue"
    )
