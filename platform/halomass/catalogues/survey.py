"""What only a whole catalogue tells: halos that are there twice, hosts and parts that are not.

Two halos never have one velocity and one mass to the last digit, and two hosts never lie
within each other, whatever their identities are and however little one copy was moved.
Every subhalo's host is in the file. A chunk knows nothing of the others, so all of them
are looked at once before anything is made of them.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from halomass.catalogues.belonging import Belonging
from halomass.catalogues.box_edges import BoxEdges
from halomass.catalogues.chunks import ChunkHalos
from halomass.catalogues.completeness import HostCounts
from halomass.catalogues.halo_dynamics import HaloDynamics
from halomass.catalogues.halo_units import HaloUnits
from halomass.catalogues.host_sample import HostSample
from halomass.catalogues.repetition import NumberRegister, ReferenceRegister
from halomass.catalogues.unlikely_numbers import UnlikelyNumbers
from halomass.systems import FloatArray
from halomass.universe import MULTIDARK, Universe

_AXES = ("x", "y", "z")
_MOTION = ("vx", "vy", "vz", "log_m_peak")
_FILLED = 0.9  # of the box's side: the least that many halos reach
_MANY = 1000  # halos
_ROOM = 1e6 / 16  # [bytes] of each MB, for half of the four registers and of the sample
# [Mpc/h] of a cell in which no two heavy hosts are, whose virial radius is larger than its
# diagonal.
_CELL = 0.02
_HEAVY = 10.0  # log10 of the virial mass [Msun]
_MOST_TWINS = 0.02  # of these hosts: pairs that a halo finder has missed
_MULTIPLIER = np.uint64(0xBF58476D1CE4E5B9)  # of splitmix64
_MIXED = np.uint64(29)


@dataclass
class HaloSurvey:
    """Looks at all halos of a catalogue, chunk after chunk.

    Arguments:
        file: Its name.
        box: The side of the periodic box [comoving Mpc/h].
        memory: The most memory [MB] that reading may take: this takes an eighth of it.
        scale: The scale factor.
        universe: The simulation's cosmology.
        masses: The unit of masses in the file: `Msun/h` or `Msun`.

    Example:
        >>> names = ("x", "y", "z", "vx", "vy", "vz", "log_m_vir", "log_m_peak", "log_m_star")
        >>> columns = {name: np.ones(2) for name in (*names, "vmax")}
        >>> identities = {"id": np.array([7, 7]), "upid": np.array([-1, -1])}
        >>> with HaloSurvey("a.bin", box=64.0, memory=256.0) as survey:
        ...     survey.add(ChunkHalos(2, {**columns, **identities}))
        ...     survey.check_repetition()
        Traceback (most recent call last):
        ValueError: a.bin: 1 of its 2 halos are there more than once, such as the one with id \
