"""Laws of the Milky Way's table: the frame is astropy's, the list is the known one."""

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import ICRS, Galactocentric, galactocentric_frame_defaults
from astropy.table import Table

from halomass.observed import milky_way
from halomass.observed.features import Features, NeighbourSet
from halomass.observed.host_neighbours import observation
from halomass.observed.neighbour_tables import read_neighbours
from orrery.tables.bundled import bundled_tables

KEPT = bundled_tables()["milky_way_satellites.ecsv"]
BRIGHTEST = [
    "LMC", "SMC", "Fornax", "Sculptor", "Leo2", "Carina", "Sextans1", "UrsaMinor", "Draco",
    "CanesVenatici1", "Crater2", "Hercules", "Sagittarius2", "CanesVenatici2", "UrsaMajor1",
    "Leo4", "Hydrus1", "Leo5", "Hydra2", "Carina2", "Columba1", "ComaBerenices", "Aquarius2",
    "UrsaMajor2", "Pisces2",
]  # fmt: skip
ROW = {
    "name": "Near",
    "ra_deg": 80.0,
    "dec_deg": -69.0,
    "dist_kpc": 50.0,
    "vlos_kms": 262.0,
    "pmra_masyr": 1.9,
    "pmdec_masyr": 0.2,
    "M_V": -18.1,
}


@pytest.fixture(scope="module")
def table():
    return read_neighbours(KEPT)


def written(folder, *rows):
    path = folder / "satellites.csv"
    table = Table(rows=[ROW | row for row in rows])
    table.write(path, format="ascii.csv", overwrite=True)
    return path


def test_the_25_brightest_are_the_known_list(table):
    assert observation(table, Features()).provenance["neighbours"] == BRIGHTEST
    assert len(table) == 44
    assert table.name == "Milky Way"


def test_satellites_are_where_they_are_known_to_be(table):
    """LMC and SMC: Kallivayalil et al. (2013), who find 321 +- 24 and 217 +- 26 km/s in all."""
    orbit = {
        name: (r, v_r, v_t)
        for name, r, v_r, v_t in zip(table.names, *table.orbits, strict=True)
    }
    assert orbit["LMC"] == pytest.approx((49.5, 62.0, 322.0), abs=3.0)
    assert orbit["SMC"][0] == pytest.approx(60.0, abs=1.0)
    assert orbit["Draco"][0] == pytest.approx(76.0, abs=1.0)
    assert orbit["Draco"][1] < -80.0  # falling in
    assert all(r < 250 for r, _, _ in orbit.values())


def test_the_frame_is_astropys_v4():
    random = np.random.default_rng(0)
    sky = [
        random.uniform(0, 360, 50),
        random.uniform(-90, 90, 50),
        random.uniform(20, 250, 50),
    ]
    motion = [
        random.normal(0, 150, 50),
        random.normal(0, 1, 50),
        random.normal(0, 1, 50),
    ]
    seen = ICRS(
        ra=sky[0] * units.deg,
        dec=sky[1] * units.deg,
        distance=sky[2] * units.kpc,
        radial_velocity=motion[0] * units.km / units.s,
        pm_ra_cosdec=motion[1] * units.mas / units.yr,
        pm_dec=motion[2] * units.mas / units.yr,
    )
    with galactocentric_frame_defaults.set("v4.0"):
        there = seen.transform_to(Galactocentric()).spherical
    found = milky_way.galactocentric_orbits(*sky, *motion)
    outward = there.differentials["s"].d_distance.to_value(units.km / units.s)
    np.testing.assert_allclose(found.r, there.distance.to_value(units.kpc), rtol=1e-9)
    np.testing.assert_allclose(found.v_r, outward, atol=1e-6)
    speed = there.differentials["s"].norm(there).to_value(units.km / units.s)
    np.testing.assert_allclose(np.hypot(found.v_r, found.v_t), speed, rtol=1e-9)


def test_the_kept_table_is_what_the_command_makes(shared, tmp_path, table, capsys):
    path = tmp_path / KEPT.name
    assert milky_way.main([str(shared / "data/mw_satellites.csv"), str(path)]) == 0
    assert "44 satellites; the brightest: LMC SMC" in capsys.readouterr().out
    again = read_neighbours(path)
    assert again.names == table.names
    np.testing.assert_allclose(again.orbits, table.orbits, atol=2e-5)
    assert again.provenance["source"] == table.provenance["source"]


def test_the_kept_table_says_what_it_is(table):
    assert table.provenance["source"]["sha256"]
    assert table.provenance["frame"]["centre_distance_kpc"] == 8.122
    assert table.environment == milky_way.MILKY_WAY_ENVIRONMENT
    ecsv = Table.read(KEPT)
    assert ecsv["r"].unit == units.kpc
    assert ecsv["v_t"].unit == units.km / units.s


@pytest.mark.parametrize(
    "binning", [Features(), Features(neighbours=10), NeighbourSet()]
)
def test_an_observation_has_the_definition_of_the_simulations(table, binning):
    seen = observation(table, binning)
    assert seen.definition == binning.fingerprint
    assert seen.names == binning.names
    assert not seen.covariance.any()
    assert seen.value[-3:] == pytest.approx(np.log10([91.7, 761.0, 17_000.0]))


