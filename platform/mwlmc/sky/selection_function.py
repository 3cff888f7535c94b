"""Which stars of the halo a survey has: how many in each bin, where on the sky, with what errors.

A survey does not fill its patches: the sine of latitude under which it sees its stars
decides how large a vertical reflex looks. So simulated stars are drawn as the survey's
are spread, as many as it has, and get its errors; what is then measured of them has the
survey's noise built in.

The survey is known by counts in HEALPix cells and by errors, never by single stars. For
each of its stars a point is drawn in the star's cell, and the point takes a simulated
star of the same bin: of the `NEAREST` around it one that was drawn least often, so that
stars are drawn again only where the survey has more than the simulation.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from astropy_healpix import healpix_to_xyz, nside_to_npix, xyz_to_healpix
from scipy.spatial import cKDTree

from orrery.identity import JSON
from orrery.parameters import FloatArray, IntArray, generator

NSIDE = 8  # cells of 7.3 deg
NEAREST = 16  # simulated stars that are candidates for an observed one
ERROR_GROUPS = 8  # of equal number, from the best to the worst measured stars of a bin
# Of each of these at most: a few failed errors are not those of a whole eighth of the stars.
_PARTS = 32
_GROUP = (
    4  # stars that a group has at least, so that no single star's error can be read off
)
# Of so few stars none is beyond three standard deviations: what failed is in their mean.
_UNCLIPPED = 10
_SURVEY = 2  # the stream of the survey's noise; a simulation's own are 0 and 1
_APART = 4.5  # between the centres of two bins' unit spheres: none reaches into another
_EDGE = 1e-9  # far above any rounding of longitudes and latitudes


class Bin(NamedTuple):
    """One bin of a binning: patch, quantity, and Galactocentric distances [kpc].

    Example:
        >>> str(Bin("north", "v_gsr", 30.0, 40.0))
        "v_gsr of patch 'north' at 30-40 kpc"
    """

    patch: str
    quantity: str
    lower: float
    upper: float

    def __str__(self) -> str:
        return f"{self.quantity} of patch {self.patch!r} at {self.lower:.4g}-{self.upper:.4g} kpc"


@dataclass(frozen=True)
class BinSample:
    """The stars that a survey has in one bin.

    Arguments:
        cells: The HEALPix cells with stars: nested order, along Galactic axes.
        counts: The number of stars in each.
        errors: Typical errors of velocity [km/s] of groups of about equal number.

    Example:
        >>> found = BinSample(cells=(3, 17), counts=(2, 5), errors=(4.0, 9.0))
        >>> sum(found.counts)
        7
    """

    cells: tuple[int, ...]
    counts: tuple[int, ...]
    errors: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.cells) != len(self.counts) or min(self.counts, default=0) < 1:
            raise ValueError(
                f"cells {self.cells} have counts {self.counts}: give each its stars, 1 or more"
            )
        if not self.errors or not all(0 <= error < np.inf for error in self.errors):
            raise ValueError(
                f"errors {self.errors} [km/s]: give at least one, 0 if unknown"
            )


class Targets(NamedTuple):
    """A survey's stars one by one, as a draw wants them.

    Arguments:
        cell: The cell of each of N stars `[N]`.
        bin: Its bin `[N]`, by number.
        errors: The error groups of K bins `[K, G]` [km/s]; those missing are 0.
        groups: How many groups each bin has `[K]`.

    Example:
        >>> bins = (Bin("north", "v_gsr", 30.0, 40.0),)
        >>> Sample(bins, (BinSample((3, 17), (2, 1), (4.0,)),)).targets.cell
        array([ 3,  3, 17])
    """

    cell: IntArray
    bin: IntArray
    errors: FloatArray
    groups: IntArray


@dataclass(frozen=True)
class Sample:
    """The stars that a survey has, bin by bin.

    Arguments:
        bins: The bins.
        stars: What each of them holds.
        nside: Of the HEALPix cells.
        distance_error: Standard error of the logarithm of a star's distance from the
            Sun. It moves simulated stars before they are binned. 0 leaves them where
            they are.
        seed: Decides points, choices and errors, together with the number of the
            simulation.

    Example:
        >>> near = BinSample(cells=(3,), counts=(2,), errors=(4.0,))
        >>> far = BinSample(cells=(5,), counts=(1,), errors=(6.0,))
        >>> bins = (Bin("all", "v_gsr", 30.0, 40.0), Bin("all", "v_gsr", 40.0, 50.0))
        >>> sample = Sample(bins, (near, far))
        >>> sample.select(bins[1:]).stars[0].errors
        (6.0,)
    """

    bins: tuple[Bin, ...]
    stars: tuple[BinSample, ...]
    nside: int = NSIDE
    distance_error: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.bins) != len(self.stars) or len(set(self.bins)) < len(self.bins):
            raise ValueError(
                f"{len(self.stars)} samples for the bins {self.bins}: give each one"
            )
        if not 0 <= self.distance_error < np.inf or self.seed < 0:
            raise ValueError(
                f"distance_error {self.distance_error} and seed {self.seed}: give a finite error "
                "and a seed, both from 0 on"
            )
        last = nside_to_npix(self.nside) - 1
        if any(not 0 <= cell <= last for one in self.stars for cell in one.cells):
            raise ValueError(
                f"a cell is outside 0 to {last}, those of nside {self.nside}"
            )

    def select(self, bins: Sequence[Bin]) -> "Sample":
        """Returns the stars of some of the bins, in their order.

        Raises:
            ValueError: If a bin is not among the sample's.
        """
        known = dict(zip(self.bins, self.stars, strict=True))
        lacking = [str(b) for b in bins if b not in known]
        if lacking:
            raise ValueError(
                f"the survey has no stars in {'; '.join(lacking)}: use Binning.supported"
            )
        stars = tuple(known[b] for b in bins)
        return Sample(tuple(bins), stars, self.nside, self.distance_error, self.seed)

    def describe(self) -> JSON:
        """Returns the sample as plain JSON."""
        cells = [asdict(one) for one in self.stars]
        return {
            "nside": self.nside,
            "distance_error": self.distance_error,
            "seed": self.seed,
            "bins": [
                {"bin": list(b), **c} for b, c in zip(self.bins, cells, strict=True)
            ],
        }

    @cached_property
    def targets(self) -> Targets:
        """The stars one by one."""
        numbers = [sum(one.counts) for one in self.stars]
        # those of older tables, which are eight, or more
        most = max([ERROR_GROUPS, *(len(one.errors) for one in self.stars)])
        errors = np.zeros((len(self.stars), most))
        for row, one in zip(errors, self.stars, strict=True):
            row[: len(one.errors)] = one.errors
        return Targets(
            np.concatenate([np.repeat(one.cells, one.counts) for one in self.stars]),
            np.repeat(np.arange(len(self.stars)), numbers),
            errors,
            np.array([len(one.errors) for one in self.stars]),
        )

    def random(self, index: int) -> np.random.Generator:
        """Returns the random generator of the simulation with a number."""
        return generator(self.seed, index, _SURVEY)


def cells(directions: FloatArray, nside: int) -> IntArray:
    """Returns the HEALPix cell of each direction, in nested order.

    Arguments:
        directions: Vectors `[N, 3]` along Galactic axes, of any length.
        nside: Of the cells, a power of 2.
    """
    directions = np.asarray(directions, dtype=float)
    return _base_cells(directions) if nside == 1 else _nested_cells(directions, nside)


def _nested_cells(directions: FloatArray, nside: int) -> IntArray:
    x, y, z = directions.T
    return np.asarray(xyz_to_healpix(x, y, z, nside, order="nested"))


def _base_cells(directions: FloatArray) -> IntArray:
    """Returns the cells of nside 1, which takes a tenth of the time of any other nside.

    With t the longitude in quarter turns, the cells' edges are the lines on which t + h
    or t - h is an integer: h is 1/2 + 3/4 sin(b), and towards the poles 1 or 0 (Gorski
    et al. 2005, doi:10.1086/427976, section 5).
    """
    x, y, z = directions.T
    turns = np.arctan2(y, x) * (2 / np.pi)
    slope = np.clip(0.75 * z / np.sqrt(x * x + y * y + z * z), -0.5, 0.5)
    rising = turns + slope + 0.5
    falling = turns - slope + 0.5
    below_rising = np.floor(rising)
    below_falling = np.floor(falling)
    found = _between_edges(below_rising.astype(np.int8), below_falling.astype(np.int8))
    # rounding may put a star across an edge: there the general formula decides
    from_middle = np.maximum(
        np.abs(rising - below_rising - 0.5), np.abs(falling - below_falling - 0.5)
    )
    doubtful = np.flatnonzero(from_middle > 0.5 - _EDGE)
    found[doubtful] = _nested_cells(directions[doubtful], 1)
    return found


def _between_edges(rising: IntArray, falling: IntArray) -> IntArray:
    """Returns the cells between edges: 0-3 in the north, 4-7 on the equator, 8-11 in the south."""
    row = 1 + np.sign(falling - rising)
    return (4 * row + np.minimum(rising, falling) % 4).astype(np.intp)


def occupancy(
    directions: FloatArray, errors: FloatArray, nside: int = NSIDE
) -> BinSample:
    """Returns the counts in cells and the errors of the stars of one bin.

    Errors are told of groups of four stars or more that are measured about equally well,
    by the root mean square of those that are neither the best nor the worst of a group:
    so the few errors that are far from all others are no group's. Of ten stars or fewer
    all count, as none is clipped.

    Arguments:
        directions: Where they are seen `[N, 3]`, along Galactic axes.
        errors: Standard errors of their velocities `[N]` [km/s]; NaN where unknown.
        nside: Of the cells.
    """
    found, counts = np.unique(cells(directions, nside), return_counts=True)
    known = np.sort(errors[np.isfinite(errors)])
    eighths = np.array_split(known, min(ERROR_GROUPS, max(len(known) // _GROUP, 1)))
    # as many of each, as all groups are drawn equally often
    parts = min(_PARTS, max(min(map(len, eighths)) // _GROUP, 1))
    groups = [g for eighth in eighths for g in np.array_split(eighth, parts)]
    if len(known) > _UNCLIPPED:
        groups = [_middle(g) for g in groups]
    rms = [float(np.sqrt(np.mean(g**2))) if len(g) else 0.0 for g in groups]
    return BinSample(tuple(found.tolist()), tuple(counts.tolist()), tuple(rms))


def _middle(errors: FloatArray) -> FloatArray:
    """Returns errors, in ascending order, without the first and the last; few as they are."""
    # of fewer a star's own would be left
    return errors[1:-1] if len(errors) >= _GROUP else errors


def draw_stars(
    directions: FloatArray, bins: IntArray, sample: Sample, random: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Returns which simulated stars `[N]` represent the survey's N, and the bin `[N]` of each.

    A bin without simulated stars gives none; one with fewer than the survey gives some
    twice.

    Arguments:
        directions: Where each of M simulated stars is seen `[M, 3]`, along Galactic
            axes.
        bins: The number, among the sample's bins, of the bin that it is in `[M]`.
        sample: The survey's stars.
        random: Of this simulation.
    """
    targets = sample.targets
    order = random.permutation(len(targets.cell))
    cell = targets.cell[order]
    wanted = targets.bin[order]
    within = random.random((2, len(cell)))
    # cells are mapped with equal area, so that these points fill them evenly
    points = np.stack(
        healpix_to_xyz(cell, sample.nside, within[0], within[1], order="nested"), axis=1
    )
    held = np.bincount(bins, minlength=len(sample.bins))[wanted] > 0
    picked = _assign(
        _neighbours(directions, bins, points[held], wanted[held]), len(bins)
    )
    return picked, wanted[held]


