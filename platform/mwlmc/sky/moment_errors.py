"""Standard errors of observed means and dispersions: a bootstrap, or pooled where stars are few."""

from dataclasses import dataclass

import numpy as np

from mwlmc.sky.binning import Profile, SkyBinning
from mwlmc.sky.kinematics import RestFrameStars, binned_velocities
from mwlmc.sky.moments import VelocityMoments, clipped_moments, unclipped
from orrery.parameters import FloatArray, IntArray, generator

VERSION = 1  # of the errors; raised whenever they change
FEW_STARS = 10  # below this, a bin's own scatter says too little about its error
_POOL = 30  # stars that a pooled dispersion should have: they give it to 13 per cent


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


def summary_errors(
    stars: RestFrameStars, binning: SkyBinning, seed: int, resamples: int = 500
) -> MomentErrors:
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
    values, bins = binned_velocities(stars, binning)
    moments = clipped_moments(values, bins, len(binning.bins), binning.clip)
    _check_counts(moments.count, binning)
    errors = _pooled_errors(moments, binning)
    kept = unclipped(values, bins, len(binning.bins), binning.clip)
    for k in np.flatnonzero(moments.kept >= FEW_STARS):
        sample = values[kept][bins[kept] == k]
        random = generator(seed, int(k))
        errors.mean[k], errors.dispersion[k] = _bootstrap(sample, random, resamples)
    return errors


def _check_counts(count: IntArray, binning: SkyBinning) -> None:
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


def _pooled_errors(moments: VelocityMoments, binning: SkyBinning) -> MomentErrors:
    sigma = np.zeros(len(moments.kept))
    for profile, here in binning.placed_profiles:
        sigma[here] = _pooled_dispersions(
            profile, moments.kept[here], moments.dispersion[here]
        )
    return MomentErrors(
        sigma / np.sqrt(moments.kept), sigma / np.sqrt(2 * moments.kept)
    )


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
