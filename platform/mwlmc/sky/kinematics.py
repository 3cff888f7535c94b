"""From stars to summaries: clipped means and dispersions of velocities in each bin of a binning.

Observed and simulated stars take the same path: both become `Stars`, and `summarise` is
the only place where a star is given to a bin and clipped. A few stars with large
velocities would otherwise decide a bin's mean; clipping to convergence makes the result
independent of where it started.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mwlmc.sky import frames, selection_function
from mwlmc.sky.selection_function import Sample
from mwlmc.sky.survey import LMC_NAMES, Binning, Directions, Patch, Profile
from orrery.parameters import FloatArray, generator
from orrery.records import Records

IntArray = NDArray[np.integer[Any]]

VERSION = 1  # of these summaries; raised whenever their numbers change

FEW_STARS = 10  # below this, a bin's own scatter says too little about its error
_BLOCK = (
    4  # simulations at a time: more stars in double precision would leave the cache
)
_POOL = 30  # stars that a pooled dispersion should have: they give it to 13 per cent


@dataclass(frozen=True)
class Moments:
    """Moments of the stars in each of K bins, or in those of B simulations `[B, K]`.

    Arguments:
        count: The number of stars `[K]`.
        kept: The number left after clipping `[K]`.
        mean: The mean of those `[K]`; NaN in a bin with fewer than two stars.
        dispersion: Their standard deviation `[K]` (divided by the number); NaN
            likewise.
    """

    count: IntArray
    kept: IntArray
    mean: FloatArray
    dispersion: FloatArray


@dataclass(frozen=True)
class Stars:
    """What a binning needs to know of stars, simulated or observed.

    Arguments:
        distance: Galactocentric distances `[N]` [kpc].
        seen: Where the Sun sees them.
        v_gsr: Rest-frame velocities along the line of sight `[N]` [km/s]; NaN if
            unknown.
        v_tb: Rest-frame velocities along Galactic latitude `[N]` [km/s]; NaN if
            unknown.
        owner: The number of the simulation that each star belongs to `[N]`.
    """

    distance: FloatArray
    seen: Directions
    v_gsr: FloatArray
    v_tb: FloatArray
    owner: IntArray

    def __len__(self) -> int:
        return len(self.distance)


def clipped_moments(
    values: FloatArray, bins: IntArray, count: int, clip: float = 3.0
) -> Moments:
    """Returns the moments of values in bins, clipped about the mean until nothing changes.

    Each round leaves out the values further than `clip` dispersions from the mean of
    those left, as astropy's `sigma_clip(cenfunc="mean", maxiters=None)` does, in all
    bins at once.

    Arguments:
        values: Finite values `[N]`.
        bins: Each value's bin `[N]`, 0 to count - 1.
        count: The number of bins.
        clip: The number of dispersions.
    """
    kept = unclipped(values, bins, count, clip)
    number = np.bincount(bins, minlength=count)
    left = np.bincount(bins[kept], minlength=count)
    mean, dispersion = _moments(values[kept], bins[kept], left)
    mean[number < 2], dispersion[number < 2] = np.nan, np.nan
    return Moments(number, left, mean, dispersion)


def unclipped(
    values: FloatArray, bins: IntArray, count: int, clip: float = 3.0
) -> IntArray:
    """Returns the positions `[M]` of the values that `clipped_moments` leaves, increasing."""
    kept, waiting = np.ones(len(values), dtype=bool), np.arange(len(values))
    while len(waiting):
        mean, dispersion = _moments(values, bins, np.bincount(bins, minlength=count))
        inside = np.abs(values - mean[bins]) <= (clip * dispersion)[bins]
        kept[waiting[~inside]] = False
        # A bin that lost nothing is finished; the next round is for the stars of the
        # others.
        changed = np.bincount(bins[~inside], minlength=count) > 0
        again = np.flatnonzero(inside & changed[bins])
        values, bins, waiting = values[again], bins[again], waiting[again]
    return np.flatnonzero(kept)


def _moments(
    values: FloatArray, bins: IntArray, number: IntArray
) -> tuple[FloatArray, FloatArray]:
    divisor = np.maximum(number, 1)
    mean = np.bincount(bins, values, minlength=len(number)) / divisor
    squares = (values - mean[bins]) ** 2
    return mean, np.sqrt(np.bincount(bins, squares, minlength=len(number)) / divisor)


class Members(NamedTuple):
    """The stars that fall in a bin, once for each bin that they fall in.

    Arguments:
        star: Their numbers `[M]`.
        velocity: The velocity that the bin is about `[M]` [km/s].
        bin: The bin's number `[M]`: K times the owner's, plus that among the binning's.
    """

    star: IntArray
    velocity: FloatArray
    bin: IntArray


def placed(stars: Stars, binning: Binning) -> Members:
    """Returns the stars that fall in a bin, profile after profile."""
    found, first = [], 0
    inside: dict[Patch, NDArray[np.bool_]] = {}
    for profile in binning.profiles:
        if profile.patch not in inside:
            inside[profile.patch] = profile.patch.contains(stars.seen)
        star, velocity, number = _profile_members(stars, profile, inside[profile.patch])
        bins = stars.owner[star] * len(binning.bins) + number + first
        found.append((star, velocity, bins))
        first += len(profile.bins)
    return Members(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _profile_members(
    stars: Stars, profile: Profile, inside: NDArray[np.bool_]
) -> tuple[IntArray, FloatArray, IntArray]:
    velocity = getattr(stars, profile.quantity)
    chosen = np.flatnonzero(inside & np.isfinite(velocity))
    number = profile.assign(stars.distance[chosen])
    chosen, number = chosen[number >= 0], number[number >= 0]
    return chosen, velocity[chosen], number


def members(stars: Stars, binning: Binning) -> tuple[FloatArray, IntArray]:
    """Returns the velocities of all stars that fall in a bin, and their bins.

    Both have shape `[M]`; a star is there once for each bin that it falls in, with its
    owner's number times K added to the bin.
    """
    _, velocity, bins = placed(stars, binning)
    return velocity, bins


def summarise(stars: Stars, binning: Binning, owners: int = 1) -> Moments:
    """Returns the moments of each owner's stars in each bin, four arrays `[owners, K]`."""
    return _by_owner(*members(stars, binning), binning, owners)


