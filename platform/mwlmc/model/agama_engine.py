"""The same physics by agama (optional extra): a second engine, so that each one checks the other.

agama (Vasiliev 2019, doi:10.1093/mnras/sty2672) finds forces, densities, distribution
functions and orbits by methods of its own; only constants, closed formulae and the
share of clipped stars come from the rest of this package. It integrates every star, at
many times the embedded engine's cost.

agama's units, set to kpc, km/s and Msun, make its time kpc/(km/s), never Gyr. Units and
random numbers are states of the whole process: other users of agama in it must keep to
these units.
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import optimize
from torch import Tensor

from mwlmc.model import agama_paths, distribution, potentials
from mwlmc.model.agama_paths import TIMES, AgamaPotentials
from mwlmc.model.constants import (
    BULGE_CUTOFF,
    BULGE_MASS,
    BULGE_SCALE,
    BULGE_SLOPE,
    CIRCULAR_VELOCITY,
    DISC_HEIGHT,
    DISC_MASS,
    DISC_SCALE,
    SUN_RADIUS,
)
from mwlmc.model.options import Equilibrium
from mwlmc.model.trajectories import LOOKBACK, Trajectories
from orrery.parameters import FloatArray

VERSION = 1  # of this engine; raised whenever its numbers change

# Of agama's eighth-order Runge-Kutta-Nystrom method, relative. Against orbits at 1e-8,
# positions today beyond 30 kpc are off by up to 1e-3 kpc in the median and 0.06 kpc at
# 99 % (tested); at 1e-4, by ten times as much for four fifths of the time.
ACCURACY = 1e-5
_SEEDS = 5  # with which stars are tried to be drawn
_SEEDS_END = 2**31  # agama takes smaller ones


_INDEPENDENT = (
    4  # agama's own choice, quasi-random stars, makes bins 10 to 15 % less noisy
)
_OLDEST = (
    159  # of agama 1.0.x: the first that returns orbits of equal length as one array
)
_REMEDY = (
    "install the extra with pip install -e '.[agama]', which needs a C++ compiler and GSL, "
    "or use the embedded engine, which needs nothing"
)


@dataclass(frozen=True)
class StellarHalos:
    """The stellar halos of B simulations, in the frame that moves with the Milky Way's centre.

    Arguments:
        position: Today [kpc], float32, with shape `[3, B, N]`.
        velocity: Today [km/s], float32, with shape `[3, B, N]`.
        initial_position: 2.2 Gyr ago [kpc], float32, with shape `[3, B, N]`.
        initial_velocity: 2.2 Gyr ago [km/s], float32, with shape `[3, B, N]`.
        c200: Concentrations of the dark halos, with shape `[B]`.
        a_lmc: The LMCs' scale radii [kpc], with shape `[B]`.
        trajectory: Both centres' paths. Runaways are marked, and their stars
            integrated all the same.
        clipped: The shares of the tracer that a non-negative f cannot make, with shape
            `[B]`; from `distribution`, since agama clips without a word.

    Example:
        >>> from dataclasses import fields
        >>> [field.name for field in fields(StellarHalos)][:2]
        ['position', 'velocity']
    """

    position: Tensor
    velocity: Tensor
    initial_position: Tensor
    initial_velocity: Tensor
    c200: FloatArray
    a_lmc: FloatArray
    trajectory: Trajectories
    clipped: FloatArray


def available() -> bool:
    """Returns whether agama can be imported and is recent enough."""
    try:
        _agama()
    except ImportError:
        return False
    return True


def agama_version() -> str:
    """Returns agama's version.

    Raises:
        ImportError: If agama is missing or too old.
    """
    return str(_agama().__version__).split()[0]


def _agama() -> Any:
    """Returns agama, set to kpc, km/s and Msun."""
    try:
        agama = importlib.import_module("agama")
    except ImportError as reason:
        raise ImportError(
            f"engine 'agama' cannot import agama ({reason}): {_REMEDY}"
        ) from reason
    version = agama.__version__.split()[0]
    if version.startswith("1.0.") and int(version.split(".")[2]) < _OLDEST:
        raise ImportError(f"agama {version} is older than 1.0.{_OLDEST}: {_REMEDY}")
    agama.setUnits(mass=1, length=1, velocity=1)
    return agama


def simulate(
    named: Mapping[str, NDArray[Any]],
    stars: int,
    seeds: Sequence[int],
    *,
    equilibrium: Equilibrium,
    circular_velocity: float,
    threads: int = 1,
) -> StellarHalos:
    """Returns the stellar halos of B simulations, 2.2 Gyr ago and today.

    Arguments:
        named: The prior's parameters by name, each with shape `[B]`.
        stars: Halo stars of a simulation.
        seeds: One for each simulation, from 1 to 2^31 - 1: to agama, 0 means the time
            of day.
        equilibrium: The potential of the halo before the LMC: `halo` (NFW alone) or
            `total`.
        circular_velocity: At 8.3 kpc, which fixes the concentration [km/s].
        threads: How many agama may use: as many as the process has cores for itself.

    Raises:
        ImportError: If agama is missing or too old.
        ValueError: If an argument is out of its range.
        ArithmeticError: If both centres' paths cannot be integrated, or no stars be drawn.
    """
    _check(named, stars, seeds)
    pairs = []
    paths = []
    initial = []
    today = []
    clipped = []
    with _agama().setNumThreads(threads):
        for b, seed in enumerate(seeds):
            drawn = {name: float(values[b]) for name, values in named.items()}
            pairs.append(
                agama_potentials(drawn["m200_mw"], drawn["m_lmc"], circular_velocity)
            )
            clipped.append(_clipped(pairs[b], drawn, equilibrium))
            initial.append(_sample(pairs[b], drawn, stars, seed, equilibrium))
            paths.append(agama_paths.rewind(pairs[b], drawn))
            today.append(_evolve(initial[b], pairs[b], paths[b], ACCURACY))
    position, velocity = _components(today)
    initial_position, initial_velocity = _components(initial)
    return StellarHalos(
        position=position,
        velocity=velocity,
        initial_position=initial_position,
        initial_velocity=initial_velocity,
        c200=np.array([pair.c200 for pair in pairs]),
        a_lmc=np.array([pair.a_lmc for pair in pairs]),
        trajectory=agama_paths.as_trajectories(pairs, np.stack(paths, axis=-1)),
        clipped=np.array(clipped),
    )


def evolve(
    position: Tensor,
    velocity: Tensor,
    named: Mapping[str, NDArray[Any]],
    *,
    circular_velocity: float = CIRCULAR_VELOCITY,
    accuracy: float = ACCURACY,
    threads: int = 1,
) -> tuple[Tensor, Tensor]:
    """Returns positions [kpc] and velocities [km/s] today of given stars, float32, `[3, N]`.

    Arguments:
        position: 2.2 Gyr ago, in the Milky Way's frame [kpc], with shape `[3, N]`.
        velocity: 2.2 Gyr ago, in the Milky Way's frame [km/s], with shape `[3, N]`.
        named: One simulation's parameters by name, each with shape `[1]`.
        circular_velocity: At 8.3 kpc, which fixes the concentration [km/s].
        accuracy: Relative, of the stars' orbits.
        threads: How many agama may use.

    Raises:
        ImportError, ValueError, ArithmeticError: As `simulate` does.
    """
    _check(named, position.shape[1], [1])
    drawn = {name: float(values[0]) for name, values in named.items()}
    with _agama().setNumThreads(threads):
        pair = agama_potentials(drawn["m200_mw"], drawn["m_lmc"], circular_velocity)
        initial = torch.cat([position, velocity]).T.numpy()
        x, v = _components(
            [_evolve(initial, pair, agama_paths.rewind(pair, drawn), accuracy)]
        )
    return x[:, 0], v[:, 0]


def _check(named: Mapping[str, NDArray[Any]], stars: int, seeds: Sequence[int]) -> None:
    wanted = {len(values) for values in named.values()}
    if wanted != {len(seeds)} or stars < 1:
        raise ValueError(
            f"parameters of {sorted(wanted)} simulations, {len(seeds)} seeds or places, {stars} "
            "stars: give one seed to each simulation, one simulation to evolve, and a star or more"
        )
    if min(seeds) < 1 or max(seeds) >= 2**31:
        raise ValueError(
            f"seeds {list(seeds)} must be from 1 to 2^31 - 1, as agama's are"
        )


# --- the galaxies and their paths ------------------------------------------------------------


def agama_potentials(
    m200_mw: float,
    m_lmc: float,
    circular_velocity: float = CIRCULAR_VELOCITY,
) -> AgamaPotentials:
    """Returns the galaxies of one simulation.

    Arguments:
        m200_mw: M200 of the Milky Way's halo [Msun].
        m_lmc: The LMC's total mass [Msun].
        circular_velocity: Of the whole Milky Way at 8.3 kpc [km/s].

    Raises:
        ImportError, ValueError: If agama is missing, or nothing reaches the circular
        velocity.
    """
    agama = _agama()
    stars = _bulge_and_disc()
    sun = [SUN_RADIUS, 0.0, 0.0]

    def missing(c200: float) -> float:
        pull = -(stars.force(sun) + _nfw(m200_mw, c200).force(sun))[0]
        return float(SUN_RADIUS * pull - circular_velocity**2)

    # the embedded engine's value brackets the root, and where there is none, its error
    # says so
    near = float(potentials.concentration(np.array([m200_mw]), circular_velocity)[0])
    c200 = float(optimize.brentq(missing, 0.9 * near, 1.1 * near, xtol=1e-10))
    halo = _nfw(m200_mw, c200)
    a_lmc = float(potentials.lmc_scale(np.array(m_lmc)))
    lmc = agama.Potential(
        type="Dehnen", gamma=1, mass=m_lmc, scaleRadius=a_lmc
    )  # Hernquist's
    return AgamaPotentials(agama.Potential(stars, halo), halo, lmc, c200, a_lmc)


def _bulge_and_disc() -> Any:
    agama = _agama()
    # one by one: of two at once agama makes one expansion, which bends the bulge's
    # force by 1e-4
    bulge = agama.Potential(
        type="Spheroid",
        mass=BULGE_MASS,
        scaleRadius=BULGE_SCALE,
        outerCutoffRadius=BULGE_CUTOFF,
        gamma=0.0,
        beta=BULGE_SLOPE,
    )
    disc = agama.Potential(
        type="Disk",
        mass=DISC_MASS,
        scaleRadius=DISC_SCALE,
        scaleHeight=-DISC_HEIGHT,  # negative: sech^2 instead of exponential
    )
    return agama.Potential(bulge, disc)


def _nfw(m200: float, c200: float) -> Any:
    halo = potentials.milky_way_halo(np.array([m200]), np.array([c200]))
    return _agama().Potential(
        type="NFW", mass=float(halo.amplitude), scaleRadius=float(halo.scale)
    )


# --- stars -----------------------------------------------------------------------------------


def _clipped(
    pair: AgamaPotentials,
    drawn: Mapping[str, float],
    equilibrium: Equilibrium,
) -> float:
    halo = potentials.milky_way_halo(
        np.array([drawn["m200_mw"]]), np.array([pair.c200])
    )
    potential = distribution.spherical_potential(
        float(halo.amplitude), float(halo.scale), equilibrium
    )
    return distribution.distribution_function(
        potential, drawn["beta0"], drawn["r_dehnen"]
    ).clipped


def _sample(
    pair: AgamaPotentials,
    drawn: Mapping[str, float],
    stars: int,
    seed: int,
    equilibrium: Equilibrium,
) -> FloatArray:
    """Returns stars in equilibrium without the LMC, `[N, 6]`."""
    agama = _agama()
    potential = pair.halo
    if equilibrium == "total":  # the average over the sphere
        grid = {"lmax": 0, "rmin": 1e-3, "rmax": 1e5, "gridSizeR": 101}
        potential = agama.Potential(type="Multipole", potential=pair.milky_way, **grid)
    tracer = agama.Density(
        type="Dehnen", gamma=1, mass=1, scaleRadius=drawn["r_dehnen"]
    )
    f = agama.DistributionFunction(
        type="QuasiSpherical", density=tracer, potential=potential, beta0=drawn["beta0"]
    )
    return _drawn_from(agama.GalaxyModel(potential, f), stars, int(seed))


def _drawn_from(model: Any, stars: int, seed: int) -> FloatArray:
    """Returns stars of a model, `[N, 6]`.

    For a galaxy in some hundred agama's sampler does not converge, by chance: the next
    seed is tried then.
    """
    for number in range(_SEEDS):
        _agama().setRandomSeed((seed + number) % _SEEDS_END)
        try:
            return np.asarray(model.sample(stars, method=_INDEPENDENT)[0], np.float32)
        except RuntimeError as problem:
            last = str(problem)
    raise ArithmeticError(
        f"agama cannot draw {stars} stars, with none of {_SEEDS} seeds from {seed} on ({last}): "
        "take the embedded engine, or leave this simulation out"
    )


def _evolve(
    initial: FloatArray, pair: AgamaPotentials, path: FloatArray, accuracy: float
) -> FloatArray:
    """Returns stars today from those 2.2 Gyr ago, each `[N, 6]`."""
    agama = _agama()
    relative = path[:, 6:] - path[:, :6]
    lmc = np.column_stack([TIMES, relative])
    frame = np.column_stack([TIMES, -pair.lmc.force(-relative[:, :3])])
    potential = agama.Potential(
        pair.milky_way,
        agama.Potential(potential=pair.lmc, center=lmc),
        agama.Potential(type="UniformAcceleration", file=frame),
    )
    orbits = agama.orbit(
        potential=potential,
        ic=np.asarray(initial, np.float64),
        time=LOOKBACK,
        timestart=-LOOKBACK,
        trajsize=1,
        accuracy=accuracy,
        method="dprkn8",
        separateTime=True,
        verbose=False,
    )
    return np.asarray(orbits[1]).reshape(-1, 6)


def _components(states: Sequence[FloatArray]) -> tuple[Tensor, Tensor]:
    """Returns positions and velocities `[3, B, N]` of B arrays `[N, 6]`."""
    stars = torch.as_tensor(np.stack(states).transpose(2, 0, 1).copy())
    return stars[:3], stars[3:]
