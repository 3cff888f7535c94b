"""What draws of the reflex motion in shells say: speeds, apexes, and their growth with distance."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from mwlmc.model import reflex_shells
from mwlmc.model.reflex_shells import MOTIONS, ReflexShells
from mwlmc.sky import frames
from mwlmc.study.literature import published_measurements
from mwlmc.study.quantities import answer, interval_ends
from orrery.parameters import BoolArray, FloatArray
from orrery.results.sections import Answer

VERSION = 5  # of these answers; raised whenever their numbers change
# Of what decides them beside what decides all answers: see `versions`.
VERSIONS = {"travel_profiles": VERSION}
SUMMARIES = {"reflex_motions": reflex_shells.VERSION}

REGION_SHARE = 0.68  # of draws, within a region of the sky
_NODES = (91, 181)  # of a grid over the sky, one for two degrees, ends included

# The nearest and furthest stars [kpc] that others' travel velocities are about.
DISTANCES_OF_OTHERS = {
    "petersen_2021": (40.0, np.inf),
    "yaaqib_2024": (50.0, np.inf),
    "brooks_2026": (100.0, 100.0),
}
# Li et al. (2026), abstract: the travel velocity grows from one to the other beyond 50 kpc,
# and the halo's mean radial velocity is the same everywhere [km/s].
LI_2026: dict[str, float | str] = {
    "published.li_2026.source": "Li et al. (2026), arXiv:2604.01628",
    "published.li_2026.slowest": 19.0,
    "published.li_2026.fastest": 44.0,
    "published.li_2026.mean_v_r": -19.0,
}


@dataclass(frozen=True, eq=False)
class ShellMotions:
    """Draws of the reflex motion in K shells.

    Arguments:
        travel: Travel velocities of the disc, Galactocentric `[n, K, 3]` [km/s].
        mean_v_r: The halo's mean motion away from the Galactic centre `[n, K]` [km/s].

    Example:
        >>> shells = ReflexShells((50.0, 100.0))
        >>> motions = shell_motions(np.array([[3.0, 0.0, -4.0, -9.0]]), shells)
        >>> motions.v_travel, motions.mean_v_r
        (array([[5.]]), array([[-9.]]))
    """

    travel: FloatArray
    mean_v_r: FloatArray

    @property
    def v_travel(self) -> FloatArray:
        """The travel velocities' magnitudes `[n, K]` [km/s], of each draw by itself."""
        return np.asarray(np.linalg.norm(self.travel, axis=-1))

    @property
    def apex(self) -> FloatArray:
        """Unit vectors `[n, K, 3]` that the disc moves towards, along the Galactic axes."""
        towards = self.travel @ frames.GALACTIC_TO_GALACTOCENTRIC
        return np.asarray(towards / np.linalg.norm(towards, axis=-1, keepdims=True))

    @property
    def rise(self) -> FloatArray:
        """How much faster the disc is against the outermost than the innermost shell `[n]`."""
        return self.v_travel[:, -1] - self.v_travel[:, 0]


def shell_motions(draws: FloatArray, shells: ReflexShells) -> ShellMotions:
    """Returns the motions of draws of `shells.parameters`, with shape `[n, 4 K]` [km/s]."""
    each = np.asarray(draws).reshape(len(draws), len(shells.shells), len(MOTIONS))
    return ShellMotions(each[..., :3], each[..., 3])


def shell_answers(
    key: str,
    data: str,
    draws: FloatArray,
    prior: FloatArray,
    shells: ReflexShells,
) -> list[Answer]:
    """Returns medians and 16-84 % of the speeds in each shell, and of the growth.

    Arguments:
        key: Of the data, such as `desi.v_gsr`.
        data: The same, as people say it.
        draws: Of the posterior, with shape `[n, 4 K]`.
        prior: Of the prior, with shape `[N, 4 K]`.
        shells: Where the motions are.
    """
    speeds = _speeds(shell_motions(draws, shells), shells)
    before = _speeds(shell_motions(prior, shells), shells)
    return [
        answer(
            f"posterior.{key}.{place}", data, name, "km / s", values, before[place][1]
        )
        for place, (name, values) in speeds.items()
    ]


def _speeds(
    motions: ShellMotions, shells: ReflexShells
) -> dict[str, tuple[str, FloatArray]]:
    """Returns the speeds in each shell and their growth: name and values `[n]`, by key."""
    found = {}
    for name, values in (
        ("v_travel", motions.v_travel),
        ("mean_v_r", motions.mean_v_r),
    ):
        for label, column in zip(shells.labels, values.T, strict=True):
            place = label.replace("-", "_")
            found[f"{name}_{place}"] = (f"{name}, {label} kpc", column)
    if len(shells.shells) > 1:
        found["rise"] = ("v_travel, outermost shell minus innermost", motions.rise)
    return found


@dataclass(frozen=True)
class Apex:
    """Where draws of a direction lie.

    Arguments:
        longitude: Galactic longitude of their mean direction, 0 to 360 [deg].
        latitude: Its latitude [deg].
        radius: The angle from it within which 68 % of them are [deg].

    Example:
        >>> mean_apex(np.array([[0.0, 0.0, -1.0]])).latitude
        -90.0
    """

    longitude: float
    latitude: float
    radius: float


