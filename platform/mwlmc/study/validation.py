"""How far a rigid Milky Way and LMC may be trusted: their past beside that of live ones.

Each live simulation's LMC is put where it is today, and both rigid galaxies are rewound
as the model does it. What stars measure is how the Milky Way's velocity has changed; which
friction the live LMC felt is found by its path.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from astropy.table import Table

from mwlmc.model import potentials, total_masses
from mwlmc.model.constants import CIRCULAR_VELOCITY, GYR
from mwlmc.model.trajectories import (
    LOOKBACK,
    Galaxies,
    Trajectories,
    hermite,
    rewind,
)
from mwlmc.parameters import FRICTION
from mwlmc.simulator import VERSION as ENGINE_VERSION
from mwlmc.study.live_orbits import GALAXIES, LiveOrbits, read_live_orbits
from mwlmc.study.options import Validation
from mwlmc.study.wording import table_words
from orrery.parameters import FloatArray
from orrery.results.recording import record
from orrery.results.result import Result
from orrery.results.sections import Caution, Headline
from orrery.sentences import cell

VERSION = 4  # raised whenever numbers of a comparison change
VERSIONS = {"live_orbits": VERSION}

_TABLE = "nbody.orbits"
FRICTION_STEP = 0.01  # of log10 lambda_DF
TOLERATED = 0.1  # of a ratio: no more than the posteriors' own width of a velocity
_ROUNDED_MASS = 1e-3  # of a mass, which is interpolated
_UNIT_FRICTION = 0.0  # log10 lambda_DF of friction as Chandrasekhar's formula has it


@dataclass(frozen=True)
class RigidAndLive:
    """One live simulation beside its rigid rewinds.

    Arguments:
        orbits: The live one.
        began: Since when both are compared [Gyr].
        live_change: Change of the Milky Way's velocity since then [km/s], with shape `[3]`.
        frictions: log10 lambda_DF of the rewinds, ascending, with shape `[F]`.
        rigid_changes: Their changes of the Milky Way's velocity [km/s], with shape `[3, F]`.
        distances: Root mean square distance of the rigid LMC from the live one [kpc], both
            seen from the Milky Way's centre, with shape `[F]`.

    Example:
        >>> still = np.zeros((2, 6))
        >>> orbits = LiveOrbits("toy", 1e11, 4e11, np.array([-1.0, 0.0]), still, still)
        >>> one = RigidAndLive(
        ...     orbits,
        ...     began=-1.0,
        ...     live_change=np.array([3.0, 0.0, 4.0]),
        ...     frictions=np.array([-1.0, 0.0]),
        ...     rigid_changes=np.array([[3.0, 3.0], [0.0, 0.0], [4.0, 0.0]]),
        ...     distances=np.array([1.0, 2.0]),
        ... )
        >>> one.ratios.tolist(), float(one.best_friction)
        ([1.0, 0.6], -1.0)
    """

    orbits: LiveOrbits
    began: float
    live_change: FloatArray
    frictions: FloatArray
    rigid_changes: FloatArray
    distances: FloatArray

    @property
    def ratio(self) -> float:
        """The one of `ratios` with Chandrasekhar's friction as it is."""
        return float(self.ratios[self.at(_UNIT_FRICTION)])

    @property
    def ratios(self) -> FloatArray:
        """How many times as much the rigid Milky Way's velocity changes, `[F]`."""
        live = np.linalg.norm(self.live_change)
        return np.linalg.norm(self.rigid_changes, axis=0) / live

    @property
    def best_friction(self) -> float:
        """log10 lambda_DF of the rewind whose LMC is nearest to the live one."""
        return float(self.frictions[self.best])

    @property
    def is_bracketed(self) -> bool:
        """Whether the best friction is inside the prior, not at one of its ends."""
        return 0 < self.best < len(self.frictions) - 1

    @property
    def best(self) -> int:
        """Which of the rewinds has the LMC nearest to the live one."""
        return int(np.argmin(self.distances))

    def at(self, friction: float) -> int:
        """Returns which of the rewinds has a log10 lambda_DF."""
        return int(np.argmin(np.abs(self.frictions - friction)))


