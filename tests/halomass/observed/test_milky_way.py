"""Laws of the Milky Way's table: the frame is astropy's, the list is the known one."""

from pathlib import Path

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import ICRS, Galactocentric, galactocentric_frame_defaults
from astropy.table import Table

from halomass.observed import milky_way
from halomass.observed.features import Features, NeighbourSet
from halomass.observed.host_neighbours import observation
from halomass.observed.neighbour_tables import read_neighbours

KEPT = (
    Path(__file__).resolve().parents[3] / "datasets/observed/milky_way_satellites.ecsv"
)
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
    Table(rows=[ROW | row for row in rows]).write(path, format="ascii.csv")
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


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"pmra_masyr": np.nan}, r"'Broken' has pmra_masyr = nan: give a value"),
        ({"dec_deg": 120.0}, r"'Broken' has dec_deg = 120"),
        ({"dist_kpc": -5.0}, r"'Broken' has dist_kpc = -5"),
        ({"name": "Near"}, r"'Near' is there twice"),
    ],
)
def test_an_impossible_satellite_is_named(tmp_path, wrong, message):
    path = written(tmp_path, {}, {"name": "Broken"} | wrong)
    with pytest.raises(ValueError, match=message):
        milky_way.read_satellites(path)


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
