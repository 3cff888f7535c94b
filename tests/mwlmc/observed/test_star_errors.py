"""Laws of errors: unknown ones are said, lost ones refused, and what is no error is doubted."""

import re

import numpy as np
import pytest

from mwlmc.observed.binned_table import main, read_binned
from mwlmc.observed.data_vectors import vectors
from mwlmc.observed.options import Measurement
from mwlmc.observed.star_reading import read_stars, star_report
from mwlmc.sky.binning import QUADRANTS

COUNT = 400
UNKNOWN = "are unknown and taken as 0"


def _stars(seed=12, count=COUNT):
    """Returns stars of which the faint are far and measured less well."""
    random = np.random.default_rng(seed)
    distance = 30.0 * 4.0 ** random.random(count)
    faint = (distance / 40.0) ** 2 * random.uniform(0.7, 1.4, count)
    return {
        "ra_deg": random.uniform(0, 360, count),
        "dec_deg": np.degrees(np.arcsin(random.uniform(-1, 1, count))),
        "distance_kpc": distance,
        "vlos_kms": random.normal(0, 120, count),
        "pmra_masyr": random.normal(0, 0.5, count),
        "pmdec_masyr": random.normal(0, 0.5, count),
        "distance_err_kpc": 0.12 * distance * random.uniform(0.8, 1.2, count),
        "vlos_err_kms": 4.0 * faint,
        "pmra_err_masyr": 0.07 * faint,
        "pmdec_err_masyr": 0.06 * faint,
    }


def _write(stars, folder):
    rows = zip(*(column.tolist() for column in stars.values()), strict=True)
    lines = [",".join("" if v != v else repr(v) for v in row) for row in rows]
    (folder / "stars.csv").write_text("\n".join([",".join(stars), *lines, ""]))
    return folder / "stars.csv"


def _notes(stars, folder, **options):
    found = read_stars(_write(stars, folder), motions_needed=True, **options)
    # random velocities do not hold the Sun's motion
    notes = found.checks.get("warnings", ())
    return [note for note in notes if "the Sun's motion" not in note]


def test_honest_errors_are_not_doubted(tmp_path):
    assert _notes(_stars(), tmp_path) == []


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        (["vlos_err_kms"], "line-of-sight velocities"),
        (["pmdec_err_masyr"], "proper motions"),
        (["pmra_err_masyr"], "proper motions"),
        (["pmra_err_masyr", "pmdec_err_masyr"], "proper motions"),
    ],
)
def test_unknown_errors_are_said_everywhere(gone, words, tmp_path, capsys):
    stars = {k: v for k, v in _stars().items() if k not in gone}
    path = _write(stars, tmp_path)
    (note,) = _notes(stars, tmp_path)
    assert f"errors of {words} {UNKNOWN}" in note
    assert f"warning: {note}" in star_report(path).lines
    out = tmp_path / "out.ecsv"
    assert main(["quadrants", str(path), str(out), "--proper-motions"]) == 0
    assert note in capsys.readouterr().out
    assert note in read_binned(out).provenance["checks"]["warnings"]


def test_errors_of_motions_that_are_not_used_are_not_missed(tmp_path):
    stars = {k: v for k, v in _stars().items() if "pmra_err" not in k}
    notes = read_stars(_write(stars, tmp_path)).checks.get("warnings", ())
    assert not any(UNKNOWN in note for note in notes)


def test_bins_in_which_no_star_has_an_error_are_named(tmp_path):
    stars = _stars()
    out = tmp_path / "out.ecsv"
    far = stars["distance_kpc"] > 82
    stars["vlos_err_kms"][far] = np.nan
    path = _write(stars, tmp_path)
    assert main(["quadrants", str(path), str(out), "--most-missing", "0.6"]) == 0
    notes = read_binned(out).provenance["checks"]["warnings"]
    (note,) = [note for note in notes if "no star has an error" in note]
    assert "'q1' at 108-134 kpc" in note
    assert "at 30-56 kpc" not in note


