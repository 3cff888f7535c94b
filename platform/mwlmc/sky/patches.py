"""Pieces of sky: windows, HEALPix cells, the patches made of them, and surveys' footprints.

Angles are degrees here, at the edge, and radians wherever arrays of stars appear.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from mwlmc.sky import frames, selection_function
from orrery.identity import JSON
from orrery.parameters import BoolArray, FloatArray, IntArray

Range = tuple[float, float]
_AROUND = (0.0, 360.0)  # [deg]
_POLE_TO_POLE = (-90.0, 90.0)  # [deg]


@dataclass(frozen=True)
class Directions:
    """Where stars are on the sky, without their angles.

    Arguments:
        galactic: Vectors towards the stars along Galactic axes `[N, 3]`, of any length.

    Example:
        >>> directions = Directions(np.array([[0.0, 0.0, 2.0], [1.0, 0.0, 0.0]]))
        >>> directions.galactic_parts.sine
        array([1., 0.])
        >>> directions.cells(nside=1)
        array([0, 4])
    """

    galactic: FloatArray

    @cached_property
    def galactic_parts(self) -> "Parts":
        """The vectors' parts along Galactic axes."""
        return _parts(self.galactic.T)

    @cached_property
    def equatorial_parts(self) -> "Parts":
        """The vectors' parts along the axes of right ascension and declination."""
        return _parts(frames.EQUATORIAL_TO_GALACTIC.T @ self.galactic.T)

    def inside(self, piece: "Piece") -> BoolArray:
        """Returns which of the stars `[N]` lie inside a piece, which is asked only once."""
        if piece not in self._inside:
            self._inside[piece] = piece.contains(self)
        return self._inside[piece]

    @cached_property
    def _inside(self) -> dict["Piece", BoolArray]:
        return {}

    def cells(self, nside: int) -> IntArray:
        """Returns the HEALPix cell of each star `[N]`, in nested order along Galactic axes."""
        if nside not in self._cells:
            self._cells[nside] = selection_function.cells(self.galactic, nside)
        return self._cells[nside]

    @cached_property
    def _cells(self) -> dict[int, IntArray]:
        return {}


@dataclass(frozen=True)
class Parts:
    """Directions without their angles, which take longer to find than all else about a star.

    Arguments:
        x: The parts towards longitude 0 `[N]`, of any unit.
        y: The parts towards longitude 90 deg `[N]`, of the same unit.
        sine: The sines of latitude `[N]`.

    Example:
        >>> parts = Directions(np.array([[3.0, 0.0, 4.0]])).galactic_parts
        >>> parts.x, parts.sine
        (array([3.]), array([0.8]))
    """

    x: FloatArray
    y: FloatArray
    sine: FloatArray

    def leftwards(self, longitude: float) -> FloatArray:
        """Returns the parts `[N]` towards 90 deg beyond a longitude [deg], found only once."""
        # windows side by side share a limit
        angle = np.radians(longitude % 360)
        if angle not in self._leftwards:
            self._leftwards[angle] = np.cos(angle) * self.y - np.sin(angle) * self.x
        return self._leftwards[angle]

    @cached_property
    def _leftwards(self) -> dict[float, FloatArray]:
        return {}


def _parts(vectors: FloatArray) -> Parts:
    x, y, z = vectors
    sine = z / np.sqrt(x * x + y * y + z * z)
    # The poles have longitude 0.
    return Parts(np.where((x == 0) & (y == 0), 1.0, x), y, sine)


class Piece(Protocol):
    """A piece of sky that patches are made of.

    Example:
        >>> pieces: tuple[Piece, ...] = (Window(b=(20.0, 90.0)), Cell(nside=1, number=0))
        >>> [piece.contains(Directions(np.eye(3))).tolist() for piece in pieces]
        [[False, False, True], [False, False, True]]
    """

    def contains(self, directions: Directions) -> BoolArray:
        """Returns which of the stars `[N]` lie inside."""
        ...

    def describe(self) -> JSON:
        """Returns what it is as plain JSON, with angles in degrees."""
        ...