def validation(options: Validation) -> Result:
    """Returns how the rigid model's past compares with that of live simulations.

    Raises:
        ValueError: If an orbit is not what it should be.
        OSError: If a file cannot be read or written.
    """
    live = read_live_orbits(options.nbody)
    # the rewind is the simulator's
    decides = {**VERSIONS, "engine": ENGINE_VERSION}
    with record("validation", options, options.reports, decides) as recording:
        recording.words(table_words())
        found = [beside_live(one, options.circular_velocity) for one in live]
        recording.tables(_orbit_table(found))
        numbers = _friction_numbers(found)
        recording.metrics(numbers)
        recording.add(_headline(found, numbers), *_cautions(found))
    return recording.result


def beside_live(
    orbits: LiveOrbits, circular_velocity: float = CIRCULAR_VELOCITY
) -> RigidAndLive:
    """Returns a live simulation beside rigid rewinds with every friction of the prior.

    The rigid halo has the live one's mass within 50 kpc, and the concentration and stars
    of the model; the rigid LMC has the live one's total mass.

    Arguments:
        orbits: The live simulation.
        circular_velocity: Of the rigid Milky Way at the Sun [km/s].

    Raises:
        ValueError: If no concentration reaches the circular velocity, or no rigid halo has
            the live one's mass.
    """
    frictions = _frictions()
    paths = _rewound(orbits, frictions, circular_velocity)
    seen = orbits.compared
    times = torch.as_tensor(np.clip(orbits.times[seen] * GYR, -LOOKBACK, 0.0))
    lmc = paths.relative()
    place = hermite(paths.times, lmc[:, :3], lmc[:, 3:], times).numpy()  # [T, 3, F]
    velocity = hermite(
        paths.times, paths.milky_way[:, 3:], paths.milky_way_acceleration, times
    ).numpy()
    off = place - orbits.relative[seen, :3, None]
    live_velocity = orbits.milky_way[seen, 3:]
    return RigidAndLive(
        orbits,
        float(orbits.times[seen][0]),
        live_velocity[-1] - live_velocity[0],
        frictions,
        velocity[-1] - velocity[0],
        np.sqrt((off**2).sum(1).mean(0)),
    )


def _frictions() -> FloatArray:
    lower, upper = FRICTION[0].lower, FRICTION[0].upper
    whole = np.linspace(lower, upper, round((upper - lower) / FRICTION_STEP) + 1)
    return np.round(whole, 10)  # -0.2, not -0.19999999999999973


def _rewound(
    orbits: LiveOrbits, frictions: FloatArray, circular_velocity: float
) -> Trajectories:
    """Returns rigid rewinds from where the live LMC is today, one for each friction."""
    within = np.full(len(frictions), orbits.milky_way_within)
    m200 = total_masses.milky_way_m200(within, circular_velocity)
    _check_mass(orbits, m200, circular_velocity)
    galaxies = Galaxies(
        potentials.milky_way_halo(
            m200, potentials.concentration(m200, circular_velocity)
        ),
        potentials.lmc_halo(np.full(len(frictions), orbits.lmc_mass)),
        torch.as_tensor(10.0**frictions)[:, None],
    )
    today = torch.as_tensor(orbits.relative[-1])[:, None].repeat(1, len(frictions))
    return rewind(today[:3], today[3:], galaxies)


def _check_mass(orbits: LiveOrbits, m200: FloatArray, circular_velocity: float) -> None:
    """Raises ValueError if the rigid halos are the nearest to the live one, and not like it."""
    rigid = total_masses.milky_way_halo_within(m200, circular_velocity)
    if not np.allclose(rigid, orbits.milky_way_within, rtol=_ROUNDED_MASS):
        raise ValueError(
            f"{GALAXIES}, {orbits.name}: the Milky Way's halo has {orbits.milky_way_within:.3g} "
            f"Msun within 50 kpc; the nearest rigid one with {circular_velocity:g} km/s at the Sun "
            f"has {rigid[0]:.3g}: are mass and scale in Msun and kpc? if so, leave this "
            "simulation out"
        )


