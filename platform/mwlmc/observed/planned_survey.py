"""Surveys that are only planned: how many stars they have where, and what a binning of them costs.

A planner has no stars yet. What is known is how such stars are spread over the sky and
over distances, and how well their motions are measured; with a number of stars that
gives those of each bin, and their errors. Position on the sky and distance are taken as
independent, which they are not quite: a survey's fields differ in depth.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from astropy_healpix import healpix_to_xyz, nside_to_npix

from mwlmc.observed.binned_table import BinnedTable
from mwlmc.observed.mock_survey import SHARES, count_errors, radial_share
from mwlmc.observed.options import MomentChoice
from mwlmc.sky import frames
from mwlmc.sky.binning import Profile, SkyBinning, contiguous
from mwlmc.sky.options import VELOCITIES
from mwlmc.sky.patches import (
    ABOVE,
    ALL_SKY,
    BELOW,
    DESI,
    Q1,
    Q2,
    Q3,
    Q4,
    Directions,
    Patch,
    Range,
    healpix_patches,
    within,
)
from mwlmc.sky.selection_function import NSIDE, Bin
from orrery.identity import JSON
from orrery.parameters import FloatArray

VERSION = 1  # of bins and errors; raised whenever their numbers change

PatchChoice = Literal["whole", "footprints", "quadrants", "healpix"]
Spacing = Literal["equal", "ratio", "stars"]

FEWEST = 5.0  # expected stars: with fewer a survey may well find none, by Poisson
SCALE: Range = (30.0, 100.0)  # [kpc] between which a survey's stars are counted
GIANTS_MOTION_ERROR = 0.1  # [mas/yr], of bright giants

# The pieces that each choice makes of the sky; a survey has its footprint's part.
_PIECES: dict[PatchChoice, tuple[Patch, ...]] = {
    "whole": (ALL_SKY,),
    "footprints": (ABOVE, BELOW),
    "quadrants": (Q1, Q2, Q3, Q4),
    "healpix": healpix_patches(1),
}


def pieces(choice: PatchChoice) -> tuple[Patch, ...]:
    """Returns the pieces that a choice makes of the whole sky.

    Example:
        >>> len(pieces("healpix"))
        12
    """
    return _PIECES[choice]


@dataclass(frozen=True)
class SurveyBinning:
    """How a survey's stars are binned, and how many there are.

    Example:
        >>> SurveyBinning(patches="quadrants", v_tb_bins=0).moments
        'mean'
    """

    patches: PatchChoice = "footprints"
    """Pieces of the footprint: one, its parts above and below the Galactic plane, its
    quadrants, or the twelve largest HEALPix cells."""
    distance_bins: int = 7
    """Distance bins of v_gsr in each patch."""
    spacing: Spacing = "equal"
    """Bins of equal width, of equal ratio of their ends, or with equally many stars."""
    v_tb_bins: int = 3
    """Distance bins of v_tb over the whole footprint; 0 does without proper motions."""
    moments: MomentChoice = "mean"
    """Of velocities: their means, or also their dispersions."""
    stars: int = 856
    """The survey's stars at 30-100 kpc."""
    error_floor: float = 0.0
    """What no number of stars makes the error of a mean or a dispersion smaller than
    [km/s]."""

    def __post_init__(self) -> None:
        if self.distance_bins < 1 or self.v_tb_bins < 0:
            raise ValueError(
                f"{self.distance_bins} bins of v_gsr and {self.v_tb_bins} of v_tb: give 1 "
                "or more, and 0 or more"
            )
        if self.stars < 1 or not 0 <= self.error_floor < math.inf:
            raise ValueError(
                f"{self.stars} stars with an error of {self.error_floor} km/s at least: "
                "give 1 star or more, and 0 km/s or more, not infinite"
            )


@dataclass(frozen=True)
class Support:
    """What a survey's binning keeps, where bins with too few expected stars are left out.

    Arguments:
        patches: The patches in which a bin of v_gsr is kept.
        v_gsr_bins: The bins of v_gsr that are kept.
        v_gsr_left_out: Those that are left out.
        v_tb_bins: The bins of v_tb that are kept.
        stars: The expected stars at 30-100 kpc in bins of v_gsr that are kept.

    Example:
        >>> giants().support(SurveyBinning("whole", 2, v_tb_bins=3, stars=900))
        Support(patches=1, v_gsr_bins=2, v_gsr_left_out=0, v_tb_bins=3, stars=900.0)
    """

    patches: int = 0
    v_gsr_bins: int = 0
    v_gsr_left_out: int = 0
    v_tb_bins: int = 0
    stars: float = 0.0