@pytest.mark.parametrize("title", ["vlos_err_kms", "pmdec_err_masyr"])
@pytest.mark.parametrize("bad", [np.nan, 7000.0])
def test_a_column_that_lost_more_than_a_fifth_of_its_errors_is_refused(
    title, bad, tmp_path
):
    stars = _stars()
    stars[title][: COUNT // 5] = bad
    assert read_stars(_write(stars, tmp_path), motions_needed=True)
    stars[title][: COUNT // 4] = bad
    with pytest.raises(ValueError, match=rf"'{title}' has no error of .* 100 of 400"):
        _notes(stars, tmp_path)
    assert _notes(stars, tmp_path, most_missing=0.3) == []


def test_an_empty_column_of_errors_is_as_if_not_there_and_an_impossible_one_is_not(
    tmp_path,
):
    stars = _stars() | {"vlos_err_kms": np.full(COUNT, np.nan)}
    assert any(UNKNOWN in note for note in _notes(stars, tmp_path))
    stars["vlos_err_kms"] = np.linspace(-90.0, -3.0, COUNT)
    with pytest.raises(ValueError, match="'vlos_err_kms' has no error of v_los"):
        _notes(stars, tmp_path)


def test_bounds_in_place_of_errors_and_exchanged_percentiles_are_refused(tmp_path):
    stars = _stars()
    speed, error = stars["vlos_kms"], stars.pop("vlos_err_kms")
    bounds = {"vlos_err_low_kms": speed - error, "vlos_err_high_kms": speed + error}
    with pytest.raises(ValueError, match="'vlos_err_low_kms' and 'vlos_err_high_kms'"):
        _notes({**stars, **bounds}, tmp_path)
    stars = _stars()
    distance, error = stars["distance_kpc"], stars.pop("distance_err_kpc")
    stars |= {"dist_16_kpc": distance - error, "dist_84_kpc": distance + error}
    assert _notes(stars, tmp_path) == []
    stars |= {"dist_16_kpc": distance + error, "dist_84_kpc": distance - error}
    with pytest.raises(ValueError, match=r"'dist_16_kpc' has larger.*400 of 400.*exch"):
        _notes(stars, tmp_path)


RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"distance_err_kpc": lambda e: 12 * RANDOM.uniform(0.9, 1.1, COUNT)}, "grow"),
        (
            {"distance_err_kpc": lambda e: 5 * e},
            "half of the errors of .* above (59|60)",
        ),
        ({"vlos_err_kms": lambda e: (0.5 * e) ** 2}, "one in thirty .* variances"),
        ({"vlos_err_kms": lambda e: e**-2}, "inverse variances.* vlos_ivar"),
        (dict.fromkeys(["pmra_err_masyr"], lambda e: (0.5 * e) ** 2), "pmra_variance"),
        ({"vlos_err_kms": lambda e: 15 + e}, ""),
        ({"vlos_err_kms": lambda e: 250 + e}, "stars scatter by .* no standard errors"),
    ],
)
def test_other_numbers_under_an_errors_name_are_doubted(changed, words, tmp_path):
    stars = _stars()
    stars |= {title: change(stars[title]) for title, change in changed.items()}
    notes = _notes(stars, tmp_path)
    assert bool(words) == bool(notes)
    assert re.search(words, "; ".join(notes))


def test_columns_say_what_becomes_of_proper_motions(tmp_path):
    stars = _stars()
    *_, said, last = star_report(_write(stars, tmp_path)).lines
    assert said == "400 of 400 usable rows have proper motions"
    for title in ("pmra_masyr", "pmdec_masyr"):
        stars[title][::4] = np.nan
    *_, said, last = star_report(_write(stars, tmp_path)).lines
    assert said.startswith("cannot be used with proper motions, as desi and")
    assert "has no pm_ra (100 no value) in 100 of 400 rows, more than 20 %" in said
    assert last == "400 of 400 rows can be used"


@pytest.mark.parametrize(
    "title", ["pm_corr", "pmra_pmdec_corr", "corr_pmra_pmdec", "pm_correlation"]
)
def test_a_column_of_which_few_could_be_correlations_holds_none(tmp_path, title):
    random = np.random.default_rng(4)
    metallicities = random.normal(-2.0, 0.6, COUNT)  # a few of them above -1
    few = int((np.abs(metallicities) <= 1).sum())
    notes = _notes({**_stars(), title: metallicities}, tmp_path)
    assert [note.partition(",")[0] for note in notes] == [
        f"{title}: {COUNT - few} of its {COUNT} numbers are no correlations: it is not used"
    ]
    assert few > 5
    found = read_stars(tmp_path / "stars.csv", motions_needed=True)
    without = read_stars(_write(_stars(), tmp_path), motions_needed=True)
    np.testing.assert_array_equal(found.pm_corr, without.pm_corr)
    np.testing.assert_array_equal(found.pm_b_error, without.pm_b_error)


