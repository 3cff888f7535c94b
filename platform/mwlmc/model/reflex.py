"""Reflex motion: how fast the Milky Way's disc moves against its outer halo.

The LMC pulls the inner Galaxy more than the distant stars, so that the halo's mean
motion, seen from the disc, is that of a dipole. Petersen & Penarrubia (2021) describe
it by nine numbers: the travel velocity of the disc, a mean motion in spherical
coordinates, and three dispersions along the sky's axes at the Sun. **Stars move at
minus the travel velocity**: v_z < 0 means that the disc moves south.

Given the dispersions, the other six numbers follow from linear least squares. For stars
without errors the dispersions then follow from the residuals, and a few rounds give the
maximum of the likelihood; stars with errors need a search over the three dispersions.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from mwlmc.sky import frames
from orrery.parameters import FloatArray

_FEWEST = 10  # stars, for nine unknowns
_COLDEST = 1e-3  # [km/s], the smallest dispersion considered


@dataclass(frozen=True)
class Reflex:
    """The nine numbers of the reflex motion [km/s].

    Arguments:
        v_x: Travel velocity of the disc along Galactocentric x.
        v_y: Along y.
        v_z: Along z.
        mean_v_r: The halo's mean motion away from the Galactic centre.
        mean_v_phi: Along the azimuth, from x to y.
        mean_v_theta: Along the polar angle, which is southwards.
        sigma_los: Dispersion along the line of sight.
        sigma_l: Along Galactic longitude.
        sigma_b: Along Galactic latitude.

    Example:
        >>> motion = Reflex(3.0, 0.0, -4.0, 0.0, 0.0, 0.0, 100.0, 90.0, 90.0)
        >>> motion.v_travel
        5.0
    """

    v_x: float
    v_y: float
    v_z: float
    mean_v_r: float
    mean_v_phi: float
    mean_v_theta: float
    sigma_los: float
    sigma_l: float
    sigma_b: float

    @property
    def v_travel(self) -> float:
        """The travel velocity's magnitude [km/s]."""
        return float(np.linalg.norm([self.v_x, self.v_y, self.v_z]))

    @property
    def apex(self) -> tuple[float, float]:
        """Galactic longitude (0 to 360) and latitude [deg] that the disc moves towards."""
        travel = np.array([self.v_x, self.v_y, self.v_z])
        longitude, latitude = frames.angles(travel @ frames.GALACTIC_TO_GALACTOCENTRIC)
        return float(np.degrees(longitude)), float(np.degrees(latitude))


class MeasuredStars(Protocol):
    """Stars with errors, each column `[N]`; a star table is one.

    Proper motions are NaN where there are none; angles in rad, distances in kpc,
    velocities in km/s, proper motions in mas/yr, all heliocentric.

    Example:
        >>> [name for name in vars(MeasuredStars) if name.endswith("_error")]
        ['distance_error', 'v_los_error', 'pm_l_error', 'pm_b_error']
    """

    @property
    def l(self) -> FloatArray: ...  # noqa: E743
    @property
    def b(self) -> FloatArray: ...
    @property
    def distance(self) -> FloatArray: ...
    @property
    def v_los(self) -> FloatArray: ...
    @property
    def pm_l(self) -> FloatArray: ...
    @property
    def pm_b(self) -> FloatArray: ...
    @property
    def distance_error(self) -> FloatArray: ...
    @property
    def v_los_error(self) -> FloatArray: ...
    @property
    def pm_l_error(self) -> FloatArray: ...
    @property
    def pm_b_error(self) -> FloatArray: ...
    @property
    def pm_corr(self) -> FloatArray: ...


def shell(
    position: FloatArray, inner: float = 50.0, outer: float = 100.0
) -> NDArray[np.bool_]:
    """Returns which stars `[N]` the travel velocity is defined by: 50-100 kpc by default.

    With all stars beyond 50 kpc, the most distant tail of a halo decides the answer.

    Arguments:
        position: Galactocentric positions `[N, 3]` [kpc].
        inner: The smallest Galactocentric distance [kpc].
        outer: The largest, exclusive [kpc]; infinite for no limit.
    """
    squared = (np.asarray(position, dtype=float) ** 2).sum(axis=-1)
    return (squared >= inner**2) & (squared < outer**2)