@dataclass(frozen=True, eq=False)
class PlannedSurvey:
    """How stars of a kind are spread, whatever their number.

    Arguments:
        name: What they are.
        footprint: Where they are seen.
        density: The share of the stars in each HEALPix cell `[12 NSIDE^2]`.
        distances: Galactocentric distances `[D]`, ascending [kpc].
        below: The stars below each of them `[D]`, in units of those at 30-100 kpc.
        motion_error: Of one star's proper motion [mas/yr].

    Example:
        >>> survey = giants()
        >>> round(survey.count(Q1, 30.0, 100.0, stars=1000))
        280
        >>> len(survey.binning(SurveyBinning("whole", 2, v_tb_bins=0)).bins)
        2
    """

    name: str
    footprint: Patch
    density: FloatArray
    distances: FloatArray
    below: FloatArray
    motion_error: float

    @property
    def furthest(self) -> float:
        """The distance [kpc] up to which there are bins."""
        return float(self.distances[-1])

    @property
    def description(self) -> JSON:
        """All that decides bins and errors, as plain JSON."""
        return {
            "footprint": self.footprint.describe(),
            "density": self.density.tolist(),
            "distances": self.distances.tolist(),
            "below": self.below.tolist(),
            "motion_error": self.motion_error,
            "version": VERSION,
        }

    def count(self, piece: Patch, lower: float, upper: float, stars: int) -> float:
        """Returns the expected number of stars in a bin.

        Arguments:
            piece: Of the sky; only the footprint's part of it has stars.
            lower: Its nearest distance [kpc].
            upper: Its furthest distance [kpc].
            stars: All of the survey's at 30-100 kpc.
        """
        share = self.density[piece.contains(CELLS)].sum()
        near, far = np.interp((lower, upper), self.distances, self.below)
        return float(stars * share * (far - near))

    def binning(self, chosen: SurveyBinning) -> SkyBinning:
        """Returns how stars become summaries, without bins where hardly any star is.

        Raises:
            ValueError: If no bin has enough stars.
        """
        found = self._full(chosen)
        return found.supported(self._counts(found, chosen).tolist(), FEWEST)

    def support(self, chosen: SurveyBinning) -> Support:
        """Returns what a binning keeps; nothing where no bin has enough stars.

        Arguments:
            chosen: The binning, and how many stars there are.
        """
        found = self._full(chosen)
        counts = self._counts(found, chosen)
        all_bins = list(zip(found.bins, counts >= FEWEST, strict=True))
        radial = [(b, kept) for b, kept in all_bins if b.quantity == "v_gsr"]
        used = [b for b, kept in radial if kept]
        return Support(
            len({b.patch for b in used}),
            len(used),
            len(radial) - len(used),
            sum(bool(kept) for b, kept in all_bins if b.quantity == "v_tb"),
            float(sum(self._counted(b, chosen.stars, SCALE) for b in used)),
        )

    def errors(self, binning: SkyBinning, chosen: SurveyBinning) -> FloatArray:
        """Returns the standard errors `[S]` of a binning's entries, the LMC's first."""
        found = count_errors(binning, self._counts(binning, chosen), self.motion_error)
        first = len(binning.names) - sum(len(p.names) for p in binning.profiles)
        found[first:] = np.hypot(found[first:], chosen.error_floor)
        return found

    def _full(self, chosen: SurveyBinning) -> SkyBinning:
        bins = self.bins(chosen.distance_bins, chosen.spacing)
        profiles = [
            Profile(within(piece, self.footprint), "v_gsr", bins)
            for piece in pieces(chosen.patches)
            # a sliver of a cell at the footprint's edge
            if self.density[piece.contains(CELLS)].sum() > 0
        ]
        if chosen.v_tb_bins:
            across = self.bins(chosen.v_tb_bins, chosen.spacing)
            profiles.append(Profile(within(ALL_SKY, self.footprint), "v_tb", across))
        binning = SkyBinning(f"{self.footprint.name}_{chosen.patches}", tuple(profiles))
        return binning.with_moments(tuple(chosen.moments.split("+")), VELOCITIES)

    def bins(self, count: int, spacing: Spacing) -> tuple[Range, ...]:
        """Returns ranges of distance [kpc] from the survey's nearest to its furthest stars.

        Arguments:
            count: How many.
            spacing: Which rule makes them.
        """
        nearest = float(self.distances[0])
        if spacing == "equal":
            edges = np.linspace(nearest, self.furthest, count + 1)
        elif spacing == "ratio":
            edges = np.geomspace(nearest, self.furthest, count + 1)
        else:
            shares = np.linspace(self.below[0], self.below[-1], count + 1)
            edges = np.interp(shares, self.below, self.distances)
        # as exact as names of entries and people have them
        return contiguous([float(edge) for edge in edges.round(1)])

    def _counts(self, binning: SkyBinning, chosen: SurveyBinning) -> FloatArray:
        return np.array([self._counted(b, chosen.stars) for b in binning.bins])

    def _counted(self, one: Bin, stars: int, limits: Range = (0.0, np.inf)) -> float:
        """Returns the expected stars of a bin between two distances [kpc]."""
        known = {
            within(piece, self.footprint).name: piece
            for choice in _PIECES
            for piece in pieces(choice)
        }
        near, far = max(one.lower, limits[0]), min(one.upper, limits[1])
        return self.count(known[one.patch], near, max(near, far), stars)


