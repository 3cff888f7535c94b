"""Whether velocities of stars hold the Sun's own motion, as all that is seen from it does.

Stars of the halo stand still on average, and seen from here move against the Sun's
motion: it is in their velocities once, whatever the halo is. In corrected ones it is not
at all, a wrong sign turns it round, and distances in another unit stretch it across the
sky (statistical parallax). So do positions that are none of these stars': the right ones
leave the smallest scatter. The LMC's pull, a halo's rotation and distances that are 10 %
off change it by a third at most.
"""

from collections.abc import Iterator

import numpy as np

from mwlmc.observed.star_tables import StarTable
from mwlmc.sky import frames
from orrery.parameters import FloatArray
from orrery.tables.amplitudes import Amplitude, without_outliers

_FEWEST = 100  # stars that show it, among those that scatter
_HALO = 15.0  # [kpc] from the centre; the disc nearer to it moves with the Sun
_LEVERAGE = 40.0  # [km/s] by which the Sun's motion differs from star to star, at least
_LEAST, _MOST = 0.7, 1.4  # times the Sun's motion: real halos lie between
_ERRORS = 3.0  # beyond these
_PRECISE = 0.1  # the error of an amplitude that says something
_CORRECTED = 0.3  # times the Sun's motion, which is hardly any


def motion_doubts(stars: StarTable) -> Iterator[str]:
    """Yields which velocities of a table do not hold the Sun's motion once.

    Arguments:
        stars: As they were read.
    """
    radial, known = _amplitudes(stars)
    if radial is not None and _is_wrong(radial):
        yield (
            "line-of-sight velocities hold the Sun's motion "
            f"{radial} times, where heliocentric ones hold it once: {_question(radial)}"
        )
    if any(map(_is_wrong, known)):
        said = " and ".join(map(str, known))
        yield (
            f"proper motions times distances hold the Sun's motion {said} times along l and "
            "b, not once: are distances no distances, such as moduli, or in another unit, or "
            "proper motions in another order, of another sign or in other axes?"
        )


def are_distances(stars: StarTable) -> bool:
    """Returns whether proper motions show that distances are such, and no moduli.

    Times a distance, they hold the Sun's motion once.

    Arguments:
        stars: As they were read.
    """
    _, known = _amplitudes(stars)
    precise = [one for one in known if one.error < _PRECISE]
    return bool(precise) and not any(map(_is_wrong, known))


def _amplitudes(stars: StarTable) -> tuple[Amplitude | None, list[Amplitude]]:
    """Returns how many times velocities hold the Sun's motion: radial ones, and across.

    Those along l and b are left out where they cannot tell it.
    """
    halo = stars.galactocentric_distance > _HALO
    own = [-part[halo] for part in frames.solar_velocity(stars.l, stars.b)]
    scale = frames.K * stars.distance
    measured = (stars.v_los, scale * stars.pm_l, scale * stars.pm_b)
    radial, *across = (
        Amplitude.of(part, column[halo], _FEWEST, _LEVERAGE)
        for part, column in zip(own, measured, strict=True)
    )
    return radial, [one for one in across if one is not None]


def _is_wrong(found: Amplitude) -> bool:
    return found.is_outside(_LEAST, _MOST, _ERRORS)


def _question(radial: Amplitude) -> str:
    if abs(radial.value) < _CORRECTED:
        return (
            "are they corrected for it, as v_gsr is? give heliocentric ones; or are they, or "
            "positions, in another order?"
        )
    if radial.value < 0:
        return "is their sign turned round?"
    return "are positions or velocities in another unit, or in another order?"


def place_odds(
    v_los: FloatArray,
    here: tuple[FloatArray, FloatArray],
    there: tuple[FloatArray, FloatArray],
) -> float:
    """Returns by how much places are likelier than others, as a natural logarithm.

    At their own places stars scatter less once the Sun's motion is taken out.

    Arguments:
        v_los: Heliocentric line-of-sight velocities `[N]` [km/s]; NaN where unknown.
        here: Galactic longitudes and latitudes, each `[N]` [rad].
        there: The others.

    Example:
        >>> random = np.random.default_rng(0)
        >>> l, b = random.uniform(0, 6, 300), random.uniform(-1.4, 1.4, 300)
        >>> v_los = random.normal(0, 100, 300) - frames.solar_velocity(l, b)[0]
        >>> place_odds(v_los, (l, b), (-l, b)) > 20
        True
    """
    speeds = [
        v_los + frames.solar_velocity(longitude, latitude)[0]
        for longitude, latitude in (here, there)
    ]
    kept = without_outliers(speeds[0]) & without_outliers(speeds[1])
    if not kept.any():
        return 0.0
    scatter = [float(np.std(one[kept])) for one in speeds]
    if min(scatter) == 0:
        return 0.0
    return float(kept.sum() * np.log(scatter[1] / scatter[0]))
