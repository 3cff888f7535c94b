"""Orbits of both galaxies' centres in live N-body simulations, as files give them.

Each simulation has two files, `NAME_orbit_mw.txt` and `NAME_orbit_lmc.txt`, with lines of
time [Gyr, 0 is today], position [kpc] and velocity [km/s] in one inertial frame. About the
Milky Way's own centre nothing would be left of how its velocity changes.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from mwlmc.model import potentials
from mwlmc.model.constants import GYR
from mwlmc.model.total_masses import MASS_EDGE
from mwlmc.model.trajectories import LOOKBACK
from orrery.parameters import BoolArray, FloatArray
from orrery.tables.reading import read_table

MILKY_WAY_ENDING = "_orbit_mw.txt"
LMC_ENDING = "_orbit_lmc.txt"
GALAXIES = "galaxies.csv"
COLUMNS = ("name", "lmc_mass", "milky_way_mass", "milky_way_scale")

# Garavito-Camargo et al. (2021), of which XMC-Atlas has these orbits: both halos are
# Hernquist's, and the Milky Way's is the same in all. The digit is that of the LMC.
_PUBLISHED = re.compile(r"GC21M([1-4])b[0-9]")
_LMC_MASSES = {"1": 0.8e11, "2": 1.0e11, "3": 1.8e11, "4": 2.5e11}  # [Msun]
_MILKY_WAY_MASS = 1.57e12  # [Msun]
_MILKY_WAY_SCALE = 40.85  # [kpc]

_SHORTEST = 0.5  # [Gyr], less than which no infall is seen
_TODAY = 1e-6  # [Gyr]
_FARTHEST = 2000.0  # [kpc]
_FASTEST = 2000.0  # [km/s]
_TIME_ROUNDING = 1e-3  # [Gyr], of times in files
# Of what momentum gives the Milky Way as one body of all its mass: its inner part, which
# alone follows the LMC, moves several times as much.
_HARDLY = 0.2
_MOST_OF_FALL = 0.4  # of the LMC's: above any galaxy's that is the heavier of the two
_LEAST_CHANGE = 1.0  # [km/s], below which rounding and wobbles of centres are as large


@dataclass(frozen=True)
class LiveOrbits:
    """Both centres in a live simulation.

    Arguments:
        name: The simulation's.
        lmc_mass: The LMC's total mass before its infall [Msun].
        milky_way_within: Mass of the Milky Way's dark halo within 50 kpc [Msun].
        times: Ascending, the last one is today [Gyr], with shape `[T]`.
        milky_way: Position [kpc] and velocity [km/s] of the Milky Way's centre, with shape
            `[T, 6]`.
        lmc: The same of the LMC's.

    Example:
        >>> still = np.zeros((2, 6))
        >>> orbits = LiveOrbits("toy", 1e11, 4e11, np.array([-1.0, 0.0]), still, still + 1.0)
        >>> orbits.relative[-1].tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """

    name: str
    lmc_mass: float
    milky_way_within: float
    times: FloatArray
    milky_way: FloatArray
    lmc: FloatArray

    @property
    def compared(self) -> BoolArray:
        """Which of the times the rigid model's past reaches, `[T]`."""
        return self.times >= -LOOKBACK / GYR - _TIME_ROUNDING

    @property
    def relative(self) -> FloatArray:
        """The LMC's position and velocity from the Milky Way's centre, `[T, 6]`."""
        return self.lmc - self.milky_way


def read_live_orbits(folder: Path) -> list[LiveOrbits]:
    """Returns the simulations of a folder, the lightest LMC first.

    The masses of those of Garavito-Camargo et al. (2021) are known by their names; others
    are read from the table `galaxies.csv` beside the orbits.

    Arguments:
        folder: Where the orbits are.

    Raises:
        ValueError: If a file is not what it should be, the galaxies are not known, or the
            Milky Way's velocity hardly changes, or as much as the LMC's.
        OSError: If a file cannot be read.
    """
    places = sorted(folder.glob(f"*{MILKY_WAY_ENDING}"))
    if not places:
        raise ValueError(
            f"{folder} has no orbits: each simulation needs NAME{MILKY_WAY_ENDING} and "
            f"NAME{LMC_ENDING}"
        )
    listed = _listed_galaxies(folder / GALAXIES)
    found = [_read_one(place, listed) for place in places]
    return sorted(found, key=lambda orbits: (orbits.lmc_mass, orbits.name))