def _by_owner(
    velocity: FloatArray, bins: IntArray, binning: Binning, owners: int
) -> Moments:
    size = (owners, len(binning.bins))
    flat = clipped_moments(velocity, bins, size[0] * size[1], binning.clip)
    return Moments(
        flat.count.reshape(size),
        flat.kept.reshape(size),
        flat.mean.reshape(size),
        flat.dispersion.reshape(size),
    )


def drawn(
    stars: Stars, binning: Binning, sample: Sample, random: np.random.Generator
) -> Members:
    """Returns the stars of one simulation as a survey would have them, with its errors.

    Each bin is drawn by itself: a star may be seen in the line of sight and another one
    in its place across, whose velocities hardly know of each other.

    Arguments:
        stars: The stars of one simulation.
        binning: How stars become summaries.
        sample: The survey's stars in the binning's bins.
        random: Of this simulation.
    """
    star, velocity, bins = placed(stars, binning)
    picked, wanted = selection_function.draw(
        stars.seen.galactic[star], bins, sample, random
    )
    measured = velocity[picked] + selection_function.noise(wanted, sample, random)
    return Members(star[picked], measured, wanted)


def scattered(stars: Stars, error: float, random: np.random.Generator) -> Stars:
    """Returns the stars where a survey would place them that errs in their distances.

    Their velocities stay: what a wrong distance does to v_tb is part of that velocity's
    error. It leaves out stars nearer than those that the simulation kept, some of which
    would come in.

    Arguments:
        stars: Simulated stars; the vectors towards them have their lengths [kpc].
        error: Standard error of the logarithm of the distance from the Sun.
        random: Of this simulation.
    """
    factor = np.exp(error * random.standard_normal(len(stars)))
    towards = stars.seen.galactic * factor[:, None]
    position = towards @ frames.GALACTIC_TO_GALACTOCENTRIC.T + frames.SUN_POSITION
    return replace(stars, distance=np.sqrt(np.einsum("ni,ni->n", position, position)))


def entries(mean: FloatArray, dispersion: FloatArray, binning: Binning) -> FloatArray:
    """Returns the entries of a data vector after the LMC's, in the binning's order.

    Arguments:
        mean: One value for each bin `[..., K]`.
        dispersion: Likewise `[..., K]`.
        binning: Which moments of which bins are entries.
    """
    columns, first = [], 0
    for profile in binning.profiles:
        here = slice(first, first + len(profile.bins))
        first = here.stop
        by_name = {"mean": mean[..., here], "dispersion": dispersion[..., here]}
        columns += [by_name[moment] for moment in profile.moments]
    return np.concatenate(columns, axis=-1)


def simulated_stars(records: Records, nearest: float, furthest: float) -> Stars:
    """Returns the stars of simulations as the Sun sees them.

    Arguments:
        records: Records with particle columns x, y, z [kpc] and vx, vy, vz [km/s].
        nearest: Stars closer to the Galactic centre are left out [kpc].
        furthest: Stars at this distance or further are left out [kpc].
    """
    position = _columns(records, ("x", "y", "z"))
    owner = np.repeat(np.arange(len(records)), np.diff(records.offsets))
    distance = np.sqrt(np.einsum("in,in->n", position, position))
    near = np.flatnonzero((distance >= nearest) & (distance < furthest))
    position = position.take(near, axis=1)
    velocity = _columns(records, ("vx", "vy", "vz")).take(near, axis=1)
    axes = frames.GALACTIC_TO_GALACTOCENTRIC.T
    towards = (axes @ (position - frames.SUN_POSITION[:, None])).T
    _, v_gsr, _, v_tb = frames.project((axes @ velocity).T, towards)
    return Stars(distance[near], Directions(towards), v_gsr, v_tb, owner[near])


def _columns(records: Records, names: tuple[str, ...]) -> FloatArray:
    columns = np.empty((len(names), len(records.particles[names[0]])))
    for column, name in zip(columns, names, strict=True):
        column[:] = records.particles[name]
    return columns