def _cell_centres() -> Directions:
    numbers = np.arange(nside_to_npix(NSIDE))
    xyz = healpix_to_xyz(numbers, NSIDE, order="nested")
    return Directions(np.stack(xyz, axis=1))


CELLS = _cell_centres()


def giants() -> PlannedSurvey:
    """Returns an all-sky survey of giants like H3, SEGUE and MagE, at 30-160 kpc.

    As many in each quadrant as `mock_survey.SHARES` says, evenly, with dN/dr ~ r^-2.8.
    """
    density = np.zeros(len(CELLS.galactic))
    for quadrant in (Q1, Q2, Q3, Q4):
        inside = quadrant.contains(CELLS)
        density[inside] = SHARES[quadrant.name] / inside.sum()
    distances = np.linspace(30.0, 160.0, 131)
    below = radial_share(30.0, distances)
    return PlannedSurvey(
        "H3-like giants", ALL_SKY, density, distances, below, GIANTS_MOTION_ERROR
    )


def survey_like(table: BinnedTable) -> PlannedSurvey:
    """Returns a survey whose stars are spread as those of a table in DESI's footprint.

    Their places on the sky are the table's counts in cells; between the edges of its
    bins, distances are even. The error of proper motions is the root mean square of the
    table's.

    Arguments:
        table: Binned stars, the bins of v_gsr alike in all patches.

    Raises:
        ValueError: If it has no errors of proper motions.
    """
    counts = np.zeros(len(CELLS.galactic))
    number: dict[Range, int] = {}
    for one, held in zip(table.sample.bins, table.sample.stars, strict=True):
        if one.quantity == "v_gsr":
            counts[list(held.cells)] += held.counts
            limits = (one.lower, one.upper)
            number[limits] = number.get(limits, 0) + sum(held.counts)
    ranges = sorted(number)
    distances = np.array([ranges[0][0], *(upper for _, upper in ranges)])
    below = np.cumsum([0, *(number[limits] for limits in ranges)])
    scale = np.diff(np.interp(SCALE, distances, below))
    return PlannedSurvey(
        f"stars like {table.name}",
        DESI,
        counts / counts.sum(),
        distances,
        below / scale,
        _motion_error(table),
    )


def _motion_error(table: BinnedTable) -> float:
    """Returns the root-mean-square error of a star's proper motion [mas/yr]."""
    squares = []
    for one, held in zip(table.sample.bins, table.sample.stars, strict=True):
        if one.quantity == "v_tb":
            distance = (one.lower + one.upper) / 2
            each = np.array(held.errors) / (frames.K * distance)
            squares += [np.mean(each**2)] * sum(held.counts)
    if not any(squares):
        raise ValueError(
            f"{table.name!r} has no errors of proper motions: give a table of stars with "
            "them"
        )
    return float(np.sqrt(np.mean(squares)))