def _neighbours(
    directions: FloatArray, bins: IntArray, points: FloatArray, wanted: IntArray
) -> IntArray:
    """Returns the stars of the same bin around each point, nearest first; M where there is none."""
    lengths = np.sqrt(np.einsum("ni,ni->n", directions, directions))
    tree = cKDTree(
        _shift_to_bin(directions / lengths[:, None], bins),
        compact_nodes=False,
        balanced_tree=False,
    )
    _, found = tree.query(
        _shift_to_bin(points, wanted), k=NEAREST, distance_upper_bound=_APART / 2
    )
    return np.asarray(found)


def _shift_to_bin(unit: FloatArray, bins: IntArray) -> FloatArray:
    """Returns unit vectors `[N, 3]` from the centre of their bin's sphere, which stand in a row."""
    return unit + np.column_stack([_APART * bins, np.zeros((len(bins), 2))])


def _assign(neighbours: IntArray, count: int) -> IntArray:
    """Returns one of each point's neighbours `[N, k]`, none again before others were taken once."""
    used = np.zeros(count + 1, dtype=np.int32)
    used[count] = np.iinfo(np.int32).max  # the index that means no star
    picked = np.zeros(len(neighbours), dtype=np.intp)
    waiting = np.arange(len(neighbours))
    while len(waiting):
        around = neighbours[waiting]
        choice = around[np.arange(len(around)), used[around].argmin(axis=1)]
        # the first point to choose a star gets it; the other points choose again
        stars, first = np.unique(choice, return_index=True)
        picked[waiting[first]] = stars
        used[stars] += 1
        waiting = np.delete(waiting, first)
    return picked


def noise(bins: IntArray, sample: Sample, random: np.random.Generator) -> FloatArray:
    """Returns errors of the velocities `[N]` [km/s] of stars drawn for the given bins `[N]`."""
    targets = sample.targets
    group = (random.random(len(bins)) * targets.groups[bins]).astype(np.intp)
    return targets.errors[bins, group] * random.standard_normal(len(bins))
