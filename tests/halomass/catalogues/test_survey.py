"""Laws of surveys: halos are told apart by identity and by motion, and their order is no matter."""

import numpy as np
import pytest

from halomass.catalogues.chunks import ChunkHalos
from halomass.catalogues.survey import HaloSurvey

MOTION = ("x", "y", "z", "vx", "vy", "vz")


def columns(count, seed=0):
    random = np.random.default_rng(seed)
    motion = {name: random.uniform(0, 64, count) for name in MOTION}
    return {"id": np.arange(count), "upid": np.full(count, -1), **motion}


def surveyed(*parts):
    survey = HaloSurvey("a.bin", 64.0, 16.0)
    for part in parts:
        survey.add(ChunkHalos(len(part["id"]), part))
    return survey


def test_a_whole_catalogue_is_accepted():
    with surveyed(columns(500), {**columns(400, 1), "id": np.arange(500, 900)}) as one:
        one.check_mass(8.0)
        one.check_repetition()
        one.check_box()
        assert (one.rows, one.kept) == (900, 900)


@pytest.mark.parametrize("name", MOTION)
def test_halos_that_differ_in_one_number_are_two(name):
    first = columns(50)
    second = {**first, "id": np.arange(50, 100), name: first[name] + 1e-3}
    with surveyed(first, second) as one:
        one.check_repetition()
    with (
        surveyed(first, {**first, "id": np.arange(50, 100)}) as one,
        pytest.raises(ValueError, match=r"50 of its 100 halos .* same place"),
    ):
        one.check_repetition()


def test_nothing_is_no_catalogue():
    with (
        surveyed(columns(0)) as one,
        pytest.raises(ValueError, match="none of its 0 halos"),
    ):
        one.check_mass(8.0)
