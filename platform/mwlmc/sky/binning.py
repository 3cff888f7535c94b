"""How stars become summaries: which stars, which velocity, which moments.

A binning takes the stars of a patch in ranges of Galactocentric distance. Simulated and
observed stars go through the same binning, and its fingerprint is the definition that a
data vector and a posterior must share.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np

from mwlmc.sky import frames
from mwlmc.sky.options import V_TB_EDGES, VELOCITIES
from mwlmc.sky.patches import (
    ALL_SKY,
    DESI,
    DESI_NORTH,
    DESI_SOUTH,
    Q1,
    Q2,
    Q3,
    Q4,
    Patch,
    Range,
)
from mwlmc.sky.selection_function import Bin, Sample
from orrery.identity import JSON, fingerprint
from orrery.parameters import FloatArray, IntArray

MOMENTS = ("mean", "dispersion")
LMC_NAMES = ("lmc_x", "lmc_y", "lmc_z", "lmc_vx", "lmc_vy", "lmc_vz")
LMC_UNITS = ("kpc", "kpc", "kpc", "km / s", "km / s", "km / s")


def contiguous(edges: Sequence[float]) -> tuple[Range, ...]:
    """Returns the bins between increasing edges: (30, 40, 50) gives (30, 40) and (40, 50)."""
    if len(edges) < 2:
        raise ValueError(f"distance_edges={tuple(edges)}: give at least two edges")
    return tuple(pairwise(edges))


def equal_ranges(lower: float, upper: float, count: int) -> tuple[Range, ...]:
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

    Example:
        >>> profile = Profile(ALL_SKY, "v_gsr", contiguous((30.0, 50.0, 80.0)))
        >>> profile.names
        ('v_gsr_mean_all_30_50', 'v_gsr_mean_all_50_80')
        >>> profile.assign(np.array([20.0, 30.0, 79.0]))
        array([-1,  0,  1])
    """

    patch: Patch
    quantity: str
    bins: tuple[Range, ...]
    moments: tuple[str, ...] = ("mean",)

    def __post_init__(self) -> None:
        _check_choice("quantity", (self.quantity,), VELOCITIES)
        _check_choice("moments", self.moments, MOMENTS)
        limits = np.array(self.bins, dtype=float).ravel()
        widths = np.diff(limits)[::2]
        gaps = np.diff(limits)[1::2]
        if limits.size == 0 or limits[0] < 0 or (widths <= 0).any() or (gaps < 0).any():
            raise ValueError(
                f"distance bins {self.bins} of patch {self.patch.name!r}: give at least one, from "
                "0 kpc on, in increasing order and without overlap"
            )

    def assign(self, distance: FloatArray) -> IntArray:
        """Returns the number of the bin of each distance `[N]` [kpc]; -1 outside all bins."""
        edges = np.array(self.bins, dtype=float)
        number = np.searchsorted(edges[:, 0], distance, side="right") - 1
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


@dataclass(frozen=True, eq=False)
class Shells:
    """Shells about the Galactic centre in which no bin begins or ends.

    Stars are compared with distances once for all profiles.

    Arguments:
        limits: Where a bin of any profile begins or ends `[L]`, ascending [kpc].
        bins: The number of the bin that holds the stars of a profile in a shell
            `[P, L + 1]`; -1 where there is none. The first shell is below all limits.

    Example:
        >>> shells = Shells(np.array([30.0, 50.0]), np.array([[-1, 0, -1]]))
        >>> shells.bins[0].take(shells.assign(np.array([20.0, 30.0, 50.0])))
        array([-1,  0, -1])
    """

    limits: FloatArray
    bins: IntArray

    def assign(self, distance: FloatArray) -> IntArray:
        """Returns the number of the shell of each distance `[N]` [kpc]."""
        number = np.zeros(np.shape(distance), dtype=np.int16)
        for limit in self.limits:  # for so few limits faster than a search
            number += distance >= limit
        return number.astype(np.intp)