def _orbit_table(found: Sequence[RigidAndLive]) -> dict[str, Table]:
    rows = []
    for one in found:
        best = one.best
        rows.append(
            (
                one.orbits.name,
                one.orbits.lmc_mass,
                one.began,
                float(np.linalg.norm(one.live_change)),
                one.ratio,
                float(one.distances[one.at(_UNIT_FRICTION)]),
                one.best_friction,
                float(one.ratios[best]),
                float(one.distances[best]),
            )
        )
    table = Table(rows=rows, names=list(_COLUMNS))
    for name, (unit_name, shown) in _COLUMNS.items():
        table[name].info.format = shown
        table[name].unit = unit_name or None
    table.meta["key"] = _TABLE
    table.meta["caption"] = (
        "Live simulations and the rigid model rewound from their LMC today: how much the Milky "
        "Way's velocity changed in the live one since a time (began), how many times as much it "
        "does in the rigid one (ratio), and how far the rigid LMC is from the live one (root mean "
        "square over that time: distance). First with Chandrasekhar's friction as it is, then "
        "with the log10 lambda_DF of the prior that brings the LMC nearest."
    )
    return {"Live simulations": table}


_COLUMNS = {
    "simulation": ("", "%s"),
    "lmc_mass": ("solMass", "%.1e"),
    "began": ("Gyr", "%.2f"),
    "live_change": ("km / s", "%.1f"),
    "ratio": ("", "%.2f"),
    "distance": ("kpc", "%.1f"),
    "best_friction": ("", "%+.2f"),
    "best_ratio": ("", "%.2f"),
    "best_distance": ("kpc", "%.1f"),
}
_MEAN = "nbody.friction.mean"
_SCATTER = "nbody.friction.scatter"
_BRACKETED = "nbody.friction.bracketed"
_COMPARED = "nbody.friction.compared"


def _friction_numbers(found: Sequence[RigidAndLive]) -> dict[str, float]:
    best = [one.best_friction for one in found if one.is_bracketed]
    numbers: dict[str, float] = {}
    if len(best) < len(found):
        numbers |= {_BRACKETED: len(best), _COMPARED: len(found)}
    if best:
        numbers[_MEAN] = float(np.mean(best))
    if len(best) > 1:
        numbers[_SCATTER] = float(np.std(best, ddof=1))
    return numbers


def _headline(found: Sequence[RigidAndLive], numbers: Mapping[str, float]) -> Headline:
    ratios = [f"{one.ratio:.2f}" for one in found]
    masses = [f"{one.orbits.lmc_mass:.1e}" for one in found]
    shows = [
        cell(_TABLE, one.orbits.name, column)
        for column in ("ratio", "lmc_mass")
        for one in found
    ]
    text = (
        f"The rigid Milky Way's velocity changes {', '.join(ratios)} times as much as that of "
        f"live ones, whose LMCs have {', '.join(masses)} Msun."
    )
    if _SCATTER in numbers:
        text += (
            " The friction that brings the rigid LMC nearest to the live one has log10 lambda_DF "
            f"{numbers[_MEAN]:.2f} on average, with a scatter of {numbers[_SCATTER]:.2f}."
        )
        shows += [_MEAN, _SCATTER]
    if _BRACKETED in numbers:
        text += (
            f" That friction is known of {numbers[_BRACKETED]} of {numbers[_COMPARED]} live "
            "simulations: of the others the nearest is that at an end of the prior."
        )
        shows += [_BRACKETED, _COMPARED]
    return Headline("nbody.headline", "Rigid and live", text, tuple(shows))


def _cautions(found: Sequence[RigidAndLive]) -> list[Caution]:
    """Returns what a reader must know of the LMCs for which the rigid model is wrong."""
    cautions = []
    for one in found:
        name = one.orbits.name
        if abs(one.ratio - 1.0) <= TOLERATED:
            continue
        text = (
            f"With an LMC of {one.orbits.lmc_mass:.1e} Msun the rigid Milky Way's "
            f"velocity changes {one.ratio:.2f} times as much as the live one's: the reflex motion "
            "that a posterior finds for so heavy an LMC is off by as much."
        )
        shows = tuple(cell(_TABLE, name, column) for column in ("lmc_mass", "ratio"))
        key = f"nbody.{re.sub('[^a-z0-9]+', '_', name.lower())}"
        cautions.append(Caution(key, f"The rigid model and {name}", text, shows))
    return cautions
