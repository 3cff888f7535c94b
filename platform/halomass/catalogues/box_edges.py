"""Whether the side of a periodic box is that of its simulation, by what is at its edges.

A periodic box has no edge: between the last halo below it and the first one above is no
more room than elsewhere. Where the side is said too large, that is the largest gap of all
on each of three axes, which N hosts do once in N^3 times, whatever they cluster like.
Where it is said too small, hosts lie beyond.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from halomass.systems import FloatArray

_BINS = 1 << 16  # along each axis
_FEWEST = 100  # hosts, that say anything
_LEAST = 0.002  # of the side: less is within what numbers are rounded to
# Of the hosts lie beyond an edge, by what their finders leave there.
_MOST_BEYOND, _FEWEST_BEYOND = 0.01, 10


@dataclass
class BoxEdges:
    """Marks where hosts lie along each axis, chunk after chunk.

    Arguments:
        file: The catalogue's name, for messages.
        box: The side of the periodic box [comoving Mpc/h].

    Example:
        >>> edges = BoxEdges("a.bin", box=66.0)
        >>> edges.add(np.random.default_rng(0).uniform(0, 64, (1000, 3)))
        >>> edges.check()
        Traceback (most recent call last):
        ValueError: a.bin: of its 1000 hosts none has x above 63.93, y above 63.97 or z above \
63.97 Mpc/h, in a periodic box of 66, and no gap is as wide as these: give the box of this \
simulation, or say part_of_box if it is a part
    """

    file: str
    box: float
    hosts: int = 0
    beyond: int = 0
    _there: NDArray[np.bool_] = field(
        default_factory=lambda: np.zeros((3, _BINS), np.bool_), init=False, repr=False
    )

    def add(self, position: FloatArray, beyond: int = 0) -> None:
        """Marks hosts.

        Arguments:
            position: Where they are, within the box `[N, 3]` [comoving Mpc/h].
            beyond: How many of them lay beyond an edge before they were brought into it.
        """
        self.hosts += len(position)
        self.beyond += beyond
        for there, along in zip(self._there, position.T, strict=True):
            place = (along * (_BINS / self.box)).astype(np.int64)
            there[np.minimum(place, _BINS - 1)] = True

    def check(self) -> None:
        """Refuses a box whose edges are not those of the halos.

        Raises:
            ValueError: If they lie beyond it, or do not reach it.
        """
        if self.beyond > max(_MOST_BEYOND * self.hosts, _FEWEST_BEYOND):
            raise ValueError(
                f"{self.file}: {self.beyond} of its {self.hosts} hosts lie beyond the edges of a "
                f"box of {self.box:g} Mpc/h: give the box of this simulation"
            )
        if self.hosts < _FEWEST:
            return
        last = []
        for there in self._there:
            marked = np.flatnonzero(there)
            edge = marked[0] + _BINS - marked[-1]
            if edge <= max(np.diff(marked).max(initial=0), _LEAST * _BINS):
                return
            last.append((marked[-1] + 1) * self.box / _BINS)
        raise ValueError(
            f"{self.file}: of its {self.hosts} hosts none has x above {last[0]:.4g}, y above "
            f"{last[1]:.4g} or z above {last[2]:.4g} Mpc/h, in a periodic box of {self.box:g}, and "
            "no gap is as wide as these: give the box of this simulation, or say part_of_box if it "
            "is a part"
        )


def count_beyond(rows: NDArray[Any], box: float) -> int:
    """Returns how many halos are beyond an edge of a box.

    Arguments:
        rows: With the fields x, y and z `[N]` [comoving Mpc/h].
        box: The side of the box [comoving Mpc/h].

    Example:
        >>> place = np.array([(1.0, 2.0, 3.0), (1.0, 65.0, -1.0)])
        >>> rows = np.rec.fromarrays(place.T, names="x,y,z")
        >>> count_beyond(rows, 64.0)
        1
    """
    over = [(rows[name] < 0) | (rows[name] > box) for name in "xyz"]
    return int(np.count_nonzero(np.any(over, axis=0)))


def wrapped(position: NDArray[Any], box: float) -> NDArray[np.float64]:
    """Returns positions `[N]` within [0, box): as they are, unless they lie over the edge.

    Arguments:
        position: On one axis `[N]` [Mpc/h].
        box: The side of the periodic box [Mpc/h].

    Example:
        >>> wrapped(np.array([-1.0, 3.0, 64.5, -1e-18]), 64.0)
        array([63. ,  3. ,  0.5,  0. ])
    """
    inside = np.mod(position.astype(np.float64), box)
    # the remainder of a tiny negative number is rounded to the box
    inside[inside >= box] = 0.0
    return inside
