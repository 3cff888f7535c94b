"""Subhalos fall in, orbit and sink: where they are today.

A subhalo crosses the virial radius of its host with velocities that cosmological
simulations have measured, at a time given by the host's accretion history. It then
moves in the host's potential, which deepens as the host grows and keeps its shape, and
heavy subhalos feel dynamical friction. Halos that are not round and the pull of other
galaxies are left out.

Orbits are integrated in units of the host's scale radius r_s and of the velocity sqrt(G
M_s / r_s), with M_s = 4 pi rho_s r_s^3, in which all NFW halos are the same.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from halomass.mock import history, tides
from halomass.mock.structure import NFWHosts, enclosed_mass
from halomass.systems import FloatArray

# Li et al. (2020), arXiv:2008.05710: speed at infall in units of the host's circular
# velocity, and the scatter of its natural logarithm.
SPEED = 1.20
SPEED_SCATTER = 0.20

_STEP = 0.2  # of a local dynamical time
# The centre is rounded off: below a kpc in the Milky Way.
_SOFTENING = 0.03  # [scale radii]
_SINKS = 2e-3  # of the host's mass: lighter subhalos feel no friction worth following
_FINEST = 0.1  # [scale radii] closer in, time steps become no shorter
_COMPACT = 16  # steps between two looks for orbits that have arrived
_AT_ONCE = 8192  # orbits
_NEAREST = 1e-4  # [scale radii] closer pericentres are as good as none
_HALVINGS = 24  # after which a pericentre is known to 1e-6 of itself


def squared_sine(
    speed: FloatArray, ratio: FloatArray, height: FloatArray, uniform: FloatArray
) -> FloatArray:
    """Returns sin^2 of the angle between velocity and radius at infall.

    Li et al. (2020), arXiv:2008.05710: cos^2 is distributed as exp(eta cos^2).

    Arguments:
        speed: In units of the host's circular velocity, with shape `[K]`.
        ratio: Mass over the host's mass at that time, with shape `[K]`.
        height: The host's peak height at that time, with shape `[K]`.
        uniform: Random numbers between 0 and 1, with shape `[K]`.
    """
    power = ratio**0.43
    slope = 0.30 * height - 3.33 * power + 0.56 * height * power
    eta = 0.89 * np.exp(-0.5 * (np.log(speed / 1.04) / 0.20) ** 2)
    eta += slope * (speed + 1) - 1.44 + 9.60 * power
    # at eta = 0 the distribution is uniform, and its inverse below is 0 / 0
    eta = np.where(np.abs(eta) < 1e-6, 1e-6, eta)
    return np.clip(-np.log1p(uniform * np.expm1(-eta)) / eta, 0.0, 1.0)


def infall_speed(normal: FloatArray) -> FloatArray:
    """Returns speeds at infall, in units of the host's circular velocity then."""
    return SPEED * np.exp(SPEED_SCATTER * normal)


@dataclass(frozen=True)
class Infall:
    """How K subhalos crossed the virial radius of their hosts.

    Arguments:
        time: Since then [kpc/(km/s)], with shape `[K]`.
        depth: The host's potential at that time over today's at the same place.
        radius: Distance from the host [scale radii].
        v_r: Radial velocity, negative [scale velocities].
        v_t: Tangential velocity [scale velocities].

    Example:
        >>> ones = np.ones(1)
        >>> start = Infall(ones, ones, 10 * ones, -0.2 * ones, 0.3 * ones)
        >>> start.circular_velocity.round(2)  # sqrt(m(10) / 10) of an NFW halo
        array([0.39])
    """

    time: FloatArray
    depth: FloatArray
    radius: FloatArray
    v_r: FloatArray
    v_t: FloatArray

    def __getitem__(self, which: NDArray[np.int64]) -> "Infall":
        return Infall(
            time=self.time[which],
            depth=self.depth[which],
            radius=self.radius[which],
            v_r=self.v_r[which],
            v_t=self.v_t[which],
        )

    @property
    def circular_velocity(self) -> FloatArray:
        """The host's at that place and time [scale velocities]."""
        return np.sqrt(self.depth * enclosed_mass(self.radius) / self.radius)

    @property
    def pericentre(self) -> FloatArray:
        """The smallest distance of the orbit in the host of that time [scale radii]."""
        energy2 = self.v_r**2 + self.v_t**2 + self._potential2(self.radius)
        momentum = self.radius * self.v_t
        low = np.full_like(self.radius, np.log(_NEAREST))
        high = np.log(self.radius)
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            radius = np.exp(middle)
            # the squared radial velocity, which is negative within the pericentre
            beyond = energy2 - self._potential2(radius) > (momentum / radius) ** 2
            low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
        return np.exp(high)

    def _potential2(self, radius: FloatArray) -> FloatArray:
        """Returns twice the host's potential, zero far away [squared scale velocities]."""
        return -2.0 * self.depth * np.log1p(radius) / radius


