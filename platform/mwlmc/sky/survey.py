"""What a survey sees: patches of sky, distance bins, and how many stars fall into each.

A binning says how stars become summaries: which stars (patch and Galactocentric
distance), which velocity, and which moments. Simulated and observed stars go through
the same binning, and its fingerprint is the definition that a data vector and a
posterior must share.

Angles are degrees here, at the edge, and radians wherever arrays of stars appear.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import interpolate

from mwlmc.sky import frames, selection_function
from mwlmc.sky.selection_function import Bin, Sample
from orrery.identity import JSON, fingerprint
from orrery.parameters import FloatArray

BoolArray = NDArray[np.bool_]
Range = tuple[float, float]

# The line-of-sight velocity and the velocity along Galactic latitude, both in the
# Galactic rest frame. Along longitude the Sun's own motion, less well known, would
# enter.
QUANTITIES = ("v_gsr", "v_tb")
MOMENTS = ("mean", "dispersion")
LMC_NAMES = ("lmc_x", "lmc_y", "lmc_z", "lmc_vx", "lmc_vy", "lmc_vz")
LMC_UNITS = ("kpc", "kpc", "kpc", "km / s", "km / s", "km / s")

_AROUND, _POLE_TO_POLE = (0.0, 360.0), (-90.0, 90.0)  # [deg]


@dataclass(frozen=True)
class Directions:
    """Where stars are seen from the Sun.

    Arguments:
        galactic: Vectors towards the stars along Galactic axes `[N, 3]`, of any length.
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

    def cells(self, nside: int) -> NDArray[np.integer[Any]]:
        """Returns the HEALPix cell of each star `[N]`, in nested order along Galactic axes."""
        if nside not in self._cells:
            self._cells[nside] = selection_function.cells(self.galactic, nside)
        return self._cells[nside]

    @cached_property
    def _cells(self) -> dict[int, NDArray[np.integer[Any]]]:
        return {}


class Parts(NamedTuple):
    """Directions without their angles, which take longer to find than all else about a star.

    Arguments:
        x: The parts towards longitude 0 `[N]`, of any unit.
        y: The parts towards longitude 90 deg `[N]`, of the same unit.
        sine: The sines of latitude `[N]`.
    """

    x: FloatArray
    y: FloatArray
    sine: FloatArray


def _parts(vectors: FloatArray) -> Parts:
    x, y, z = vectors
    sine = z / np.sqrt(x * x + y * y + z * z)
    # The poles have longitude 0.
    return Parts(np.where((x == 0) & (y == 0), 1.0, x), y, sine)


class Piece(Protocol):
    """A piece of sky that patches are made of."""

    def contains(self, seen: Directions) -> BoolArray:
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

    def contains(self, seen: Directions) -> BoolArray:
        """Returns which of the stars `[N]` lie inside."""
        inside = np.ones(len(seen.galactic), dtype=bool)
        if (self.l, self.b) != (_AROUND, _POLE_TO_POLE):
            inside &= _inside(seen.galactic_parts, self.l, self.b)
        if (self.ra, self.dec) != (_AROUND, _POLE_TO_POLE):
            inside &= _inside(seen.equatorial_parts, self.ra, self.dec)
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

    def contains(self, seen: Directions) -> BoolArray:
        """Returns which of the stars `[N]` lie inside."""
        inside: BoolArray = seen.cells(self.nside) == self.number
        return inside

    def describe(self) -> JSON:
        """Returns which cell it is."""
        return {"healpix_nside": self.nside, "nested_cell": self.number}


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
    return inside if longitudes == _AROUND else inside & _between(parts, *longitudes)


def _between(parts: Parts, lower: float, upper: float) -> BoolArray:
    """Returns which longitudes are from one to below another: in both or one of two half planes.

    Each star is on one side of a limit, so that windows side by side share none and
    lose none.
    """
    width = upper % 360 - lower % 360
    after, before = _leftwards(parts, lower) >= 0, _leftwards(parts, upper) < 0
    return after & before if 0 <= width <= 180 or width < -180 else after | before


def _leftwards(parts: Parts, longitude: float) -> FloatArray:
    angle = np.radians(longitude % 360)
    return np.cos(angle) * parts.y - np.sin(angle) * parts.x


