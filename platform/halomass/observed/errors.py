"""Errors of observation, drawn onto simulated neighbours whose true orbits are known.

A network must learn from values as uncertain as those it will be given, so simulated
hosts are observed with the errors that the Milky Way's satellites have. Observed values
have their errors already and never pass through here: drawing them a second time would
widen the distribution of velocities and bias the mass.

The observer stands at the host's centre; the 8 kpc between the Sun and the Galactic
centre are left out. Neighbours have independent errors, and a wrong distance moves the
tangential velocity, because what is measured is a proper motion.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

from halomass.systems import FloatArray
from orrery.identity import JSON

K = 4.74047  # [km/s / (kpc mas/yr)]
NORMALS = 7  # standard normal numbers that decide the errors of one neighbour
ENVIRONMENT_FEATURES = ("vmax", "distance_larger", "distance_cluster")
# Noise leaves at least this of a circular velocity: its logarithm must exist.
SMALLEST_VMAX = 1.0  # [km/s]


class Orbits(NamedTuple):
    """Where neighbours are and how they move, seen from the host's centre.

    Arguments:
        r: Distances, with any shape [kpc].
        v_r: Radial velocities, positive when receding [km/s].
        v_t: Lengths of the tangential velocities [km/s].

    Example:
        >>> orbits = Orbits(np.array([50.0, 80.0]), np.zeros(2), np.array([200.0, 150.0]))
        >>> orbits.apply(lambda column: column[:1]).v_t
        array([200.])
    """

    r: FloatArray
    v_r: FloatArray
    v_t: FloatArray

    def apply(self, change: Callable[[FloatArray], FloatArray]) -> "Orbits":
        """Returns orbits whose columns were all changed alike, such as to fewer neighbours."""
        return Orbits(change(self.r), change(self.v_r), change(self.v_t))


@dataclass(frozen=True)
class ErrorRelation:
    """How the size of an error follows from distance and stellar mass.

    log10 of the size = intercept + distance log10(d / kpc) + stellar_mass log10(M* /
    Msun), with a normal scatter: Hayati et al. (2025), their equation 2.

    Arguments:
        intercept: log10 of the size at 1 kpc and 1 Msun.
        distance: The slope with log10 of the distance.
        stellar_mass: The slope with log10 of the stellar mass.
        scatter: The standard deviation of log10 of the size [dex].

    Example:
        >>> relation = ErrorRelation(intercept=-1.0, distance=1.0, stellar_mass=0.0, scatter=0.3)
        >>> relation.sigma(np.array([10.0, 100.0]), np.array([5.0, 5.0]), 0.0)
        array([ 1., 10.])
    """

    intercept: float
    distance: float
    stellar_mass: float
    scatter: float

    def sigma(
        self, distance: FloatArray, log_m_star: FloatArray, normal: FloatArray | float
    ) -> FloatArray:
        """Returns the standard deviations of the errors.

        Arguments:
            distance: From the observer [kpc], larger than 0.
            log_m_star: log10 of the stellar mass [Msun].
            normal: Standard normal numbers, which scatter the sizes.
        """
        slopes = self.distance * np.log10(distance) + self.stellar_mass * log_m_star
        sizes: FloatArray = 10.0 ** (self.intercept + slopes + self.scatter * normal)
        return sizes


@dataclass(frozen=True)
class ErrorModel:
    """How well a survey measures neighbours and the host's environment.

    The relations are Table 2 of Hayati et al. (2025).

    Example:
        >>> model = ErrorModel(vmax=2.0)
        >>> true = np.array([[90.0, 800.0, 2e4]])  # [km/s, kpc, kpc]
        >>> environment_with_errors(true, np.array([[1.0, 0.0, 0.0]]), model)
        array([[   92.,   800., 20000.]])
    """

    distance: ErrorRelation = ErrorRelation(-1.34, 0.15, -0.05, 0.28)
    """Of the error of a distance, relative to it."""
    proper_motion: ErrorRelation = ErrorRelation(-1.29, 0.35, -0.16, 0.39)
    """Of the error of each component of the proper motion [mas/yr]."""
    radial_velocity: ErrorRelation = ErrorRelation(0.84, -0.17, -0.11, 0.52)
    """Of the error of the radial velocity [km/s]."""
    smallest_distance: float = 5.0
    """Neighbours that are nearer, or seem to be, are taken to be at this distance [kpc]."""
    largest_distance_error: float = 1.0
    """Relative errors of distances are clipped to this, up and down."""
    vmax: float = 5.95
    """Error of the circular velocity of the most massive satellite [km/s]: that of the
    LMC's, Kallivayalil et al. (2013)."""
    distance_larger: float = 0.007
    """Error of the distance to the nearest larger halo [dex]: 0.032 mag, that of M31's,
    Li et al. (2021)."""
    distance_cluster: float = 0.04
    """Error of the distance to the nearest halo above 1e14 Msun [dex]: a tenth of it, a
    choice of this model."""

    def __post_init__(self) -> None:
        if not (self.smallest_distance > 0 and self.largest_distance_error >= 0):
            raise ValueError(
                f"smallest_distance {self.smallest_distance} kpc and largest_distance_error "
                f"{self.largest_distance_error}: give a distance above 0 and an error from 0 on"
            )
        if min(self.vmax, self.distance_larger, self.distance_cluster) < 0:
            raise ValueError(
                f"errors of the environment {self.describe()}: give them from 0 on"
            )

    def describe(self) -> JSON:
        """Returns the model as plain JSON."""
        return asdict(self)


def with_errors(
    true: Orbits, log_m_star: FloatArray, normals: FloatArray, model: ErrorModel
) -> Orbits:
    """Returns orbits as an observer at the host's centre would have measured them.

    Arguments:
        true: The true orbits of M neighbours.
        log_m_star: log10 of their stellar masses `[M]` [Msun].
        normals: Standard normal numbers `[M, NORMALS]`: the scatter of the three sizes,
            then the errors of distance, of both components of the proper motion, of
            radial velocity.
        model: How large errors are.
    """
    distance = np.maximum(true.r, model.smallest_distance)
    # sizes follow from true values: those observed would correlate size and error
    of_distance, of_motion, of_velocity = (
        relation.sigma(distance, log_m_star, normals[:, i])
        for i, relation in enumerate(
            (model.distance, model.proper_motion, model.radial_velocity)
        )
    )
    limit = model.largest_distance_error
    error = np.clip(of_distance * normals[:, 3], -limit, limit)
    seen = np.maximum(distance * (1 + error), model.smallest_distance)
    # the axes of the sky are laid along the true motion, so one component has all of it
    along = true.v_t / (K * distance) + of_motion * normals[:, 4]
    motion = np.hypot(along, of_motion * normals[:, 5])  # [mas/yr]
    return Orbits(seen, true.v_r + of_velocity * normals[:, 6], K * seen * motion)


def environment_with_errors(
    environment: FloatArray, normals: FloatArray, model: ErrorModel
) -> FloatArray:
    """Returns the environments of B hosts as observed, with shape `[B, 3]`.

    Arguments:
        environment: The true ones `[B, 3]`, in the order of `ENVIRONMENT_FEATURES` [km/s, kpc,
            kpc].
        normals: Standard normal numbers `[B, 3]`.
        model: How large errors are.
    """
    vmax = np.maximum(environment[:, :1] + model.vmax * normals[:, :1], SMALLEST_VMAX)
    dex = np.array([model.distance_larger, model.distance_cluster])
    return np.hstack([vmax, environment[:, 1:] * 10.0 ** (dex * normals[:, 1:])])