def infall(
    hosts: NFWHosts,
    mass_fraction: FloatArray,
    ratio: FloatArray,
    normal: FloatArray,
    uniform: FloatArray,
) -> Infall:
    """Returns how subhalos crossed the virial radius.

    Arguments:
        hosts: The host of each of K subhalos.
        mass_fraction: The host's mass at that time over today's, with shape `[K]`.
        ratio: The subhalo's mass over the host's of today, with shape `[K]`.
        normal: Standard normal draws, with shape `[K]`.
        uniform: Random numbers between 0 and 1, with shape `[K]`.
    """
    redshift = history.infall_redshift(mass_fraction, hosts.concentration)
    radius = history.past_radius(mass_fraction, hosts.concentration, redshift)
    depth = mass_fraction * enclosed_mass(hosts.concentration) / enclosed_mass(radius)
    speed = infall_speed(normal)
    height = history.peak_height(hosts.log_mass + np.log10(mass_fraction), redshift)
    sine2 = squared_sine(speed, ratio / mass_fraction, height, uniform)
    velocity = speed * np.sqrt(depth * enclosed_mass(radius) / radius)
    v_r = -velocity * np.sqrt(1 - sine2)
    v_t = velocity * np.sqrt(sine2)
    return Infall(history.lookback_time(redshift), depth, radius, v_r, v_t)


# --- orbits ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class PhaseSpacePositions:
    """Where K subhalos are today, seen from their hosts.

    Arguments:
        r: Distance [kpc], with shape `[K]`.
        v_r: Radial velocity [km/s].
        v_t: Tangential velocity [km/s].

    Example:
        >>> one = PhaseSpacePositions(np.array([50.0]), np.array([-80.0]), np.array([60.0]))
        >>> float(np.hypot(one.v_r, one.v_t)[0])  # its speed [km/s]
        100.0
    """

    r: FloatArray
    v_r: FloatArray
    v_t: FloatArray


def present_positions(
    hosts: NFWHosts, start: Infall, ratio: FloatArray, bound: FloatArray
) -> PhaseSpacePositions:
    """Returns where subhalos are today.

    Arguments:
        hosts: The host of each of K subhalos.
        start: How they fell in.
        ratio: Their mass at infall over the host's of today, with shape `[K]`.
        bound: The fraction of it that is still bound today, with shape `[K]`.
    """
    state = np.stack([start.radius, np.zeros_like(start.radius), start.v_r, start.v_t])
    time = start.time * hosts.scale_velocity / hosts.scale_radius
    heavy = ratio > _SINKS
    # light ones, the most there are, skip the friction, which costs more than gravity
    for which in (np.flatnonzero(heavy), np.flatnonzero(~heavy)):
        drag = _drag(hosts[which], ratio[which], bound[which], time[which])
        braked = drag if which.size and heavy[which[0]] else None
        state[:, which] = orbit(
            state[:, which], time[which], start.depth[which], braked
        )
    return _in_physical_units(hosts, state)


def _drag(
    hosts: NFWHosts, ratio: FloatArray, bound: FloatArray, time: FloatArray
) -> "Drag":
    host = hosts.mass / hosts.scale_mass
    # dynamical times have become longer: to let them pass evenly is close enough
    spent = (bound**-tides.LOSS_POWER - 1) / np.maximum(time, 1e-9)
    return Drag(ratio * host, host, spent)


def _in_physical_units(hosts: NFWHosts, state: FloatArray) -> PhaseSpacePositions:
    x, y, v_x, v_y = state
    r = np.hypot(x, y)
    unit = hosts.scale_velocity
    v_r = (x * v_x + y * v_y) / r
    v_t = np.abs(x * v_y - y * v_x) / r
    return PhaseSpacePositions(r * hosts.scale_radius, v_r * unit, v_t * unit)


