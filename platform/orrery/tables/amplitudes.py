"""How many times measured numbers hold what is expected of them.

What is seen from a moving place holds that motion once, whatever else moves there. Of
numbers that were corrected for it, have the wrong sign, or are in another unit or order,
it does not.
"""

from dataclasses import dataclass

import numpy as np

from orrery.parameters import BoolArray, FloatArray

_OUTLIERS = 5.0  # times half of the range of the middle 68 %


@dataclass(frozen=True)
class Amplitude:
    """How many times some numbers hold what is expected of them.

    Arguments:
        value: The slope of the measured numbers against the expected ones.
        error: Its standard error.

    Example:
        >>> print(Amplitude(-0.98, 0.0312))
        -0.98 +- 0.03
        >>> Amplitude(0.5, 0.03).is_outside(0.7, 1.4, errors=3)
        True
    """

    value: float
    error: float

    @classmethod
    def of(
        cls, expected: FloatArray, measured: FloatArray, fewest: int, leverage: float
    ) -> "Amplitude | None":
        """Returns how many times numbers hold what is expected; None if they cannot tell.

        What all of them have in common tells nothing.

        Arguments:
            expected: Of N rows `[N]`.
            measured: The numbers `[N]`, in the same unit; NaN where unknown.
            fewest: The smallest number of rows that tells it.
            leverage: By how much what is expected must differ between them.

        Example:
            >>> random = np.random.default_rng(0)
            >>> expected = random.normal(0, 140, 4000)
            >>> print(Amplitude.of(expected, expected + random.normal(60, 99, 4000), 9, 1))
            1.00 +- 0.01
        """
        kept = without_outliers(measured) & np.isfinite(expected)
        if kept.sum() < fewest:
            return None
        lever = expected[kept] - np.mean(expected[kept])
        if np.std(lever) < leverage:
            return None
        change = measured[kept] - np.mean(measured[kept])
        square = np.sum(lever**2)
        slope = np.sum(lever * change) / square
        # the scatter need not be the same everywhere
        error = np.sqrt(np.sum((lever * (change - slope * lever)) ** 2)) / square
        return cls(float(slope), float(error))

    def is_outside(self, least: float, most: float, errors: float) -> bool:
        """Returns whether it is beyond two numbers by so many errors."""
        further = errors * self.error
        return self.value < least - further or self.value > most + further

    def __str__(self) -> str:
        return f"{self.value:.2f} +- {self.error:.2f}"


def without_outliers(values: FloatArray) -> BoolArray:
    """Returns which values `[N]` are known, and not far from all others."""
    known = np.isfinite(values)
    if not known.any():
        return known
    low, middle, high = np.quantile(values[known], [0.16, 0.5, 0.84])
    return known & (np.abs(values - middle) <= _OUTLIERS * (high - low) / 2)
