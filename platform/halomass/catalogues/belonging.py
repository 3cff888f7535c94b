"""Whether subhalos have their hosts in a catalogue, and large hosts their subhalos.

Every subhalo lies in a host, and a host a thousand times as heavy as the smallest halos
has a dozen of them. A file that ends too early lacks the ones or the others, whatever the
order of its rows. Hosts as heavy have as many of them in one part of the box as in
another, which shows where subhalos alone are missing.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from halomass.catalogues.chunks import NOT_SAID, ChunkHalos
from halomass.catalogues.repetition import ReferenceRegister
from halomass.systems import FloatArray

_MOST_STRAYS = 0.001  # of the subhalos: those whose host is not in the file
_MOST_LONELY = 0.1  # of the large hosts: those without any subhalo
_FEWEST_HOSTS = 10  # large ones, that say anything
_TENTHS = 10  # of a dex, in which masses are counted
_LARGE = 3 * _TENTHS  # above the smallest halos
_SMALLEST = 0.05  # of the halos are the smallest, by the largest mass in their past
_BINS = 200
_OCTANTS = 8
_FEWEST_ALIKE = 10  # hosts elsewhere, that say how many subhalos such a host has
# An octant's subhalos are too few if they are so many standard deviations below those of
# like hosts elsewhere, and so few of them: where they are has changed them by less.
_DEVIATIONS, _TOO_FEW = 6.0, 0.75


class Belonging:
    """Keeps which halos lie in which, chunk after chunk.

    Arguments:
        file: The catalogue's name, for messages.
        box: The side of the periodic box [comoving Mpc/h].
        register: Where they are kept.

    Example:
        >>> ids = np.arange(1, 5)
        >>> columns = {"id": ids, "upid": np.array([-1, 1, 1, 9])}
        >>> columns |= dict.fromkeys(("log_m_vir", "log_m_peak", *"xyz"), np.full(4, 11.0))
        >>> with ReferenceRegister(room=1 << 20) as register:
        ...     halos = Belonging("a.bin", 64.0, register)
        ...     halos.add(ChunkHalos(4, columns, hosts=ids[:1]))
        ...     halos.check()
        Traceback (most recent call last):
        ValueError: a.bin: the hosts of 1 of its 3 subhalos are not there, such as upid 9 of id \
4: rows are missing, fetch the file again, or say part_of_box if it is a part
    """

    def __init__(self, file: str, box: float, register: ReferenceRegister) -> None:
        self._file = file
        self._box = box
        self._register = register
        self._subhalos = 0
        # by tenths of a dex: all halos by peak mass, and hosts by their own
        self._halos = np.zeros(_BINS, np.int64)
        self._hosts = np.zeros(_BINS, np.int64)

    def add(self, part: ChunkHalos) -> None:
        """Keeps the halos of a chunk; none of a list that does not say which lie in others."""
        columns = part.columns
        if NOT_SAID in columns["upid"][:1]:
            return
        host = columns["upid"] == -1
        self._subhalos += int(np.count_nonzero(~host))
        mass = _tenths(columns["log_m_vir"][host])
        self._hosts += np.bincount(mass, minlength=_BINS)
        self._halos += np.bincount(_tenths(columns["log_m_peak"]), minlength=_BINS)
        self._register.enter(part.hosts, np.zeros(len(part.hosts), np.int64))
        octant = np.zeros(len(mass), np.int64)
        for axis in "xyz":
            octant = 2 * octant + (columns[axis][host] >= self._box / 2)
        self._register.enter(columns["id"][host], mass * _OCTANTS + octant)
        self._register.refer(columns["upid"][~host], columns["id"][~host])

    def check(self) -> None:
        """Refuses subhalos without hosts, and large hosts without subhalos.

        Raises:
            ValueError: If too many have none, or an octant has too few subhalos.
        """
        missing = self._register.missing()
        if missing is not None and missing.count > _MOST_STRAYS * self._subhalos:
            raise ValueError(
                f"{self._file}: the hosts of {missing.count} of its {self._subhalos} subhalos are "
                f"not there, such as upid {missing.number} of id {missing.label}: rows are "
                "missing, fetch the file again, or say part_of_box if it is a part"
            )
        large = self._smallest + _LARGE
        count = int(self._hosts[large:].sum())
        lonely = 0
        tallies = np.zeros((3, _OCTANTS * _BINS))
        for weights, counts in self._register.referred():
            mass, octant = np.divmod(weights, _OCTANTS)
            lonely += int(np.count_nonzero((counts == 0) & (mass >= large)))
            cell = octant * _BINS + mass
            powers = (None, counts, counts**2)
            tallies += [np.bincount(cell, power, _OCTANTS * _BINS) for power in powers]
        if count >= _FEWEST_HOSTS and lonely > _MOST_LONELY * count:
            raise ValueError(
                f"{self._file}: {lonely} of its {count} hosts above 10^{large / _TENTHS:g} Msun "
                "have no subhalo at all: rows are missing, fetch the file again, or say "
                "part_of_box if it is a part"
            )
        # hosts in the first tenth of a dex are smaller than what is kept
        self._check_octants(tallies.reshape(3, _OCTANTS, _BINS)[..., 1:])

    def _check_octants(self, tallies: FloatArray) -> None:
        """Refuses an octant in which hosts have far fewer subhalos than like ones elsewhere.

        Arguments:
            tallies: For each octant and tenth of a dex how many hosts there are, and the
                sums of their numbers of subhalos and of the squares of these `[3, 8, M]`.
        """
        hosts, total, squares = tallies
        elsewhere = hosts.sum(0) - hosts
        known = elsewhere >= _FEWEST_ALIKE
        others = np.maximum(elsewhere, 1)
        mean = (total.sum(0) - total) / others
        # at least that of chance, if all these hosts have one number of subhalos
        variance = np.maximum((squares.sum(0) - squares) / others - mean**2, mean)
        expected = (hosts * mean * known).sum(1)
        scatter = (hosts * variance * (1 + hosts / others) * known).sum(1)
        found = (total * known).sum(1)
        few = found < np.minimum(
            _TOO_FEW * expected, expected - _DEVIATIONS * np.sqrt(scatter)
        )
        if few.any():
            one = int(few.argmax())
            place = "".join("-+"[int(digit)] for digit in f"{one:03b}")
            raise ValueError(
                f"{self._file}: hosts in the octant {place}, below (-) or above (+) the middle of "
                f"x, y and z, have {found[one]:.0f} subhalos, and as heavy ones elsewhere "
                f"{expected[one]:.0f}: rows are missing, fetch the file again, or say part_of_box "
                "if it is a part"
            )

    @property
    def _smallest(self) -> int:
        """In which tenth of a dex the smallest halos are."""
        share = np.cumsum(self._halos) / max(self._halos.sum(), 1)
        return int(np.argmax(share >= _SMALLEST))


def _tenths(log_mass: NDArray[Any]) -> NDArray[np.int64]:
    return np.clip(log_mass * _TENTHS, 0, _BINS - 1).astype(np.int64)