def fit_error_free(position: FloatArray, velocity: FloatArray) -> Reflex:
    """Returns the maximum of the likelihood for stars without errors.

    Arguments:
        position: Galactocentric positions `[N, 3]` [kpc].
        velocity: Galactocentric velocities `[N, 3]` [km/s].

    Raises:
        ValueError: If there are fewer than ten stars, or a value is not finite.
    """
    position = np.asarray(position, dtype=float)
    velocity = np.asarray(velocity, dtype=float)
    _check(
        len(position), bool(np.isfinite(position).all() and np.isfinite(velocity).all())
    )
    towards = (position - frames.SUN_POSITION) @ frames.GALACTIC_TO_GALACTOCENTRIC
    axes = frames.axes(towards) @ frames.GALACTIC_TO_GALACTOCENTRIC.T
    design = axes @ _motions(position)
    observed = np.einsum("nij,nj->ni", axes, velocity)
    return _iterate(_normal_equations(design, observed), len(position))


def _check(count: int, finite: bool) -> None:
    if count < _FEWEST:
        raise ValueError(
            f"{count} stars with velocities for nine unknowns: give at least {_FEWEST}"
        )
    if not finite:
        raise ValueError(
            "positions and velocities must be finite: leave other stars out"
        )


def _motions(position: FloatArray) -> FloatArray:
    # Columns: the velocity of a star [N, 3, 6] for each of the six linear unknowns set
    # to 1 km/s.
    spherical = frames.axes(position)
    columns = np.empty((len(position), 3, 6))
    columns[:, :, :3] = -np.eye(3)
    columns[:, :, 3] = spherical[:, 0]
    columns[:, :, 4] = spherical[:, 1]
    columns[:, :, 5] = -spherical[:, 2]  # the polar angle grows where latitude falls
    return columns


def _normal_equations(
    design: FloatArray, observed: FloatArray
) -> tuple[FloatArray, ...]:
    # For each of the three axes of the sky: A^T A [3, 6, 6], A^T y [3, 6] and y^T y
    # [3].
    along = np.ascontiguousarray(design.transpose(1, 0, 2))
    matrix = along.transpose(0, 2, 1) @ along
    return (
        matrix,
        np.einsum("knj,nk->kj", along, observed),
        np.einsum("nk,nk->k", observed, observed),
    )


def _iterate(sums: tuple[FloatArray, ...], count: int) -> Reflex:
    # Each round maximises the likelihood over the motions, then over the dispersions.
    matrix, vector, square = sums
    variance = np.maximum(square / count, _COLDEST**2)
    previous = np.full(3, np.inf)
    while np.any(np.abs(variance - previous) > 1e-10 * variance):
        weighted = np.tensordot(1 / variance, matrix, axes=1), vector.T @ (1 / variance)
        motion = np.linalg.solve(*weighted)
        residual = (
            square
            - 2 * vector @ motion
            + np.einsum("kij,i,j->k", matrix, motion, motion)
        )
        previous = variance
        variance = np.maximum(residual / count, _COLDEST**2)
    return _reflex(motion, np.sqrt(variance))


def _reflex(motion: FloatArray, dispersion: FloatArray) -> Reflex:
    v_x, v_y, v_z, mean_v_r, mean_v_phi, mean_v_theta = motion.tolist()
    sigma_los, sigma_l, sigma_b = dispersion.tolist()
    return Reflex(
        v_x=v_x,
        v_y=v_y,
        v_z=v_z,
        mean_v_r=mean_v_r,
        mean_v_phi=mean_v_phi,
        mean_v_theta=mean_v_theta,
        sigma_los=sigma_los,
        sigma_l=sigma_l,
        sigma_b=sigma_b,
    )


