"""Laws of spelling: one galaxy in two spellings is found, and two galaxies stay two."""

import pytest
from astropy.table import Table

from halomass.observed.spelling import same_names


@pytest.mark.parametrize(
    "other",
    ["Leo 4", "LEO_IV", "leo iv", "Leo-4", " LeoIV ", "LEOIV", "leo4", "Leo  IV", "Léo IV"],
)  # fmt: skip
def test_a_galaxy_in_another_spelling_is_the_same(other):
    assert same_names(["Draco", "Leo IV", "Leo V", other]) == (1, 3)
    assert same_names([other, "Draco", "Leo4"]) == (0, 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("NGC 185", "NGC 0185"),
        ("IC 010", "IC10"),
        ("And 7", "And 07"),
        ("Leo 4", "Leo 04"),
        ("Leo IV", "Leo_004"),
        ("Sub31", "sub_0031"),
    ],
)
def test_zeros_before_a_number_say_nothing(one, other):
    assert same_names(["Draco", one, other]) == (1, 2)
    assert same_names([one.replace("0", ""), f"{other}0", f"{other}00"]) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ursa Major II", "UrsaMajor2"),
        ("URSA_MAJOR_II", "ursa major 2"),
        ("Boötes I", "Bootes 1"),
        ("Pisces VII", "PISCESVII"),
        ("And XIX", "And 19"),
        ("Canes Venatici-I", "canesvenatici 1"),
    ],
)
def test_words_and_numerals_may_be_divided_or_not(one, other):
    assert same_names([one, other]) == (0, 1)


def test_all_known_satellites_differ(shared):
    table = Table.read(shared / "data/mw_satellites.csv", format="ascii.csv")
    assert same_names([str(name) for name in table["name"]]) is None


@pytest.mark.parametrize(
    "names",
    [
        ["1", "01", "11", "1-1", "-1", "1.1"],
        ["Draco", "Draco II", "Draco III", "Draco IV"],
        ["Phoenix", "Phoenix II", "Fornax", "Forna", "Crux"],
        ["row 1", "row 10", "row 11"],
        ["halo_12_1", "halo_121", "halo_1_21"],
        ["a", "b", "i", "v", "x"],
        ["", "-", "?"],
    ],
)
def test_different_names_are_different(names):
    assert same_names(names) is None


def test_the_same_number_is_the_same():
    assert same_names(["7", "8", "7 "]) == (0, 2)
