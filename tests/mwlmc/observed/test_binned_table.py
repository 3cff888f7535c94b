"""Laws of binned tables: the published numbers, whole files, and a command that says why not."""

import runpy

import numpy as np
import pytest
from astropy.table import Table

from mwlmc.observed.binned_table import (
    load_binned,
    main,
    read_binned,
    write_binned,
)
from mwlmc.observed.data_vectors import observe
from mwlmc.observed.left_out_bins import star_counts
from mwlmc.observed.options import StarSelection
from mwlmc.observed.star_reading import read_stars
from mwlmc.observed.star_tables import StarTable, select
from mwlmc.observed.summary_tables import summary_tables
from mwlmc.sky.binning import (
    DESI_FOOTPRINT,
    QUADRANTS,
    quadrants,
)
from mwlmc.sky.moment_errors import FEW_STARS
from orrery.tables.bundled import bundled_tables

OBSERVED = bundled_tables()["desi_dr1_bhb.ecsv"].parent
# DESI DR1 blue horizontal-branch stars, reduced independently: stars before clipping,
# mean and its bootstrap error, dispersion after clipping [km/s]. No error where fewer
# than ten stars are.
NORTH = [
    (242, -1.4, 6.7, 107),
    (156, 4.2, 6.7, 81),
    (135, -2.8, 6.6, 78),
    (52, -10.9, 12.0, 85),
    (24, -6.0, 17.5, 87),
    (20, 12.7, 15.6, 71),
    (12, -3.4, 23.8, 86),
]
SOUTH = [
    (85, -17.2, 10.8, 99),
    (44, -25.2, 17.1, 116),
    (49, -28.9, 14.1, 101),
    (27, -41.2, 21.1, 108),
    (4, 5.9, None, None),
    (4, -59.2, None, None),
    (2, 20.3, None, None),
]


def test_desi_radial_velocities_are_those_found_independently(desi):
    assert dict(desi.provenance["steps"])["30-100 kpc"] == 856
    for i, (count, mean, error, dispersion) in enumerate([*NORTH, *SOUTH]):
        assert desi.moments.count[i] == count
        assert desi.moments.mean[i] == pytest.approx(mean, abs=0.1)
        if error is not None:
            # Standard deviations there were divided by N - 1.
            sigma = desi.moments.dispersion[i] * np.sqrt(count / (count - 1))
            assert sigma == pytest.approx(dispersion, abs=1)
            assert desi.errors.mean[i] == pytest.approx(error, rel=0.1)


def test_bins_with_a_few_stars_have_honest_errors(desi):
    few = desi.moments.count < FEW_STARS
    expected = 100 / np.sqrt(desi.moments.count[few])
    np.testing.assert_allclose(desi.errors.mean[few], expected, rtol=0.15)


def test_desi_proper_motions_are_those_found_independently(desi):
    across = [b.quantity == "v_tb" for b in desi.bins]
    assert desi.moments.kept[across].tolist() == [510, 252, 51]
    np.testing.assert_allclose(desi.moments.mean[across], [18.4, 10.3, -45.0], atol=0.6)
    np.testing.assert_allclose(desi.errors.mean[across], [2.9, 7.6, 48.0], rtol=0.1)


@pytest.fixture(scope="module")
def giants_with_and_without_the_stream(shared):
    """Returns the bins of SDSS's giants, all and those outside of the Sagittarius stream."""
    place = shared / "data" / "sdss_kgiants.csv"
    return [
        load_binned(
            place, QUADRANTS.select(("v_gsr",)), StarSelection(cut, 30.0, 160.0)
        )
        for cut in (False, True)
    ]


def test_giants_are_those_found_independently(giants_with_and_without_the_stream):
    giants, _ = giants_with_and_without_the_stream
    mean = {
        (b.patch, b.lower): m
        for b, m in zip(giants.bins, giants.moments.mean, strict=True)
    }
    expected = {
        "q1": (3.8, 18.0, -15.0),
        "q2": (-11.1, 25.1, 21.0),
        "q3": (-24.9, -46.0, 15.0),
    }
    for patch, means in expected.items():
        found = [mean[patch, lower] for lower in (30.0, 56.0, 82.0)]
        np.testing.assert_allclose(found, means, atol=0.6)
    in_q4 = [b.patch == "q4" for b in giants.bins]
    assert giants.moments.count[in_q4].sum() == 17


