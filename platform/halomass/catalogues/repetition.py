"""Numbers that come twice among any number of them, or never, found within a bound of memory."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
_PARTS = 64
# [bytes] of the file: the usual ones of 8 kB would be much of the memory
_BUFFER = 1024
# [bytes] of what is kept at once, besides its rows and bounds: two arrays and a pair
_BESIDES = 512
_SHIFT = np.uint64(64 - 6)  # the upper 6 bits choose among the parts
# Fibonacci hashing, which spreads successive numbers evenly: Knuth, vol. 3, section 6.4.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_NUMBER = np.dtype(np.int64).itemsize
_ROW = 2 * _NUMBER  # of a number and its label


@dataclass(frozen=True)
class Repeated:
    """What comes more than once.

    Arguments:
        count: How many numbers do.
        times: How often one of these comes.
        labels: What it belongs to: two labels, the smallest ones.

    Example:
        >>> Repeated(count=2, times=3, labels=(70, 71)).times
        3
    """

    count: int
    times: int
    labels: tuple[int, int]


@dataclass(frozen=True)
class Missing:
    """What is referred to and is not there.

    Arguments:
        count: How many refer to it.
        number: The smallest such number.
        label: What refers to it: the smallest label.

    Example:
        >>> Missing(count=2, number=9, label=70).count
        2
    """

    count: int
    number: int
    label: int


class NumberRegister:
    """Keeps numbers until it is asked which of them come twice.

    They are divided by their digits, so that each part is compared by itself. What does
    not fit into memory waits in a temporary file: in runs, each of which has the bounds
    of its parts `[65]` and then its rows, part after part.

    Arguments:
        room: The most memory [bytes] that waiting numbers may take, those last added aside.

    Example:
        >>> with NumberRegister(room=1 << 20) as register:
        ...     register.add(np.array([5, 7, 9]), np.array([50, 70, 90]))
        ...     register.add(np.array([7, 7]), np.array([71, 72]))
        ...     register.repeated()
        Repeated(count=1, times=3, labels=(70, 71))
    """

    def __init__(self, room: int) -> None:
        self._open = ExitStack()
        self._file: IO[bytes] | None = None
        self._room = room - _BUFFER
        self._held = 0
        # rows `[N, 2]` by parts, and the bounds of these `[65]`
        self._waiting: list[tuple[Numbers, Numbers]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()
        self._waiting.clear()

    def add(self, numbers: Numbers, labels: Numbers) -> None:
        """Keeps numbers `[N]` with what they belong to `[N]`.

        Raises:
            OSError: If the disk for temporary files is full.
        """
        mixed = (numbers.view(np.uint64) * _MULTIPLIER) >> _SHIFT
        # small numbers are sorted by their digits, without comparing them
        part = mixed.astype(np.uint8)
        order = np.argsort(part, kind="stable")
        rows = np.empty((len(numbers), 2), np.int64)
        rows[:, 0] = numbers[order]
        rows[:, 1] = labels[order]
        bounds = np.zeros(_PARTS + 1, np.int64)
        np.cumsum(np.bincount(part, minlength=_PARTS), out=bounds[1:])
        self._waiting.append((rows, bounds))
        self._held += rows.nbytes + bounds.nbytes + _BESIDES
        if self._held > self._room:
            self._store()

    def repeated(self) -> Repeated | None:
        """Returns what comes more than once; None if nothing does."""
        parts = [_repeated(numbers, labels) for numbers, labels in self._sorted()]
        found = [part for part in parts if part is not None]
        if not found:
            return None
        return Repeated(sum(p.count for p in found), found[0].times, found[0].labels)

    def _store(self) -> None:
        """Moves what waits in memory to the file."""
        if self._file is None:
            self._file = self._open.enter_context(TemporaryFile(buffering=_BUFFER))  # noqa: SIM115
        self._file.seek(0, os.SEEK_END)
        bounds = np.zeros(_PARTS + 1, np.int64)
        for _, ends in self._waiting:
            bounds += ends
        self._file.write(bounds.tobytes())
        for part in range(_PARTS):
            for rows, ends in self._waiting:
                self._file.write(rows[ends[part] : ends[part + 1]].data)
        self._waiting.clear()
        self._held = 0

    def _sorted(self) -> Iterator[tuple[Numbers, Numbers]]:
        """Yields the numbers of each part `[N]`, sorted, and their labels, sorted for each."""
        for part in range(_PARTS):
            runs = [rows[ends[part] : ends[part + 1]] for rows, ends in self._waiting]
            if self._file is not None:
                runs += _stored(self._file, part)
            rows = np.concatenate([np.empty((0, 2), np.int64), *runs])
            order = np.lexsort((rows[:, 1], rows[:, 0]))
            yield rows[order, 0], rows[order, 1]


class ReferenceRegister(NumberRegister):
    """Keeps numbers, and references to them, until it is asked what is missing.

    Example:
        >>> with ReferenceRegister(room=1 << 20) as register:
        ...     register.refer(np.array([5, 9, 9]), np.array([50, 70, 71]))
        ...     register.enter(np.array([5, 7]), np.array([0, 130]))
        ...     missing, parts = register.missing(), list(register.referred())
        >>> missing.number, sorted((int(w), int(n)) for part in parts for w, n in zip(*part))
        (9, [(0, 1), (130, 0)])
    """

    def enter(self, numbers: Numbers, weights: Numbers) -> None:
        """Keeps numbers `[N]` that are there, with weights `[N]` from 0 on.

        Raises:
            OSError: If the disk for temporary files is full.
        """
        # below all labels of references
        self.add(numbers, -1 - weights)

    def refer(self, numbers: Numbers, labels: Numbers) -> None:
        """Keeps references to numbers `[N]`, with what they belong to `[N]`, from 0 on.

        Raises:
            OSError: If the disk for temporary files is full.
        """
        self.add(numbers, labels)

    def missing(self) -> Missing | None:
        """Returns what is referred to and is not there; None if all is."""
        parts = [_missing(numbers, labels) for numbers, labels in self._sorted()]
        found = [part for part in parts if part is not None]
        if not found:
            return None
        first = min(found, key=lambda part: part.number)
        return replace(first, count=sum(part.count for part in found))

    def referred(self) -> Iterator[tuple[Numbers, Numbers]]:
        """Yields the largest weights of numbers that are there, and their references.

        Both have the shape `[M]` of some of the numbers, so that they are never all in
        memory; the second is how many references each of these has.
        """
        for numbers, labels in self._sorted():
            yield _referred(numbers, labels)


def _stored(file: IO[bytes], part: int) -> Iterator[Numbers]:
    """Yields the rows `[N, 2]` of a part in each run of a file."""
    end = file.seek(0, os.SEEK_END)
    run = 0
    while run < end:
        bounds = _read(file, run, _PARTS + 1)
        first, last = bounds[part : part + 2].tolist()
        rows = run + bounds.nbytes
        yield _read(file, rows + first * _ROW, 2 * (last - first)).reshape(-1, 2)
        run = rows + int(bounds[-1]) * _ROW


def _read(file: IO[bytes], place: int, count: int) -> Numbers:
    file.seek(place)
    return np.frombuffer(file.read(count * _NUMBER), np.int64)


def _referred(numbers: Numbers, labels: Numbers) -> tuple[Numbers, Numbers]:
    change = numbers[1:] != numbers[:-1]
    first = np.flatnonzero(
        np.concatenate([np.ones(min(len(numbers), 1), bool), change])
    )
    if not len(first):
        return labels, labels
    counts = np.add.reduceat((labels >= 0).astype(np.int64), first)
    # sorted: the first of a number has its largest weight, if it is there
    there = labels[first] < 0
    return np.asarray(-1 - labels[first][there]), counts[there]


def _missing(numbers: Numbers, labels: Numbers) -> Missing | None:
    if not len(numbers):
        return None
    first = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
    counts = np.diff(first, append=len(numbers))
    # sorted by labels too: what is there comes before its references
    absent = labels[first] >= 0
    if not absent.any():
        return None
    example = first[absent][0]
    return Missing(
        int(counts[absent].sum()), int(numbers[example]), int(labels[example])
    )


def _repeated(numbers: Numbers, labels: Numbers) -> Repeated | None:
    again = np.flatnonzero(numbers[1:] == numbers[:-1]) + 1
    if not len(again):
        return None
    different = 1 + np.count_nonzero(np.diff(numbers[again]))
    first = again[0]
    times = int(np.count_nonzero(numbers == numbers[first]))
    two = (int(labels[first - 1]), int(labels[first]))
    return Repeated(int(different), times, two)