@dataclass(frozen=True)
class Window:
    """A piece of sky between limits in degrees, each from the lower up to below the upper.

    Arguments:
        l: Galactic longitude [deg]; the lower limit may exceed the upper, through l =
            0.
        b: Galactic latitude [deg].
        ra: Right ascension [deg]; (308, 73) runs through 0.
        dec: Declination [deg].

    Example:
        >>> north = Window(b=(20.0, 90.0))
        >>> north.contains(Directions(np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.1]])))
        array([ True, False])
    """

    l: Range = _AROUND  # noqa: E741
    b: Range = _POLE_TO_POLE
    ra: Range = _AROUND
    dec: Range = _POLE_TO_POLE

    def __post_init__(self) -> None:
        for name in ("l", "ra"):
            _check_longitudes(name, getattr(self, name))
        for name in ("b", "dec"):
            _check_latitudes(name, getattr(self, name))

    def contains(self, directions: Directions) -> BoolArray:
        """Returns which of the stars `[N]` lie inside."""
        inside = np.ones(len(directions.galactic), dtype=bool)
        if (self.l, self.b) != (_AROUND, _POLE_TO_POLE):
            inside &= _inside(directions.galactic_parts, self.l, self.b)
        if (self.ra, self.dec) != (_AROUND, _POLE_TO_POLE):
            inside &= _inside(directions.equatorial_parts, self.ra, self.dec)
        return inside

    def describe(self) -> JSON:
        """Returns the limits in degrees."""
        return {name: list(limits) for name, limits in vars(self).items()}


@dataclass(frozen=True)
class Cell:
    """One cell of HEALPix, in nested order along Galactic axes (doi:10.1086/427976).

    Arguments:
        nside: A power of 2; the sky has 12 nside^2 cells of equal area.
        number: From 0 on.

    Example:
        >>> Cell(nside=1, number=0).contains(Directions(np.array([[1.0, 1.0, 1.0]])))
        array([ True])
    """

    nside: int
    number: int

    def __post_init__(self) -> None:
        if self.nside < 1 or self.nside & (self.nside - 1):
            raise ValueError(
                f"nside={self.nside}: give a power of 2, such as 1, 2 or 4"
            )
        if not 0 <= self.number < 12 * self.nside**2:
            raise ValueError(
                f"cell {self.number}: nside {self.nside} has {12 * self.nside**2}"
            )

    def contains(self, directions: Directions) -> BoolArray:
        """Returns which of the stars `[N]` lie inside."""
        inside: BoolArray = directions.cells(self.nside) == self.number
        return inside

    def describe(self) -> JSON:
        """Returns which cell it is."""
        return {"healpix_nside": self.nside, "nested_cell": self.number}


@dataclass(frozen=True)
class Overlap:
    """The sky that all of several pieces share, such as a cell's part of a footprint.

    Arguments:
        pieces: Two or more.

    Example:
        >>> north = Overlap((Cell(nside=1, number=0), Window(b=(60.0, 90.0))))
        >>> north.contains(Directions(np.array([[1.0, 1.0, 1.0], [0.1, 0.1, 1.0]])))
        array([False,  True])
    """

    pieces: tuple[Piece, ...]

    def __post_init__(self) -> None:
        if len(self.pieces) < 2:
            raise ValueError(f"{self} overlaps with nothing: give two pieces or more")

    def contains(self, directions: Directions) -> BoolArray:
        """Returns which of the stars `[N]` lie inside."""
        # a footprint's windows are shared by all of its cells
        return np.logical_and.reduce([directions.inside(one) for one in self.pieces])

    def describe(self) -> JSON:
        """Returns the pieces."""
        return {"overlap": [piece.describe() for piece in self.pieces]}


def _check_longitudes(name: str, limits: Range) -> None:
    lower, upper = limits
    if not (0 <= lower <= 360 and 0 <= upper <= 360) or lower == upper:
        raise ValueError(
            f"{name}={limits}: give two different angles from 0 to 360 [deg]"
        )


def _check_latitudes(name: str, limits: Range) -> None:
    lower, upper = limits
    if not -90 <= lower < upper <= 90:
        raise ValueError(
            f"{name}={limits}: give increasing angles from -90 to 90 [deg]"
        )


def _inside(parts: Parts, longitudes: Range, latitudes: Range) -> BoolArray:
    inside = np.ones(len(parts.sine), dtype=bool)
    # The pole itself belongs to a window that reaches it.
    if latitudes[0] > -90:
        inside &= parts.sine >= np.sin(np.radians(latitudes[0]))
    if latitudes[1] < 90:
        inside &= parts.sine < np.sin(np.radians(latitudes[1]))
    return (
        inside
        if longitudes == _AROUND
        else inside & _between(parts, longitudes[0], longitudes[1])
    )


