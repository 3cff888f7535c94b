"""Laws of duplicates: a thing twice is found, and two things are left two."""

import numpy as np
import pytest

from orrery.tables.duplicates import (
    ComparedValues,
    are_identifiers,
    first_rows,
    plain_identifier,
    repeated_places,
)

ARCSEC = np.radians(1 / 3600)


def _sky(count=40, seed=2):
    random = np.random.default_rng(seed)
    return random.uniform(0, 2 * np.pi, count), np.arcsin(random.uniform(-1, 1, count))


def test_identifiers_are_those_of_earlier_rows_whatever_their_spelling():
    assert first_rows(["Leo I", "leo  i ", "Leo II", "LEO I"]).tolist() == [0, 0, 2, 0]
    big = 4_611_686_018_427_387_904
    assert first_rows([big, big + 1, big]).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    "nobody", ["", "--", 0, -1, "nan", 999999, np.ma.masked, 1.5e18]
)
def test_those_without_identifier_are_all_different(nobody):
    assert plain_identifier(nobody) is None
    assert first_rows([nobody, nobody, "a"]).tolist() == [0, 1, 2]


def test_things_at_one_place_with_the_same_values_are_one():
    longitude, latitude = _sky()
    v = np.linspace(-100.0, 100.0, 40)
    rows = np.r_[0:40, 5, 17]
    shift = np.r_[np.zeros(40), 0.3 * ARCSEC, 0.3 * ARCSEC]
    # the second of them moves otherwise
    values = ComparedValues(v[rows] + np.r_[np.zeros(41), 9.0], np.ones(42), 0.0)
    found = repeated_places(longitude[rows], latitude[rows] + shift, [values])
    assert np.flatnonzero(found).tolist() == [40]
    known = ComparedValues(values.values, np.full(42, np.nan), rounding=10.0)
    found = repeated_places(longitude[rows], latitude[rows] + shift, [known])
    assert np.flatnonzero(found).tolist() == [40, 41]


def test_different_identifiers_and_unknown_places_are_different_things():
    place = np.zeros(3)
    found = repeated_places(place, place, [], ["a", "b", "a"])
    assert found.tolist() == [False, False, True]
    # who has no name may be anybody
    assert repeated_places(place, place, [], ["a", "b", 0])[2]
    nowhere = np.full(3, np.nan)
    assert not repeated_places(nowhere, place, []).any()


def test_a_table_all_at_one_place_is_refused_before_memory_runs_out():
    place = np.zeros(4000)
    with pytest.raises(ValueError, match="pairs of rows are at one place"):
        repeated_places(place, place, [])


@pytest.mark.parametrize(
    "values",
    [
        ["A"] * 20 + ["B"] * 20,
        [True, False] * 15,
        [3] * 40,
        [f"field {i % 3}" for i in range(60)],
    ],
)
def test_names_of_surveys_flags_and_fields_identify_nothing(values):
    assert not are_identifiers(values)
    assert not are_identifiers(values, integers=True)


def test_identifiers_are_different_for_most_rows():
    numbers = [10**15 + i for i in range(30)]
    for values in (
        numbers,
        5 * numbers,
        [f"Gaia EDR3 {i}" for i in numbers],
        [*map(float, numbers)],
    ):
        assert are_identifiers(values, integers=True)
    words = [f"2M0{i}+31" for i in range(30)] + ["", None, "nan"]
    assert are_identifiers(words)
    assert not are_identifiers([f"field{i}" for i in range(30)], integers=True)
