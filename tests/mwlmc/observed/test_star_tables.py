"""Laws of star tables: every layout gives the same stars, and every dropped star is counted."""

from dataclasses import replace

import astropy.coordinates as coord
import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from mwlmc.observed.options import StarSelection
from mwlmc.observed.star_reading import read_stars
from mwlmc.observed.star_tables import select
from mwlmc.sky import frames

COLUMNS = ("ra_deg", "dec_deg", "distance_kpc", "vlos_kms", "pmra_masyr", "pmdec_masyr")


def _catalogue(count=60, seed=14):
    random = np.random.default_rng(seed)
    return Table(
        [
            random.uniform(0, 360, count),
            random.uniform(-80, 80, count),
            random.uniform(5, 120, count),
            random.normal(0, 150, count),
            random.normal(0, 2, count),
            random.normal(0, 2, count),
        ],
        names=COLUMNS,
    )


def _write(table, path):
    table.write(
        path,
        format={".csv": "ascii.csv", ".ecsv": "ascii.ecsv"}.get(path.suffix, "fits"),
    )
    return path


def _sky(table):
    return coord.SkyCoord(
        table["ra_deg"] * u.deg,
        table["dec_deg"] * u.deg,
        pm_ra_cosdec=table["pmra_masyr"] * u.mas / u.yr,
        pm_dec=table["pmdec_masyr"] * u.mas / u.yr,
    ).galactic


def _same(one, two, atol=1e-6):
    for name in ("l", "b", "distance", "v_los", "pm_l", "pm_b"):
        np.testing.assert_allclose(
            getattr(one, name), getattr(two, name), atol=atol, err_msg=name
        )


def test_galactic_and_equatorial_tables_give_the_same_stars(tmp_path):
    equatorial = _catalogue()
    sky = _sky(equatorial)
    galactic = Table(
        {
            "l_deg": sky.l.deg,
            "b_deg": sky.b.deg,
            "distance_kpc": equatorial["distance_kpc"],
            "vlos_kms": equatorial["vlos_kms"],
            "pml_cosb_masyr": sky.pm_l_cosb.value,
            "pmb_masyr": sky.pm_b.value,
        }
    )
    one = read_stars(_write(equatorial, tmp_path / "one.csv"))
    # 2e-7 rad is the difference of ICRS and FK5; proper motions turn by as little.
    _same(one, read_stars(_write(galactic, tmp_path / "two.csv")), atol=1e-4)


@pytest.mark.parametrize("name", ["stars.ecsv", "stars.fits"])
def test_units_of_the_file_are_converted(tmp_path, name):
    plain = _catalogue()
    other = Table()
    other["RA"] = np.radians(plain["ra_deg"]) * u.rad
    other["dec"] = plain["dec_deg"] * 60 * u.arcmin
    other["dist"] = plain["distance_kpc"] * 1000 * u.pc
    other["v_los"] = plain["vlos_kms"] * 1000 * u.m / u.s
    other["pmra"] = plain["pmra_masyr"] * 1000 * u.uas / u.yr
    other["pmdec"] = plain["pmdec_masyr"] * u.mas / u.yr
    one = read_stars(_write(plain, tmp_path / "plain.csv"))
    _same(one, read_stars(_write(other, tmp_path / name)))


def test_units_follow_from_the_endings_of_columns(tmp_path):
    plain = _catalogue()
    other = plain.copy()
    other["distance_kpc"] *= 1000
    other.rename_column("distance_kpc", "distance_pc")
    one = read_stars(_write(plain, tmp_path / "kpc.csv"))
    _same(one, read_stars(_write(other, tmp_path / "pc.csv")))


def _desi(table, path, distance_error=None, units=True):
    count = len(table)
    primary = np.arange(count) % 3 != 0
    rv = Table(
        {"VRAD": table["vlos_kms"], "VRAD_ERR": np.full(count, 4.0), "PRIMARY": primary}
    )
    for name in ("TEFF", "LOGG", "FEH", "RVS_WARN"):
        rv[name] = np.zeros(count)
    rv["RR_SPECTYPE"] = ["STAR"] * count
    fibre = Table({"TARGETID": np.arange(count), "DIST": table["distance_kpc"]})
    if distance_error is not None:
        fibre["DIST_ERR"] = distance_error
    gaia = Table({"RA": table["ra_deg"], "DEC": table["dec_deg"]})
    gaia["PMRA"], gaia["PMDEC"] = table["pmra_masyr"], table["pmdec_masyr"]
    gaia["PMRA_ERROR"], gaia["PMDEC_ERROR"] = np.full(count, 0.3), np.full(count, 0.2)
    gaia["PMRA_PMDEC_CORR"] = np.full(count, 0.5)
    gaia["SOURCE_ID"] = np.arange(count)
    gaia["L"], gaia["B"] = _sky(table).l.deg, _sky(table).b.deg
    if units:
        rv["VRAD"].unit, fibre["DIST"].unit, gaia["PMRA"].unit = (
            "km s-1",
            "kpc",
            "mas yr-1",
        )
    hdus = [fits.PrimaryHDU()]
    for name, part in (("RVTAB", rv), ("FIBERMAP", fibre), ("GAIA", gaia)):
        hdus.append(fits.BinTableHDU(part, name=name))
    fits.HDUList(hdus).writeto(path)
    return path, primary


