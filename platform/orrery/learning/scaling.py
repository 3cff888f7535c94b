"""Scaling: examples as a network wants them, with the mean nought and the width one."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from orrery.identity import JSON
from orrery.parameters import FloatArray
from orrery.storage.documents import read_numbers


@dataclass(frozen=True)
class Scaling:
    """Mean and width of the columns of training examples.

    Arguments:
        mean: With shape `[S]`.
        width: Their standard deviations, with shape `[S]`.

    Example:
        >>> scaling = Scaling(mean=np.array([10.0]), width=np.array([2.0]))
        >>> scaling.standardised(np.array([[8.0], [12.0]])).ravel()
        array([-1.,  1.])
    """

    mean: FloatArray
    width: FloatArray

    @classmethod
    def read(cls, document: JSON, columns: int) -> "Scaling":
        """Returns the scaling in a document that holds mean and width of S columns.

        Raises:
            ValueError: If they are no such numbers.
        """
        mean = read_numbers(document["mean"], (columns,))
        width = read_numbers(document["width"], (columns,))
        if not (width > 0).all():
            raise ValueError(f"a width is {width.min()}, not above 0")
        return cls(mean, width)

    def standardised(self, values: FloatArray) -> FloatArray:
        """Returns values `[..., S]` with the mean nought and the width 1."""
        return (values - self.mean) / self.width

    def restored(self, values: FloatArray) -> FloatArray:
        """Returns what was standardised."""
        return values * self.width + self.mean


def scaling(
    values: FloatArray, groups: Sequence[Hashable], columns: Sequence[str]
) -> Scaling:
    """Returns the scaling of training examples.

    Arguments:
        values: The examples, with shape `[N, S]`.
        groups: For each column its group; the columns of a group share mean and width.
        columns: The columns' names.

    Raises:
        ValueError: If a group is the same number throughout.
    """
    mean = np.empty(values.shape[1])
    width = np.empty(values.shape[1])
    for group in dict.fromkeys(groups):
        chosen = [i for i, other in enumerate(groups) if other == group]
        pooled = values[:, chosen]
        mean[chosen] = pooled.mean()
        width[chosen] = pooled.std()
        # Of a constant the rounded width may be tiny instead of nought.
        if np.ptp(pooled) == 0:
            raise ValueError(
                f"{[columns[i] for i in chosen]} is {pooled.flat[0]:g} in all training pairs: "
                "leave it out"
            )
    return Scaling(mean, width)