def fit_reflex_motion(stars: MeasuredStars) -> Reflex:
    """Returns the maximum of the likelihood for stars with errors.

    The likelihood is that of Petersen & Penarrubia (2021), equations 6 and 8: the
    velocity along the line of sight is scattered by its error and the dispersion; the
    proper motion by a bivariate Gaussian of its errors, of the distance's error times
    the proper motion, and of the dispersions. Stars without proper motions count with
    their line of sight alone. The nine numbers' errors are left out: bootstrap the
    stars for them.

    Arguments:
        stars: N stars as measured; the errors may be 0, but not unknown.

    Raises:
        ValueError: If fewer than ten stars have proper motions, an error is unknown, or
            the search does not converge.
    """
    data = _measured(stars)

    def cost(logarithms: FloatArray) -> float:
        return _profile(data, np.exp(logarithms))[0]

    limits = [(float(np.log(_COLDEST)), float(np.log(1e4)))] * 3
    start = np.log(np.nanstd(data.observed, axis=0))
    found = optimize.minimize(cost, start, method="L-BFGS-B", bounds=limits, tol=1e-12)
    if not found.success:
        raise ValueError(
            f"the fit of {len(data.observed)} stars did not converge: {found.message}"
        )
    spread = np.exp(found.x)
    return _reflex(_profile(data, spread)[1], spread)


@dataclass(frozen=True)
class _Data:
    design: FloatArray  # [N, 3, 6]
    observed: (
        FloatArray  # [N, 3], rest-frame, along the sky's axes [km/s]; NaN if unknown
    )
    noise: FloatArray  # [N, 3, 3], covariance of their errors


def _measured(stars: MeasuredStars) -> _Data:
    outward, along_l, along_b = frames.solar_velocity(stars.l, stars.b)
    scale = frames.K * stars.distance
    velocities = (
        stars.v_los + outward,
        scale * stars.pm_l + along_l,
        scale * stars.pm_b + along_b,
    )
    observed = np.stack(velocities, axis=-1)
    noise = _noise(stars)
    known = np.isfinite(observed[:, 1] + observed[:, 2])
    # All three dispersions have to be found, so proper motions are what counts.
    _check(int(known.sum()), bool(np.isfinite(observed[:, 0]).all()))
    if not (np.isfinite(noise[known]).all() and np.isfinite(noise[:, 0, 0]).all()):
        raise ValueError(
            "some errors are unknown: leave these stars out, or set errors to 0"
        )
    towards = frames.direction(stars.l, stars.b)
    axes = frames.axes(towards) @ frames.GALACTIC_TO_GALACTOCENTRIC.T
    position = scale[:, None] / frames.K * axes[:, 0] + frames.SUN_POSITION
    return _Data(axes @ _motions(position), observed, noise)


def _noise(stars: MeasuredStars) -> FloatArray:
    # The distance's error moves the velocity across the sky in proportion to the proper
    # motion.
    scale = frames.K * stars.distance
    depth = frames.K * stars.distance_error
    noise = np.zeros((len(scale), 3, 3))
    noise[:, 0, 0] = stars.v_los_error**2
    noise[:, 1, 1] = (scale * stars.pm_l_error) ** 2 + (depth * stars.pm_l) ** 2
    noise[:, 2, 2] = (scale * stars.pm_b_error) ** 2 + (depth * stars.pm_b) ** 2
    noise[:, 1, 2] = noise[:, 2, 1] = (
        scale**2 * stars.pm_corr * stars.pm_l_error * stars.pm_b_error
    )
    return noise


def _profile(data: _Data, spread: FloatArray) -> tuple[float, FloatArray]:
    # Minus the log-likelihood and the motions that maximise it, for given dispersions.
    precision, log_volume = _precision(data, spread)
    observed = np.nan_to_num(data.observed)
    weighted = np.einsum("nij,njk->nik", precision, data.design)
    matrix = np.einsum("nij,nik->jk", data.design, weighted)
    motion = np.linalg.solve(matrix, np.einsum("nij,ni->j", weighted, observed))
    away = observed - data.design @ motion
    chi2 = np.einsum("ni,nij,nj->", away, precision, away)
    return 0.5 * float(chi2 + log_volume), motion


def _precision(data: _Data, spread: FloatArray) -> tuple[FloatArray, float]:
    total = data.noise + np.diag(spread**2)
    known = np.isfinite(data.observed[:, 1] + data.observed[:, 2])
    # Without a proper motion, nothing is known across the sky.
    total[~known] = np.diag([0.0, 1.0, 1.0])
    total[~known, 0, 0] = data.noise[~known, 0, 0] + spread[0] ** 2
    precision = np.linalg.inv(total)
    precision[~known, 1:, 1:] = 0.0
    return precision, float(np.linalg.slogdet(total)[1].sum())
