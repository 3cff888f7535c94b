"""Some hosts of a catalogue with all of their subhalos, however many halos it has.

A host and its subhalos have one number in common, the host's identity, and the hash of
that decides whether they are kept (Gibbons 2001, "Distinct sampling", VLDB): so a host
is never kept without its subhalos, in whatever order the rows are.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from halomass.systems import FloatArray

_MASSES = ("log_m_vir", "log_m_peak", "log_m_star")
_NUMBERS = ("x", "y", "z", "vx", "vy", "vz", *_MASSES, "vmax")
_SAMPLED = np.dtype(
    [("host", "<i8"), ("central", "?"), *((name, "<f4") for name in _NUMBERS)]
)
_MOST_HALOS = 40_000  # of which a median is known to better than a per cent
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing, as of registers
_MIXED = np.uint64(32)
_ALL = 1 << 32


@dataclass
class HostSample:
    """Keeps hosts and their subhalos, chunk after chunk; fewer of them the more there are.

    Arguments:
        room: The most memory [bytes] that they may take.

    Example:
        >>> sample = HostSample(room=1 << 20)
        >>> numbers = {name: np.arange(3.0) for name in (*_NUMBERS,)}
        >>> sample.add({"id": np.array([7, 8, 9]), "upid": np.array([-1, 7, -1]), **numbers})
        >>> subhalos, hosts = sample.pairs()
        >>> subhalos["x"].tolist(), hosts["x"].tolist()
        ([1.0], [0.0])
    """

    room: int
    _kept: list[NDArray[Any]] = field(default_factory=list, init=False, repr=False)
    _below: int = field(default=_ALL, init=False, repr=False)

    def add(self, columns: dict[str, NDArray[Any]]) -> None:
        """Keeps some halos of a chunk; none of a list that does not say which lie in others.

        Arguments:
            columns: Of those that are kept, each `[N]`.
        """
        upid = columns["upid"]
        host = np.where(upid == -1, columns["id"], upid).astype(np.int64)
        chosen = np.flatnonzero((upid >= -1) & (_hash(host) < np.uint64(self._below)))
        part = np.empty(len(chosen), _SAMPLED)
        part["host"] = host[chosen]
        part["central"] = upid[chosen] == -1
        for name in _NUMBERS:
            part[name] = columns[name][chosen]
        self._kept.append(part)
        most = min(_MOST_HALOS, max(self.room // (2 * _SAMPLED.itemsize), 1))
        while sum(map(len, self._kept)) > most and self._below:
            self._below //= 2
            whole = np.concatenate(self._kept)
            self._kept = [whole[_hash(whole["host"]) < np.uint64(self._below)]]

    def hosts(self) -> NDArray[Any]:
        """Returns the hosts that were kept, `[N]`."""
        whole = self._whole()
        return whole[whole["central"]]

    def pairs(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Returns the subhalos whose hosts were kept, and these, `[M]` each."""
        whole = self._whole()
        hosts = np.sort(whole[whole["central"]], order="host")
        subhalos = whole[~whole["central"]]
        if not len(hosts):
            return subhalos[:0], hosts
        place = np.searchsorted(hosts["host"], subhalos["host"])
        theirs = hosts[np.minimum(place, len(hosts) - 1)]
        there = theirs["host"] == subhalos["host"]
        return subhalos[there], theirs[there]

    def _whole(self) -> NDArray[Any]:
        return np.concatenate([np.empty(0, _SAMPLED), *self._kept])


def differences(
    names: tuple[str, ...], ones: NDArray[Any], others: NDArray[Any]
) -> FloatArray:
    """Returns by how much columns of one sample differ from those of another `[M, names]`."""
    parts = [ones[name].astype(np.float64) - others[name] for name in names]
    return np.stack(parts, axis=1)


def _hash(numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Returns evenly spread numbers below 2^32."""
    return np.asarray((numbers.view(np.uint64) * _MULTIPLIER) >> _MIXED)
