"""What people are told of the columns of their table, and whether it can be used."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnReport:
    """How the columns of a table are understood, and whether it can be used.

    Arguments:
        found: What is found in it, in words, line by line.
        refusal: Why its reader refuses it; empty if it can be used.

    Example:
        >>> print(ColumnReport(("a.csv: stars, 3 rows",), "a.csv: no column for distance"))
        a.csv: stars, 3 rows
        cannot be used: a.csv: no column for distance
    """

    found: tuple[str, ...]
    refusal: str = ""

    @property
    def lines(self) -> list[str]:
        """All that is said, line by line."""
        refused = [f"cannot be used: {self.refusal}"] if self.refusal else []
        return [*self.found, *refused]

    @property
    def status(self) -> int:
        """With what a command ends that printed it: 1 if the table cannot be used, else 0."""
        return 1 if self.refusal else 0

    def __str__(self) -> str:
        return "\n".join(self.lines)
