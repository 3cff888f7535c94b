"""From stars to summaries: clipped means and dispersions of velocities in each bin of a binning.

Observed and simulated stars take the same path: both become `Stars`, and `summarise` is
the only place where a star is given to a bin and clipped.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from mwlmc.sky import frames, selection_function
from mwlmc.sky.binning import LMC_NAMES, SkyBinning
from mwlmc.sky.moments import VelocityMoments, clipped_moments
from mwlmc.sky.patches import Directions, Patch
from mwlmc.sky.selection_function import Sample
from orrery.parameters import BoolArray, FloatArray, IntArray
from orrery.records import Records

VERSION = 1  # of these summaries; raised whenever their numbers change
NAMESPACE = ""  # summaries were kept before names had modules

_BLOCK = (
    4  # simulations at a time: more stars in double precision would leave the cache
)


@dataclass(frozen=True)
class RestFrameStars:
    """Stars in the Galactic rest frame, simulated or observed, as a binning takes them.

    Arguments:
        distance: Galactocentric distances `[N]` [kpc].
        directions: Where they are on the sky.
        v_gsr: Rest-frame velocities along the line of sight `[N]` [km/s]; NaN if
            unknown.
        v_tb: Rest-frame velocities along Galactic latitude `[N]` [km/s]; NaN if
            unknown.
        owner: The number of the simulation that each star belongs to `[N]`.

    Example:
        >>> stars = RestFrameStars(
        ...     distance=np.array([40.0, 60.0]),
        ...     directions=Directions(np.eye(3)[:2]),
        ...     v_gsr=np.array([12.0, -80.0]),
        ...     v_tb=np.array([5.0, np.nan]),
        ...     owner=np.array([0, 0]),
        ... )
        >>> len(stars)
        2
    """

    distance: FloatArray
    directions: Directions
    v_gsr: FloatArray
    v_tb: FloatArray
    owner: IntArray

    def __len__(self) -> int:
        return len(self.distance)


class BinnedStars(NamedTuple):
    """The stars that fall in a bin, once for each bin that they fall in.

    Arguments:
        star: Their numbers `[M]`.
        velocity: The velocity that the bin is about `[M]` [km/s].
        bin: The bin's number `[M]`: K times the owner's, plus that among the binning's.

    Example:
        >>> BinnedStars(star=np.array([0]), velocity=np.array([12.0]), bin=np.array([3])).bin
        array([3])
    """

    star: IntArray
    velocity: FloatArray
    bin: IntArray


def assign_to_bins(stars: RestFrameStars, binning: SkyBinning) -> BinnedStars:
    """Returns the stars that fall in a bin, profile after profile."""
    shells = binning.shells
    shell = shells.assign(stars.distance)
    owners_first = stars.owner * len(binning.bins)
    inside: dict[Patch, BoolArray] = {}
    known: dict[str, BoolArray] = {}
    found = []
    for profile, bins in zip(binning.profiles, shells.bins, strict=True):
        velocity = getattr(stars, profile.quantity)
        # profiles differ in patch or velocity alone: each is looked at once
        if profile.patch not in inside:
            inside[profile.patch] = profile.patch.contains(stars.directions)
        if profile.quantity not in known:
            known[profile.quantity] = np.isfinite(velocity)
        # a star without a proper motion still counts along the line of sight
        star = np.flatnonzero(inside[profile.patch] & known[profile.quantity])
        number = bins.take(shell.take(star))
        star = star[number >= 0]
        number = number[number >= 0]
        found.append((star, velocity.take(star), owners_first.take(star) + number))
    star, velocity, bins = (np.concatenate(part) for part in zip(*found, strict=True))
    return BinnedStars(star, velocity, bins)


def binned_velocities(
    stars: RestFrameStars, binning: SkyBinning
) -> tuple[FloatArray, IntArray]:
    """Returns the velocities of all stars that fall in a bin, and their bins.

    Both have shape `[M]`; a star is there once for each bin that it falls in, with its
    owner's number times K added to the bin.
    """
    _, velocity, bins = assign_to_bins(stars, binning)
    return velocity, bins


def binned_moments(
    stars: RestFrameStars, binning: SkyBinning, owners: int = 1
) -> VelocityMoments:
    """Returns the moments of each owner's stars in each bin, four arrays `[owners, K]`."""
    velocity, bins = binned_velocities(stars, binning)
    return _by_owner(velocity, bins, binning, owners)


def _by_owner(
    velocity: FloatArray, bins: IntArray, binning: SkyBinning, owners: int
) -> VelocityMoments:
    size = (owners, len(binning.bins))
    flat = clipped_moments(velocity, bins, size[0] * size[1], binning.clip)
    return VelocityMoments(
        flat.count.reshape(size),
        flat.kept.reshape(size),
        flat.mean.reshape(size),
        flat.dispersion.reshape(size),
    )


def draw_survey_stars(
    stars: RestFrameStars,
    binning: SkyBinning,
    sample: Sample,
    random: np.random.Generator,
) -> BinnedStars:
    """Returns the stars of one simulation as a survey would have them, with its errors.

    Each bin is drawn by itself: the line-of-sight velocity may be one star's and the
    tangential velocity another's, because the two are nearly independent.

    Arguments:
        stars: The stars of one simulation.
        binning: How stars become summaries.
        sample: The survey's stars in the binning's bins.
        random: Of this simulation.
    """
    star, velocity, bins = assign_to_bins(stars, binning)
    picked, wanted = selection_function.draw_stars(
        stars.directions.galactic[star], bins, sample, random
    )
    measured = velocity[picked] + selection_function.noise(wanted, sample, random)
    return BinnedStars(star[picked], measured, wanted)