def velocity_moments(records: Records, binning: Binning) -> FloatArray:
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


def _block_moments(records: Records, binning: Binning) -> FloatArray:
    if binning.sample is None:
        stars = simulated_stars(records, *binning.distances)
        moments = summarise(stars, binning, len(records))
    else:
        moments = _drawn_moments(records, binning, binning.sample)
    stellar = entries(moments.mean, moments.dispersion, binning)
    if not binning.lmc:
        return stellar
    lmc = np.stack(
        [np.asarray(records.scalars[name], dtype=float) for name in LMC_NAMES], axis=1
    )
    return np.concatenate([lmc, stellar], axis=1)


def _drawn_moments(records: Records, binning: Binning, sample: Sample) -> Moments:
    if "index" not in records.scalars:
        raise ValueError(
            "stars are drawn by the simulation's number, but these records have no column 'index': "
            "take them from a dataset, or use a binning without a sample"
        )
    random = sample.random(int(records.scalars["index"][0]))
    if sample.distance_error > 0:
        stars = scattered(
            simulated_stars(records, 0.0, np.inf), sample.distance_error, random
        )
    else:
        stars = simulated_stars(records, *binning.distances)
    _, velocity, bins = drawn(stars, binning, sample, random)
    return _by_owner(velocity, bins, binning, 1)


@dataclass(frozen=True)
class Errors:
    """Standard errors of the moments of each of K bins.

    Arguments:
        mean: Errors of the means `[K]`.
        dispersion: Errors of the dispersions `[K]`.
    """

    mean: FloatArray
    dispersion: FloatArray


def summary_errors(
    stars: Stars, binning: Binning, seed: int, resamples: int = 500
) -> Errors:
    """Returns the errors of the moments of one owner's stars.

    With ten stars or more, the scatter of the moments of bootstrap resamples of the
    stars left after clipping. Two stars that happen to agree would give a tiny
    bootstrap error: with fewer than ten stars the errors are sigma / sqrt(N) and sigma
    / sqrt(2 N), where sigma is the dispersion pooled over the bin and the nearest other
    bins of its profile, until thirty stars are in the pool.

    Arguments:
        stars: The stars of one owner.
        binning: How stars become summaries.
        seed: Of the bootstrap.
        resamples: The number of resamples.

    Raises:
        ValueError: If a bin has fewer than two stars, or its profile fewer than ten.
    """
    values, bins = members(stars, binning)
    moments = clipped_moments(values, bins, len(binning.bins), binning.clip)
    _check_counts(moments.count, binning)
    errors = _pooled_errors(moments, binning)
    kept = unclipped(values, bins, len(binning.bins), binning.clip)
    for k in np.flatnonzero(moments.kept >= FEW_STARS):
        sample, random = values[kept][bins[kept] == k], generator(seed, int(k))
        errors.mean[k], errors.dispersion[k] = _bootstrap(sample, random, resamples)
    return errors


def _check_counts(count: IntArray, binning: Binning) -> None:
    poor = [f"{b}: {n}" for b, n in zip(binning.bins, count, strict=True) if n < 2]
    if poor:
        raise ValueError(
            f"too few stars for a mean with an error ({'; '.join(poor)}): widen these distance "
            "bins, or leave them out with Binning.supported"
        )


def _bootstrap(
    sample: FloatArray, random: np.random.Generator, resamples: int
) -> tuple[float, float]:
    drawn = sample[random.integers(len(sample), size=(resamples, len(sample)))]
    return float(drawn.mean(axis=1).std()), float(drawn.std(axis=1).std())


def _pooled_errors(moments: Moments, binning: Binning) -> Errors:
    sigma, first = np.zeros(len(moments.kept)), 0
    for profile in binning.profiles:
        here = slice(first, first + len(profile.bins))
        first = here.stop
        sigma[here] = _pooled_dispersions(
            profile, moments.kept[here], moments.dispersion[here]
        )
    return Errors(sigma / np.sqrt(moments.kept), sigma / np.sqrt(2 * moments.kept))


def _pooled_dispersions(
    profile: Profile, kept: IntArray, dispersion: FloatArray
) -> FloatArray:
    few = (kept < FEW_STARS).any()
    if few and kept.sum() < FEW_STARS:
        raise ValueError(
            f"{profile.quantity} of patch {profile.patch.name!r} has {kept.sum()} stars in all, "
            f"too few to pool: give it at least {FEW_STARS}, or leave the profile out"
        )
    centres = np.mean(profile.bins, axis=1)
    return np.array(
        [_pool(np.abs(centres - centre), kept, dispersion) for centre in centres]
    )


def _pool(away: FloatArray, kept: IntArray, dispersion: FloatArray) -> float:
    nearest = np.argsort(away, kind="stable")
    enough = np.searchsorted(np.cumsum(kept[nearest]), _POOL) + 1
    pool = nearest[:enough]
    # Each bin's own mean costs one degree of freedom.
    freedom = np.sum(kept[pool] - 1)
    return float(np.sqrt(np.sum(kept[pool] * dispersion[pool] ** 2) / freedom))
