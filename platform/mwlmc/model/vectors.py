"""Lengths of vectors whose components lie on the first axis, `[3, ...]`."""

from torch import Tensor

Vector = tuple[Tensor, Tensor, Tensor]  # three components


def length(vectors: Tensor | Vector) -> Tensor:
    """Returns the lengths `[...]` of vectors `[3, ...]`; many times faster than torch's norm."""
    return square(vectors).sqrt()


def square(vectors: Tensor | Vector) -> Tensor:
    """Returns the squared lengths `[...]` of vectors `[3, ...]`."""
    x = vectors[0]
    y = vectors[1]
    z = vectors[2]
    return x * x + y * y + z * z