@pytest.mark.parametrize(("share", "warned"), [(0.1, 0), (0.4, 1), (1.0, 0)])
def test_two_errors_are_never_one(tmp_path, share, warned):
    correlations = np.random.default_rng(4).uniform(-0.6, 0.6, COUNT)
    certain = np.arange(COUNT) < share * COUNT
    correlations[certain] = np.where(np.arange(COUNT)[certain] % 2, 1.0, -1.0)
    notes = _notes({**_stars(), "pmra_pmdec_corr": correlations}, tmp_path)
    # of nothing but such numbers a note says that there are no others
    assert len(notes) == warned
    found = read_stars(tmp_path / "stars.csv", motions_needed=True)
    counted = {one["column"]: one["rows"] for one in found.checks["missing"]}
    assert counted == {"pmra_pmdec_corr": certain.sum()}
    without = read_stars(_write(_stars(), tmp_path), motions_needed=True)
    same = found.pm_b_error[certain] == without.pm_b_error[certain]
    assert same.all()


@pytest.mark.parametrize("rounding", [0.0, 1e-6])
def test_correlations_are_used_though_some_are_rounded_or_empty(tmp_path, rounding):
    correlations = np.random.default_rng(4).uniform(-0.6, 0.6, COUNT)
    correlations[::3] = np.nan
    correlations[1::3] = -9999.0
    correlations[2] = 1 + rounding
    assert _notes({**_stars(), "pmra_pmdec_corr": correlations}, tmp_path) == []
    found = read_stars(tmp_path / "stars.csv", motions_needed=True)
    without = read_stars(_write(_stars(), tmp_path), motions_needed=True)
    assert not np.allclose(found.pm_corr, without.pm_corr)


def _reduced(stars, folder, *words):
    out = folder / "out.ecsv"
    assert main(["quadrants", str(_write(stars, folder)), str(out), *words]) == 0
    return read_binned(out)


def test_few_stars_with_large_errors_of_motion_give_their_bin_a_large_one(tmp_path):
    """Of no other bin: what the stars measure is the same."""
    stars, few = _stars(), 6
    # [kpc], from the Sun: the last of the bins is theirs alone
    stars["distance_kpc"] = 30.0 + 0.55 * (stars["distance_kpc"] - 30.0)
    stars["distance_kpc"][:few] = np.linspace(104.0, 107.0, few)
    usual = _reduced(stars, tmp_path, "--proper-motions")
    for column in ("pmra_err_masyr", "pmdec_err_masyr"):
        stars[column][:few] = 2.0
    table = _reduced(stars, tmp_path, "--proper-motions")
    (place,) = [i for i, b in enumerate(table.bins) if b[1:3] == ("v_tb", 95.0)]
    own = 4.74 * 104.0 * 2.0  # [km/s]
    # some may be in the Sagittarius stream
    assert 2 <= table.moments.count[place] <= few
    assert table.errors.mean[place] > own / np.sqrt(few)
    changed = table.errors.mean != usual.errors.mean
    assert np.flatnonzero(changed).tolist() == [place]


def test_failed_distances_are_said_and_do_not_decide_the_surveys_error(tmp_path):
    stars = _stars(count=900)
    usual = _reduced(stars, tmp_path).sample.distance_error
    stars["distance_err_kpc"][:18] = 700.0
    table = _reduced(stars, tmp_path)
    assert table.sample.distance_error == pytest.approx(usual, rel=0.02)
    said = " ".join(table.provenance["checks"]["warnings"])
    assert re.search(
        r"\d+ of \d+ stars have distance errors of more than 4 times", said
    )


def test_stars_whose_distances_are_known_less_well_are_no_failures(tmp_path):
    stars = _stars(count=900)
    share = np.where(np.arange(900) % 5 < 2, 0.16, 0.03)
    stars["distance_err_kpc"] = share * stars["distance_kpc"]
    table = _reduced(stars, tmp_path)
    assert table.sample.distance_error == pytest.approx(
        np.sqrt(0.4 * 0.16**2 + 0.6 * 0.03**2), rel=0.05
    )
    assert "typical" not in " ".join(table.provenance["checks"]["warnings"])


def test_distance_errors_as_large_as_distances_are_refused_where_they_are_used(
    tmp_path, capsys
):
    stars = _stars(count=900)
    stars["distance_err_kpc"] = 1.5 * stars["distance_kpc"]
    with pytest.raises(ValueError, match=r"stars.csv: column 'distance_err_kpc'.*mend"):
        read_stars(_write(stars, tmp_path), motions_needed=True)
    table = _reduced(stars, tmp_path)
    assert "warning: half of the errors of distances" in capsys.readouterr().out
    whole = {"all": QUADRANTS.select(("v_gsr",))}
    assert vectors(table, whole, Measurement(sampling="survey-like"))
    with_errors = Measurement(sampling="survey-like", distance_errors=True)
    with pytest.raises(ValueError, match=r"'stars'.* 150 % .*leave --distance-errors"):
        vectors(table, whole, with_errors)
