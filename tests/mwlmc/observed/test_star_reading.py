"""Laws of reading stars: other names and formats give the same stars, bad numbers are counted."""

import gzip

import astropy.coordinates as coord
import numpy as np
import pytest
from astropy.table import Table, vstack

from mwlmc.__main__ import main as look
from mwlmc.observed.binned_table import main, read_binned
from mwlmc.observed.star_reading import read_stars, star_report

COUNT = 50

ACROSS = ("pmra_masyr", "pmdec_masyr", "pmra_err_masyr", "pmdec_err_masyr")


def _stars(seed=4, count=COUNT):
    random = np.random.default_rng(seed)
    return Table(
        {
            "ra_deg": random.uniform(0, 360, count),
            "dec_deg": random.uniform(-80, 80, count),
            "distance_kpc": random.uniform(32, 55, count),
            "vlos_kms": random.normal(0, 150, count),
            "pmra_masyr": random.normal(0, 0.5, count),
            "pmdec_masyr": random.normal(0, 0.5, count),
            "vlos_err_kms": random.uniform(1, 9, count),
            "pmra_err_masyr": random.uniform(0.05, 0.2, count),
            "pmdec_err_masyr": random.uniform(0.05, 0.2, count),
            "source_id": np.arange(count) + 4_000_000_000_000_000_007,
        }
    )


def _read(table, folder, name="stars.csv", **options):
    kinds = {".csv": "ascii.csv", ".ecsv": "ascii.ecsv", ".vot": "votable"}
    path = folder / name
    table.write(path, format=kinds.get(path.suffix, path.suffix[1:]), overwrite=True)
    return read_stars(path, **options)


def _same(one, two, rtol=1e-9):
    for name, column in vars(one).items():
        if isinstance(column, np.ndarray):
            np.testing.assert_allclose(column, getattr(two, name), rtol, err_msg=name)


def _renamed(table, **names):
    other = table.copy()
    for old, new in names.items():
        other.rename_column(old, new)
    return other


@pytest.mark.parametrize(
    "names",
    [
        {"pmra_masyr": "pm_ra_masyr", "pmdec_masyr": "pm_dec_masyr"},
        {
            "ra_deg": "RA_ICRS",
            "dec_deg": "DE_ICRS",
            "vlos_kms": "HRV",
            "vlos_err_kms": "e_HRV",
        },
        {"pmra_masyr": "pmRA", "pmra_err_masyr": "e_pmRA", "source_id": "Source"},
        {"vlos_kms": "radial_velocity", "vlos_err_kms": "radial_velocity_error"},
        {"ra_deg": "_RAJ2000", "dec_deg": "_DEJ2000", "distance_kpc": "Dist (kpc)"},
        {"ra_deg": "ra_1", "dec_deg": "dec_1", "pmra_masyr": "gaiaedr3_pmra"},
    ],
)
def test_other_names_give_the_same_stars(names, tmp_path):
    plain = _read(_stars(), tmp_path)
    _same(_read(_renamed(_stars(), **names), tmp_path, "other.csv"), plain)


@pytest.mark.parametrize("name", ["s.vot", "s.parquet", "s.fits", "s.ecsv"])
def test_other_formats_give_the_same_stars(name, tmp_path):
    _same(_read(_stars(), tmp_path, name), _read(_stars(), tmp_path))


def test_packed_tables_with_a_byte_order_mark_give_the_same_stars(tmp_path):
    plain = _read(_stars(), tmp_path)
    marked = b"\xef\xbb\xbf" + (tmp_path / "stars.csv").read_bytes()
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress(marked))
    _same(read_stars(tmp_path / "packed.csv.gz"), plain)


def test_hours_sexagesimal_moduli_and_parsecs_give_the_same_stars(tmp_path):
    table, plain = _stars(), _read(_stars(), tmp_path)
    hours = _renamed(table, ra_deg="ra_hours")
    hours["ra_hours"] = hours["ra_hours"] / 15
    _same(_read(hours, tmp_path), plain)
    angles = _renamed(table, ra_deg="ra", dec_deg="dec")
    sky = coord.SkyCoord(table["ra_deg"], table["dec_deg"], unit="deg")
    angles["ra"] = sky.ra.to_string(unit="hourangle", sep=":", precision=9)
    angles["dec"] = sky.dec.to_string(sep=":", precision=9)
    _same(_read(angles, tmp_path), plain, rtol=1e-7)
    moduli = _renamed(table, distance_kpc="DM")
    moduli["DM"] = 5 * np.log10(table["distance_kpc"]) + 10
    _same(_read(moduli, tmp_path), plain)
    parsecs = _renamed(table, distance_kpc="distance_pc")
    parsecs["distance_pc"] *= 1000
    _same(_read(parsecs, tmp_path), plain)


