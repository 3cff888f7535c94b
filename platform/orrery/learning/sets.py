"""A network for sets: its answer depends neither on the order of the members nor on their places.

Each entry of the set goes through the same small network; the results are averaged,
together with the number of entries, and a second network reads the average and what is
known apart from the set (Deep Sets, Zaheer et al. 2017, arXiv:1703.06114). A row of
summaries has a fixed number of places, so an absent entry is marked by a flag and
counts for nothing.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class SetLayout:
    """How a row of summaries holds a set, and the widths of the networks that read it.

    Arguments:
        places: The largest number of entries.
        numbers: The numbers of each entry, its last one the flag: 1 if it is there, 0
            if not.
        context: The numbers after the set, which belong to the row as a whole.
        width: The width of both networks' hidden layers, and of the average.

    Raises:
        ValueError: If there is no place, or an entry is its flag alone.

    Example:
        >>> SetLayout(places=20, numbers=4, context=2).size
        82
    """

    places: int
    numbers: int
    context: int
    width: int = 64

    def __post_init__(self) -> None:
        if min(self.places, self.width) < 1 or self.numbers < 2 or self.context < 0:
            raise ValueError(
                f"{self} must have places for entries of at least one number and their flag"
            )

    @property
    def size(self) -> int:
        """The number of summaries in a row."""
        return self.places * self.numbers + self.context

    def build(self, x: Tensor) -> "SetEmbedding":
        """Returns an untrained embedding, standardised by the rows `x` `[N, size]`.

        Raises:
            ValueError: If the rows have another size.
        """
        if x.shape[-1] != self.size:
            raise ValueError(
                f"rows of {x.shape[-1]} summaries are not {self}: {self.size} are"
            )
        return SetEmbedding(self, x)


class SetEmbedding(nn.Module):
    """What a flow sees of a set: `width` numbers.

    Arguments:
        layout: How rows hold the set.
        x: Rows that standardise it, with shape `[N, size]`.

    Example:
        >>> layout = SetLayout(places=2, numbers=2, context=1, width=8)
        >>> embedding = SetEmbedding(layout, torch.randn(9, 5).abs())
        >>> row = torch.tensor([[3.0, 1.0, 5.0, 1.0, 0.5]])
        >>> other = torch.tensor([[5.0, 1.0, 3.0, 1.0, 0.5]])
        >>> torch.allclose(embedding(row), embedding(other))
        True
    """

    value_mean: Tensor
    value_spread: Tensor
    context_mean: Tensor
    context_spread: Tensor

    def __init__(self, layout: SetLayout, x: Tensor) -> None:
        super().__init__()
        self.layout = layout
        width = layout.width
        values, there, context = self._parts(x)
        present = values[there.squeeze(-1) > 0]
        # Pooled over the places: standardising each alone would tell them apart.
        for name, rows in (("value", present), ("context", context)):
            mean, spread = _moments(rows)
            self.register_buffer(f"{name}_mean", mean)
            self.register_buffer(f"{name}_spread", spread)
        self.entry = nn.Sequential(
            nn.Linear(layout.numbers - 1, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, width),
        )
        self.whole = nn.Sequential(
            nn.Linear(width + 1 + layout.context, width),
            nn.ReLU(),
            nn.Linear(width, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Returns the embedding `[N, width]` of rows `[N, size]`."""
        values, there, context = self._parts(x)
        entries = self.entry((values - self.value_mean) / self.value_spread) * there
        count = there.sum(dim=-2)
        # A mean, not a sum: the number of entries is given apart, on its own scale. An
        # empty set has no entries to divide by.
        mean = entries.sum(dim=-2) / count.clamp(min=1)
        known = (context - self.context_mean) / self.context_spread
        embedding: Tensor = self.whole(
            torch.cat([mean, count / self.layout.places, known], dim=-1)
        )
        return embedding

    def _parts(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns values `[N, L, D - 1]`, flags `[N, L, 1]` and context `[N, C]`."""
        layout = self.layout
        inside = layout.places * layout.numbers
        entries = x[..., :inside].reshape(*x.shape[:-1], layout.places, layout.numbers)
        return entries[..., :-1], entries[..., -1:], x[..., inside:]


def _moments(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the mean and the spread of rows `[N, D]`; what does not vary has spread 1."""
    spread = rows.std(dim=0, correction=0)
    return rows.mean(dim=0), torch.where(spread > 0, spread, 1.0)
