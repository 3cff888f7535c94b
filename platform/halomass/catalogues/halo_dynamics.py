"""Whether halos lie and move where their hosts do, and turn and shine as their masses say.

A subhalo is one because it lies in the virial radius of its host, and moves in its
potential: at about its virial velocity, and at most at 1.8 of it at the virial radius of a
halo of a concentration of 10. The largest circular velocity of a halo is never less than
that at its virial radius, and 1.6 of it at a concentration of 30 (Navarro, Frenk & White
1997, doi:10.1086/304888). Stellar masses grow with the largest masses that halos had, with
a scatter of 0.2 to 0.3 dex (Behroozi et al. 2019, doi:10.1093/mnras/stz1182). So columns
whose rows were exchanged, or that have another unit, contradict the others.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from halomass.catalogues.host_sample import HostSample, differences
from halomass.cosmology import G
from halomass.systems import FloatArray
from halomass.universe import MULTIDARK, Universe

_FEWEST_PAIRS = 20  # subhalos with their hosts, that say anything of places
_FAR = 4.0  # [virial radii] of the host: no subhalo is, of a splashback one 2
_MOST_FAR = 0.1  # of the subhalos: remnants that drift, and linked groups of halos
_FEWEST_ORBITS, _FEWEST_HOSTS = 50, 20
# [virial velocities] between which the median of relative velocities is: of subhalos it is
# 1.1, along an axis 0.5.
_SPEEDS = (0.4, 2.0)
_SPEEDS_ALONG = (0.12, 1.2)
# [virial velocities] between which the median of the largest circular velocities of hosts is.
_TURNS = (0.7, 1.75)
_SLOWEST_TURN = 0.93  # of hosts with enough particles to have a maximum
_ENOUGH = 1.0  # [dex] above the smallest
_SMALLEST = 5.0  # [%] of the hosts are the smallest
_FEWEST_SPREAD = 0.3  # [dex] of masses, with which circular velocities grow
_CORRELATED = 0.3  # of hosts at least: with a scatter of 0.06 dex it is 0.86
_GALAXIES = 11.5  # [dex(solMass)] of peak masses: all of these hosts have many stars
_FEWEST_STARS = -5.0  # [dex] of the peak mass, in the median; of such hosts it is -1.7
_CALLED = {"log_m_vir": "masses (m)", "log_m_peak": "peak masses (mp)"}
_CALLED |= {"vmax": "largest circular velocities (v)"}
_REMEDY = "fetch the file again, or use the catalogue as it was released"


@dataclass(frozen=True)
class HaloDynamics:
    """Holds places and velocities of halos against their masses.

    Arguments:
        file: The catalogue's name, for messages.
        box: The side of the periodic box [comoving Mpc/h].
        scale: The scale factor.
        universe: The simulation's cosmology.

    Example:
        >>> names = ("vx", "vy", "vz", "log_m_peak", "log_m_star", "vmax")
        >>> columns = {"id": np.arange(40), "upid": np.repeat([-1, 3], [20, 20])}
        >>> columns |= dict.fromkeys(names, np.ones(40))
        >>> columns |= {"log_m_vir": np.full(40, 12.0), **dict.fromkeys("xyz", np.arange(40.0))}
        >>> sample = HostSample(room=1 << 20)
        >>> sample.add(columns)
        >>> HaloDynamics("a.bin", 64.0).check_places(sample)
        Traceback (most recent call last):
        ValueError: a.bin: 20 of 20 subhalos lie further than 4 virial radii from their hosts \