@dataclass(frozen=True)
class Patch:
    """A named piece of sky: the union of windows, or of HEALPix cells."""

    name: str
    windows: tuple[Piece, ...]

    def __post_init__(self) -> None:
        if not self.windows:
            raise ValueError(f"patch {self.name!r} has no windows: give at least one")

    def contains(self, seen: Directions) -> BoolArray:
        """Returns which of the stars `[N]` lie inside."""
        return np.logical_or.reduce([window.contains(seen) for window in self.windows])

    @property
    def mean_sin_b(self) -> float:
        """The mean sine of Galactic latitude over the patch."""
        number = np.arange(20_000) + 0.5  # a spiral that covers the sphere evenly
        sine, angle = (
            1.0 - 2.0 * number / len(number),
            np.pi * (1.0 + 5.0**0.5) * number,
        )
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
PATCHES = (ALL_SKY, Q1, Q2, Q3, Q4, DESI_NORTH, DESI_SOUTH, DESI)


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


def contiguous(edges: Sequence[float]) -> tuple[Range, ...]:
    """Returns the bins between increasing edges: (30, 40, 50) gives (30, 40) and (40, 50)."""
    if len(edges) < 2:
        raise ValueError(f"distance_edges={tuple(edges)}: give at least two edges")
    return tuple(pairwise(edges))


def equal(lower: float, upper: float, count: int) -> tuple[Range, ...]:
    """Returns `count` bins of equal width between two distances."""
    return contiguous([float(edge) for edge in np.linspace(lower, upper, count + 1)])


@dataclass(frozen=True)
class Profile:
    """One velocity against distance on one patch.

    Arguments:
        patch: The piece of sky.
        quantity: `v_gsr` (line of sight) or `v_tb` (along Galactic latitude).
        bins: Ranges of Galactocentric distance [kpc], increasing and without overlap,
            but possibly with gaps; `contiguous` makes them from edges.
        moments: `mean`, `dispersion`, or both.
    """

    patch: Patch
    quantity: str
    bins: tuple[Range, ...]
    moments: tuple[str, ...] = ("mean",)

    def __post_init__(self) -> None:
        _check_choice("quantity", (self.quantity,), QUANTITIES)
        _check_choice("moments", self.moments, MOMENTS)
        limits = np.array(self.bins, dtype=float).ravel()
        widths, gaps = np.diff(limits)[::2], np.diff(limits)[1::2]
        if limits.size == 0 or limits[0] < 0 or (widths <= 0).any() or (gaps < 0).any():
            raise ValueError(
                f"distance bins {self.bins} of patch {self.patch.name!r}: give at least one, from "
                "0 kpc on, in increasing order and without overlap"
            )

    def assign(self, distance: FloatArray) -> NDArray[np.intp]:
        """Returns the number of the bin of each distance `[N]` [kpc]; -1 outside all bins."""
        edges = np.array(self.bins, dtype=float)
        number = np.full(np.shape(distance), -1, dtype=np.intp)
        for lower in edges[:, 0]:  # for so few edges faster than a search
            number += distance >= lower
        return np.where((number >= 0) & (distance < edges[number, 1]), number, -1)

    @property
    def names(self) -> tuple[str, ...]:
        """The entries' names: all bins of one moment, then of the next."""
        return tuple(
            f"{self.quantity}_{moment}_{self.patch.name}_{lower:.4g}_{upper:.4g}"
            for moment in self.moments
            for lower, upper in self.bins
        )

    def describe(self) -> JSON:
        """Returns the profile as plain JSON."""
        return {
            "patch": self.patch.describe(),
            "quantity": self.quantity,
            "bins": [list(limits) for limits in self.bins],
            "moments": list(self.moments),
        }


LABELS = {
    ("mean", "v_gsr"): r"$\langle v_{\rm GSR} \rangle$",
    ("mean", "v_tb"): r"$\langle v_{t,b} \rangle$",
    ("dispersion", "v_gsr"): r"$\sigma(v_{\rm GSR})$",
    ("dispersion", "v_tb"): r"$\sigma(v_{t,b})$",
}


def _check_choice(name: str, given: Sequence[str], allowed: Sequence[str]) -> None:
    if not given or len(set(given)) < len(given) or not set(given) <= set(allowed):
        raise ValueError(
            f"{name}={', '.join(given)!r}: choose from {', '.join(allowed)}, once"
        )