def test_hours_that_are_called_nothing_are_refused(tmp_path):
    hours = _renamed(_stars(), ra_deg="ra", dec_deg="dec")
    hours["ra"] /= 15
    with pytest.raises(ValueError, match=r"stars.csv.*'ra'.*look like hours.*ra_hours"):
        _read(hours, tmp_path)
    said = _read(_renamed(hours, ra="ra_deg"), tmp_path)
    assert any("look like hours" in one for one in said.checks["warnings"])


def test_radians_that_are_called_nothing_are_refused(tmp_path):
    radians = _renamed(_stars(), ra_deg="RA", dec_deg="DEC")
    for title in ("RA", "DEC"):
        radians[title] = np.radians(radians[title])
    with pytest.raises(
        ValueError, match=r"'RA' and 'DEC' .*like radians.*call .* ra_rad and dec_rad"
    ):
        _read(radians, tmp_path)
    said = _renamed(radians, RA="ra_rad", DEC="dec_rad")
    _same(_read(said, tmp_path), _read(_stars(), tmp_path))


def test_proper_motions_are_no_distance_moduli(tmp_path):
    table = _renamed(
        _stars(), pmra_masyr="mu_a", pmdec_masyr="mu_d", distance_kpc="plx"
    )
    table["plx"] = 1 / table["plx"]
    table["mu_a"].unit = table["mu_d"].unit = "mas / yr"
    found = _read(table, tmp_path, "stars.ecsv")
    expected = _read(_stars(), tmp_path)
    np.testing.assert_allclose(found.distance, expected.distance)
    np.testing.assert_allclose(found.pm_b, expected.pm_b)


@pytest.mark.parametrize(
    ("column", "bad", "lost", "rule"),
    [
        ("vlos_kms", -9999.0, 3, "the sentinel -9999"),
        ("vlos_kms", 999.0, 3, "the sentinel 999"),
        ("vlos_kms", 1e20, 3, "the sentinel 1e+20"),
        ("distance_kpc", -99.0, 3, "the sentinel -99"),
        ("dec_deg", 95.0, 3, "not -90 to 90 deg"),
        ("ra_deg", 400.0, 3, "not -180 to 360 deg"),
        ("distance_kpc", 1e34, 3, "not 0.001 to 1000 kpc"),
        ("pmra_masyr", 99.0, 0, "the sentinel 99"),
        ("pmdec_masyr", -9999.0, 0, "the sentinel -9999"),
        ("vlos_err_kms", -9999.0, 0, "the sentinel -9999"),
        ("pmra_err_masyr", -0.1, 0, "not 0 to 100 mas / yr"),
    ],
)
def test_bad_numbers_are_counted_and_never_used(column, bad, lost, rule, tmp_path):
    table, rows = _stars(), [7, 19, 23]
    table[column][rows] = bad
    found = _read(table, tmp_path)
    (counted,) = found.checks["missing"]
    assert (counted["column"], counted["rule"], counted["rows"]) == (column, rule, 3)
    assert found.steps[-1][1] == COUNT - lost
    blank = Table(_stars(), masked=True)
    blank[column].mask[rows] = True
    _same(found, _read(blank, tmp_path, "blank.csv"))


@pytest.mark.parametrize(
    ("column", "bad"),
    [
        *(("ra_deg", 0.0), ("ra_deg", 12.5)),
        *(("dec_deg", 0.0), ("dec_deg", -90.0), ("dec_deg", 12.5)),
    ],
)
@pytest.mark.parametrize("rows", [1, 8])
def test_one_coordinate_that_many_stars_share_is_none(column, bad, rows, tmp_path):
    table = _stars()
    table[column][3 : 3 + rows] = bad
    found = _read(table, tmp_path)
    lost = rows if rows > 1 or not bad else 0
    assert len(found) == len(table) - lost
    assert [one["rows"] for one in found.checks.get("missing", ())] == [lost][
        : bool(lost)
    ]