def test_the_committed_giants_are_not_of_the_sagittarius_stream(
    giants, giants_with_and_without_the_stream
):
    whole, cut = giants_with_and_without_the_stream
    stars = [
        dict(one.provenance["steps"])["30-160 kpc"] for one in (whole, cut, giants)
    ]
    assert stars == [1233, 891, 891]
    south = []
    for table in (whole, cut):
        row = [(b.patch, b.lower) for b in table.bins].index(("q3", 30.0))
        south.append((table.moments.mean[row], table.errors.mean[row]))
    # the stream approaches, the others do not
    assert south[0][0] < -4 * south[0][1]
    assert abs(south[1][0]) < south[1][1]


def _numbers(table):
    return [*vars(table.moments).values(), *vars(table.errors).values()]


def test_binned_tables_survive_a_file(desi, tmp_path):
    write_binned(desi, tmp_path / "table.ecsv")
    again = read_binned(tmp_path / "table.ecsv")
    assert (again.name, again.bins, again.provenance) == (
        desi.name,
        desi.bins,
        desi.provenance,
    )
    for ours, theirs in zip(_numbers(again), _numbers(desi), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [p.name for p in tmp_path.iterdir()] == ["table.ecsv"]


def _no_rows(table):
    table.remove_rows(slice(None))


def _no_mean(table):
    table["mean"][2] = np.nan


def _other_unit(table):
    table["r_lo"].unit = "pc"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.remove_column("mean_error"), "no mean_error"),
        (_no_rows, "no rows"),
        (_no_mean, "column mean has no value in row 2"),
        (_other_unit, "column r_lo is in pc, not kpc"),
        (lambda t: t.meta.pop("definition"), "no definition"),
    ],
)
def test_damaged_binned_tables_are_refused(tmp_path, change, message):
    table = Table.read(OBSERVED / "desi_dr1_bhb.ecsv", format="ascii.ecsv")
    change(table)
    table.write(tmp_path / "table.ecsv", format="ascii.ecsv")
    with pytest.raises(ValueError, match=message):
        read_binned(tmp_path / "table.ecsv")


def test_command_reports_bad_input_in_one_line_and_writes_nothing(tmp_path, capsys):
    (tmp_path / "stars.csv").write_text("ra_deg,dec_deg\n1,2\n")
    out = tmp_path / "out.ecsv"
    for name in ("stars.csv", "missing.csv"):
        assert main(["desi", str(tmp_path / name), str(out)]) == 1
        message = capsys.readouterr().err
        assert message.startswith("error: ")
        assert message.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["stars.csv"]


def test_the_command_has_its_older_name_too(tmp_path, monkeypatch, capsys):
    (tmp_path / "stars.csv").write_text("ra_deg,dec_deg\n1,2\n")
    words = ["desi", *(str(tmp_path / name) for name in ("stars.csv", "out.ecsv"))]
    assert main(words) == 1
    said = capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["observations", *words])
    with pytest.raises(SystemExit, match="1"):
        runpy.run_module("mwlmc.observations", run_name="__main__")
    assert capsys.readouterr().err == said


def _write_stars(table, path):
    columns = {
        "l_deg": np.degrees(table.l),
        "b_deg": np.degrees(table.b),
        "distance_kpc": table.distance,
        "vlos_kms": table.v_los,
        "pml_cosb_masyr": table.pm_l,
        "pmb_masyr": table.pm_b,
    }
    Table(columns).write(path, format="ascii.csv")


