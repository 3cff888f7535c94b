"""Numbers that some halos may have, and no simulation gives to many of them.

What is missing is written as zero or as a number like -999; a mass in other units, or its
logarithm, looks like a small mass. One such halo says nothing, a share of them does.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orrery.tables.repeated_values import repeated_values

_PLACES = ("x", "y", "z")
_VELOCITIES = ("vx", "vy", "vz")
# Where a file has no such column it is 0 for all: of some it means that they cannot be cut.
_PAST = {
    "v_infall": "have a circular velocity at infall or peak mass of 0",
    "v_peak": "have a largest circular velocity of 0",
}
_MOST = 0.05  # of the halos
# Of today's: circular velocities of halos that lost nine tenths of their mass fall by two,
# and those before a merger were not smaller by three.
_PAST_TURNS = {"v_infall": (1 / 3, 5.0), "v_peak": (0.95, 5.0)}
_PAST_CALLED = {
    "v_infall": "a circular velocity at infall or peak mass",
    "v_peak": "a largest circular velocity in their past",
}
# [dex] above the largest mass of today by which no halo's past is, but for few that are lost.
_LOST_MASS = 0.5
_MOST_LOST = 0.001  # of the halos
_MASSES = np.linspace(0.0, 20.0, 201)  # [dex]
_ABOVE_PEAK = 0.05  # [dex] by which rounding may raise a mass above its peak
# log10 of 16: of stellar masses in Msun none of a galaxy is smaller, of their logarithms none
# is larger.
_LARGEST_LOGARITHM = 1.2
# Of a halo's largest mass: baryons are 0.16 of all matter (Planck 2018 VI,
# doi:10.1051/0004-6361/201833910), and stars a fifth of these at most.
_MOST_STARS = 0.2
_MOST_STARRY = 0.2  # of the halos with stars: by scatter few have as many
_TIMES = 5.0  # as often as places or velocities around it
_SLOWEST = 3.0  # [km/s] of the fastest halo: those of no box all move slower
_FEWEST = 20  # halos that tell
LEAST = {"m": 1.0, "v": 1e-3}  # [Msun/h, km/s] of no halo is less; it stands for none


@dataclass
class UnlikelyNumbers:
    """Counts the halos of a catalogue with unlikely numbers, chunk after chunk.

    Arguments:
        file: Its name, for messages.

    Example:
        >>> counts = UnlikelyNumbers("a.bin")
        >>> column = np.linspace(1.0, 9.0, 40)
        >>> names = ("log_m_vir", "log_m_peak", "log_m_star", *"xyz", "vx", "vy", "vz")
        >>> counts.add({**dict.fromkeys(names, column), "vmax": 0 * column})
        >>> counts.check()
        Traceback (most recent call last):
        ValueError: a.bin: 40 of its 40 halos have a circular velocity of 0: such columns are \
