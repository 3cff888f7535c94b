"""Counting: totals and means of the columns of the shards that there are so far."""

import math

from orrery.storage.manifest import ManifestRow


class ShardCounters:
    """Totals and means of columns so far, kept with each shard: a campaign has thousands.

    Arguments:
        shown: The columns that are told.
        integers: Those of which the total is told, not the mean.

    Example:
        >>> row = ManifestRow(0, "0.arrow", 0, 8, 0, 7, "0f", {"tries": 9}, {})
        >>> seen = ShardCounters(("tries",), ("tries",))
        >>> seen.add(row)
        >>> seen.note
        'tries 9'
    """

    def __init__(self, shown: tuple[str, ...], integers: tuple[str, ...]) -> None:
        self.shown = shown
        self.integers = integers
        self.sums = dict.fromkeys(shown, 0.0)
        self.values = dict.fromkeys(shown, 0)

    def add(self, row: ManifestRow) -> None:
        """Adds a shard."""
        for name in self.shown:
            self.sums[name] += row.sums[name]
            self.values[name] += row.count - row.missing.get(name, 0)

    @property
    def note(self) -> str:
        """What is shown of them."""
        return ", ".join(self._text(name) for name in self.shown)

    def _text(self, name: str) -> str:
        if name in self.integers:
            return f"{name} {self.sums[name]:.0f}"
        values = self.values[name]
        mean = self.sums[name] / values if values else math.nan
        return f"mean {name} {mean:.3g}"