def test_command_leaves_out_bins_without_stars_and_says_so(
    halo, observed_stars, tmp_path, capsys
):
    position, velocity = halo
    near = np.linalg.norm(position, axis=1) < 120
    _write_stars(observed_stars(position[near], velocity[near]), tmp_path / "stars.csv")
    out = tmp_path / "out.ecsv"
    options = ["quadrants", str(tmp_path / "stars.csv"), str(out), "--proper-motions"]
    assert main(options) == 0
    assert (
        "fewer than two stars: v_gsr of patch 'q4' at 134-160 kpc"
        in capsys.readouterr().out
    )
    table = read_binned(out)
    assert len(table.provenance["left_out"]) == len(QUADRANTS.bins) - len(table.bins)
    assert {b.quantity for b in table.bins} == {"v_gsr", "v_tb"}
    assert "--proper-motions" in table.provenance["command"]
    assert str(tmp_path) not in out.read_text()
    supported = QUADRANTS.supported(table.counts(QUADRANTS))
    assert observe(table, supported).name == "stars"


def test_stars_without_proper_motions_leave_bins_out_for_that_reason(
    halo, observed_stars, tmp_path, capsys
):
    stars = tmp_path / "stars.csv"
    _write_stars(observed_stars(*halo), stars)
    table = Table.read(stars)
    table.remove_columns(["pml_cosb_masyr", "pmb_masyr"])
    table.write(stars, format="ascii.csv", overwrite=True)
    out = tmp_path / "out.ecsv"
    assert main(["quadrants", str(stars), str(out), "--proper-motions"]) == 0
    across = [str(b) for b in QUADRANTS.bins if b.quantity == "v_tb"]
    printed = capsys.readouterr().out
    for one in across:
        assert f"left out, fewer than two stars with a proper motion: {one}" in printed
    provenance = read_binned(out).provenance
    assert provenance["without_motions"] == across
    assert set(across) <= set(provenance["left_out"])
    tables = summary_tables(read_binned(out))
    caption = tables["Selection"].meta["caption"]
    few, _, unmeasured = caption.partition("have fewer than two stars with a proper")
    assert "v_tb" not in few
    assert "; ".join(across) in unmeasured


@pytest.mark.parametrize(("stars_there", "is_kept"), [(8, False), (12, True)])
def test_a_patch_with_few_stars_is_left_out_for_that_reason(
    halo, observed_stars, tmp_path, capsys, stars_there, is_kept
):
    position, velocity = halo
    table = observed_stars(position, velocity)
    in_q4 = (np.degrees(table.l) % 360 > 180) & (table.b < 0)
    near = np.linalg.norm(position, axis=1) < 50
    chosen = ~in_q4
    chosen[np.flatnonzero(in_q4 & near)[:stars_there]] = True
    _write_stars(observed_stars(position[chosen], velocity[chosen]), tmp_path / "s.csv")
    out = tmp_path / "out.ecsv"
    assert main(["quadrants", str(tmp_path / "s.csv"), str(out)]) == 0
    printed = capsys.readouterr().out
    sparse = [line for line in printed.splitlines() if "stars in all bins of" in line]
    assert bool(sparse) != is_kept
    assert all("patch 'q4'" in line for line in sparse)
    kept = read_binned(out)
    assert ("q4" in {one.patch for one in kept.bins}) == is_kept
    caption = summary_tables(kept)["Selection"].meta["caption"]
    assert ("fewer than 10 stars in all bins of their patch" in caption) != is_kept
    if not is_kept:
        few = tmp_path / "few.csv"
        rows = np.flatnonzero(chosen & in_q4)
        _write_stars(observed_stars(position[rows], velocity[rows]), few)
        assert main(["quadrants", str(few), str(out)]) == 1
        assert "few.csv: no patch of 'quadrants_v" in capsys.readouterr().err


