"""The reflex motion against distance: fitted to each simulation's stars, shell by shell.

A simulation's record holds one travel velocity, that of its stars at 50-100 kpc. But the
further out stars are, the less the LMC has moved them together with the disc, so that
the travel velocity grows with distance (Li et al. 2026, arXiv:2604.01628). The stars that
are stored tell it for any shell, without a new simulation.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mwlmc.model import reflex
from mwlmc.model.options import FEWEST_SHELL_STARS, SHELL_EDGES
from mwlmc.sky import frames
from orrery.identity import JSON, fingerprint
from orrery.parameters import FloatArray, Parameter
from orrery.records import Records

VERSION = 1  # of these fits; raised whenever their numbers change
NAMESPACE = ""  # summaries were kept before names had modules

_FEWEST = 10  # stars, for the nine unknowns of a fit
_PHASE_SPACE = ("x", "y", "z", "vx", "vy", "vz")
# Over the sky the polar angle's direction points along z by pi / 4 on average.
_ALONG_Z = 1.0 / np.sqrt(1.0 - (np.pi / 4) ** 2)

# Of each shell, in this order: fields of `reflex.Reflex`, and what figures call them.
MOTIONS = {
    "v_x": "v_x",
    "v_y": "v_y",
    "v_z": "v_z",
    "mean_v_r": r"\langle v_r \rangle",
}


@dataclass(frozen=True)
class ReflexShells:
    """Shells of Galactocentric distance, each with a reflex motion of its own.

    Arguments:
        edges: Of the K shells, ascending; each is without its upper one `[K + 1]` [kpc].
        fewest_stars: A simulation with fewer stars in a shell has no motion there: of a
            hundred stars that scatter by 100 km/s it would be known to 10 km/s.

    Raises:
        ValueError: If there is no shell, the edges do not ascend, or so few stars do not
            fix a motion.

    Example:
        >>> shells = ReflexShells((50.0, 100.0, 160.0))
        >>> shells.names[:4]
        ('v_x_50_100', 'v_y_50_100', 'v_z_50_100', 'mean_v_r_50_100')
        >>> ReflexShells((100.0, 50.0))
        Traceback (most recent call last):
        ...
        ValueError: edges (100.0, 50.0) of shells: give at least two, from 0 kpc on, ascending
    """

    edges: tuple[float, ...] = SHELL_EDGES
    fewest_stars: int = FEWEST_SHELL_STARS

    def __post_init__(self) -> None:
        edges = np.array(self.edges, dtype=float)
        ascending = (np.diff(edges) > 0).all() and np.isfinite(edges).all()
        if len(edges) < 2 or not ascending or edges[0] < 0:
            raise ValueError(
                f"edges {self.edges} of shells: give at least two, from 0 kpc on, ascending"
            )
        if self.fewest_stars < _FEWEST:
            raise ValueError(
                f"fewest_stars = {self.fewest_stars} must be {_FEWEST} or more: fewer do not "
                "fix the reflex motion of a shell"
            )

    @property
    def shells(self) -> tuple[tuple[float, float], ...]:
        """The nearest and the furthest distance of each of the K shells [kpc]."""
        return tuple(pairwise(self.edges))

    @property
    def labels(self) -> tuple[str, ...]:
        """What each shell is called, such as `50-60`."""
        return tuple(f"{lower:.4g}-{upper:.4g}" for lower, upper in self.shells)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The motions of all shells as parameters, shell after shell [km/s]."""
        return tuple(
            Parameter(
                f"{name}_{shell}".replace("-", "_"), "km / s", f"${symbol}$, {shell}"
            )
            for shell in self.labels
            for name, symbol in MOTIONS.items()
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the S = 4 K motions."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def units(self) -> tuple[str, ...]:
        """Their units."""
        return tuple(parameter.unit for parameter in self.parameters)

    def describe(self) -> JSON:
        """Returns everything that decides the motions, as plain JSON."""
        return {
            "entries": list(self.names),
            "edges": list(self.edges),
            "fewest_stars": self.fewest_stars,
            # the fit's dispersions are those along the sky's axes at the Sun
            "sun_position": frames.SUN_POSITION.tolist(),
        }

    @property
    def fingerprint(self) -> str:
        """The definition of the motions: equal for shells that give equal ones."""
        return fingerprint(self.describe())

    def check_stored(self, nearest: float, furthest: float) -> None:
        """Raises ValueError if simulations do not keep all stars of every shell.

        Arguments:
            nearest: Stars nearer than this were not stored [kpc].
            furthest: Stars at this distance or further were not stored [kpc].
        """
        if self.edges[0] < nearest or self.edges[-1] > furthest:
            raise ValueError(
                f"shells at {self.edges[0]:g}-{self.edges[-1]:g} kpc reach beyond the stars that "
                f"simulations keep, at {nearest:g}-{furthest:g} kpc: choose edges within"
            )


def reflex_motions(records: Records, shells: ReflexShells) -> FloatArray:
    """Returns the reflex motions of simulations, with shape `[B, 4 K]` [km/s], shell after shell.

    NaN in a shell where a simulation has too few stars.

    Arguments:
        records: B records with the stars' Galactocentric positions [kpc] and velocities
            [km/s] as particles.
        shells: Where the motions are fitted.
    """
    found = [_motions(_stars(records, i), shells) for i in range(len(records))]
    return np.array(found).reshape(len(records), len(shells.names))


def _stars(records: Records, number: int) -> FloatArray:
    """Returns the positions and velocities `[N, 6]` of one simulation's stars."""
    here = slice(records.offsets[number], records.offsets[number + 1])
    columns = [records.particles[name][here] for name in _PHASE_SPACE]
    return np.stack(columns, axis=1).astype(np.float64)


def _motions(stars: FloatArray, shells: ReflexShells) -> list[float]:
    position, velocity = stars[:, :3], stars[:, 3:]
    found = []
    for lower, upper in shells.shells:
        chosen = reflex.shell(position, lower, upper)
        if chosen.sum() < shells.fewest_stars:
            found += [np.nan] * len(MOTIONS)
            continue
        motion = reflex.fit_error_free(position[chosen], velocity[chosen])
        found += [getattr(motion, name) for name in MOTIONS]
    return found


def shell_errors(records: Records, shells: ReflexShells) -> FloatArray:
    """Returns the standard errors of the motions, of the stars' number, `[B, 4 K]` [km/s].

    That of stars over the whole sky which scatter alike along all axes: their dispersion
    over the root of their number, and more along z, which a mean motion in latitude
    resembles. NaN in a shell where a simulation has too few stars.

    Arguments:
        records: As `reflex_motions` takes them.
        shells: Where the motions are fitted.
    """
    errors = np.full((len(records), len(shells.shells)), np.nan)
    for number in range(len(records)):
        stars = _stars(records, number)
        for k, (lower, upper) in enumerate(shells.shells):
            velocity = stars[reflex.shell(stars[:, :3], lower, upper), 3:]
            if len(velocity) >= shells.fewest_stars:
                errors[number, k] = np.sqrt(velocity.var(axis=0).mean() / len(velocity))
    longer = [_ALONG_Z if name == "v_z" else 1.0 for name in MOTIONS]
    return np.asarray((errors[:, :, None] * longer).reshape(len(records), -1))
