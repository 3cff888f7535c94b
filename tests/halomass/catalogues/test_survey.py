"""Laws of surveys: halos are told apart by identity and by motion, and their order is no matter."""

import numpy as np
import pytest

from halomass.catalogues.chunks import ChunkHalos
from halomass.catalogues.survey import HaloSurvey

PLACE = ("x", "y", "z")
MOTION = ("vx", "vy", "vz", "log_m_peak")


def columns(count, seed=0):
    random = np.random.default_rng(seed)
    numbers = {name: random.uniform(0, 64, count) for name in (*PLACE, *MOTION)}
    numbers["log_m_peak"] = 9 + numbers["log_m_peak"] / 16
    masses = {"log_m_vir": numbers["log_m_peak"] - 0.1, "log_m_star": np.zeros(count)}
    identities = {"id": np.arange(count), "upid": np.full(count, -1)}
    return {**identities, **numbers, **masses, "vmax": np.full(count, 30.0)}


def surveyed(*parts):
    survey = HaloSurvey("a.bin", 64.0, 16.0)
    for part in parts:
        hosts = part["id"][part["upid"] == -1]
        survey.add(ChunkHalos(len(part["id"]), part, hosts))
    return survey


def test_a_whole_catalogue_is_accepted():
    with surveyed(columns(500), {**columns(400, 1), "id": np.arange(500, 900)}) as one:
        one.check_mass(8.0)
        one.check_repetition()
        one.check_box()
        assert (one.rows, one.kept) == (900, 900)


def renamed(halos, **changes):
    return {**halos, "id": halos["id"] + 1000, **changes}


@pytest.mark.parametrize("name", MOTION)
def test_halos_that_differ_in_velocity_or_mass_are_two(name):
    first = columns(50)
    second = renamed(first, **{name: first[name] + 1e-3}, x=first["x"][::-1])
    with surveyed(first, second) as one:
        one.check_repetition()


@pytest.mark.parametrize("moved", [0.0, 0.001, 0.3])
def test_halos_of_one_velocity_and_mass_are_one_wherever_they_are(moved):
    first = columns(50)
    with (
        surveyed(first, renamed(first, y=first["y"] + moved)) as one,
        pytest.raises(
            ValueError, match=r"50 of its 100 halos .* id .* and 1.* have the same vel"
        ),
    ):
        one.check_repetition()


@pytest.mark.parametrize("moved", [0.0, 0.002, 0.009])
def test_heavy_hosts_within_each_other_are_one(moved):
    first = columns(300)
    changes = {name: first[name] + 0.3 for name in MOTION[:3]}
    changes |= {name: first[name] + moved for name in PLACE}
    with (
        surveyed(first, renamed(first, **changes)) as one,
        pytest.raises(ValueError, match=r"hosts above 10\^10 Msun lie within 20 kpc/h"),
    ):
        one.check_repetition()
    light = {"log_m_vir": first["log_m_vir"] - 5.0}
    with surveyed({**first, **light}, renamed({**first, **light}, **changes)) as one:
        one.check_repetition()


def test_nothing_is_no_catalogue():
    with (
        surveyed(columns(0)) as one,
        pytest.raises(ValueError, match="none of its 0 halos"),
    ):
        one.check_mass(8.0)