damaged, or not filled; fetch the file again
    """

    file: str
    halos: int = 0
    fastest: float = 0.0
    largest_log_m_star: float = 0.0
    with_stars: int = 0
    starry: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    largest_log_m_vir: float = 0.0
    ends: dict[str, tuple[float, float]] = field(default_factory=dict)
    peaks: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros(len(_MASSES) - 1, np.int64)
    )

    def add(self, columns: dict[str, NDArray[Any]]) -> None:
        """Counts the halos of a chunk.

        Arguments:
            columns: Of those that are kept, each `[N]`.

        Raises:
            ValueError: If many have one place or velocity on an axis.
        """
        self.halos += len(columns["vmax"])
        for name in (*_PLACES, *_VELOCITIES):
            self._check_repeated(name, columns[name])
        for name in _VELOCITIES:
            fastest = float(np.abs(columns[name]).max(initial=0.0))
            self.fastest = max(self.fastest, fastest)
        still = np.all([columns[name] == 0 for name in _VELOCITIES], axis=0)
        self._count("have no velocity: vx, vy and vz are 0", still)
        self._count("have a circular velocity of 0", columns["vmax"] == 0)
        for name, what in _PAST.items():
            if name in columns:
                self._count(what, columns[name] == 0)
        self._add_past(columns)
        for name in ("vmax", "log_m_vir", "log_m_peak"):
            least, most = self.ends.get(name, (np.inf, -np.inf))
            self.ends[name] = (
                min(least, float(columns[name].min(initial=np.inf))),
                max(most, float(columns[name].max(initial=-np.inf))),
            )
        risen = columns["log_m_vir"] > columns["log_m_peak"] + _ABOVE_PEAK
        self._count("have more than the largest mass in their past", risen)
        stars = columns["log_m_star"]
        many = columns["log_m_peak"] + np.log10(_MOST_STARS)
        self.with_stars += int(np.count_nonzero(stars > 0))
        self.starry += int(np.count_nonzero((stars > 0) & (stars > many)))
        largest = stars.max(initial=0.0)
        self.largest_log_m_star = max(self.largest_log_m_star, float(largest))

    def _add_past(self, columns: dict[str, NDArray[Any]]) -> None:
        for name, (least, most) in _PAST_TURNS.items():
            if name not in columns:
                continue
            known = (columns[name] > 0) & (columns["vmax"] > 0)
            turns = columns[name] / np.where(known, columns["vmax"], 1.0)
            other = known & ((turns < least) | (turns > most))
            self._count(
                f"have {_PAST_CALLED[name]} below {least:.2g} or above {most:g} of today's",
                other,
            )
        largest = float(columns["log_m_vir"].max(initial=0.0))
        self.largest_log_m_vir = max(self.largest_log_m_vir, largest)
        self.peaks += np.histogram(columns["log_m_peak"], _MASSES)[0]

    def _check_peaks(self) -> None:
        beyond = _MASSES[:-1] > self.largest_log_m_vir + _LOST_MASS
        count = int(self.peaks[beyond].sum())
        if count > max(1, _MOST_LOST * self.halos) and self.largest_log_m_vir > 0:
            raise ValueError(
                f"{self.file}: the peak masses (mp) of {count} of its {self.halos} halos are more "
                f"than {10**_LOST_MASS:.2g} times the largest mass (m) of any, "
                f"10^{self.largest_log_m_vir:.4g} Msun: such columns are damaged, or in another "
                "unit; fetch the file again"
            )

    def _check_not_one(self) -> None:
        for name, (least, most) in self.ends.items():
            if self.halos >= _FEWEST and least == most:
                raise ValueError(
                    f"{self.file}: {name} is {least:.6g} in all of its {self.halos} halos: the "
                    "number stands for none; fetch a file with this column, or fill it"
                )

    def _count(self, what: str, halos: NDArray[np.bool_]) -> None:
        self.counts[what] = self.counts.get(what, 0) + int(np.count_nonzero(halos))

    def _check_repeated(self, name: str, values: NDArray[Any]) -> None:
        for one in repeated_values(values.astype(np.float64)):
            if one.times >= _TIMES:
                # of places it is the one that was brought into the box
                inside = " in the box" if name in _PLACES else ""
                raise ValueError(
                    f"{self.file}: {name}{inside} is {one.value:g} for {one.rows} of {one.of} "
                    "halos, which are not so many by chance: the number stands for none; leave "
                    "these halos out, or fetch the file again"
                )

    def check(self) -> None:
        """Refuses a catalogue with too many unlikely numbers.

        Raises:
            ValueError: If it has; it says which.
        """
        for what, count in self.counts.items():
            absent = what in _PAST.values() and count == self.halos
            if count > _MOST * self.halos and not absent:
                raise ValueError(
                    f"{self.file}: {count} of its {self.halos} halos {what}: such columns "
                    "are damaged, or not filled; fetch the file again"
                )
        self._check_not_one()
        self._check_peaks()
        if self.halos >= _FEWEST and 0 < self.fastest < _SLOWEST:
            raise ValueError(
                f"{self.file}: no halo moves with more than {self.fastest:.3g} km/s along an "
                "axis: these are in another unit; convert them to km/s"
            )
        if self.with_stars >= _FEWEST and self.starry > _MOST_STARRY * self.with_stars:
            raise ValueError(
                f"{self.file}: stellar masses (sm) of {self.starry} of its {self.with_stars} halos "
                f"with stars are more than {_MOST_STARS:g} of their peak masses (mp), and baryons "
                "are 0.16 of all matter: columns were exchanged, or have another unit; write halo "
                "masses as m and mp, and stellar masses in Msun as sm"
            )
        if 0 < self.largest_log_m_star < _LARGEST_LOGARITHM:
            raise ValueError(
                f"{self.file}: the largest stellar mass is {10**self.largest_log_m_star:.3g} "
                "Msun: these are logarithms; write the masses themselves"
            )