@dataclass(frozen=True)
class Binning:
    """How stars become summaries: the LMC's phase space, then the moments of each profile.

    Arguments:
        name: What it is called in figures and file names.
        profiles: The velocity profiles, in order.
        clip: Stars further than this many dispersions from the mean are clipped.
        lmc: Whether the LMC's phase space is among the entries. Those who infer it
            leave it out.
        sample: The survey whose stars simulated ones stand for, in number, place and
            errors; without it all simulated stars count, and have no errors.
    """

    name: str
    profiles: tuple[Profile, ...]
    clip: float = 3.0
    lmc: bool = True
    sample: Sample | None = None

    def __post_init__(self) -> None:
        if not self.profiles:
            raise ValueError(
                f"binning {self.name!r} has no profiles: give at least one"
            )
        if not self.clip > 1:
            raise ValueError(f"clip={self.clip}: must be above 1; 3 is usual")
        twice = sorted({n for n in self.names if self.names.count(n) > 1})
        if twice:
            raise ValueError(
                f"binning {self.name!r} has {twice} more than once: remove a profile"
            )
        if self.sample is not None and self.sample.bins != self.bins:
            object.__setattr__(self, "sample", self.sample.select(self.bins))

    @property
    def names(self) -> tuple[str, ...]:
        """The S entries' names."""
        stellar = tuple(name for profile in self.profiles for name in profile.names)
        return LMC_NAMES + stellar if self.lmc else stellar

    @property
    def units(self) -> tuple[str, ...]:
        """The S entries' units."""
        stellar = ("km / s",) * sum(len(profile.names) for profile in self.profiles)
        return LMC_UNITS + stellar if self.lmc else stellar

    @property
    def bins(self) -> tuple[Bin, ...]:
        """All bins, profile after profile."""
        return tuple(
            Bin(p.patch.name, p.quantity, lower, upper)
            for p in self.profiles
            for lower, upper in p.bins
        )

    @property
    def panels(self) -> tuple[tuple[str, str, tuple[Range, ...], tuple[str, ...]], ...]:
        """For each profile and moment: patch, quantity, bins, and the entries' names."""
        return tuple(
            (
                p.patch.name,
                f"{LABELS[moment, p.quantity]} [km/s]",
                p.bins,
                p.names[k * len(p.bins) : (k + 1) * len(p.bins)],
            )
            for p in self.profiles
            for k, moment in enumerate(p.moments)
        )

    @property
    def distances(self) -> Range:
        """The nearest and the furthest distance [kpc] of any bin."""
        return min(b.lower for b in self.bins), max(b.upper for b in self.bins)

    def describe(self) -> JSON:
        """Returns everything that decides the summaries, as plain JSON."""
        drawn = {} if self.sample is None else {"sample": self.sample.describe()}
        return {
            "entries": list(self.names),
            "profiles": [profile.describe() for profile in self.profiles],
            "clip": self.clip,
            "sun_position": frames.SUN_POSITION.tolist(),
            "sun_velocity": frames.SUN_VELOCITY.tolist(),
            **drawn,
        }

    @property
    def fingerprint(self) -> str:
        """The definition of the summaries: equal for binnings that give equal summaries."""
        return fingerprint(self.describe())

    def select(self, quantities: Sequence[str]) -> "Binning":
        """Returns the binning with only the profiles of some quantities."""
        _check_choice("quantities", tuple(quantities), QUANTITIES)
        kept = tuple(p for p in self.profiles if p.quantity in quantities)
        return replace(self, name=f"{self.name}_{'_'.join(quantities)}", profiles=kept)

    def with_moments(
        self, moments: tuple[str, ...], quantities: Sequence[str] = QUANTITIES
    ) -> "Binning":
        """Returns the binning with other moments of some quantities.

        Arguments:
            moments: Such as ("mean", "dispersion").
            quantities: The others keep what they have.
        """
        _check_choice("quantities", tuple(quantities), QUANTITIES)
        profiles = tuple(
            replace(p, moments=moments) if p.quantity in quantities else p
            for p in self.profiles
        )
        return replace(self, profiles=profiles)

    def survey_like(self, sample: Sample) -> "Binning":
        """Returns the binning of simulated stars that are drawn as a survey has its own.

        Arguments:
            sample: The survey's stars; it may hold more bins than the binning.

        Raises:
            ValueError: If it lacks a bin.
        """
        return replace(self, name=f"{self.name}_as_observed", sample=sample)

    def supported(self, counts: Sequence[int], minimum: int = 2) -> "Binning":
        """Returns the binning without the bins that have too few stars.

        Arguments:
            counts: The number of stars in each of `bins`.
            minimum: The smallest number of stars that a bin may have.

        Raises:
            ValueError: If no bin is left, or the counts are not one for each bin.
        """
        kept = iter([count >= minimum for count in self._checked(counts)])
        profiles = [
            replace_bins(p, [b for b in p.bins if next(kept)]) for p in self.profiles
        ]
        left = tuple(profile for profile in profiles if profile)
        if not left:
            raise ValueError(
                f"no bin of {self.name!r} has {minimum} stars: widen distance_edges"
            )
        return replace(self, profiles=left)

    def _checked(self, counts: Sequence[int]) -> Sequence[int]:
        if len(counts) != len(self.bins):
            raise ValueError(
                f"{len(counts)} counts for the {len(self.bins)} bins of {self.name!r}"
            )
        return counts