@pytest.mark.parametrize("units", [True, False])
def test_desi_catalogue_gives_the_stars_of_a_plain_table(tmp_path, units):
    table = _catalogue()
    path, primary = _desi(table, tmp_path / "MWS_BHB.fits", units=units)
    stars = read_stars(path)
    _same(stars, read_stars(_write(table[primary], tmp_path / "plain.csv")))
    assert stars.steps[:2] == (("rows", 60), ("PRIMARY", 40))
    np.testing.assert_allclose(stars.distance_error, 0.1 * stars.distance)
    np.testing.assert_allclose(stars.v_los_error, 4.0)
    assert stars.source["layout"] == "DESI MWS_BHB"
    assert len(stars.source["sha256"]) == 64


def test_desi_catalogues_distance_errors_are_used_where_it_has_them(tmp_path):
    path, primary = _desi(
        _catalogue(), tmp_path / "MWS_BHB.fits", np.linspace(1, 2, 60)
    )
    np.testing.assert_allclose(
        read_stars(path).distance_error, np.linspace(1, 2, 60)[primary]
    )


@pytest.mark.slow
def test_errors_of_proper_motions_turn_with_the_axes(tmp_path):
    path, _ = _desi(_catalogue(), tmp_path / "MWS_BHB.fits")
    stars = read_stars(path)
    covariance = stars.pm_corr * stars.pm_l_error * stars.pm_b_error
    # Trace and determinant of a covariance do not depend on the axes.
    np.testing.assert_allclose(
        stars.pm_l_error**2 + stars.pm_b_error**2, 0.3**2 + 0.2**2
    )
    determinant = (stars.pm_l_error * stars.pm_b_error) ** 2 - covariance**2
    np.testing.assert_allclose(determinant, (0.3 * 0.2) ** 2 * (1 - 0.5**2))


@pytest.mark.slow
def test_errors_of_velocities_are_the_scatter_of_perturbed_stars(tmp_path):
    stars = read_stars(_write(_catalogue(40), tmp_path / "stars.csv"))
    random, count = np.random.default_rng(16), len(stars)
    stars = replace(
        stars,
        distance_error=0.1 * stars.distance,
        pm_b_error=random.uniform(0.1, 0.5, count),
        v_los_error=random.uniform(1, 20, count),
    )
    drawn = [_perturbed(stars, random).rest_frame() for _ in range(2000)]
    for quantity in ("v_gsr", "v_tb"):
        scatter = np.std([getattr(one, quantity) for one in drawn], axis=0)
        np.testing.assert_allclose(stars.velocity_errors(quantity), scatter, rtol=0.12)


def _perturbed(stars, random):
    return replace(
        stars,
        distance=random.normal(stars.distance, stars.distance_error),
        pm_b=random.normal(stars.pm_b, stars.pm_b_error),
        v_los=random.normal(stars.v_los, stars.v_los_error),
    )


def test_desi_catalogue_with_a_missing_column_or_row_is_refused(tmp_path):
    path, _ = _desi(_catalogue(), tmp_path / "MWS_BHB.fits")
    with fits.open(path) as hdus:
        short = hdus["GAIA"].copy()
        short.data = short.data[:-1]
        fits.HDUList([*hdus[:3], short]).writeto(tmp_path / "short.fits")
        table = Table(hdus["RVTAB"].data)
        table.remove_column("PRIMARY")
        bare = fits.BinTableHDU(table, name="RVTAB")
        fits.HDUList([hdus[0], bare, *hdus[2:]]).writeto(tmp_path / "bare.fits")
    with pytest.raises(ValueError, match="row by row"):
        read_stars(tmp_path / "short.fits")
    with pytest.raises(ValueError, match="RVTAB has no column PRIMARY, only VRAD"):
        read_stars(tmp_path / "bare.fits")