7, 2 times: leave each in once, or fetch the file again
    """

    file: str
    box: float
    memory: float
    scale: float = 1.0
    universe: Universe = MULTIDARK
    masses: str = "Msun/h"
    rows: int = 0
    kept: int = 0
    heavy: int = 0
    reach: float = 0.0

    def __post_init__(self) -> None:
        half = int(_ROOM * self.memory)
        sample = half // 8
        room = (2 * half - sample) // 4
        self._open = ExitStack()
        self._hosts = HostCounts(self.box)
        self._edges = BoxEdges(self.file, self.box)
        self._sample = HostSample(sample)
        self._dynamics = HaloDynamics(self.file, self.box, self.scale, self.universe)
        self._numbers = UnlikelyNumbers(self.file)
        self._units = HaloUnits(self.file, self.scale, self.universe, self.masses)
        self._identities = self._open.enter_context(NumberRegister(room))
        self._motions = self._open.enter_context(NumberRegister(room))
        self._cells = self._open.enter_context(NumberRegister(room))
        self._belonging = Belonging(
            self.file, self.box, self._open.enter_context(ReferenceRegister(room))
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def add(self, part: ChunkHalos) -> None:
        """Looks at the halos of a chunk."""
        columns = part.columns
        self.rows += part.rows
        self.kept += len(columns["id"])
        self.reach = max(
            self.reach, *(columns[name].max(initial=0.0) for name in _AXES)
        )
        self._identities.add(columns["id"], columns["id"])
        self._motions.add(_digits(columns), columns["id"])
        self._numbers.add(columns)
        # of lists that do not say which halos lie in others, all are counted
        host = columns["upid"] < 0
        place = np.stack([columns[name] for name in _AXES], axis=1)
        self._hosts.add(place[host])
        self._edges.add(place[host], part.beyond)
        self._sample.add(columns)
        radius = part.radius if len(part.radius) else np.zeros(len(host))
        masses = (columns["log_m_vir"][host], columns["log_m_peak"][host])
        self._units.add(*masses, radius[host])
        heavy = host & (columns["log_m_vir"] > _HEAVY)
        self.heavy += int(np.count_nonzero(heavy))
        self._cells.add(self._cell(place[heavy]), columns["id"][heavy])
        self._belonging.add(part)

    def _cell(self, place: FloatArray) -> NDArray[np.int64]:
        """Returns the number of the cell that each place `[N, 3]` [Mpc/h] is in."""
        side = int(np.ceil(self.box / _CELL))
        cells = np.minimum((place * (side / self.box)).astype(np.int64), side - 1)
        return np.asarray((cells[:, 0] * side + cells[:, 1]) * side + cells[:, 2])

    def check_mass(self, log_m_peak: float) -> None:
        """Refuses a catalogue of which nothing is kept.

        Raises:
            ValueError: If no halo has a larger log10 of the peak mass [Msun].
        """
        if not self.kept:
            raise ValueError(
                f"{self.file}: none of its {self.rows} halos has a peak mass above "
                f"10^{log_m_peak:g} Msun: lower log_m_peak, or choose another kind"
            )

    def check_repetition(self) -> None:
        """Refuses halos that are there twice, by identity, by velocity and mass, or by place.

        Raises:
            ValueError: If there are any; it names one of them.
        """
        again = self._identities.repeated()
        if again is not None:
            raise ValueError(
                f"{self.file}: {again.count} of its {self.kept} halos are there more than once, "
                f"such as the one with id {again.labels[0]}, {again.times} times: leave each in "
                "once, or fetch the file again"
            )
        again = self._motions.repeated()
        if again is not None:
            raise ValueError(
                f"{self.file}: {again.count} of its {self.kept} halos are there more than once, "
                f"with other identities: those with id {again.labels[0]} and {again.labels[1]} "
                "have the same velocity and peak mass, to the last digit; leave each in once, or "
                "fetch the file again"
            )
        again = self._cells.repeated()
        if again is not None and again.count > _MOST_TWINS * self.heavy:
            raise ValueError(
                f"{self.file}: {again.count} of its {self.heavy} hosts above 10^{_HEAVY:g} Msun "
                f"lie within {1e3 * _CELL:g} kpc/h of another one, such as those with id "
                f"{again.labels[0]} and {again.labels[1]}, of which one would be in the other: "
                "leave each halo in once, or fetch the file again"
            )

    def check_numbers(self) -> None:
        """Refuses numbers that the halos of no simulation have, and those in other units.

        Raises:
            ValueError: If too many halos have them.
        """
        self._units.check()
        self._numbers.check()
        self._dynamics.check(self._sample)

    def check_hosts(self) -> None:
        """Refuses subhalos without their hosts, and large hosts without subhalos.

        Raises:
            ValueError: If too many have none in the file.
        """
        self._belonging.check()

    def check_box(self) -> None:
        """Refuses a catalogue that leaves a part of its box empty.

        Raises:
            ValueError: If halos do not reach its far sides, or a region has too few
                hosts; it says how many each octant has.
        """
        if self.kept > _MANY and self.reach < _FILLED * self.box:
            raise ValueError(
                f"{self.file}: its {self.kept} halos reach only to {self.reach:.4g} Mpc/h on each "
                f"axis, in a box of {self.box:g}: give the box of this simulation"
            )
        self._edges.check()
        gap = self._hosts.gap()
        if gap is not None:
            raise ValueError(
                f"{self.file}: {gap}: a part of the box is missing; its octants, below (-) or "
                f"above (+) the middle of x, y and z, have {self._hosts.octants()} hosts: fetch "
                "the rest, or say part_of_box if there is none"
            )


def _digits(columns: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Returns numbers that differ wherever velocity or mass does, but for one time in 2^64."""
    mixed = np.zeros(len(columns["x"]), np.uint64)
    for name in _MOTION:
        mixed ^= columns[name].astype(np.float64).view(np.uint64)
        mixed *= _MULTIPLIER
        mixed ^= mixed >> _MIXED
    return mixed.view(np.int64)
