"""A check of the mock universe, and those against N-body hosts of the Milky Way's mass."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from halomass.cosmology import hubble
from halomass.hosts.options import THRESHOLD
from halomass.mock import tides
from halomass.mock.mock_universe import MockUniverse
from halomass.mock.populations import Population
from halomass.study import zoom_hosts
from halomass.study.mock_statistics import (
    hosts_of_mass,
    measured_anisotropy,
    satellites_of,
)
from halomass.systems import LOG_M_PEAK, RADIUS, FloatArray

# Aims that are not from a publication.
RECIPE = "recipe"
# What was measured in the zoom hosts can be asked of one mock: the one that loses
# satellites by their threshold. All that it has are resolved, as theirs are.
COMPARABLE = "ESMDPL/UM-SAGA"
# log10 of the mass [Msun] of the mock's hosts. That of the zoom hosts is the Milky Way's,
# and was not noted: at this one the mock has as many satellites within the virial radius
# as it was said to have at theirs, 393.
_LOG_MASS = 12.25
_RADIUS_TOLERANCE = 0.02
_SATELLITES_TOLERANCE = 30.0
_LOSS_TOLERANCE = 0.1
_RISE_TOLERANCE = 0.1
_INNER = 0.2  # [R_vir] of the innermost bin of anisotropy
_BRIGHTEST = 25


@dataclass(frozen=True)
class AcceptanceCheck:
    """One number of the mock, and the one that it must meet.

    Arguments:
        quantity: What it is.
        aim: The number to be met.
        tolerance: How far off it may be; NaN where the two are not the same thing.
        mock: The mock's number.
        source: Where the aim is from; `recipe` where it is a number of the mock's own
            recipe.

    Example:
        >>> AcceptanceCheck("slope", aim=0.29, tolerance=0.01, mock=0.31).verdict
        'MISS'
    """

    quantity: str
    aim: float
    tolerance: float
    mock: float
    source: str = RECIPE

    @property
    def verdict(self) -> str:
        """Whether the aim is met."""
        if np.isnan(self.tolerance):
            return "not comparable"
        return "met" if abs(self.mock - self.aim) <= self.tolerance else "MISS"


def checks_by_zoom_hosts(
    universe: MockUniverse, hosts: int, seed: int
) -> Iterator[AcceptanceCheck]:
    """Returns checks of satellites against `zoom_hosts`.

    They are comparable in the mock of a catalogue that resolves and loses satellites as
    those hosts do.

    Arguments:
        universe: The mock.
        hosts: How many hosts are drawn.
        seed: The root seed.
    """
    comparable = universe.catalogue == COMPARABLE
    around = hosts_of_mass(_LOG_MASS, hosts, seed)
    found = satellites_of(universe, around, seed, 10 ** (LOG_M_PEAK - _LOG_MASS))
    x = found.r / around.radius[found.host]
    for quantity, aim, tolerance, mock in (
        *_of_radii(found, x),
        *_of_numbers(found, hosts),
        *_of_motions(found, x, hosts),
    ):
        allowed = tolerance if comparable else np.nan
        yield AcceptanceCheck(quantity, aim, allowed, mock, zoom_hosts.ZOOM_HOSTS)
    yield AcceptanceCheck(
        "factor of the mass-loss rate",
        zoom_hosts.SURVIVORS_LOSS_RATE,
        _LOSS_TOLERANCE,
        tides.LOSS_RATE,
        zoom_hosts.ZOOM_HOSTS,
    )


_Row = tuple[str, float, float, float]


def _of_radii(found: Population, x: FloatArray) -> Iterator[_Row]:
    left = found.vmax / found.v_peak
    cuts = {
        "at infall": (0.0, zoom_hosts.RADII_BY_INFALL),
        "at the peak": (THRESHOLD, zoom_hosts.RADII_BY_PEAK),
    }
    for name, (threshold, aims) in cuts.items():
        inside = x[(x < 1) & (left > threshold)]
        for percentile, aim in zip(zoom_hosts.PERCENTILES, aims, strict=True):
            mock = float(np.percentile(inside, percentile))
            title = f"r/R_vir, {percentile} %, {THRESHOLD:g} of V_max {name} left"
            yield title, aim, _RADIUS_TOLERANCE, mock


def _of_numbers(found: Population, hosts: int) -> Iterator[_Row]:
    title = f"satellites above 1e{LOG_M_PEAK:g} Msun within {RADIUS:g} kpc"
    mock = np.count_nonzero(found.r < RADIUS) / hosts
    yield title, zoom_hosts.SATELLITE_COUNT, _SATELLITES_TOLERANCE, mock


def _of_motions(found: Population, x: FloatArray, hosts: int) -> Iterator[_Row]:
    far = found[(x > 0.8) & (x < 1)]
    outer = measured_anisotropy(far)
    inner = measured_anisotropy(found[x < _INNER])
    aim = zoom_hosts.ANISOTROPY
    error = zoom_hosts.ANISOTROPY_ERROR
    title = "anisotropy beta, 0.8-1 R_vir"
    yield title, aim, error, outer
    # simulations state velocities without the expansion of space, and the source of the
    # aim does not say which were measured
    peculiar = replace(far, v_r=far.v_r - hubble() * far.r)
    yield f"{title}, peculiar velocities", aim, error, measured_anisotropy(peculiar)
    title = f"its rise from within {_INNER:g} R_vir"
    yield title, aim - zoom_hosts.INNER_ANISOTROPY, _RISE_TOLERANCE, outer - inner
    yield (
        f"log <v^2 r>/M of the {_BRIGHTEST} brightest",
        zoom_hosts.DYNAMICAL_MASS,
        zoom_hosts.DYNAMICAL_MASS_SCATTER,
        _dynamical_mass(found, hosts),
    )


def _dynamical_mass(found: Population, hosts: int) -> float:
    """Returns the mean log10 <v^2 r>/M [km^2/s^2 kpc / Msun] of the brightest of each host."""
    near = found[found.r < RADIUS]
    near = near[np.lexsort((-near.log_m_star, near.host))]
    first = np.searchsorted(near.host, np.arange(hosts))
    brightest = near[np.arange(len(near.host)) - first[near.host] < _BRIGHTEST]
    squared = (brightest.v_r**2 + brightest.v_t**2) * brightest.r
    total = np.bincount(brightest.host, squared, hosts)
    mean = total / np.bincount(brightest.host, minlength=hosts)
    return float(np.log10(mean).mean() - _LOG_MASS)