def test_unusable_stars_are_dropped_and_counted(tmp_path):
    table = Table(_catalogue(), masked=True)
    table["ra_deg"][0], table["dec_deg"][0] = 0.0, 0.0
    table["dec_deg"].mask[1] = True
    table["distance_kpc"][2:4] = [-3.0, 0.0]
    table["distance_kpc"].mask[4] = True
    table["vlos_kms"].mask[5] = True
    table["pmra_masyr"].mask[6] = True
    table["pmra_masyr"][7], table["pmdec_masyr"][7] = 0.0, 0.0
    stars = read_stars(_write(table, tmp_path / "stars.csv"))
    assert stars.steps == (
        ("rows", 60),
        ("with a position", 58),
        ("with a positive distance", 55),
        ("with a line-of-sight velocity", 54),
    )
    # Without a proper motion, the line of sight still counts.
    assert np.isnan(stars.pm_b).sum() == 2
    assert np.isfinite(stars.rest_frame().v_gsr).all()
    assert np.isnan(stars.rest_frame().v_tb).sum() == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t.remove_column("distance_kpc"),
            "no column for distance among ra_deg",
        ),
        (lambda t: t.remove_column("dec_deg"), "no column for ra and dec, or l and b"),
        (
            lambda t: t.rename_column("vlos_kms", "vlos"),
            "column 'vlos' has no unit; wanted km / s",
        ),
        (
            lambda t: t.rename_column("vlos_kms", "vlos_kpc"),
            r"'vlos_kpc' \[kpc, .*in km / s",
        ),
        (lambda t: t.replace_column("vlos_kms", ["fast"] * 60), "'vlos_kms'.*numbers"),
        (
            lambda t: t.add_column(t["vlos_kms"], name="rv_kms"),
            r"'vlos_kms', 'rv_kms'\] all give",
        ),
    ],
)
def test_wrong_columns_are_named(tmp_path, change, message):
    table = _catalogue()
    change(table)
    with pytest.raises(ValueError, match=message):
        read_stars(_write(table, tmp_path / "stars.csv"))


def test_unknown_formats_and_missing_files_are_refused(tmp_path):
    (tmp_path / "stars.xls").write_text("1 2 3")
    with pytest.raises(ValueError, match=r"'.xls'"):
        read_stars(tmp_path / "stars.xls")
    with pytest.raises(FileNotFoundError):
        read_stars(tmp_path / "none.csv")


def test_selection_is_in_galactocentric_distance_and_counted(tmp_path):
    stars = read_stars(_write(_catalogue(500), tmp_path / "stars.csv"))
    chosen = select(stars, StarSelection(sagittarius=False, inner=20.0, outer=60.0))
    sky = frames.galactic_to_equatorial(stars.l, stars.b)
    position, _ = frames.sky_to_galactocentric(*sky, stars.distance, 0.0, 0.0, 0.0)
    radius = np.linalg.norm(position, axis=1)
    assert len(chosen) == ((radius >= 20) & (radius < 60)).sum()
    assert chosen.steps == (*stars.steps, ("20-60 kpc", len(chosen)))
    without = select(stars, StarSelection(inner=20.0, outer=60.0))
    assert without.steps[-2][0] == "not in the Sagittarius stream"
    assert len(without) < len(chosen)
    with pytest.raises(ValueError, match="inner < outer"):
        StarSelection(inner=50.0, outer=50.0)


def test_proper_motions_with_large_errors_are_not_used(tmp_path):
    """Their stars' line-of-sight velocities are; an unknown error is not a small one."""
    read = read_stars(_write(_catalogue(500), tmp_path / "stars.csv"))
    errors = np.random.default_rng(5).uniform(0.05, 0.4, len(read))
    errors[::7] = np.nan
    stars = replace(read, pm_b_error=errors)
    usual = StarSelection(sagittarius=False, inner=20.0, outer=60.0)
    whole = select(stars, usual)
    error = 4.74047 * whole.distance * whole.pm_b_error
    limit = 50.0
    chosen = select(stars, replace(usual, largest_motion_error=limit))
    used = np.isfinite(chosen.pm_b)
    np.testing.assert_array_equal(used, np.isfinite(whole.pm_b) & (error < limit))
    assert 0 < used.sum() < np.isfinite(whole.pm_b).sum()
    np.testing.assert_array_equal(chosen.v_los, whole.v_los)
    assert chosen.steps[-1] == (
        f"proper motions better than {limit:g} km/s",
        used.sum(),
    )
    with pytest.raises(ValueError, match="allow a larger error"):
        select(stars, replace(usual, largest_motion_error=0.01))
    unknown = replace(
        stars, pm_b_error=np.full(len(stars), np.nan), source={"file": "stars.csv"}
    )
    with pytest.raises(ValueError, match="give pmra_err_masyr and pmdec_err_masyr"):
        select(unknown, replace(usual, largest_motion_error=limit))
    for wrong in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="largest_motion_error"):
            StarSelection(largest_motion_error=wrong)


@pytest.mark.parametrize(("sagittarius", "left"), [(True, 856), (False, 1545)])
def test_desi_stars_at_30_to_100_kpc(shared, sagittarius, left):
    stars = read_stars(shared / "data" / "desi_dr1_bhb.csv")
    assert len(stars) == 5434
    assert len(select(stars, StarSelection(sagittarius=sagittarius))) == left