def mean_apex(towards: FloatArray) -> Apex:
    """Returns the mean of directions `[n, 3]`, unit vectors along the Galactic axes."""
    mean = towards.mean(axis=0)
    unit = mean / np.linalg.norm(mean)
    longitude, latitude = np.degrees(frames.angles(unit))
    away = np.degrees(np.arccos(np.clip(towards @ unit, -1.0, 1.0)))
    return Apex(
        float(longitude), float(latitude), float(np.quantile(away, REGION_SHARE))
    )


def credible_region(towards: FloatArray) -> BoolArray:
    """Returns which nodes of a grid over the sky the densest 68 % of directions hold `[91, 181]`.

    As many of other directions are there too, however few these are.
    Rows run from Galactic latitude -90 to 90 deg, columns from longitude -180 to 180 deg.
    Draws are smoothed by von Mises-Fisher kernels; their width is Silverman's for two
    dimensions.

    Arguments:
        towards: Unit vectors `[n, 3]` along the Galactic axes, two or more different ones.
    """
    latitude = np.linspace(-np.pi / 2, np.pi / 2, _NODES[0])
    longitude = np.linspace(-np.pi, np.pi, _NODES[1])
    longitudes, latitudes = np.meshgrid(longitude, latitude)
    nodes = frames.direction(longitudes, latitudes).reshape(-1, 3)
    # the mean resultant length is one minus the variance along an axis, where that is small
    spread = 1.0 - np.linalg.norm(towards.mean(axis=0))
    concentration = float(len(towards) ** (1 / 3) / spread)
    # a draw is at the peak of its own kernel, where no other is: of the others' it has less
    others = _density(towards, towards, concentration) - 1.0 / len(towards)
    least = np.quantile(others, 1.0 - REGION_SHARE)
    return (_density(nodes, towards, concentration) >= least).reshape(_NODES)


def _density(
    places: FloatArray, towards: FloatArray, concentration: float
) -> FloatArray:
    parts = np.array_split(places, max(1, len(places) // 1000))
    return np.concatenate(
        [
            np.exp(concentration * (part @ towards.T - 1.0)).mean(axis=1)
            for part in parts
        ]
    )


def shell_intervals(values: FloatArray) -> FloatArray:
    """Returns 16, 50 and 84 % in each shell, `[3, K]`, of values `[n, K]`."""
    return np.percentile(values, [16, 50, 84], axis=0)


def published_speeds() -> dict[str, FloatArray]:
    """Returns others' travel velocities by their keys: distances [kpc], then ends [km/s].

    Each is nearest and furthest distance, lower end, median and upper end `[5]`.
    """
    speeds = {one.key: one.values for one in published_measurements()}
    found = {}
    for key, distances in DISTANCES_OF_OTHERS.items():
        speed = speeds[key]["v_travel"]
        ends = speed.median - speed.minus, speed.median, speed.median + speed.plus
        found[key] = np.array([*distances, *ends])
    return found


def profile_tables(
    found: Mapping[str, FloatArray], shells: ReflexShells, errors: FloatArray
) -> dict[str, Table]:
    """Returns the motions in each shell, and how well simulations know them, by title.

    Arguments:
        found: Draws `[n, 4 K]`, by the name of the data, or of the prior.
        shells: Where the motions are.
        errors: Of simulations, of their number of stars `[4 K]` [km/s].
    """
    rows = []
    for data, draws in found.items():
        motions = shell_motions(draws, shells)
        for k, shell in enumerate(shells.labels):
            speed = interval_ends(motions.v_travel[:, k])
            radial = interval_ends(motions.mean_v_r[:, k])
            apex = mean_apex(motions.apex[:, k])
            where = (apex.longitude, apex.latitude, apex.radius)
            rows.append((data, shell, *speed, *radial, *where))
    table = Table(rows=rows, names=["data", "shell", *_COLUMNS])
    table["shell"].unit = "kpc"
    for name, unit in _COLUMNS.items():
        table[name].unit = unit
        table[name].info.format = "%.1f"
    table.meta["key"] = "travel_profile"
    table.meta["caption"] = (
        "Medians, and 16 and 84 %, of the travel velocity and of the halo's mean radial velocity; "
        "the mean direction that the disc moves towards, and the angle from it within which 68 % "
        "of the draws are."
    )
    return {"Travel velocity against distance": table, **_error_table(shells, errors)}


_COLUMNS = {
    "v_travel_lower": "km/s",
    "v_travel": "km/s",
    "v_travel_upper": "km/s",
    "mean_v_r_lower": "km/s",
    "mean_v_r": "km/s",
    "mean_v_r_upper": "km/s",
    "apex_l": "deg",
    "apex_b": "deg",
    "apex_radius": "deg",
}


def _error_table(shells: ReflexShells, errors: FloatArray) -> dict[str, Table]:
    each = errors.reshape(len(shells.shells), len(MOTIONS))
    table = Table({"shell": list(shells.labels)}, units={"shell": "kpc"})
    for name, column in zip(MOTIONS, each.T, strict=True):
        table[name] = column
        table[name].unit = "km/s"
        table[name].info.format = "%.1f"
    table.meta["key"] = "shell_errors"
    table.meta["caption"] = (
        "Standard errors of the motions of one simulation, whose stars in a shell are of some "
        "number: intervals cannot be narrower."
    )
    return {"Errors of simulated motions": table}