def test_numbers_that_many_stars_share_are_counted_or_doubted(tmp_path):
    table = _stars(count=200)
    table["distance_err_kpc"] = 0.08 * table["distance_kpc"]
    table["vlos_kms"][::10] = -640.0
    table["distance_kpc"][3::20] = 41.0
    table["vlos_err_kms"][1::20] = 70.0
    table["pmra_err_masyr"][2::20] = 60.0
    found = _read(table, tmp_path)
    assert found.steps[-1][1] == 180
    counted = {m["column"]: m["rows"] for m in found.checks["missing"]}
    assert counted == {"vlos_kms": 20, "pmra_err_masyr": 10}
    # of these stars no velocity holds the Sun's motion
    *doubts, _, _ = (one.partition(" rows")[0] for one in found.checks["warnings"])
    assert doubts == [
        "distance_kpc: 10 of 200",
        "vlos_err_kms: 10 of 200",
    ]
    said = {"vlos_kms": (), "distance_kpc": (41.0,), "vlos_err_kms": (70.0,)}
    found = _read(table, tmp_path, missing=said)
    assert found.steps[-1][1] == 190
    assert len(found.checks["warnings"]) == 2
    with pytest.raises(ValueError, match=r"stars.csv has no column rv .*only ra_deg"):
        _read(table, tmp_path, missing={"rv": (0.0,)})


def test_a_fifth_is_the_most_that_may_be_missing(tmp_path):
    table = _stars()
    table["vlos_kms"][:10] = -999.0
    assert _read(table, tmp_path).steps[-1][1] == 40
    table["vlos_kms"][:11] = -999.0
    with pytest.raises(ValueError, match=r"'vlos_kms'.*11 of 50 rows.*--most-missing"):
        _read(table, tmp_path)
    assert _read(table, tmp_path, most_missing=0.5).steps[-1][1] == 39
    # 50 were meant as per cent
    with pytest.raises(ValueError, match="most_missing 50 must be from 0 to 1"):
        _read(table, tmp_path, most_missing=50)
    table = _stars()
    table["pmra_masyr"][:11] = table["pmdec_masyr"][:11] = 0.0
    assert np.isnan(_read(table, tmp_path).pm_b).sum() == 11
    with pytest.raises(ValueError, match=r"'pmra_masyr' has no pm_ra"):
        _read(table, tmp_path, motions_needed=True)


def test_stars_count_once_by_identifier_or_place(tmp_path):
    table = _stars()
    once = _read(table, tmp_path)
    again = vstack([table, table[3:9], table[3:9]])
    again["vlos_kms"][COUNT:] += 77.0  # measured otherwise, but the same star
    found = _read(again, tmp_path)
    _same(found, once)
    assert found.checks["duplicates"] == [
        {"rule": "the same source_id", "rows": 12, "consequence": "row"}
    ]
    assert ("each star once", COUNT) in found.steps
    del again["source_id"]
    # its proper motions say so
    assert len(_read(again, tmp_path)) == COUNT
    without = again.copy()
    without.remove_columns(["distance_kpc", *ACROSS])
    without["distance_kpc"] = again["distance_kpc"] + 1.0 * (
        np.arange(COUNT + 12) >= COUNT
    )
    assert len(_read(without, tmp_path)) == COUNT + 6
    again["vlos_kms"][COUNT:] -= 77.0
    assert len(_read(again, tmp_path)) == COUNT
    # Gaia tells two stars apart that are further from each other than it resolves, unless
    # all that was measured is one
    exact = again["vlos_kms"].copy()
    again["vlos_kms"][COUNT:] += 0.01 * np.arange(1, 13)
    again["dec_deg"][COUNT:] += np.repeat([0.3, 0.6], 6) / 3600
    again["source_id"] = np.arange(len(again)) + 5_000_000_000_000_000_000
    assert len(_read(again, tmp_path)) == COUNT + 12
    again["vlos_kms"] = exact.round(9)
    assert len(_read(again, tmp_path)) == COUNT


@pytest.mark.parametrize("motions", [True, False])
def test_stars_whose_places_were_rounded_count_once(tmp_path, motions):
    table = _stars()
    table.remove_columns(["source_id", *([] if motions else ACROSS)])
    again = table.copy()
    for title in ("ra_deg", "dec_deg"):
        again[title] = again[title].round(2)
    found = _read(vstack([table, again]), tmp_path)
    assert len(found) == COUNT
    # as coarse numbers, they may be different stars
    for title in ("distance_kpc", "vlos_kms"):
        table[title], again[title] = table[title].round(-1), again[title].round(-1)
    if not motions:
        assert len(_read(vstack([table, again]), tmp_path)) > COUNT


def test_errors_of_one_side_alone_are_said(tmp_path):
    stars = _renamed(_stars(), vlos_err_kms="vlos_err_low_kms")
    found = _read(stars, tmp_path)
    assert np.isnan(found.v_los_error).all()
    said = (
        "vlos_err_low_kms has errors below alone, which are not used: give those above"
    )
    assert said in found.checks["notes"]
    stars["vlos_err_high_kms"] = stars["vlos_err_low_kms"]
    assert said not in _read(stars, tmp_path).checks.get("notes", ())