def test_features_are_logarithms_of_the_table(table):
    seen = observation(table, Features(neighbours=10))
    np.testing.assert_allclose(seen.value[:10], np.log10(table.orbits.r[:10]))
    np.testing.assert_allclose(seen.value[10:20], np.log10(table.orbits.v_t[:10]))
    np.testing.assert_allclose(
        seen.value[20:30], np.log10(np.abs(table.orbits.v_r[:10]))
    )


def test_leaving_one_out_brings_in_the_next_brightest(table):
    seen = observation(table, Features(), without_satellite="Fornax")
    assert seen.provenance["neighbours"] == [n for n in BRIGHTEST if n != "Fornax"] + [
        "Pegasus3"
    ]
    assert seen.provenance["left_out"] == "Fornax"
    assert seen.name == "Milky Way without Fornax"


def test_leaving_out_an_unknown_satellite_names_the_known_ones(table):
    with pytest.raises(ValueError, match=r"no neighbour 'Sagittarius'.*Sagittarius2"):
        observation(table, Features(), without_satellite="Sagittarius")


def test_all_satellites_are_in_the_set(table):
    binning = NeighbourSet()
    seen = observation(table, binning).value[: binning.largest * 4].reshape(-1, 4)
    assert seen[:, 3].sum() == 44
    np.testing.assert_allclose(seen[:44, 0], np.log10(table.orbits.r))


def test_too_few_satellites_are_an_error(table):
    with pytest.raises(ValueError, match="44 neighbours within 250 kpc, too few"):
        observation(table, Features(neighbours=45))


def test_the_environment_can_be_another(table):
    smaller = milky_way.HostEnvironment(
        vmax=56.0, distance_larger=761.0, distance_cluster=17_000.0
    )
    seen = observation(table, Features(), "LMC", smaller)
    assert seen.value[-3] == pytest.approx(np.log10(56.0))


@pytest.mark.parametrize(
    ("magnitude", "expected"),
    [({"M_V": -18.1}, 9.172), ({"V0_mag": 0.3949, "M_V": None}, 9.172)],
)
def test_stellar_masses_follow_from_magnitudes(tmp_path, magnitude, expected):
    rows = {key: value for key, value in (ROW | magnitude).items() if value is not None}
    path = tmp_path / "satellites.csv"
    Table(rows=[rows]).write(path, format="ascii.csv")
    assert milky_way.read_satellites(path).log_m_star[0] == pytest.approx(
        expected, abs=1e-3
    )


def test_satellites_beyond_250_kpc_are_left_out(tmp_path):
    path = written(tmp_path, {}, {"name": "Far", "dist_kpc": 300.0})
    found = milky_way.read_satellites(path)
    assert found.names == ("Near",)
    assert found.provenance["selection"] == {"rows": 2, "within_kpc": 250.0, "kept": 1}


SOUND = [
    {
        "name": f"S{i}",
        "ra_deg": 40.0 * i,
        "dec_deg": 8.0 * i - 30.3,
        "dist_kpc": 90.7 + i,
        "vlos_kms": 262.0 - 61.3 * i,
        "pmra_masyr": 1.9 - 0.03 * i,
        "pmdec_masyr": 0.2 + 0.02 * i,
        "M_V": -18.1 + 0.7 * i,
    }
    for i in range(8)
]


@pytest.mark.parametrize(
    "wrong",
    [
        {"pmra_masyr": np.nan},
        {"pmra_masyr": -99.0, "pmdec_masyr": -99.0},
        {"pmra_masyr": 0.0, "pmdec_masyr": 0.0},
        {"pmdec_masyr": 1e34},
        {"dec_deg": 95.0},
        {"ra_deg": 400.0},
        {"dist_kpc": -5.0},
        {"dist_kpc": -9999.0},
        {"vlos_kms": -999.0},
        {"vlos_kms": 9999.0},
        {"vlos_kms": 1e20},
        {"M_V": 99.99},
        {"M_V": np.nan},
    ],
    ids=str,
)
def test_a_satellite_that_lacks_a_value_is_left_out_and_named(tmp_path, wrong):
    rows = [*SOUND, {"name": "Broken", "ra_deg": 10.0, "dec_deg": 61.4} | wrong]
    found = milky_way.read_satellites(written(tmp_path, *rows))
    rest = milky_way.read_satellites(written(tmp_path, *SOUND))
    assert found.names == rest.names
    np.testing.assert_array_equal(found.orbits, rest.orbits)
    (warning,) = found.warnings
    assert "1 of 9 neighbours lacks a value and is left out: Broken (" in warning
    assert all(f"{column} = " in warning for column in wrong)
    assert "1 left out for want of a value" in found.summary


