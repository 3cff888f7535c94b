"""Which piece of work is to blame where actors die, and when their deaths come from outside.

A piece that crashes takes every actor that tries it. Whoever ends processes from outside,
such as a batch system or a machine that has too little memory for others' work, meets all
pieces alike. So a piece is blamed if it died more often than the deaths of all others
explain.
"""

from collections import defaultdict
from collections.abc import Set
from dataclasses import dataclass, field

DEATHS_OF_PROOF = 3  # actors at least that must have died over a piece
CHANCE = 0.01  # that any innocent piece would have died as often
HOPELESS = 12  # deaths in a row, without a piece that is made


@dataclass
class Blame:
    """Deaths of actors over pieces of work, and how many pieces were made.

    Arguments:
        pieces: How many there are to be made.
        made: How many were.
        in_vain: The nodes of the deaths since the last one was made.
        nodes: Of each piece, the nodes on which actors died over it.

    Example:
        >>> blame = Blame(pieces=100)
        >>> for _ in range(3):
        ...     blame.add_death(7, node="a")
        >>> blame.is_guilty(7, alive={"a"})
        True
        >>> blame.add_death(8, node="a")
        >>> blame.is_guilty(7, alive={"a"})
        False
    """

    pieces: int
    made: int = 0
    in_vain: list[str] = field(default_factory=list)
    nodes: defaultdict[int, list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add_made(self) -> None:
        """Counts a piece that was made."""
        self.made += 1
        self.in_vain.clear()

    def add_death(self, piece: int, node: str) -> None:
        """Counts the death of an actor over a piece.

        Arguments:
            piece: The piece's number.
            node: The number of the actor's node.
        """
        self.nodes[piece].append(node)
        self.in_vain.append(node)

    def deaths(self, piece: int, alive: Set[str]) -> int:
        """Returns how many actors died over a piece on nodes that live on.

        A node may be found lost after its actors: then the piece did not kill them.

        Arguments:
            piece: The piece's number.
            alive: The numbers of the nodes that are alive.
        """
        return sum(node in alive for node in self.nodes[piece])

    def is_guilty(self, piece: int, alive: Set[str]) -> bool:
        """Returns whether a piece ends actors, as far as deaths can tell.

        The share of tries that end in a death is estimated from all other pieces, by
        Laplace's rule of succession.

        Arguments:
            piece: The piece's number.
            alive: The numbers of the nodes that are alive.
        """
        own = self.deaths(piece, alive)
        others = sum(self.deaths(one, alive) for one in self.nodes if one != piece)
        if own < DEATHS_OF_PROOF:
            return False
        if not others:
            return True
        share = (others + 1) / (others + self.made + 2)
        return self.pieces * share**own < CHANCE

    def is_hopeless(self, alive: Set[str]) -> bool:
        """Returns whether so many died in a row that nothing will be made any more.

        Arguments:
            alive: The numbers of the nodes that are alive.
        """
        return sum(node in alive for node in self.in_vain) >= HOPELESS