@dataclass(frozen=True)
class Drag:
    """What dynamical friction needs to know of K subhalos.

    Arguments:
        mass: At infall, in units of M_s, with shape `[K]`.
        host: The host's virial mass in units of M_s, with shape `[K]`.
        loss: How fast (m/m_0)^-0.07 grows, over the time unit of the orbits, with shape
            `[K]`.

    Example:
        >>> drag = Drag(np.array([0.05]), np.array([1.5]), np.array([0.0]))
        >>> near, far = (drag.rate(np.array([r]), np.array([0.4]), 0.0) for r in (1, 5))
        >>> bool(near > far)
        True
    """

    mass: FloatArray
    host: FloatArray
    loss: FloatArray

    def __getitem__(self, which: NDArray[np.int64]) -> "Drag":
        return Drag(self.mass[which], self.host[which], self.loss[which])

    def rate(
        self, radius: FloatArray, speed: FloatArray, elapsed: FloatArray
    ) -> FloatArray:
        """Returns the rate at which friction brakes: Chandrasekhar (1943), doi:10.1086/144517.

        Arguments:
            radius: [scale radii], with shape `[K]`.
            speed: [scale velocities], with shape `[K]`.
            elapsed: Since infall, with shape `[K]`.
        """
        mass = self.mass * (1 + self.loss * elapsed) ** (-1 / tides.LOSS_POWER)
        x = speed / (np.sqrt(2) * dark_matter_dispersion(radius))
        # only dark matter that is slower than the subhalo brakes it
        slower = special.erf(x) - 2 * x / np.sqrt(np.pi) * np.exp(-(x**2))
        density = 1 / (radius * (1 + radius) ** 2)  # 4 pi rho
        return mass * np.log1p(self.host / mass) * density * slower / speed**3


def dark_matter_dispersion(x: FloatArray) -> FloatArray:
    """Returns the dark matter's velocity dispersion [scale velocities] at x scale radii.

    Zentner & Bullock (2003), doi:10.1086/378797, their equation 6, isotropic.
    """
    return 0.465 * 1.4393 * x**0.354 / (1 + 1.1756 * x**0.725)


def orbit(
    start: FloatArray,
    duration: FloatArray,
    depth: FloatArray,
    drag: Drag | None = None,
    step: float = _STEP,
) -> FloatArray:
    """Returns positions and velocities in the orbits' planes after their durations, `[4, K]`.

    Leapfrog, each orbit with its own time steps: a fraction of the local dynamical time.

    Arguments:
        start: x, y [scale radii], v_x and v_y [scale velocities], with shape `[4, K]`.
        duration: [scale radii / scale velocities], with shape `[K]`.
        depth: The host's potential at the start over that at the end, with shape `[K]`;
            it deepens evenly in between.
        drag: Of the subhalos; none when None.
        step: The time steps, as a fraction of the local dynamical time.
    """
    end = np.array(start)
    waiting = np.flatnonzero(duration > 0)
    clock = np.stack([np.zeros_like(duration), duration, depth])
    which = waiting[:0]
    while len(which) or len(waiting):
        # few enough at a time for the processor's cache, and never only the slowest
        more = _AT_ONCE - len(which)
        which = np.concatenate([which, waiting[:more]])
        waiting = waiting[more:]
        # `end[:, which]` would lie in memory orbit by orbit, which all that follows pays for
        state = end.take(which, axis=1)
        time = clock.take(which, axis=1)
        braked = drag[which] if drag is not None else None
        for _ in range(_COMPACT):
            _leap(state, time, braked, step)
        end[:, which] = state
        clock[:, which] = time
        on = time[0] < time[1]
        if braked is not None:
            on &= np.hypot(state[0], state[1]) > _SOFTENING  # merged with the host
        which = which[on]
    return end


def _leap(state: FloatArray, clock: FloatArray, drag: Drag | None, step: float) -> None:
    """Carries orbits by one step: half a drift, a kick and half a drift, in place."""
    velocity = state[2:]
    place = state[: len(velocity)]
    elapsed, duration, depth = clock
    time = np.minimum(_time_step(state, step), duration - elapsed)
    half = 0.5 * time
    place += half * velocity
    # softened, or a plunge through the centre would throw the subhalo out again
    radius2 = _squared_length(place) + _SOFTENING**2
    radius = np.sqrt(radius2)
    outer = 1 + radius
    deep = depth + (1 - depth) * (elapsed + half) / duration
    kick = time * deep * (np.log(outer) - radius / outer) / (radius2 * radius)
    velocity -= kick * place
    if drag is not None:
        speed = np.sqrt(_squared_length(velocity)) + 1e-6
        # an exponential never reverses a velocity, however long the step
        velocity *= np.exp(-np.minimum(time * drag.rate(radius, speed, elapsed), 1.0))
    place += half * velocity
    elapsed += time


def _squared_length(vectors: FloatArray) -> FloatArray:
    x, y = vectors * vectors
    return x + y


def _time_step(state: FloatArray, step: float) -> FloatArray:
    # both at once: of the last orbits of many, calls take longer than arithmetic
    x2, y2, v_x2, v_y2 = state * state
    radius2 = x2 + y2 + _FINEST**2
    radius = np.sqrt(radius2)
    outer = 1 + radius
    # 1 / [2 r (1 + r)^2] lies close enough to G M / r^3
    return step / np.sqrt((v_x2 + v_y2) / radius2 + 0.5 / (radius * (outer * outer)))