AXIS_LABELS = {
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
class SkyBinning:
    """How stars become summaries: the LMC's phase space, then the moments of each profile.

    Arguments:
        name: What it is called in figures and file names.
        profiles: The velocity profiles, in order.
        clip: Stars further than this many dispersions from the mean are clipped.
        lmc: Whether the LMC's phase space is among the entries. Those who infer it
            leave it out.
        sample: The survey that simulated stars represent, in number, place and
            errors; without it all simulated stars count, and have no errors.

    Example:
        >>> profile = Profile(DESI_NORTH, "v_gsr", ((30.0, 50.0), (50.0, 80.0)))
        >>> binning = SkyBinning("north", (profile,), lmc=False)
        >>> binning.names
        ('v_gsr_mean_north_30_50', 'v_gsr_mean_north_50_80')
        >>> binning.supported([40, 1]).distances
        (30.0, 50.0)
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
        # two entries of one name could not be told apart in a posterior's figures
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

    @cached_property
    def bins(self) -> tuple[Bin, ...]:
        """All bins, profile after profile."""
        return tuple(
            Bin(p.patch.name, p.quantity, lower, upper)
            for p in self.profiles
            for lower, upper in p.bins
        )

    @cached_property
    def shells(self) -> Shells:
        """The shells that the ends of all bins make."""
        limits = np.unique([limit for b in self.bins for limit in (b.lower, b.upper)])
        rows = []
        first = 0
        for profile in self.profiles:
            within = profile.assign(limits)
            rows.append([-1, *np.where(within >= 0, within + first, -1)])
            first += len(profile.bins)
        return Shells(limits, np.array(rows))

    @property
    def panels(self) -> tuple[tuple[str, str, tuple[Range, ...], tuple[str, ...]], ...]:
        """For each profile and moment: patch, quantity, bins, and the entries' names."""
        return tuple(
            (
                p.patch.name,
                f"{AXIS_LABELS[moment, p.quantity]} [km/s]",
                p.bins,
                p.names[k * len(p.bins) : (k + 1) * len(p.bins)],
            )
            for p in self.profiles
            for k, moment in enumerate(p.moments)
        )

    @property
    def placed_profiles(self) -> tuple[tuple[Profile, slice], ...]:
        """Each profile, and where its bins are among `bins`."""
        ends = [0, *accumulate(len(profile.bins) for profile in self.profiles)]
        places = [slice(first, stop) for first, stop in pairwise(ends)]
        return tuple(zip(self.profiles, places, strict=True))

    @property
    def distances(self) -> Range:
        """The nearest and the furthest distance [kpc] of any bin."""
        return min(b.lower for b in self.bins), max(b.upper for b in self.bins)

    def describe(self) -> JSON:
        """Returns everything that decides the summaries, as plain JSON."""
        # The name is left out: equal definitions share their cached summaries.
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

    def select(self, quantities: Sequence[str]) -> "SkyBinning":
        """Returns the binning with only the profiles of some quantities."""
        _check_choice("quantities", tuple(quantities), VELOCITIES)
        kept = tuple(p for p in self.profiles if p.quantity in quantities)
        return replace(self, name=f"{self.name}_{'_'.join(quantities)}", profiles=kept)

    def with_moments(
        self, moments: tuple[str, ...], quantities: Sequence[str] = VELOCITIES
    ) -> "SkyBinning":
        """Returns the binning with other moments of some quantities.

        Arguments:
            moments: Such as ("mean", "dispersion").
            quantities: The others keep what they have.
        """
        _check_choice("quantities", tuple(quantities), VELOCITIES)
        profiles = tuple(
            replace(p, moments=moments) if p.quantity in quantities else p
            for p in self.profiles
        )
        return replace(self, profiles=profiles)

    def survey_like(self, sample: Sample) -> "SkyBinning":
        """Returns the binning of simulated stars that are drawn as a survey has its own.

        Arguments:
            sample: The survey's stars; it may hold more bins than the binning.

        Raises:
            ValueError: If it lacks a bin.
        """
        return replace(self, name=f"{self.name}_as_observed", sample=sample)

    def supported(self, counts: Sequence[float], minimum: float = 2) -> "SkyBinning":
        """Returns the binning without the bins that have too few stars.

        Arguments:
            counts: The number of stars in each of `bins`, found or expected.
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

    def _checked(self, counts: Sequence[float]) -> Sequence[float]:
        if len(counts) != len(self.bins):
            raise ValueError(
                f"{len(counts)} counts for the {len(self.bins)} bins of {self.name!r}"
            )
        return counts


def replace_bins(profile: Profile, bins: Sequence[Range]) -> Profile | None:
    """Returns the profile with other bins; None where there are none."""
    return replace(profile, bins=tuple(bins)) if bins else None


_BY_TEN = contiguous((30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0))


def desi_footprint(v_tb_edges: Sequence[float] = V_TB_EDGES) -> SkyBinning:
    """Returns the binning of DESI's two fields: seven line-of-sight bins in each, and v_tb.

    Arguments:
        v_tb_edges: Edges of the distance bins of v_tb, which both fields share [kpc].

    Raises:
        ValueError: If there are fewer than two edges, or they do not increase.

    Example:
        >>> desi_footprint((40.0, 60.0, 80.0)).bins[-1].upper
        80.0
    """
    return SkyBinning(
        "desi",
        (
            Profile(DESI_NORTH, "v_gsr", _BY_TEN),
            Profile(DESI_SOUTH, "v_gsr", _BY_TEN),
            Profile(DESI, "v_tb", contiguous(v_tb_edges)),
        ),
    )


DESI_FOOTPRINT = desi_footprint()


def quadrants(bins: int = 5) -> SkyBinning:
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
        Profile(patch, "v_gsr", equal_ranges(30.0, 160.0, bins))
        for patch in (Q1, Q2, Q3, Q4)
    )
    across = Profile(ALL_SKY, "v_tb", equal_ranges(30.0, 160.0, bins + 1))
    return SkyBinning("quadrants", (*radial, across))


QUADRANTS = quadrants()


def without_and_with_v_tb(whole: SkyBinning) -> dict[str, SkyBinning]:
    """Returns the two binnings of one survey that Brooks et al. (2025b) compare, by their label."""
    return {"without v_tb": whole.select(("v_gsr",)), "with v_tb": whole}