@pytest.mark.parametrize(
    ("title", "names"), [("source", ["LAMOST", "S5"]), ("gaia", [True, False])]
)
def test_a_survey_or_a_flag_is_no_identifier_of_gaias(tmp_path, title, names):
    table = _stars()
    del table["source_id"]
    again = table.copy()
    again["vlos_kms"] += 0.5
    again["dec_deg"] += 0.3 / 3600  # which Gaia resolves
    table[title], again[title] = names
    both = vstack([table, again])
    found = _read(both, tmp_path)
    assert len(found) == COUNT
    assert found.checks["not_used"] == [title]
    lines = star_report(tmp_path / "stars.csv").lines
    assert f"  {title}: not used: its values are no identifiers of Gaia's" in lines
    # a column that does identify them is used in its place
    both["gaiaedr3_id"] = np.arange(2 * COUNT) + 10**14
    assert len(_read(both, tmp_path)) == 2 * COUNT


@pytest.mark.parametrize("title", ["APOGEE_ID", "2MASS", "TMASS_ID", "2mass_id"])
def test_stars_count_once_by_the_names_that_surveys_give_them(tmp_path, title):
    table = _stars()
    del table["source_id"]
    table[title] = [f"{1000 + i:04d}4512-0{i:05d}" for i in range(COUNT)]
    again = table.copy()
    # another distance, velocity and motion: nothing else tells that it is the same star
    again["distance_kpc"] *= 1.3
    again["vlos_kms"] += 60.0
    again["pmra_masyr"] += 0.3
    assert len(_read(vstack([table, again]), tmp_path)) == COUNT
    both = vstack([table, again])
    del both[title]
    assert len(_read(both, tmp_path)) > COUNT


def test_a_name_that_stars_at_different_places_share_is_no_identifier(tmp_path):
    table = _renamed(_stars(), source_id="id")
    table["id"] = 17
    assert len(_read(table, tmp_path)) == COUNT


def test_a_column_without_any_value_is_none(tmp_path):
    table = Table(_stars(), masked=True)
    table["pm_corr"] = np.ma.masked_all(COUNT)
    found = _read(table, tmp_path)
    _same(found, _read(_stars(), tmp_path, "without.csv"))
    assert (
        "pm_corr has no value at all: as if it were not there" in found.checks["notes"]
    )


def test_columns_that_are_not_understood_are_named_where_they_are_missed(tmp_path):
    table = _renamed(_stars(), pmra_masyr="drift_masyr")
    notes = _read(table, tmp_path, motions_needed=True).checks["notes"]
    assert notes == [
        "no column has errors of the distances: 10 % is assumed",
        "no columns for proper motions: none of drift_masyr was understood as one",
    ]


def test_the_command_says_and_keeps_what_was_dropped(tmp_path, capsys):
    table = _stars(count=120)
    table["vlos_kms"][[2, 4]] = -9999.0
    table["teff"] = 5000.0
    table.write(tmp_path / "stars.csv", format="ascii.csv")
    out = tmp_path / "out.ecsv"
    assert main(["quadrants", str(tmp_path / "stars.csv"), str(out)]) == 0
    printed = capsys.readouterr().out
    assert "no v_los in 2 rows of vlos_kms: the sentinel -9999" in printed
    assert "columns not used: teff" in printed
    checks = read_binned(out).provenance["checks"]
    assert checks["missing"][0]["rows"] == 2
    assert checks["not_used"] == ["teff"]


def test_columns_are_listed_as_they_were_understood(tmp_path, capsys):
    table = _renamed(_stars(), vlos_kms="speedy")
    table.write(tmp_path / "stars.csv", format="ascii.csv")
    assert look(["columns", str(tmp_path / "stars.csv")]) == 1
    printed = capsys.readouterr().out
    assert "stars.csv: plain table, 50 rows" in printed
    assert "ra_deg: ra [deg, says its title] (right ascension)" in printed
    assert "speedy: not understood" in printed
    (tmp_path / "torn.csv").write_text("ra,dec\n1,2\n3")
    assert look(["columns", str(tmp_path / "torn.csv")]) == 1
    assert "torn.csv, line 3" in capsys.readouterr().err
    table = _renamed(_stars(), vlos_kms="vlos")
    table.write(tmp_path / "bare.csv", format="ascii.csv")
    assert (
        "cannot be used: bare.csv: column 'vlos' has no unit"
        in star_report(tmp_path / "bare.csv").lines[-1]
    )
