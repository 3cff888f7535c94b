"""Laws of satellites' tables: what is asked for and how it is said when it is not there."""

import numpy as np
import pytest
from astropy.table import Table

from halomass.observed.satellite_columns import MEASURED
from halomass.observed.satellite_table import SatelliteTable

COLUMNS = {
    "name": ["A", "B"],
    "ra_deg": [10.0, 200.0],
    "dec_deg": [-40.0, 20.0],
    "dist_kpc": [90.0, 40.0],
    "vlos_kms": [-120.5, 33.1],
    "pmra_masyr": [0.1, -0.2],
    "pmdec_masyr": [0.0, 0.3],
    "M_V": [-8.0, -5.0],
}


@pytest.mark.parametrize("title", COLUMNS)
def test_a_column_that_is_not_there_is_named(title):
    rest = {name: values for name, values in COLUMNS.items() if name != title}
    said = {"M_V": "M_V or V0_mag", "dist_kpc": "dist_kpc or distance_modulus"}
    wanted = said.get(title, title)
    with pytest.raises(ValueError, match=rf"a.csv: no .*{wanted} in this table"):
        SatelliteTable.of(Table(rest), "a.csv")


def test_one_zero_is_a_proper_motion():
    found = SatelliteTable.of(Table(COLUMNS), "a.csv")
    assert not found.incomplete.any()
    assert found.values["pm_dec"].tolist() == [0.0, 0.3]
    assert tuple(found.values) == MEASURED


@pytest.mark.parametrize("title", ["distance_modulus", "DM", "(m-M)0", "dmod_mag"])
def test_distance_moduli_are_distances(title):
    kpc = np.array(COLUMNS["dist_kpc"])
    rest = {name: values for name, values in COLUMNS.items() if name != "dist_kpc"}
    table = Table(rest | {title: 5 * np.log10(kpc) + 10})
    found = SatelliteTable.of(table, "a.csv")
    np.testing.assert_allclose(found.values["distance"], kpc)
    expected = SatelliteTable.of(Table(COLUMNS), "a.csv")
    np.testing.assert_array_equal(found.log_m_star, expected.log_m_star)
    table[title][1] = -99.0
    found = SatelliteTable.of(table, "a.csv")
    assert found.gaps(1) == f"{title} = -99.0"
    # a distance needs less to be assumed
    both = SatelliteTable.of(Table(COLUMNS | {title: [18.0, 18.0]}), "a.csv")
    assert both.values["distance"].tolist() == COLUMNS["dist_kpc"]


@pytest.mark.parametrize("second", ["DM", "m-M", "dm_err", "distance_modulus_err"])
def test_moduli_that_are_not_used_refuse_nothing(second):
    more = {"dist_modulus": [19.8, 18.0], "mod_err": [0.1, 0.1], second: ["a", "b"]}
    found = SatelliteTable.of(Table(COLUMNS | more), "a.csv")
    assert found.values["distance"].tolist() == COLUMNS["dist_kpc"]


def test_a_modulus_counts_where_a_distance_has_no_unit():
    rest = {name: values for name, values in COLUMNS.items() if name != "dist_kpc"}
    rest |= {"distance": [90.0, 40.0], "distance_modulus": [20.0, 18.5]}
    found = SatelliteTable.of(Table(rest), "a.csv")
    np.testing.assert_allclose(found.values["distance"], [100.0, 50.12], rtol=1e-4)
    del rest["distance_modulus"]
    with pytest.raises(ValueError, match="column 'distance' has no unit"):
        SatelliteTable.of(Table(rest), "a.csv")


@pytest.mark.parametrize(("offset", "told"), [(0.0, False), (0.1, False), (-5.0, True)])
def test_moduli_that_contradict_distances_are_told_of(offset, told):
    moduli = 5 * np.log10(COLUMNS["dist_kpc"]) + 10 + offset
    table = Table(COLUMNS | {"dmod": moduli, "DM": [-99.0, np.nan]})
    found = SatelliteTable.of(table, "a.csv").doubts([0, 1])
    assert [("distances of dmod" in one) for one in found] == [True] * told


