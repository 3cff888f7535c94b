"""Laws of repetition: what comes twice is found, whatever was between and wherever it waits."""

import tracemalloc

import numpy as np
import pytest

from halomass.catalogues.repetition import (
    Missing,
    NumberRegister,
    ReferenceRegister,
    Repeated,
)


@pytest.mark.parametrize("room", [0, 1 << 12, 1 << 24])
def test_numbers_that_come_twice_are_counted(room):
    numbers = np.random.default_rng(0).permutation(5000) - 2500
    labels = numbers + 10_000
    with NumberRegister(room) as register:
        for part in np.array_split(np.arange(5000), 7):
            register.add(numbers[part], labels[part])
        assert register.repeated() is None
        register.add(numbers[:40], labels[:40] + 1)
        found = register.repeated()
        assert (found.count, found.times) == (40, 2)
        assert found.labels[1] == found.labels[0] + 1
        register.add(numbers[:40], labels[:40] + 2)
        assert register.repeated().times == 3


def test_many_of_one_number_are_one():
    with NumberRegister(1 << 20) as register:
        register.add(np.full(100, -1), np.arange(100)[::-1].copy())
        assert register.repeated() == Repeated(count=1, times=100, labels=(0, 1))


@pytest.mark.slow
def test_numbers_wait_on_the_disk():
    tracemalloc.start()
    try:
        with NumberRegister(1 << 16) as register:
            for first in range(0, 400_000, 4000):
                register.add(np.arange(first, first + 4000), np.zeros(4000, np.int64))
            assert register.repeated() is None
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.5e6 < 400_000 * 16


@pytest.mark.slow
def test_what_waits_takes_no_more_than_its_room():
    held = np.zeros(400)
    with NumberRegister(1 << 16) as register:
        tracemalloc.start()
        try:
            for turn in range(len(held)):
                numbers = np.arange(100 * turn, 100 * turn + 100)
                register.add(numbers, np.zeros(100, np.int64))
                held[turn] = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
    # it is used; what was added last, and what else the process does meanwhile, come on top
    assert 0.8 < held.max() / (1 << 16) < 1.1


@pytest.mark.parametrize("room", [0, 1 << 20])
def test_what_is_referred_to_and_is_not_there_is_missing(room):
    numbers = np.random.default_rng(3).permutation(4000)
    labels = numbers + 10_000
    with ReferenceRegister(room) as register:
        register.refer(np.repeat(numbers[:100], 3), np.repeat(labels[:100], 3))
        for part in np.array_split(numbers[4:], 5):
            register.enter(part, part % 7)
        lost = np.sort(numbers[:4]).tolist()
        assert register.missing() == Missing(12, lost[0], lost[0] + 10_000)
        weights, counts = map(np.concatenate, zip(*register.referred(), strict=True))
        assert weights[counts == 0].tolist().count(6) == sum(numbers[100:] % 7 == 6)
        assert counts.sum() == 3 * 96
        register.enter(numbers[:4], numbers[:4])
        assert register.missing() is None
        assert sum((counts == 0).sum() for _, counts in register.referred()) == 3900
