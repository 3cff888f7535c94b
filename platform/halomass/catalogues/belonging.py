"""Whether subhalos have their hosts in a catalogue, and large hosts their subhalos.

Every subhalo lies in a host, and a host a thousand times as heavy as the smallest halos
has a dozen of them. A file that ends too early lacks the ones or the others, whatever the
order of its rows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from halomass.catalogues.chunks import NOT_SAID, ChunkHalos
from halomass.catalogues.repetition import ReferenceRegister

_MOST_STRAYS = 0.001  # of the subhalos: those whose host is not in the file
_MOST_LONELY = 0.1  # of the large hosts: those without any subhalo
_FEWEST_HOSTS = 10  # large ones, that say anything
_TENTHS = 10  # of a dex, in which masses are counted
_LARGE = 3 * _TENTHS  # above the smallest halos
_SMALLEST = 0.05  # of the halos are the smallest, by the largest mass in their past
_BINS = 200


class Belonging:
    """Keeps which halos lie in which, chunk after chunk.

    Arguments:
        file: The catalogue's name, for messages.
        register: Where they are kept.

    Example:
        >>> ids = np.arange(1, 5)
        >>> columns = {"id": ids, "upid": np.array([-1, 1, 1, 9])}
        >>> columns |= dict.fromkeys(("log_m_vir", "log_m_peak"), np.full(4, 11.0))
        >>> with ReferenceRegister(room=1 << 20) as register:
        ...     halos = Belonging("a.bin", register)
        ...     halos.add(ChunkHalos(4, columns, hosts=ids[:1]))
        ...     halos.check()
        Traceback (most recent call last):
        ValueError: a.bin: the hosts of 1 of its 3 subhalos are not there, such as upid 9 of id \
4: rows are missing, fetch the file again, or say part_of_box if it is a part
    """

    def __init__(self, file: str, register: ReferenceRegister) -> None:
        self._file = file
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
        self._register.enter(columns["id"][host], mass)
        self._register.refer(columns["upid"][~host], columns["id"][~host])

    def check(self) -> None:
        """Refuses subhalos without hosts, and large hosts without subhalos.

        Raises:
            ValueError: If too many have none.
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
        lonely = int(np.count_nonzero(self._register.alone() >= large))
        if count >= _FEWEST_HOSTS and lonely > _MOST_LONELY * count:
            raise ValueError(
                f"{self._file}: {lonely} of its {count} hosts above 10^{large / _TENTHS:g} Msun "
                "have no subhalo at all: rows are missing, fetch the file again, or say "
                "part_of_box if it is a part"
            )

    @property
    def _smallest(self) -> int:
        """In which tenth of a dex the smallest halos are."""
        share = np.cumsum(self._halos) / max(self._halos.sum(), 1)
        return int(np.argmax(share >= _SMALLEST))


def _tenths(log_mass: NDArray[Any]) -> NDArray[np.int64]:
    return np.clip(log_mass * _TENTHS, 0, _BINS - 1).astype(np.int64)