def test_a_modulus_of_many_is_none():
    random = np.random.default_rng(3)
    table = _satellites(random.uniform(20, 250, 40))
    moduli = 5 * np.log10(table["dist_kpc"]) + 10
    moduli[:7] = 20.0
    del table["dist_kpc"]
    table["distance_modulus"] = moduli
    spread = {
        "dec_deg": 30,
        "vlos_kms": 90,
        "pmra_masyr": 1,
        "pmdec_masyr": 1,
        "M_V": 2,
    }
    for name, wide in spread.items():
        table[name] = random.normal(0, wide, 40) - 8.0 * (name == "M_V")
    found = SatelliteTable.of(table, "a.csv")
    assert np.flatnonzero(np.isnan(found.values["distance"])).tolist() == [*range(7)]


@pytest.mark.parametrize(("error", "repeated"), [(0.05, False), (0.4, True)])
def test_errors_of_moduli_tell_whether_two_are_one(error, repeated):
    kpc = np.array([50.0, 62.0])
    rest = {name: [values[0]] * 2 for name, values in COLUMNS.items()}
    rest |= {"name": ["A", "B"], "dm": 5 * np.log10(kpc) + 10, "dm_err": [error] * 2}
    del rest["dist_kpc"]
    if repeated:
        with pytest.raises(ValueError, match="'A' is there twice, once as 'B'"):
            SatelliteTable.of(Table(rest), "a.csv")
    else:
        SatelliteTable.of(Table(rest), "a.csv")


def test_a_brightness_that_is_none_is_a_gap():
    found = SatelliteTable.of(Table(COLUMNS | {"M_V": [99.0, -5.0]}), "a.csv")
    assert found.incomplete.tolist() == [True, False]
    assert found.gaps(0) == "M_V = 99.0"
    np.testing.assert_allclose(found.log_m_star[1], (4.83 + 5.0) / 2.5)


def test_a_magnitude_without_its_sign_is_a_gap():
    found = SatelliteTable.of(Table(COLUMNS | {"M_V": [8.0, 2.2]}), "a.csv")
    assert found.incomplete.tolist() == [True, False]
    assert found.gaps(0) == "M_V = 8.0"


@pytest.mark.parametrize("megaparsec", [0.09, 1.4])
def test_one_distance_in_another_unit_is_a_gap(megaparsec):
    found = SatelliteTable.of(
        Table(COLUMNS | {"dist_kpc": [megaparsec, 40.0]}), "a.csv"
    )
    assert found.incomplete.tolist() == [True, False]
    assert found.gaps(0) == f"dist_kpc = {megaparsec}"


def _satellites(distances):
    count = len(distances)
    far = np.linspace(0.0, 300.0, count)
    return Table(
        {
            **{name: [values[0]] * count for name, values in COLUMNS.items()},
            "name": [f"S{i}" for i in range(count)],
            "ra_deg": far,
            "dist_kpc": distances,
        }
    )


def test_declinations_alone_may_be_in_radians():
    table = _satellites([84.0, 255.0, 76.0, 50.0, 233.0])
    table["dec_deg"] = np.radians([-33.0, 12.0, 57.0, -69.0, 22.0])
    with pytest.raises(
        ValueError, match=r"a.csv: all declinations in dec_deg .* dec_rad"
    ):
        SatelliteTable.of(table, "a.csv")
    SatelliteTable.of(table[:4], "a.csv")
    table["dec_deg"][2] = 1.6
    SatelliteTable.of(table, "a.csv")
    table["dec_deg"][2] = 1.0
    table.rename_column("dec_deg", "dec_rad")
    found = SatelliteTable.of(table, "a.csv")
    np.testing.assert_allclose(found.values["dec"][0], -33.0)


@pytest.mark.parametrize("title", ["M_V", "V0_mag"])
def test_a_magnitude_of_exactly_zero_is_doubted(title):
    table = Table(COLUMNS)
    table.rename_column("M_V", title)
    table[title] = [0.0, -5.0]
    seen = SatelliteTable.of(table, "a.csv")
    (doubt,) = seen.doubts([0, 1])
    assert doubt.startswith(
        f"{title} of 'A' is 0: such numbers often stand for no value"
    )
    assert seen.doubts([1]) == []


