"""Laws of how stars move together: numbers in another unit are refused, real ones are not."""

import numpy as np
import pytest
from astropy.table import Table

from mwlmc.observed.star_reading import read_stars

COUNT = 60
ACROSS = ("pmra_masyr", "pmdec_masyr")


def _stars(seed=8, count=COUNT):
    random = np.random.default_rng(seed)
    return {
        "ra_deg": random.uniform(0, 360, count),
        "dec_deg": random.uniform(-80, 80, count),
        "distance_kpc": random.uniform(32, 55, count),
        "vlos_kms": random.normal(0, 110, count),
        "pmra_masyr": random.normal(0, 0.5, count),
        "pmdec_masyr": random.normal(0, 0.5, count),
        "vlos_err_kms": random.uniform(15, 19, count),
        "pmra_err_masyr": random.uniform(0.05, 0.2, count),
        "pmdec_err_masyr": random.uniform(0.05, 0.2, count),
    }


def _read(columns, folder):
    Table(columns).write(folder / "stars.csv", overwrite=True)
    return read_stars(folder / "stars.csv")


@pytest.mark.parametrize(
    ("titles", "factor", "message"),
    [
        (
            ("vlos_kms",),
            1 / 3e5,
            "'vlos_kms': 60 stars scatter by .* than those of any",
        ),
        (ACROSS, 1e-3, "'pmra_masyr': 60 stars scatter by .* less than those of any"),
        (("pmdec_masyr",), 1e-3, "'pmdec_masyr': 60 stars scatter .* less than"),
        (ACROSS, 1e3, "'pmra_masyr': 60 stars scatter by .* more than any stars"),
        (("pmra_err_masyr",), 60, "'pmra_masyr': .* typical error is .* scatters them"),
        (("vlos_kms",), 0.02, "'vlos_kms': .* numbers or errors are in another unit"),
    ],
)
def test_velocities_in_another_unit_are_refused(titles, factor, message, tmp_path):
    columns = _stars()
    columns |= {title: columns[title] * factor for title in titles}
    with pytest.raises(ValueError, match=rf"stars.csv: column {message}"):
        _read(columns, tmp_path)


def test_motions_and_their_errors_in_another_unit_are_refused_too(tmp_path):
    columns = _stars()
    for title in ("pmra_masyr", "pmra_err_masyr", "pmdec_masyr", "pmdec_err_masyr"):
        columns[title] = 900.0 * columns[title]
    with pytest.raises(
        ValueError, match=r"stars.csv: column 'pmra_masyr': .* more than"
    ):
        _read(columns, tmp_path)


def test_the_stars_of_one_dwarf_galaxy_and_poor_measurements_are_read(tmp_path):
    columns = _stars()
    random = np.random.default_rng(9)
    columns["vlos_kms"] = 111.0 + random.normal(0, 4.0, COUNT)
    # plates of a century ago: 5 mas/yr, a thousand km/s at these distances
    for title in ("pmra", "pmdec"):
        columns[f"{title}_masyr"] = random.normal(0, 5.0, COUNT)
        columns[f"{title}_err_masyr"] = np.full(COUNT, 5.0)
    assert len(_read(columns, tmp_path)) == COUNT


def test_a_handful_of_stars_says_nothing(tmp_path):
    columns = _stars(count=8)
    columns["vlos_kms"] = 1e-3 * columns["vlos_kms"]
    assert len(_read(columns, tmp_path)) == 8


@pytest.mark.parametrize(
    ("title", "factor", "words"),
    [
        ("vlos_err_kms", 1e-3, "errors of vlos_kms are below 0.017"),
        ("pmra_err_masyr", 1e-3, "errors of pmra_masyr are below 0.0001"),
        (
            "distance_err_kpc",
            1e-3,
            "errors of distances beyond 10 kpc are below 0.01 %",
        ),
        # a part of the distance, in place of kpc
        (
            "distance_err_kpc",
            0.06,
            "errors of distances beyond 10 kpc are below 0.6 %",
        ),
        ("distance_err_kpc", 1.0, ""),
    ],
)
def test_errors_far_below_any_surveys_are_doubted(tmp_path, title, factor, words):
    stars = _stars()
    stars["distance_err_kpc"] = 0.1 * stars["distance_kpc"]
    stars[title] = factor * np.median(stars[title]) * np.ones(COUNT)
    if title.startswith("distance"):
        stars[title] = factor * 0.1 * stars["distance_kpc"]
    notes = _read(stars, tmp_path).checks.get("warnings", [""])
    assert len(notes) == 1
    assert words in notes[0]


@pytest.mark.parametrize("title", ["v_r_kms", "vr_kms"])
@pytest.mark.parametrize(
    "others", [("v_phi_kms", "v_theta_kms"), ("vphi_kms", "vz_kms")]
)
def test_velocities_from_the_galactic_centre_are_refused(tmp_path, title, others):
    stars = _stars()
    stars |= dict.fromkeys(others, stars["vlos_kms"])
    expected = _read(stars, tmp_path)
    np.testing.assert_array_equal(expected.v_los, stars["vlos_kms"])
    stars[title] = stars.pop("vlos_kms")
    stars[title.replace("_kms", "_err_kms")] = stars.pop("vlos_err_kms")
    with pytest.raises(ValueError, match=f"column '{title}' stands beside {others[0]}"):
        _read(stars, tmp_path)
    for other in others:
        del stars[other]
    np.testing.assert_array_equal(_read(stars, tmp_path).v_los, stars[title])