def replace_bins(profile: Profile, bins: Sequence[Range]) -> Profile | None:
    """Returns the profile with other bins; None where there are none."""
    return replace(profile, bins=tuple(bins)) if bins else None


_BY_TEN = contiguous((30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0))

# Seven line-of-sight bins on each side, and proper motions where they are still good
# enough.
DESI_FOOTPRINT = Binning(
    "desi",
    (
        Profile(DESI_NORTH, "v_gsr", _BY_TEN),
        Profile(DESI_SOUTH, "v_gsr", _BY_TEN),
        Profile(DESI, "v_tb", contiguous((30.0, 50.0, 70.0, 90.0))),
    ),
)


def quadrants(bins: int = 5) -> Binning:
    """Returns the binning of four quadrants of the sky at 30-160 kpc.

    Arguments:
        bins: The number of distance bins of v_gsr in each quadrant; v_tb over the whole
            sky has one more. Brooks et al. (2025b) have five.

    Raises:
        ValueError: If there is none.
    """
    if bins < 1:
        raise ValueError(f"bins={bins}: give 1 or more; 5 are usual")
    radial = (
        Profile(patch, "v_gsr", equal(30.0, 160.0, bins)) for patch in (Q1, Q2, Q3, Q4)
    )
    across = Profile(ALL_SKY, "v_tb", equal(30.0, 160.0, bins + 1))
    return Binning("quadrants", (*radial, across))


QUADRANTS = quadrants()


def without_and_with_v_tb(whole: Binning) -> dict[str, Binning]:
    """Returns the two binnings of one survey that Brooks et al. (2025b) compare, by their label."""
    return {"without v_tb": whole.select(("v_gsr",)), "with v_tb": whole}


# Of the stars of an all-sky survey of giants (H3, SEGUE and MagE together), the
# fraction assumed in each patch: such surveys are mostly northern, and few stars are
# seen towards the third and fourth Galactic quadrants in the south.
SHARES = {
    "q1": 0.28,
    "q2": 0.37,
    "q3": 0.25,
    "q4": 0.10,
    "all": 1.0,
    "north": 0.55,
    "south": 0.25,
    "desi": 0.80,
}
GIANTS = 1296  # stars at 30-100 kpc in Brooks et al. (2025b)
_SLOPE = -2.8  # of dN/dr, so that there are about 100 more at 100-160 kpc


def expected_counts(binning: Binning, stars: int = GIANTS) -> FloatArray:
    """Returns how many stars `[K]` an all-sky survey of giants would have in each bin.

    Assumes dN/dr ~ r^-2.8 and `SHARES` of the sky. It leaves out that surveys overlap
    and have magnitude limits of their own: good for forecasts of errors, not for
    anything finer.

    Arguments:
        binning: Its patches must be named in `SHARES`.
        stars: The number of stars at 30-100 kpc in the whole sky.

    Raises:
        ValueError: If no share is known for a patch.
    """
    unknown = sorted({b.patch for b in binning.bins} - set(SHARES))
    if unknown:
        raise ValueError(
            f"no share of the stars is known for {unknown}: use {sorted(SHARES)}"
        )
    share = np.array([SHARES[b.patch] for b in binning.bins])
    edges = np.array([(b.lower, b.upper) for b in binning.bins])
    return stars * share * _radial(edges[:, 0], edges[:, 1]) / _radial(30.0, 100.0)