def test_more_than_a_fifth_is_refused_unless_it_is_allowed(tmp_path, capsys):
    rows = [
        row | {"vlos_kms": -9999.0} if i < 3 else row for i, row in enumerate(SOUND)
    ]
    path = written(tmp_path, *rows)
    out = tmp_path / "out.ecsv"
    assert milky_way.main([str(path), str(out)]) == 1
    assert "S0 (vlos_kms = -9999.0)" in capsys.readouterr().err
    assert not out.exists()
    assert milky_way.main([str(path), str(out), "--most-missing", "0.4"]) == 0
    said = capsys.readouterr().err
    assert "vlos_kms: 3 rows have no v_los (the sentinel -9999)" in said
    assert "left out: S0 (vlos_kms = -9999.0), S1" in "".join(
        read_neighbours(out).warnings
    )


def test_galaxies_beyond_250_kpc_need_no_velocity(tmp_path):
    far = [
        {"name": f"Far{i}", "ra_deg": 20.0 * i, "dist_kpc": 700.0, "vlos_kms": np.nan}
        for i in range(9)
    ]
    found = milky_way.read_satellites(written(tmp_path, *SOUND, *far))
    assert (len(found), found.warnings) == (8, ())


def test_without_any_distance_that_can_be_a_table_is_refused(tmp_path):
    parsecs = [row | {"dist_kpc": 1e3 * row["dist_kpc"]} for row in SOUND]
    with pytest.raises(ValueError, match=r"csv: 8 of 8 neighbours lack a value"):
        milky_way.read_satellites(written(tmp_path, *parsecs))


def test_a_velocity_that_looks_like_none_is_warned_of(tmp_path):
    found = milky_way.read_satellites(written(tmp_path, *SOUND, {"vlos_kms": -99.0}))
    assert len(found) == 9
    assert "vlos_kms of 'Near' is -99.0: such numbers often" in found.warnings[0]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"name": "near "}, "'Near' is there twice, once as 'near'"),
        ({"name": "NEAR", "ra_deg": 200.0}, "'Near' is there twice, once as 'NEAR'"),
        (
            {"name": "Other", "dist_kpc": 51.0, "ra_deg": 80.05, "vlos_kms": 259.0},
            "'Near' is there twice, once as 'Other': they have the same place",
        ),
    ],
)
def test_a_satellite_that_is_there_twice_is_named(tmp_path, row, message):
    with pytest.raises(ValueError, match=f"satellites.csv: {message}"):
        milky_way.read_satellites(written(tmp_path, {}, *SOUND, row))


@pytest.mark.parametrize(
    "row",
    [
        {"name": "Near II", "dec_deg": -69.3},
        {"name": "Near III", "dist_kpc": 62.0},
        {"name": "Near IV", "vlos_kms": 40.0},
    ],
)
def test_neighbours_on_the_sky_are_two(tmp_path, row):
    assert len(milky_way.read_satellites(written(tmp_path, {}, row))) == 2


def test_right_ascensions_in_hours_are_refused_or_said(tmp_path):
    hours = [row | {"ra_deg": row["ra_deg"] / 15} for row in SOUND]
    path = written(tmp_path, *hours)
    with pytest.raises(ValueError, match=r"ra_deg are below 24.* call the column ra_h"):
        milky_way.read_satellites(path)
    path.write_text(path.read_text().replace("ra_deg", "ra_hours"))
    found = milky_way.read_satellites(path)
    expected = milky_way.read_satellites(written(tmp_path, *SOUND))
    np.testing.assert_allclose(found.orbits, expected.orbits)


def test_other_names_and_units_give_the_same(tmp_path):
    expected = milky_way.read_satellites(written(tmp_path, *SOUND))
    table = Table.read(tmp_path / "satellites.csv", format="ascii.csv")
    table["dist_kpc"] *= 1000
    for old, new in (
        ("ra_deg", "RA_ICRS"),
        ("dec_deg", "DE_ICRS"),
        ("dist_kpc", "Distance [pc]"),
        ("vlos_kms", "radial_velocity"),
        ("pmra_masyr", "pmRA"),
        ("pmdec_masyr", "pmDE"),
    ):
        table.rename_column(old, new)
    path = tmp_path / "named.ecsv"
    table.write(path, format="ascii.ecsv")
    np.testing.assert_allclose(milky_way.read_satellites(path).orbits, expected.orbits)


def test_observed_satellites_pass_without_a_warning(shared):
    found = milky_way.read_satellites(shared / "data/mw_satellites.csv")
    assert (len(found), found.warnings) == (44, ())
    assert not {"left_out", "missing"} & set(found.provenance)


def test_a_missing_column_is_named(tmp_path, capsys):
    path = tmp_path / "satellites.csv"
    rows = {key: value for key, value in ROW.items() if key not in ("vlos_kms", "M_V")}
    Table(rows=[rows]).write(path, format="ascii.csv")
    with pytest.raises(
        ValueError, match=r"no vlos_kms, log10_Mstar_ML1 or M_V or V0_mag"
    ):
        milky_way.read_satellites(path)
    assert milky_way.main([str(path), str(tmp_path / "out.ecsv")]) == 1
    assert "vlos_kms" in capsys.readouterr().err
    assert not (tmp_path / "out.ecsv").exists()
