"""Sentences on what was found, whose numbers can be looked up.

A reader of a result finds each number of a sentence again by its key: a metric, an option,
such as `options.campaign.seed`, or a cell of a table.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sentence:
    """What was found, in words.

    Arguments:
        text: The words.
        shows: The keys of the numbers in them, one for each number and in their order.

    Example:
        >>> row = "25 neighbours"
        >>> shows = (cell("accuracy.rmse", row, "smallest_rmse"),)
        >>> print(Sentence("The smallest error is 0.13 dex.", shows))
        The smallest error is 0.13 dex.
    """

    text: str
    shows: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


def cell(table: str, row: str, column: str) -> str:
    """Returns the key of a cell of a table.

    Arguments:
        table: The key of the table.
        row: What the row is called: its first cell, or as many as tell it from the
            others, with `, ` between them.
        column: The name of the column.

    Example:
        >>> cell("mass.by_catalogue", "VSMDPL/UM, 25", "published")
        'mass.by_catalogue[VSMDPL/UM, 25].published'
    """
    return f"{table}[{row}].{column}"