def _radial(lower: Any, upper: Any) -> Any:
    return np.power(lower, _SLOPE + 1) - np.power(upper, _SLOPE + 1)


@dataclass(frozen=True)
class Arm:
    """One arm of the Sagittarius stream, from RR Lyrae stars (Hernitschek et al. 2017, tables 4-5).

    Arguments:
        start: The first longitude along the stream [deg]; the others follow every 10
            deg.
        distance: Mean heliocentric distances `[N]` [kpc].
        depth: Their standard deviations along the line of sight `[N]` [kpc].
    """

    start: float
    distance: tuple[float, ...]
    depth: tuple[float, ...]

    @property
    def end(self) -> float:
        """The last longitude [deg]."""
        return self.start + 10.0 * (len(self.distance) - 1)

    def at(self, longitude: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Returns mean distance and depth `[M]` [kpc] at longitudes `[M]` [deg] on the arm."""
        distance, depth = _splines(self)
        return interpolate.splev(longitude, distance), interpolate.splev(
            longitude, depth
        )


@cache
def _splines(arm: Arm) -> tuple[Any, Any]:
    knots = arm.start + 10.0 * np.arange(len(arm.distance))
    fine = np.arange(arm.start, arm.end + 0.05, 0.1)
    lines = (np.interp(fine, knots, values) for values in (arm.distance, arm.depth))
    distance, depth = (interpolate.splrep(fine, line, s=len(fine)) for line in lines)
    return distance, depth


# fmt: off
LEADING = Arm(
    5.0,
    (28.83, 14.3, 34.14, 36.65, 45.94, 50.5, 52.59, 49.19, 46.22, 40.59, 34.8, 31.19, 25.9, 21.34,
     19.66, 16.2),
    (1.621, 2.8, 2.8, 4.1, 3.68, 3.33, 4.52, 3.75, 4.66, 3.88, 6.3, 3.08, 5.0, 2.7, 2.05, 3.4),
)
TRAILING = Arm(
    105.0,
    (55.4, 62.3, 57.2, 66.9, 81.3, 83.1, 89.02, 92.98, 86.7, 60.0, 53.0, 43.15, 36.55, 31.17,
     28.41, 25.57, 24.7, 18.0, 20.34, 21.2, 20.8, 21.66, 22.0, 20.1, 19.7, 27.605),
    (3.2, 3.5, 2.3, 5.8, 6.1, 5.2, 5.13, 8.99, 10.5, 2.8, 6.78, 6.65, 6.28, 6.16, 4.66, 5.14,
     4.86, 7.7, 4.44, 4.7, 5.17, 4.84, 4.41, 5.3, 6.43, 1.245),
)
# fmt: on Axes of the Sagittarius stream's coordinates in equatorial ones (Belokurov et
# al. 2014).
_STREAM_AXES = np.array(
    [
        [0.21215555, -0.84846291, -0.48487186],
        [-0.93595354, -0.31910658, 0.14886895],
        [0.28103559, -0.42223415, 0.86182209],
    ]
)


def stream_coordinates(
    ra: FloatArray, dec: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Returns longitude (0 to 360) and latitude `[N]` [deg] along the Sagittarius stream.

    Arguments:
        ra: Right ascension `[N]` [rad].
        dec: Declination `[N]` [rad].
    """
    longitude, latitude = frames.angles(frames.direction(ra, dec) @ _STREAM_AXES.T)
    return np.degrees(longitude), np.degrees(latitude)


def sagittarius(ra: FloatArray, dec: FloatArray, distance: FloatArray) -> BoolArray:
    """Returns which stars `[N]` may belong to the Sagittarius stream.

    A star may when it is within 12 deg of the stream's plane and its distance within
    three depths of an arm's mean.

    Arguments:
        ra: Right ascension `[N]` [rad].
        dec: Declination `[N]` [rad].
        distance: Heliocentric distance `[N]` [kpc].
    """
    longitude, latitude = stream_coordinates(ra, dec)
    member = np.zeros(longitude.shape, dtype=bool)
    for arm in (LEADING, TRAILING):
        mean, depth = arm.at(longitude)
        along = (longitude >= arm.start) & (longitude <= arm.end)
        member |= along & (np.abs(distance - mean) < 3 * depth)
    return member & (np.abs(latitude) < 12)
