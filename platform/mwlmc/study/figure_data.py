"""What figures of the sky show, as plain arrays: stars, pieces of sky, counts, the LMC's path.

Observed and simulated stars are shown through the same functions, as
`kinematics.RestFrameStars`. Nothing here draws.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mwlmc.observed.mock_survey import expected_counts
from mwlmc.observed.options import GIANTS
from mwlmc.simulator import Simulator
from mwlmc.sky import frames, kinematics
from mwlmc.sky.binning import SkyBinning
from mwlmc.sky.patches import Directions, Patch
from mwlmc.sky.selection_function import Bin
from orrery.parameters import BoolArray, FloatArray, generator

_NODES = (181, 361)  # of a grid over the sky, one for each degree, ends included


class SkyStars(NamedTuple):
    """Stars on a map of the sky.

    Arguments:
        longitude: Galactic longitudes `[N]` [rad], 0 to 2 pi.
        latitude: Galactic latitudes `[N]` [rad].
        v_gsr: Rest-frame velocities along the line of sight `[N]` [km/s]; NaN if
            unknown.

    Example:
        >>> SkyStars(np.array([0.1]), np.array([0.5]), v_gsr=np.array([-20.0])).v_gsr
        array([-20.])
    """

    longitude: FloatArray
    latitude: FloatArray
    v_gsr: FloatArray


class SkyPath(NamedTuple):
    """A path through the Galaxy as it is seen from where the Sun is today.

    Arguments:
        time: Ascending to 0, today `[T]` [kpc/(km/s)].
        longitude: Galactic longitudes `[T]` [rad], 0 to 2 pi.
        latitude: Galactic latitudes `[T]` [rad].
        distance: From the Sun `[T]` [kpc].

    Example:
        >>> times, angles = np.array([-1.0, 0.0]), np.zeros(2)
        >>> SkyPath(times, angles, angles, distance=np.array([90.0, 49.6])).distance[-1]
        np.float64(49.6)
    """

    time: FloatArray
    longitude: FloatArray
    latitude: FloatArray
    distance: FloatArray


def on_sky(stars: kinematics.RestFrameStars) -> SkyStars:
    """Returns where stars are on a map, and the velocities that colour them."""
    longitude, latitude = frames.angles(stars.directions.galactic)
    return SkyStars(longitude, latitude, stars.v_gsr)


def inside(patch: Patch) -> BoolArray:
    """Returns which nodes of a grid over the sky a patch holds, with shape `[181, 361]`.

    Rows run from Galactic latitude -90 to 90 deg, columns from longitude -180 to 180
    deg. The first and last column, and all nodes of the first and last row, are one
    place on the sky.
    """
    latitude = np.linspace(-np.pi / 2, np.pi / 2, _NODES[0])
    longitude = np.linspace(-np.pi, np.pi, _NODES[1])
    # A node on a limit that two patches share belongs to one of them: rounding decides.
    longitudes, latitudes = np.meshgrid(longitude, latitude)
    towards = frames.direction(longitudes, latitudes).reshape(-1, 3)
    return patch.contains(Directions(towards)).reshape(_NODES)


def radial_counts(
    stars: kinematics.RestFrameStars, patch: Patch, edges: FloatArray
) -> NDArray[np.intp]:
    """Returns how many stars of a patch lie in each bin of Galactocentric distance, `[K]`.

    Arguments:
        stars: Simulated or observed stars.
        patch: The piece of sky.
        edges: Ascending, each bin without its upper one `[K + 1]` [kpc].

    Raises:
        ValueError: If there are fewer than two edges, or they do not ascend.
    """
    edges = np.asarray(edges, dtype=float)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise ValueError(f"edges {edges.tolist()}: give at least two, ascending")
    number = np.searchsorted(
        edges, stars.distance[patch.contains(stars.directions)], side="right"
    )
    return np.bincount(number, minlength=len(edges) + 1)[1 : len(edges)]


def surveyed(
    stars: kinematics.RestFrameStars,
    binning: SkyBinning,
    seed: int,
    total: int = GIANTS,
) -> kinematics.RestFrameStars:
    """Returns as many simulated stars, drawn at random, as an all-sky survey of giants would have.

    Each radial bin gets the number that `survey.expected_counts` expects, so that a
    forecast's map looks like the survey that it forecasts.

    Arguments:
        stars: Of one or more simulations of the same parameters.
        binning: Whose line-of-sight bins are filled.
        seed: Of the draw.
        total: The number of stars that the survey has at 30-100 kpc in the whole sky.

    Raises:
        ValueError: If a bin has fewer simulated stars than the survey would have, or
            the bins' patches share stars, which would be drawn twice.
    """
    radial = binning.select(("v_gsr",))
    within = {p.patch.name: p.patch.contains(stars.directions) for p in radial.profiles}
    if (np.sum([*within.values()], axis=0) > 1).any():
        raise ValueError(
            f"patches of {radial.name!r} share stars: choose a binning without overlap"
        )
    bins = zip(
        radial.bins, np.rint(expected_counts(radial, total)).astype(int), strict=True
    )
    drawn = [
        _draw(stars, within[cell.patch], (cell, count), generator(seed, number))
        for number, (cell, count) in enumerate(bins)
    ]
    return _take(stars, np.sort(np.concatenate(drawn)))


def _draw(
    stars: kinematics.RestFrameStars,
    within: BoolArray,
    wanted: tuple[Bin, int],
    random: np.random.Generator,
) -> NDArray[np.intp]:
    cell, count = wanted
    near = (stars.distance >= cell.lower) & (stars.distance < cell.upper)
    candidates = np.flatnonzero(within & near)
    if len(candidates) < count:
        raise ValueError(
            f"{cell}: {len(candidates)} simulated stars for the {count} of the survey: simulate "
            "more, or lower the survey's total"
        )
    return random.choice(candidates, count, replace=False)


def _take(
    stars: kinematics.RestFrameStars, chosen: NDArray[np.intp]
) -> kinematics.RestFrameStars:
    return replace(
        stars,
        distance=stars.distance[chosen],
        directions=Directions(stars.directions.galactic[chosen]),
        v_gsr=stars.v_gsr[chosen],
        v_tb=stars.v_tb[chosen],
        owner=stars.owner[chosen],
    )


def lmc_path(simulator: Simulator, theta: FloatArray) -> SkyPath:
    """Returns the LMC's path over the last 2.2 Gyr on today's sky, with the Milky Way's centre.

    The Sun stays where it is today: where the LMC was among the stars that we see now.

    Arguments:
        simulator: The model.
        theta: The model's parameters `[P]`, in its prior's order.

    Raises:
        ValueError: If the rewind ran away.
    """
    rewound = simulator.rewind(np.asarray(theta, dtype=float)[None]).trajectories
    if bool(rewound.runaway[0]):
        raise ValueError("the rewound LMC ran away: lower log10_lambda_df")
    position = rewound.relative()[:, :3, 0].numpy()
    seen = (position - frames.SUN_POSITION) @ frames.GALACTIC_TO_GALACTOCENTRIC
    longitude, latitude = frames.angles(seen)
    distance = np.linalg.norm(seen, axis=1)
    return SkyPath(rewound.times.numpy(), longitude, latitude, distance)