def _read_one(place: Path, listed: dict[str, tuple[float, ...]]) -> LiveOrbits:
    name = place.name.removesuffix(MILKY_WAY_ENDING)
    lmc_mass, mass, scale = listed.get(name) or _published_galaxies(name, place.parent)
    other = place.with_name(name + LMC_ENDING)
    milky_way = _read_orbit(place)
    lmc = _read_orbit(other)
    if not np.array_equal(milky_way[:, 0], lmc[:, 0]):
        raise ValueError(
            f"{place} and {other} are not of the same times: both centres are compared at each"
        )
    halo = potentials.Hernquist(_one(mass), _one(scale))
    within = float(halo.enclosed_mass(_one(MASS_EDGE)))
    found = LiveOrbits(
        name, lmc_mass, within, milky_way[:, 0], milky_way[:, 1:], lmc[:, 1:]
    )
    _check_frame(found, mass, place)
    return found


def _check_frame(orbits: LiveOrbits, mass: float, place: Path) -> None:
    """Raises ValueError if the Milky Way's velocity changes by nothing, or the whole fall."""
    change, fall = (
        float(np.linalg.norm(np.diff(velocity[[0, -1]], axis=0)))
        for velocity in (
            orbits.milky_way[orbits.compared, 3:],
            orbits.relative[orbits.compared, 3:],
        )
    )
    # both galaxies' momenta change by as much, in opposite directions
    expected = orbits.lmc_mass / (orbits.lmc_mass + mass) * fall
    if change < max(_LEAST_CHANGE, _HARDLY * expected):
        raise ValueError(
            f"{place}: the Milky Way's velocity changes by {change:.2g} km/s only, where its "
            f"LMC would pull it by about {expected:.2g}: give both centres in an inertial frame, "
            "such as that of the simulation, not about the Milky Way's own centre"
        )
    if change > _MOST_OF_FALL * fall:
        raise ValueError(
            f"{place}: the Milky Way's velocity changes by {change:.3g} km/s of the {fall:.3g} by "
            "which both galaxies fall towards each other: give both centres in an inertial "
            "frame, such as that of the simulation, not about the LMC's centre"
        )


def _one(value: float) -> torch.Tensor:
    return torch.tensor([[value]], dtype=torch.float64)


def _published_galaxies(name: str, folder: Path) -> tuple[float, ...]:
    known = _PUBLISHED.fullmatch(name)
    if not known:
        raise ValueError(
            f"the galaxies of {name!r} are not known: list them in {folder / GALAXIES}, with "
            f"the columns {', '.join(COLUMNS)} [Msun, kpc], of Hernquist halos"
        )
    return _LMC_MASSES[known[1]], _MILKY_WAY_MASS, _MILKY_WAY_SCALE


def _listed_galaxies(path: Path) -> dict[str, tuple[float, ...]]:
    """Returns LMC mass [Msun], Milky Way mass [Msun] and scale [kpc] by simulation."""
    if not path.exists():
        return {}
    table = read_table(path)
    if tuple(table.colnames) != COLUMNS:
        raise ValueError(
            f"{path} has the columns {table.colnames}: give {list(COLUMNS)}"
        )
    found = {}
    for row in table:
        try:
            numbers = tuple(float(row[column]) for column in COLUMNS[1:])
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}, {row['name']}: {error}") from error
        if not all(np.isfinite(numbers)) or not min(numbers) > 0.0:
            raise ValueError(
                f"{path}, {row['name']}: {numbers} must all be above zero [Msun, kpc]"
            )
        found[str(row["name"])] = numbers
    return found


def _read_orbit(path: Path) -> FloatArray:
    """Returns time, position and velocity, `[T, 7]`, of one centre."""
    try:
        orbit = np.loadtxt(path, ndmin=2)
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no table of numbers: {error}") from error
    _check_orbit(path, orbit)
    return orbit


def _check_orbit(path: Path, orbit: FloatArray) -> None:
    if orbit.ndim != 2 or orbit.shape[1] != 7 or len(orbit) < 2:
        raise ValueError(
            f"{path} has the shape {list(orbit.shape)}: give at least two lines of time [Gyr], "
            "x, y, z [kpc] and their velocities [km/s]"
        )
    if not np.isfinite(orbit).all():
        raise ValueError(
            f"{path} has numbers that are not finite: leave these lines out"
        )
    times = orbit[:, 0]
    if not (np.diff(times) > 0.0).all() or abs(times[-1]) > _TODAY:
        raise ValueError(
            f"{path}: times must ascend to 0, which is today [Gyr]; they run from {times[0]:g} "
            f"to {times[-1]:g}"
        )
    if times[0] > -_SHORTEST:
        raise ValueError(
            f"{path} begins {-times[0]:g} Gyr ago: give the last {_SHORTEST:g} Gyr or more"
        )
    if np.abs(orbit[:, 1:4]).max() > _FARTHEST or np.abs(orbit[:, 4:]).max() > _FASTEST:
        raise ValueError(
            f"{path} has a position beyond {_FARTHEST:g} kpc or a velocity beyond "
            f"{_FASTEST:g} km/s: is it in Gyr, kpc and km/s?"
        )