def test_distance_moduli_are_no_distances():
    moduli = [18.5, 20.7, 15.2, 22.1, 24.4]
    with pytest.raises(
        ValueError,
        match=r"a.csv: dist_kpc .* 15.2 to 24.4 kpc: are these distance moduli",
    ):
        SatelliteTable.of(_satellites(moduli), "a.csv")
    # few satellites may all be near, and one that is further shows the unit
    SatelliteTable.of(_satellites(moduli[:4]), "a.csv")
    SatelliteTable.of(_satellites([*moduli, 84.0]), "a.csv")


def test_a_logarithm_of_zero_is_no_mass():
    columns = {name: v for name, v in COLUMNS.items() if name != "M_V"}
    found = SatelliteTable.of(Table(columns | {"log10_Mstar_ML1": [0.0, 6.1]}), "a.csv")
    assert found.gaps(0) == "log10_Mstar_ML1 = 0.0"
    assert found.incomplete.tolist() == [True, False]


def test_radians_are_refused_or_said():
    columns = {name: v + v for name, v in COLUMNS.items()}
    columns["ra_deg"] = np.radians([10.0, 200.0, 310.0, 90.0])
    columns["dec_deg"] = np.radians([-40.0, 20.0, 60.0, -70.0])
    with pytest.raises(
        ValueError, match=r"are these radians\? call .* ra_rad and dec_rad"
    ):
        SatelliteTable.of(Table(columns), "a.csv")
    table = Table(columns)
    table.rename_columns(["ra_deg", "dec_deg"], ["ra_rad", "dec_rad"])
    np.testing.assert_allclose(
        SatelliteTable.of(table, "a.csv").values["ra"], [10.0, 200.0, 310.0, 90.0]
    )


@pytest.mark.parametrize("other", [{"vlos_kms": 31.0}, {"dist_kpc": 55.0}])
def test_two_names_at_one_place_are_told(other):
    table = Table(COLUMNS)
    table.add_row({**dict(table[0]), "name": "C", **other})
    found = SatelliteTable.of(table, "a.csv")
    (doubt,) = found.doubts([])
    assert doubt.startswith("A and C are at one place on the sky: if they are one")
    assert SatelliteTable.of(Table(COLUMNS), "a.csv").doubts([0, 1]) == []


def test_a_column_without_a_unit_is_refused():
    columns = {("hrv" if n == "vlos_kms" else n): v for n, v in COLUMNS.items()}
    with pytest.raises(
        ValueError, match=r"a.csv: column 'hrv' has no unit; wanted km / s"
    ):
        SatelliteTable.of(Table(columns), "a.csv")


def twice(**columns):
    """One satellite in two rows, whose velocities are 40 km/s apart."""
    once = {name: values[:1] for name, values in COLUMNS.items()}
    again = once | {"name": ["Other"], "vlos_kms": [-80.5]}
    rows = {name: [*once[name], *again[name]] for name in COLUMNS}
    return Table(rows | columns)


@pytest.mark.parametrize(
    "columns",
    [
        {"vlos_err_kms": [10.0, 10.0]},
        {"e_vlos [km/s]": [20.0, np.nan]},
        {"vlos_err_low_kms": [5.0, 12.0], "vlos_err_high_kms": [15.0, 8.0]},
    ],
)
def test_rows_that_agree_within_their_errors_are_one_satellite(columns):
    with pytest.raises(ValueError, match=r"a.csv: 'A' is there twice, once as 'Other'"):
        SatelliteTable.of(twice(**columns), "a.csv")


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"vlos_err_kms": [1.0, 1.0]},
        {"vlos_err_kms": [-999.0, 9999.0]},  # no errors at all
        {"vlos_err": [10.0, 10.0]},  # of no unit
        {"vlos_err_low_kms": [20.0, 20.0]},  # of one side alone
    ],
)
def test_rows_that_do_not_are_two(columns):
    assert SatelliteTable.of(twice(**columns), "a.csv").names == ("A", "Other")


