"""Whether the halos of a catalogue fill their box: counts of hosts, region by region.

A file that lacks a part of its box looks like any other, and hosts at the edge of the gap
have lost their neighbours. Hosts are counted, not all halos: subhalos come in crowds.

Less than all of an octant is not seen in a small box. Of 299 hosts in 64 Mpc/h an octant
has 37, with a scatter of 16 % by chance and of 36 % by cosmic structure: where half of
them are missing, with their subhalos, that is 1.3 deviations, and the emptiest of eight
octants is as empty in six of ten boxes that are whole. From 270 Mpc/h on it would be five.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from halomass.cosmology import SIGMA_8
from halomass.systems import FloatArray

_CELLS = 16  # along each axis of the box
FEWEST_COUNTED = 120  # of fewer, an empty octant says nothing
_HALF = _CELLS // 2
# So many are expected in a layer, which then is not empty by chance: exp(-12) for each.
_HOSTS_PER_LAYER = 12
_NEVER_SO_FEW = 0.1  # of the mean, in half of the box's side: no void is as large
_DEVIATIONS = 5.0


@dataclass
class HostCounts:
    """Counts the hosts of a box, chunk after chunk.

    Arguments:
        box: The side of the periodic box [comoving Mpc/h].

    Example:
        >>> counts = HostCounts(box=64.0)
        >>> left = np.random.default_rng(0).uniform(0, (32, 64, 64), (400, 3))
        >>> counts.add(left)
        >>> counts.gap()[:58]
        'too few hosts between (32, 0, 0) and (64, 32, 32) Mpc/h: 0'
    """

    box: float
    cells: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros((_CELLS, _CELLS, _CELLS), np.int64)
    )

    def add(self, position: FloatArray) -> None:
        """Counts hosts.

        Arguments:
            position: Where they are, within the box `[N, 3]` [comoving Mpc/h].
        """
        cell = np.minimum((position * (_CELLS / self.box)).astype(np.int64), _CELLS - 1)
        place = np.ravel_multi_index(tuple(cell.T), self.cells.shape)
        counts = np.bincount(place, minlength=self.cells.size)
        self.cells += counts.reshape(self.cells.shape)

    @property
    def total(self) -> int:
        """The number of hosts."""
        return int(self.cells.sum())

    def gap(self) -> str | None:
        """Returns which part of the box is missing, in words; None if none is, or few are there.

        A cube of half the box's side, wherever it lies, has its eighth of the hosts, but
        for chance and for the scatter of cosmic structure; a thin layer has a few.
        """
        if self.total < FEWEST_COUNTED:
            return None
        return self._thin_cube() or self._empty_layer()

    def octants(self) -> str:
        """Returns how many hosts are in each octant: below (-) or above (+) the middle of x, y, z.

        Example:
            >>> HostCounts(64.0).octants()
            '--- 0, --+ 0, -+- 0, -++ 0, +-- 0, +-+ 0, ++- 0, +++ 0'
        """
        counts = _cubes(self.cells)[::_HALF, ::_HALF, ::_HALF]
        named = (
            f"{''.join('-+'[i] for i in octant)} {count}"
            for octant, count in np.ndenumerate(counts)
        )
        return ", ".join(named)

    def _thin_cube(self) -> str | None:
        counts = _cubes(self.cells)
        expected = self.total / 8
        share = 1 - _DEVIATIONS * np.hypot(expected**-0.5, self._cosmic_scatter())
        thin = counts < max(share, _NEVER_SO_FEW) * expected
        if not thin.any():
            return None
        # the octants themselves first, which are easier to look for
        octants = [*np.argwhere(thin[::_HALF, ::_HALF, ::_HALF]) * _HALF]
        corner = (octants or [*np.argwhere(thin)])[0]
        count = counts[tuple(corner)]
        return f"too few hosts {self._between(corner)}: {count}, not {expected:.0f}"

    def _empty_layer(self) -> str | None:
        layers = _CELLS
        while layers * _HOSTS_PER_LAYER > self.total:
            layers //= 2
        thickness = _CELLS // layers
        for axis, name in enumerate("xyz"):
            along = self.cells.sum(axis=tuple({0, 1, 2} - {axis}))
            empty = np.flatnonzero(along.reshape(layers, thickness).sum(axis=1) == 0)
            if len(empty):
                low = empty[0] * self.box / layers
                high = low + self.box / layers
                return f"no host with {name} from {low:g} to {high:g} Mpc/h"
        return None

    def _between(self, corner: NDArray[np.intp]) -> str:
        low = corner * self.box / _CELLS
        high = low + self.box / 2
        words = [", ".join(f"{side:g}" for side in place) for place in (low, high)]
        return f"between ({words[0]}) and ({words[1]}) Mpc/h"

    def _cosmic_scatter(self) -> float:
        """Returns the relative scatter of cubes of half the side, or a little more.

        That of matter in spheres of 8 Mpc/h falls faster than with the power -0.9 beyond
        these, and hosts follow it at most.
        """
        radius = (self.box / 2) * (3 / (4 * np.pi)) ** (1 / 3)
        return float(SIGMA_8 * (radius / 8) ** -0.9)


def _cubes(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the sums of cubes of half the side by their lowest corner, across the edges too."""
    sums = cells
    for axis in range(3):
        steps = [np.roll(sums, -step, axis) for step in range(_HALF)]
        sums = np.sum(steps, axis=0)
    return sums
