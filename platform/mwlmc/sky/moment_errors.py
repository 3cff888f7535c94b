"""Standard errors of observed means and dispersions: a bootstrap, or pooled where stars are few."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mwlmc.sky.binning import Profile, SkyBinning
from mwlmc.sky.kinematics import BinnedStars, RestFrameStars, assign_to_bins
from mwlmc.sky.moments import VelocityMoments, clipped_moments, unclipped
from orrery.parameters import BoolArray, FloatArray, IntArray, generator

VERSION = 4  # of the errors; raised whenever they change
FEW_STARS = 10  # below this, a bin's own scatter says too little about its error
_BORDERLINE = 2.0  # times the distance at which stars are clipped: further are failures
_AT_ONCE = 2_000_000  # numbers of resamples, which are some 100 MB
_STEPS = 20  # of a variance that is found by its own weights
_TINY = 1.0  # [km^2/s^2], below which no dispersion is
_POOL = 30  # stars that a pooled dispersion should have: they give it to 13 per cent
FAR_OFF = 4.0  # times the typical error: of no distance of DESI's or SDSS's stars


@dataclass(frozen=True)
class MomentErrors:
    """Standard errors of the moments of each of K bins.

    Arguments:
        mean: Errors of the means `[K]`.
        dispersion: Errors of the dispersions `[K]`.

    Example:
        >>> MomentErrors(mean=np.array([6.7]), dispersion=np.array([4.8])).mean[0]
        np.float64(6.7)
    """

    mean: FloatArray
    dispersion: FloatArray


def usual_mean_square(errors: FloatArray) -> float:
    """Returns the mean squared error of measurements, without those that failed.

    Those beyond four times the typical error are left out: the squares of a few failed
    ones of a thousand would outweigh all others. Where none did this is the mean square,
    to which a median would be no guide, as errors vary by a factor of two.

    Arguments:
        errors: Standard errors, one or more, all known `[N]`.

    Example:
        >>> usual_mean_square(np.array([2.0] * 95 + [900.0] * 5))
        4.0
    """
    return float(np.mean(errors[are_usual(errors)] ** 2))


def are_usual(errors: FloatArray) -> BoolArray:
    """Returns which of some errors `[N]` are not far off the typical one.

    Example:
        >>> are_usual(np.array([2.0, 3.0, 2.0, 900.0])).tolist()
        [True, True, True, False]
    """
    return np.asarray(errors <= FAR_OFF * np.median(errors))


def summary_errors(
    stars: RestFrameStars,
    binning: SkyBinning,
    seed: int,
    resamples: int = 500,
    star_errors: Mapping[str, FloatArray] | None = None,
) -> MomentErrors:
    """Returns the errors of the moments of one owner's stars.

    With ten stars or more left after clipping, the scatter of the moments of bootstrap
    resamples of the bin's stars, each clipped as they are. Two stars that happen to agree
    would give a tiny bootstrap error: with fewer than ten the errors are sigma / sqrt(N)
    and sigma / sqrt(2 N), where sigma is the dispersion pooled over the bin and the nearest
    other bins of its profile, until thirty stars are in the pool. Where errors of single
    velocities are known, as those of `v_tb`, which grow with distance, only what the
    dispersions have beyond them is pooled, and a bin's own are added to it.

    Arguments:
        stars: The stars of one owner.
        binning: How stars become summaries.
        seed: Of the bootstrap.
        resamples: The number of resamples.
        star_errors: By quantity, the standard errors of the stars' velocities `[N]`
            [km/s], NaN where unknown.

    Raises:
        ValueError: If a bin has fewer than two stars, or its profile fewer than ten.
    """
    binned = assign_to_bins(stars, binning)
    values, bins = binned.velocity, binned.bin
    count = len(binning.bins)
    moments = clipped_moments(values, bins, count, binning.clip)
    _check_counts(moments.count, binning)
    kept = unclipped(values, bins, count, binning.clip)
    own = _own_errors(binned, kept, binning, star_errors or {})
    errors = _pooled_errors(moments, binning, own)
    limits = binning.clip * moments.dispersion
    for k in np.flatnonzero(moments.kept >= FEW_STARS):
        sample = _without_failed(values[bins == k], moments.mean[k], limits[k])
        both = _bootstrap(sample, binning.clip, generator(seed, int(k)), resamples)
        errors.mean[k], errors.dispersion[k] = both
    return errors


def _without_failed(values: FloatArray, mean: float, limit: float) -> FloatArray:
    """Returns the values of a bin without those far beyond the distance of clipping.

    Of few stars one that failed is in some resamples too often to be clipped.
    """
    return values[np.abs(values - mean) <= _BORDERLINE * limit]


@dataclass(frozen=True)
class _OwnErrors:
    """Mean squared errors of the stars in K bins; 0 where none is known.

    Arguments:
        all: Of all stars `[K]`: what a mean of them errs by.
        usual: Of those whose measurement did not fail `[K]`: what is in a dispersion.
    """

    all: FloatArray
    usual: FloatArray


def _own_errors(
    binned: BinnedStars,
    kept: IntArray,
    binning: SkyBinning,
    star_errors: Mapping[str, FloatArray],
) -> _OwnErrors:
    count = len(binning.bins)
    found = _OwnErrors(np.zeros(count), np.zeros(count))
    for k, one in enumerate(binning.bins):
        if one.quantity in star_errors:
            stars = binned.star[kept][binned.bin[kept] == k]
            errors = star_errors[one.quantity][stars]
            errors = errors[np.isfinite(errors)]
            if len(errors):
                found.all[k] = np.mean(errors**2)
                found.usual[k] = usual_mean_square(errors)
    return found


def _check_counts(count: IntArray, binning: SkyBinning) -> None:
    poor = [f"{b}: {n}" for b, n in zip(binning.bins, count, strict=True) if n < 2]
    if poor:
        raise ValueError(
            f"too few stars for a mean with an error ({'; '.join(poor)}): widen these distance "
            "bins, or leave them out with Binning.supported"
        )


def _bootstrap(
    sample: FloatArray, clip: float, random: np.random.Generator, resamples: int
) -> tuple[float, float]:
    """Returns the scatter of mean and dispersion of resamples, each clipped anew.

    What is clipped differs from sample to sample: of stars that were clipped once the
    dispersion scatters by a tenth less if they are normal, and by a third where a few are
    much faster, as those of radial orbits are across the line of sight.
    """
    size = max(_AT_ONCE // len(sample), 1)
    found = [
        _resampled(sample, clip, random, min(size, resamples - first))
        for first in range(0, resamples, size)
    ]
    mean, dispersion = np.concatenate(found, axis=1).std(axis=1)
    return float(mean), float(dispersion)


def _resampled(
    sample: FloatArray, clip: float, random: np.random.Generator, count: int
) -> FloatArray:
    """Returns the means and dispersions of some resamples `[2, count]`."""
    drawn = sample[random.integers(len(sample), size=(count, len(sample)))]
    bins = np.repeat(np.arange(count), len(sample))
    found = clipped_moments(drawn.ravel(), bins, count, clip)
    return np.stack([found.mean, found.dispersion])


def _pooled_errors(
    moments: VelocityMoments, binning: SkyBinning, own: _OwnErrors
) -> MomentErrors:
    sigma = np.zeros(len(moments.kept))
    for profile, here in binning.placed_profiles:
        _check_pool(profile, moments.kept[here])
        sigma[here] = _pooled_dispersions(
            profile,
            moments.kept[here],
            moments.dispersion[here],
            _OwnErrors(own.all[here], own.usual[here]),
        )
    return MomentErrors(
        sigma / np.sqrt(moments.kept), sigma / np.sqrt(2 * moments.kept)
    )


def _check_pool(profile: Profile, kept: IntArray) -> None:
    few = (kept < FEW_STARS).any()
    if few and kept.sum() < FEW_STARS:
        raise ValueError(
            f"{profile.quantity} of patch {profile.patch.name!r} has {kept.sum()} stars in all, "
            f"too few to pool: give it at least {FEW_STARS}, or leave the profile out"
        )


def _pooled_dispersions(
    profile: Profile, kept: IntArray, dispersion: FloatArray, own: _OwnErrors
) -> FloatArray:
    centres = np.mean(profile.bins, axis=1)
    found = np.zeros(len(centres))
    for k, centre in enumerate(centres):
        # where a bin's own errors are unknown, those of the pool are the best guess
        known = own.usual if own.all[k] > 0 else np.zeros(len(centres))
        away = np.abs(centres - centre)
        found[k] = np.sqrt(_pool(away, kept, dispersion, known) + own.all[k])
    return found


def _pool(
    away: FloatArray, kept: IntArray, dispersion: FloatArray, known: FloatArray
) -> float:
    """Returns the variance of the nearest bins beyond what their stars' errors make of it.

    A bin counts by what it tells: of stars whose errors are large, hardly anything.
    """
    nearest = np.argsort(away, kind="stable")
    enough = np.searchsorted(np.cumsum(kept[nearest]), _POOL) + 1
    pool = nearest[:enough]
    # Each bin's own mean costs one degree of freedom.
    freedom = kept[pool] - 1
    total = kept[pool] * dispersion[pool] ** 2  # of squares
    found = float(np.sum(total) / np.sum(freedom))
    # the most likely variance solves this; equal errors, or none, need one step
    for _ in range(_STEPS):
        weight = (1.0 + known[pool] / max(found, _TINY)) ** -2.0
        beyond = np.sum(weight * (total - freedom * known[pool]))
        # few stars may scatter less than their errors: zero is then the best estimate
        found = max(float(beyond / np.sum(weight * freedom)), 0.0)
    return found