def _between(parts: Parts, lower: float, upper: float) -> BoolArray:
    """Returns which longitudes are from one to below another: in both or one of two half planes.

    Each star is on one side of a limit, so that windows side by side share none and
    lose none.
    """
    width = upper % 360 - lower % 360
    after = parts.leftwards(lower) >= 0
    before = parts.leftwards(upper) < 0
    return after & before if 0 <= width <= 180 or width < -180 else after | before


@dataclass(frozen=True)
class Patch:
    """A named piece of sky: the union of windows, or of HEALPix cells.

    Example:
        >>> caps = Patch("caps", (Window(b=(60.0, 90.0)), Window(b=(-90.0, -60.0))))
        >>> caps.contains(Directions(np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])))
        array([ True, False])
    """

    name: str
    windows: tuple[Piece, ...]

    def __post_init__(self) -> None:
        if not self.windows:
            raise ValueError(f"patch {self.name!r} has no windows: give at least one")

    def contains(self, directions: Directions) -> BoolArray:
        """Returns which of the stars `[N]` lie inside."""
        return np.logical_or.reduce(
            [window.contains(directions) for window in self.windows]
        )

    @property
    def mean_sin_b(self) -> float:
        """The mean sine of Galactic latitude over the patch."""
        number = np.arange(20_000) + 0.5  # a spiral that covers the sphere evenly
        sine = 1.0 - 2.0 * number / len(number)
        angle = np.pi * (1.0 + 5.0**0.5) * number
        flat = np.sqrt(1.0 - sine**2)
        sphere = np.stack([flat * np.cos(angle), flat * np.sin(angle), sine], axis=1)
        return float(sine[self.contains(Directions(sphere))].mean())

    def describe(self) -> JSON:
        """Returns the limits in degrees as plain JSON."""
        return {
            "name": self.name,
            "windows": [window.describe() for window in self.windows],
        }


ALL_SKY = Patch("all", (Window(),))
Q1 = Patch("q1", (Window(l=(0.0, 180.0), b=(0.0, 90.0)),))
Q2 = Patch("q2", (Window(l=(180.0, 360.0), b=(0.0, 90.0)),))
Q3 = Patch("q3", (Window(l=(0.0, 180.0), b=(-90.0, 0.0)),))
Q4 = Patch("q4", (Window(l=(180.0, 360.0), b=(-90.0, 0.0)),))

# The sky on which DESI's first data release has blue horizontal-branch stars: limits
# drawn around all of them. The nominal |b| > 20 deg would lose stars, as tiles reach
# 1.6 deg from their centres.
DESI_NORTH = Patch("north", (Window(b=(18.5, 90.0), dec=(-10.0, 81.0)),))
DESI_SOUTH = Patch(
    "south", (Window(b=(-90.0, -20.0), dec=(-19.0, 34.0), ra=(308.0, 74.0)),)
)
DESI = Patch("desi", DESI_NORTH.windows + DESI_SOUTH.windows)
# The two sides of the Galactic plane, where no footprint says more.
ABOVE = Patch("above", (Window(b=(0.0, 90.0)),))
BELOW = Patch("below", (Window(b=(-90.0, 0.0)),))
PATCHES = (ALL_SKY, Q1, Q2, Q3, Q4, DESI_NORTH, DESI_SOUTH, DESI)


def within(patch: Patch, footprint: Patch) -> Patch:
    """Returns the part of a patch that a footprint holds, named after both.

    Example:
        >>> within(Q1, ALL_SKY).name, within(Q1, DESI).name
        ('q1', 'desi_q1')
    """
    if footprint == ALL_SKY:
        return patch
    shared = tuple(
        Overlap((piece, window))
        for piece in patch.windows
        for window in footprint.windows
    )
    return Patch(f"{footprint.name}_{patch.name}", shared)


def healpix_patches(nside: int) -> tuple[Patch, ...]:
    """Returns the 12 nside^2 patches of equal area that tile the sky: HEALPix cells.

    Arguments:
        nside: A power of 2; 1 gives twelve patches.

    Raises:
        ValueError: If it is none.
    """
    first = Cell(nside, 0)
    numbers = range(12 * nside**2)
    return tuple(
        Patch(f"healpix{nside}_{i}", (replace(first, number=i),)) for i in numbers
    )