(upid), half of them than 257: x, y and z, or upid, are not of these rows; fetch the file \
again, or use the catalogue as it was released
    """

    file: str
    box: float
    scale: float = 1.0
    universe: Universe = MULTIDARK

    def check(self, sample: HostSample) -> None:
        """Refuses places, velocities and stars that contradict masses.

        Raises:
            ValueError: If those of many halos do; it says which columns.
        """
        self.check_places(sample)
        self.check_velocities(sample)
        self.check_circular_velocities(sample)
        self.check_stars(sample)

    def check_places(self, sample: HostSample) -> None:
        """Refuses subhalos that lie far from their hosts.

        Raises:
            ValueError: If many do.
        """
        subhalos, hosts = sample.pairs()
        apart = differences(("x", "y", "z"), subhalos, hosts)
        apart -= self.box * np.round(apart / self.box)
        # [comoving Mpc/h]
        radius = 1e-3 * self._radius(hosts) / self.scale * self.universe.hubble
        distance = np.linalg.norm(apart, axis=1) / radius
        far = int(np.count_nonzero(distance > _FAR))
        if len(hosts) >= _FEWEST_PAIRS and far > _MOST_FAR * len(hosts):
            raise ValueError(
                f"{self.file}: {far} of {len(hosts)} subhalos lie further than {_FAR:g} virial "
                f"radii from their hosts (upid), half of them than "
                f"{np.median(distance[distance > _FAR]):.3g}: x, y and z, or upid, are not of "
                f"these rows; {_REMEDY}"
            )

    def check_velocities(self, sample: HostSample) -> None:
        """Refuses subhalos that move past their hosts far faster or slower than on orbits.

        Raises:
            ValueError: If half of them do.
        """
        subhalos, hosts = sample.pairs()
        if len(hosts) < _FEWEST_ORBITS or len(np.unique(hosts["host"])) < _FEWEST_HOSTS:
            return
        names = ("vx", "vy", "vz")
        speeds = (
            np.abs(differences(names, subhalos, hosts)) / self._velocity(hosts)[:, None]
        )
        found = [("vx, vy, vz", np.linalg.norm(speeds, axis=1), _SPEEDS)]
        found += [(name, speeds[:, i], _SPEEDS_ALONG) for i, name in enumerate(names)]
        for name, speed, (least, most) in found:
            median = float(np.median(speed))
            if not least <= median <= most:
                raise ValueError(
                    f"{self.file}: {name} of {len(hosts)} subhalos differ from those of their "
                    f"hosts (upid) by {median:.3g} virial velocities in the median, not between "
                    f"{least:g} and {most:g}: they are not of these rows, or not in km/s; {_REMEDY}"
                )

    def check_circular_velocities(self, sample: HostSample) -> None:
        """Refuses largest circular velocities that are not those of hosts of these masses.

        Raises:
            ValueError: If half of them are not, they do not grow with mass, or they or
                the masses are one number.
        """
        hosts = sample.hosts()
        hosts = hosts[hosts["vmax"] > 0]
        if len(hosts) < _FEWEST_ORBITS:
            return
        for name, called in _CALLED.items():
            self._check_varies(called, hosts[name])
        turns = hosts["vmax"] / self._velocity(hosts)
        mass = hosts["log_m_vir"].astype(np.float64)
        self._check_turns(turns, _TURNS[0])
        self._check_growth(_CALLED["vmax"], mass, np.log10(hosts["vmax"]))
        large = mass > np.percentile(mass, _SMALLEST) + _ENOUGH
        if np.count_nonzero(large) >= _FEWEST_HOSTS:
            self._check_turns(turns[large], _SLOWEST_TURN)

    def check_stars(self, sample: HostSample) -> None:
        """Refuses stellar masses that are not those of hosts of these peak masses.

        A catalogue without stars has none to check.

        Raises:
            ValueError: If they are one number, do not grow with the peak masses, or are
                far too small for them.
        """
        hosts = sample.hosts()
        mass, stars = (
            hosts[name].astype(np.float64) for name in ("log_m_peak", "log_m_star")
        )
        known = stars > 0
        if np.count_nonzero(known) >= _FEWEST_ORBITS:
            self._check_varies("stellar masses (sm)", stars[known])
            self._check_growth("stellar masses (sm)", mass[known], stars[known])
        large = mass > _GALAXIES
        if not known.any() or np.count_nonzero(large) < _FEWEST_HOSTS:
            return
        share = float(np.median((stars - mass)[large]))
        if share < _FEWEST_STARS:
            raise ValueError(
                f"{self.file}: the stellar masses (sm) of half of the {large.sum()} hosts above "
                f"10^{_GALAXIES:g} Msun are below 10^{share:.3g} of their peak masses (mp): sm is "
                f"in another unit, or not filled; write it in Msun, or {_REMEDY}"
            )

    def _check_varies(self, called: str, values: NDArray[Any]) -> None:
        if np.ptp(values) == 0:
            raise ValueError(
                f"{self.file}: the {called} of all {len(values)} hosts are one number: the column "
                f"is not filled; {_REMEDY}"
            )

    def _check_growth(self, called: str, mass: FloatArray, values: FloatArray) -> None:
        if mass.std() < _FEWEST_SPREAD:
            return
        correlation = float(np.corrcoef(mass, values)[0, 1])
        if correlation < _CORRELATED:
            raise ValueError(
                f"{self.file}: the {called} of {len(mass)} hosts do not grow with their masses, "
                f"the correlation of both is {correlation:.2f}: they are not of these rows; "
                f"{_REMEDY}"
            )

    def _check_turns(self, turns: FloatArray, least: float) -> None:
        median = float(np.median(turns))
        if not least <= median <= _TURNS[1]:
            raise ValueError(
                f"{self.file}: the largest circular velocities (v) of {len(turns)} hosts are "
                f"{median:.3g} of those at their virial radii in the median, not between {least:g} "
                f"and {_TURNS[1]:g}: v is not in km/s, or m not in its unit (Msun/h in all forms "
                f"but the UniverseMachine's text, which has Msun); {_REMEDY}"
            )

    def _radius(self, hosts: NDArray[Any]) -> FloatArray:
        mass = hosts["log_m_vir"].astype(np.float64)
        return self.universe.virial_radius(mass, self.scale)

    def _velocity(self, hosts: NDArray[Any]) -> FloatArray:
        """Returns the circular velocities [km/s] at their virial radii."""
        mass = 10.0 ** hosts["log_m_vir"].astype(np.float64)
        return np.sqrt(G * mass / self._radius(hosts))
