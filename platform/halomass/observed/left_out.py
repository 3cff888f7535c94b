"""Neighbours that are left out because they lack a value: counted, named, and not too many."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from orrery.identity import JSON
from orrery.parameters import BoolArray

_NAMED = 8  # in one sentence


@dataclass(frozen=True)
class LeftOut:
    """The neighbours of a table that lack a value.

    Arguments:
        gaps: By the neighbour's name, or name and row, which columns lack it and what stands there.
        of: How many neighbours there are with them.

    Example:
        >>> LeftOut({"Leo IV": "vlos_kms = -999"}, of=44).warnings
        ('1 of 44 neighbours lacks a value and is left out: Leo IV (vlos_kms = -999)',)
    """

    gaps: Mapping[str, str]
    of: int

    @classmethod
    def among(
        cls,
        candidates: BoolArray,
        incomplete: BoolArray,
        names: Sequence[str],
        gaps: Callable[[int], str],
    ) -> "LeftOut":
        """Returns the incomplete ones of those that may be neighbours.

        Arguments:
            candidates: The rows that may be neighbours `[N]`.
            incomplete: Those that lack a value `[N]`.
            names: What the rows are called; those that share a name are told by their row.
            gaps: Says of a row which columns lack a value.

        Example:
            >>> lacking = np.array([False, True, True])
            >>> LeftOut.among(~lacking | lacking, lacking, ["a", "b", "b"], str).gaps
            {'b, row 2': '1', 'b, row 3': '2'}
        """
        rows = np.flatnonzero(candidates & incomplete).tolist()
        # several rows may have one name, and each of them counts
        times = Counter(names)
        found = {
            names[row]
            if times[names[row]] == 1
            else f"{names[row]}, row {row + 1}": row
            for row in rows
        }
        return cls(
            {name: gaps(row) for name, row in found.items()}, int(candidates.sum())
        )

    def check(self, file: str, most_missing: float) -> None:
        """Refuses a table that lacks too much.

        Arguments:
            file: Its name.
            most_missing: The largest share of neighbours that may be left out.

        Raises:
            ValueError: If there are more.
        """
        if not 0 <= most_missing < 1:
            raise ValueError(
                f"most_missing {most_missing} must be from 0 to below 1, such as 0.2"
            )
        # rounded up: of four satellites, one may
        if len(self.gaps) > math.ceil(most_missing * self.of):
            raise ValueError(
                f"{file}: {self._sentence}; that is more than {100 * most_missing:g} %: mend the "
                "table, or allow more with `--most-missing`"
            )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user must know; empty if none is left out."""
        return (self._sentence,) if self.gaps else ()

    @property
    def _sentence(self) -> str:
        count = len(self.gaps)
        named = [f"{name} ({gap})" for name, gap in self.gaps.items()]
        more = f" and {count - _NAMED} more" if count > _NAMED else ""
        verb = "lacks a value and is" if count == 1 else "lack a value and are"
        names = ", ".join(named[:_NAMED])
        return f"{count} of {self.of} neighbours {verb} left out: {names}{more}"

    @property
    def counts(self) -> JSON:
        """How many there are, for a table's selection; empty if there are none."""
        return {"missing": len(self.gaps)} if self.gaps else {}