def test_the_command_is_told_what_stands_for_no_value(
    halo, observed_stars, tmp_path, capsys
):
    stars = tmp_path / "stars.csv"
    _write_stars(observed_stars(*halo), stars)
    table = Table.read(stars)
    table["vlos_kms"][::40] = 31.4159
    table.write(stars, format="ascii.csv", overwrite=True)
    command = ["quadrants", str(stars), str(tmp_path / "out.ecsv")]
    assert main(command) == 0
    assert "say `--missing vlos_kms=31.4159`; if not" in capsys.readouterr().out
    assert main([*command, "--missing", "vlos_kms=31.4159,0"]) == 0
    found = capsys.readouterr().out
    assert "no v_los in 100 rows of vlos_kms: said to be none: 31.4159" in found
    about = read_binned(tmp_path / "out.ecsv").provenance["command"]
    assert about.endswith("--missing vlos_kms=31.4159,0")
    assert main([*command, "--missing", "vlos_kms"]) == 1
    assert "say a column and its numbers" in capsys.readouterr().err


def test_stars_outside_a_binnings_patches_do_not_count(shared):
    stars = select(read_stars(shared / "data" / "desi_dr1_bhb.csv"), StarSelection())
    numbers = star_counts(stars.rest_frame(), DESI_FOOTPRINT.select(("v_gsr",)))
    assert sum(numbers) == len(stars) == 856


def test_a_selection_that_cuts_through_a_bin_is_refused(tmp_path):
    stars = tmp_path / "stars.csv"
    stars.write_text("ra_deg,dec_deg,distance_kpc,vlos_kms\n150,30,50,10\n")
    with pytest.raises(
        ValueError, match="cuts through v_gsr of patch 'north' at 30-40 kpc"
    ):
        load_binned(stars, DESI_FOOTPRINT, StarSelection(inner=35.0))


@pytest.mark.parametrize("name", ["desi", "giants"])
def test_a_sample_survives_a_file(name, request, tmp_path):
    table = request.getfixturevalue(name)
    write_binned(table, tmp_path / "table.ecsv")
    assert read_binned(tmp_path / "table.ecsv").sample == table.sample


def test_other_distance_bins_need_the_stars_themselves(tmp_path, shared, capsys):
    committed, selection = (
        OBSERVED / "sdss_kgiants.ecsv",
        StarSelection(inner=30.0, outer=160.0),
    )
    with pytest.raises(ValueError, match="holds other bins"):
        load_binned(committed, quadrants(3), selection)
    stars, out = shared / "data" / "sdss_kgiants.csv", tmp_path / "three.ecsv"
    assert main(["quadrants", str(stars), str(out), "--bins", "3"]) == 0
    table = load_binned(out, quadrants(3), selection)
    assert {b.upper for b in table.bins if b.patch == "q2"} <= {
        30 + 130 / 3 * n for n in (1, 2, 3)
    }
    assert "--bins 3" in table.provenance["command"]
    assert main(["desi", str(stars), str(out), "--bins", "3"]) == 1
    assert "leave this out" in capsys.readouterr().err
    edges = ("--v-tb-edges", "40,60")
    assert main(["quadrants", str(stars), str(out), *edges]) == 1
    assert "leave this out" in capsys.readouterr().err


@pytest.mark.parametrize("edges", ["40", "60,40"])
def test_edges_that_are_none_are_refused(edges, tmp_path, capsys):
    given = ["desi", "stars.csv", str(tmp_path / "out.ecsv"), "--v-tb-edges", edges]
    assert main(given) == 1
    assert "at least" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main([*given[:-1], "40,far"])
    assert not (tmp_path / "out.ecsv").exists()


def test_a_star_table_is_converted_once(halo, observed_stars, tmp_path, monkeypatch):
    conversions = []
    rest_frame = StarTable.rest_frame

    def counted(table):
        conversions.append(len(table))
        return rest_frame(table)

    monkeypatch.setattr(StarTable, "rest_frame", counted)
    position, velocity = halo
    near = np.linalg.norm(position, axis=1) < 100
    _write_stars(observed_stars(position[near], velocity[near]), tmp_path / "stars.csv")
    selection = StarSelection(sagittarius=False)
    table = load_binned(tmp_path / "stars.csv", DESI_FOOTPRINT, selection)
    assert conversions == [dict(table.provenance["steps"])["30-100 kpc"]]