def scatter_distances(
    stars: RestFrameStars, error: float, random: np.random.Generator
) -> RestFrameStars:
    """Returns the stars where a survey would place them that errs in their distances.

    Their velocities stay: what a wrong distance does to v_tb is part of that velocity's
    error. It leaves out stars nearer than those that the simulation kept, some of which
    would come in.

    Arguments:
        stars: Simulated stars; the vectors towards them have their lengths [kpc].
        error: Standard error of the logarithm of the distance from the Sun.
        random: Of this simulation.
    """
    # errors of photometric distances are errors of the distance modulus: log-normal
    factor = np.exp(error * random.standard_normal(len(stars)))
    towards = stars.directions.galactic * factor[:, None]
    position = towards @ frames.GALACTIC_TO_GALACTOCENTRIC.T + frames.SUN_POSITION
    return replace(stars, distance=np.sqrt(np.einsum("ni,ni->n", position, position)))


def entries(
    mean: FloatArray, dispersion: FloatArray, binning: SkyBinning
) -> FloatArray:
    """Returns the entries of a data vector after the LMC's, in the binning's order.

    Arguments:
        mean: One value for each bin `[..., K]`.
        dispersion: Likewise `[..., K]`.
        binning: Which moments of which bins are entries.
    """
    columns = []
    for profile, here in binning.placed_profiles:
        by_name = {"mean": mean[..., here], "dispersion": dispersion[..., here]}
        # all bins of one moment, then of the next, as `Profile.names` has them
        columns += [by_name[moment] for moment in profile.moments]
    return np.concatenate(columns, axis=-1)


def simulated_stars(
    records: Records, nearest: float, furthest: float
) -> RestFrameStars:
    """Returns the stars of simulations in heliocentric directions and the rest frame.

    Arguments:
        records: Records with particle columns x, y, z [kpc] and vx, vy, vz [km/s].
        nearest: Stars closer to the Galactic centre are left out [kpc].
        furthest: Stars at this distance or further are left out [kpc].
    """
    position = _columns(records, ("x", "y", "z"))
    owner = np.repeat(np.arange(len(records)), np.diff(records.offsets))
    # stars outside all bins leave before the costly projection onto the sky
    distance = np.sqrt(np.einsum("in,in->n", position, position))
    near = np.flatnonzero((distance >= nearest) & (distance < furthest))
    position = position.take(near, axis=1)
    velocity = _columns(records, ("vx", "vy", "vz")).take(near, axis=1)
    axes = frames.GALACTIC_TO_GALACTOCENTRIC.T
    towards = (axes @ (position - frames.SUN_POSITION[:, None])).T
    _, v_gsr, _, v_tb = frames.project((axes @ velocity).T, towards)
    return RestFrameStars(distance[near], Directions(towards), v_gsr, v_tb, owner[near])


def _columns(records: Records, names: tuple[str, ...]) -> FloatArray:
    columns = np.empty((len(names), len(records.particles[names[0]])))
    for column, name in zip(columns, names, strict=True):
        column[:] = records.particles[name]
    return columns


def velocity_moments(records: Records, binning: SkyBinning) -> FloatArray:
    """Returns the summaries of simulations, with shape `[B, S]`: the LMC, then the bins' moments.

    NaN where a bin has fewer than two stars. If the binning has a survey's sample, the
    stars are drawn as the survey has its own, and the summaries have its noise.

    Arguments:
        records: B records with the LMC's Galactocentric position [kpc] and velocity
            [km/s] as scalars, and the stars' as particles; where there is a sample,
            also `index`, the number of the simulation, which together with the sample's
            seed decides the draw.
        binning: How stars become summaries.

    Raises:
        ValueError: If there is a sample, but no `index`.
    """
    size = _BLOCK if binning.sample is None else 1
    blocks = range(0, len(records), size)
    return np.concatenate(
        [_block_moments(_block(records, i, size), binning) for i in blocks]
    )


def _block(records: Records, first: int, size: int) -> Records:
    last = min(first + size, len(records))
    here = slice(records.offsets[first], records.offsets[last])
    return Records(
        {name: column[first:last] for name, column in records.scalars.items()},
        {name: column[here] for name, column in records.particles.items()},
        records.offsets[first : last + 1] - records.offsets[first],
    )


def _block_moments(records: Records, binning: SkyBinning) -> FloatArray:
    if binning.sample is None:
        nearest, furthest = binning.distances
        stars = simulated_stars(records, nearest, furthest)
        moments = binned_moments(stars, binning, len(records))
    else:
        moments = _drawn_moments(records, binning, binning.sample)
    stellar = entries(moments.mean, moments.dispersion, binning)
    if not binning.lmc:
        return stellar
    lmc = np.stack(
        [np.asarray(records.scalars[name], dtype=float) for name in LMC_NAMES], axis=1
    )
    return np.concatenate([lmc, stellar], axis=1)


def _drawn_moments(
    records: Records, binning: SkyBinning, sample: Sample
) -> VelocityMoments:
    if "index" not in records.scalars:
        raise ValueError(
            "stars are drawn by the simulation's number, but these records have no column 'index': "
            "take them from a dataset, or use a binning without a sample"
        )
    random = sample.random(int(records.scalars["index"][0]))
    # wrong distances bring stars from beyond the bins: none may be left out before
    if sample.distance_error > 0:
        stars = scatter_distances(
            simulated_stars(records, 0.0, np.inf), sample.distance_error, random
        )
    else:
        nearest, furthest = binning.distances
        stars = simulated_stars(records, nearest, furthest)
    _, velocity, bins = draw_survey_stars(stars, binning, sample, random)
    return _by_owner(velocity, bins, binning, 1)
