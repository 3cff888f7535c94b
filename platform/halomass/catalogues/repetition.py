"""Numbers that come twice among any number of them, or never, found within a bound of memory."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

_PARTS = 64
# [bytes] of each part: the usual ones of 8 kB would be the most of the memory
_BUFFER = 1024
_SHIFT = np.uint64(64 - 6)  # the upper 6 bits choose among the parts
# Fibonacci hashing, which spreads successive numbers evenly: Knuth, vol. 3, section 6.4.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_LABELLED = np.dtype([("number", np.int64), ("label", np.int64)])


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

    They are divided by their digits, so that each part is compared by itself; what does
    not fit into memory waits in temporary files.

    Arguments:
        room: The most memory [bytes] that waiting numbers may take.

    Example:
        >>> with NumberRegister(room=1 << 20) as register:
        ...     register.add(np.array([5, 7, 9]), np.array([50, 70, 90]))
        ...     register.add(np.array([7, 7]), np.array([71, 72]))
        ...     register.repeated()
        Repeated(count=1, times=3, labels=(70, 71))
    """

    def __init__(self, room: int) -> None:
        self._files = ExitStack()
        self._parts = [
            self._files.enter_context(
                SpooledTemporaryFile(max(room // _PARTS, 1), buffering=_BUFFER)  # noqa: SIM115
            )
            for _ in range(_PARTS)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._files.close()

    def add(self, numbers: NDArray[np.int64], labels: NDArray[np.int64]) -> None:
        """Keeps numbers `[N]` with what they belong to `[N]`.

        Raises:
            OSError: If the disk for temporary files is full.
        """
        both = np.empty(len(numbers), _LABELLED)
        both["number"] = numbers
        both["label"] = labels
        part = (numbers.view(np.uint64) * _MULTIPLIER) >> _SHIFT
        order = np.argsort(part, kind="stable")
        ends = np.searchsorted(part[order], np.arange(_PARTS), side="right")
        begin = 0
        for file, end in zip(self._parts, ends.tolist(), strict=True):
            file.write(both[order[begin:end]].tobytes())
            begin = end

    def repeated(self) -> Repeated | None:
        """Returns what comes more than once; None if nothing does."""
        parts = [_repeated(file) for file in self._parts]
        found = [part for part in parts if part is not None]
        if not found:
            return None
        return Repeated(sum(p.count for p in found), found[0].times, found[0].labels)


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

    def enter(self, numbers: NDArray[np.int64], weights: NDArray[np.int64]) -> None:
        """Keeps numbers `[N]` that are there, with weights `[N]` from 0 on.

        Raises:
            OSError: If the disk for temporary files is full.
        """
        # below all labels of references
        self.add(numbers, -1 - weights)

    def refer(self, numbers: NDArray[np.int64], labels: NDArray[np.int64]) -> None:
        """Keeps references to numbers `[N]`, with what they belong to `[N]`, from 0 on.

        Raises:
            OSError: If the disk for temporary files is full.
        """
        self.add(numbers, labels)

    def missing(self) -> Missing | None:
        """Returns what is referred to and is not there; None if all is."""
        parts = [_missing(file) for file in self._parts]
        found = [part for part in parts if part is not None]
        if not found:
            return None
        first = min(found, key=lambda part: part.number)
        return replace(first, count=sum(part.count for part in found))

    def referred(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yields the largest weights of numbers that are there, and their references.

        Both have the shape `[M]` of some of the numbers, so that they are never all in
        memory; the second is how many references each of these has.
        """
        yield from map(_referred, self._parts)


def _referred(
    file: "SpooledTemporaryFile[bytes]",
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    both = _sorted(file)
    labels = both["label"]
    change = both["number"][1:] != both["number"][:-1]
    first = np.flatnonzero(np.concatenate([np.ones(min(len(both), 1), bool), change]))
    if not len(first):
        return labels, labels
    counts = np.add.reduceat((labels >= 0).astype(np.int64), first)
    # sorted: the first of a number has its largest weight, if it is there
    there = labels[first] < 0
    return np.asarray(-1 - labels[first][there]), counts[there]


def _missing(file: "SpooledTemporaryFile[bytes]") -> Missing | None:
    both = _sorted(file)
    if not len(both):
        return None
    numbers = both["number"]
    first = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
    counts = np.diff(first, append=len(numbers))
    # sorted by labels too: what is there comes before its references
    absent = both["label"][first] >= 0
    if not absent.any():
        return None
    example = both[first[absent][0]]
    return Missing(
        int(counts[absent].sum()), int(example["number"]), int(example["label"])
    )


def _sorted(file: "SpooledTemporaryFile[bytes]") -> NDArray[np.void]:
    file.seek(0)
    return np.sort(np.frombuffer(file.read(), _LABELLED))


def _repeated(file: "SpooledTemporaryFile[bytes]") -> Repeated | None:
    both = _sorted(file)
    numbers = both["number"]
    again = np.flatnonzero(numbers[1:] == numbers[:-1]) + 1
    if not len(again):
        return None
    different = 1 + np.count_nonzero(np.diff(numbers[again]))
    first = numbers[again[0]]
    labels = both["label"][again[0] - 1 : again[0] + 1].tolist()
    times = int(np.count_nonzero(numbers == first))
    return Repeated(int(different), times, (labels[0], labels[1]))