def test_distances_are_compared_within_their_errors_too():
    near = {"vlos_kms": [-120.5, -120.5], "dist_kpc": [90.0, 120.0]}
    assert len(SatelliteTable.of(twice(**near), "a.csv").names) == 2
    with pytest.raises(ValueError, match="is there twice"):
        SatelliteTable.of(twice(**near, dist_err_kpc=[8.0, 9.0]), "a.csv")


def test_columns_of_which_nothing_is_used_are_told():
    more = {"vlos_err_kms": [1.0, 2.0], "source": ["s", "t"], "pmra_err": [0.1, 0.1]}
    more |= {"log10_Mstar_ML1": [5.0, 4.0], "remark": ["", "x"]}
    found = SatelliteTable.of(Table(COLUMNS | more), "a.csv")
    assert found.not_used == ["M_V", "pmra_err", "remark"]
    assert SatelliteTable.of(Table(COLUMNS), "a.csv").not_used == []


@pytest.mark.parametrize(
    ("titles", "factor", "question"),
    [
        (("dist_kpc",), 1e-3, "dist_kpc says .* 0.09 kpc: are these Mpc"),
        (("vlos_kms",), 1 / 3e5, "vlos_kms says .* km/s: are they redshifts"),
        (("pmra_masyr", "pmdec_masyr"), 1e-3, "pmra_masyr says .* in arcsec/yr"),
    ],
)
def test_what_all_satellites_lack_is_another_unit(titles, factor, question):
    columns = {name: v + v for name, v in COLUMNS.items()}
    columns |= {"name": [*"ABCD"], "ra_deg": [10.0, 80.0, 150.0, 200.0]}
    SatelliteTable.of(Table(columns), "a.csv")
    columns |= {title: factor * np.array(columns[title]) for title in titles}
    with pytest.raises(ValueError, match=f"a.csv: {question}"):
        SatelliteTable.of(Table(columns), "a.csv")


def test_a_place_of_zeros_and_a_name_that_is_none_are_gaps():
    rows = {"name": ["--", ""], "ra_deg": [0.0, 200.0], "dec_deg": [0.0, 20.0]}
    found = SatelliteTable.of(Table(COLUMNS | rows), "a.csv")
    assert found.names == ("row 1", "row 2")
    assert found.incomplete.tolist() == [True, False]
    assert found.gaps(0) == "ra_deg = 0.0, dec_deg = 0.0"


def test_a_distance_that_may_stand_for_none_is_told_of_far_ones_too():
    columns = {name: v + v for name, v in COLUMNS.items()}
    columns |= {"name": [*"ABCD"], "dist_kpc": [999.0, 40.0, 420.0, 810.0]}
    found = SatelliteTable.of(Table(columns), "a.csv")
    (doubt,) = found.far_doubts([0, 1])
    assert doubt.startswith("dist_kpc of 'A' is 999: such numbers often stand for no")
    assert found.far_doubts([1]) == []


def test_absolute_magnitudes_are_no_apparent_ones():
    """At these distances they would be those of ten galaxies like the Milky Way, or more."""
    table = Table(COLUMNS)
    table.rename_column("M_V", "V0_mag")
    table["V0_mag"] = [-13.4, -15.2]
    assert np.isnan(SatelliteTable.of(table, "a.csv").log_m_star).all()
    table["V0_mag"] = [6.0, 9.5]
    assert np.isfinite(SatelliteTable.of(table, "a.csv").log_m_star).all()


@pytest.mark.parametrize(
    ("moved", "told"),
    [
        ({"dec_deg": 0.15}, True),
        ({"dec_deg": -0.25, "vlos_kms": 11.0, "dist_kpc": 4.0}, True),
        ({"dec_deg": 0.4}, False),
        ({"dec_deg": 0.2, "vlos_kms": 40.0}, False),
        ({"dec_deg": 0.2, "dist_kpc": 25.0}, False),
    ],
)
def test_two_that_are_near_each_other_and_agree_may_be_one(moved, told):
    rows = {name: [*values, values[0]] for name, values in COLUMNS.items()}
    rows["name"][2] = "Another"
    for name, by in moved.items():
        rows[name][2] += by
    doubts = SatelliteTable.of(Table(rows), "a.csv").doubts([0, 1, 2])
    assert [text for text in doubts if "A and Another are within 0.3" in text] == doubts
    assert len(doubts) == told
