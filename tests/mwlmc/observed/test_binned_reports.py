"""Columns of binned velocities are told of as their reader takes them, and so are refusals."""

import numpy as np
import pytest
from astropy.table import Table

from mwlmc.observed.binned_reports import binned_report, is_binned_table
from mwlmc.observed.binned_table import main, read_binned
from mwlmc.observed.columns import BINNED, SAMPLED
from orrery.tables.bundled import bundled_tables
from orrery.tables.reading import read_table

PACKAGED = [name for name in bundled_tables() if is_binned_table(read_table(name))]
ONE = "sdss_kgiants.ecsv"


@pytest.fixture
def changed(tmp_path):
    """Writes a packaged table after a change."""

    def write(change, ending=".ecsv"):
        table = read_table(ONE)
        change(table)
        path = tmp_path / f"bins{ending}"
        if ending == ".ecsv":
            table.write(path, format="ascii.ecsv")
        else:
            table.remove_columns(list(SAMPLED))
            table.write(path, format="ascii.csv")
        return path

    return write


def test_all_packaged_tables_of_stars_are_of_bins():
    assert {*bundled_tables()} - {*PACKAGED} == {"milky_way_satellites.ecsv"}


@pytest.mark.parametrize("name", PACKAGED)
def test_a_packaged_table_can_be_used_and_all_its_columns_are_named(name):
    report = binned_report(name)
    count = len(read_binned(name).bins)
    told = {line.split(":")[0].strip(): line for line in report.found}
    assert {*BINNED, *SAMPLED} <= set(told)
    assert "[km / s, says the file] (mean velocity after clipping)" in told["mean"]
    assert "[no unit wanted] (stars)" in told["count"]
    assert not any("not understood" in line for line in report.lines)
    assert report.lines[-1] == f"{count} of {count} bins can be used"
    assert report.status == 0


def test_a_table_that_the_command_has_written_can_be_used(tmp_path, capsys):
    random = np.random.default_rng(4)
    count = 600
    columns = {
        "ra_deg": random.uniform(0, 360, count).round(4),
        "dec_deg": np.degrees(np.arcsin(random.uniform(-1, 1, count))).round(4),
        "distance_kpc": random.uniform(35, 95, count).round(2),
        "vlos_kms": random.normal(0, 110, count).round(2),
    }
    stars, bins = tmp_path / "stars.csv", tmp_path / "bins.ecsv"
    Table(columns).write(stars, format="ascii.csv")
    assert main(["quadrants", str(stars), str(bins)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert is_binned_table(read_table(bins))
    assert not is_binned_table(read_table(stars))
    report = binned_report(bins)
    assert report.status == 0
    assert set(printed) < set(report.lines)


def _in_metres(table):
    table["mean"].unit = "m / s"


def _without_error(table):
    table.remove_column("mean_error")


def _impossible(table):
    table["dispersion"][2] = -999.0


@pytest.mark.parametrize("change", [_in_metres, _without_error, _impossible])
def test_a_refusal_of_bins_is_the_readers(changed, change):
    path = changed(change)
    assert is_binned_table(read_table(path))
    with pytest.raises(ValueError, match=r"bins\.ecsv") as refused:
        read_binned(path)
    report = binned_report(path)
    assert report.refusal == str(refused.value)
    assert report.status == 1


def test_what_studies_would_take_for_stars_is_refused(changed):
    report = binned_report(changed(lambda table: table.meta.pop("bootstrap_seed")))
    assert "bins.ecsv has no bootstrap_seed" in report.refusal
    report = binned_report(changed(lambda table: None, ".csv"))
    assert "ending .ecsv" in report.refusal
    assert "python -m mwlmc.observed.binned_table" in report.refusal


def test_other_columns_are_not_understood(changed):
    path = changed(lambda table: table.add_column([1.0] * len(table), name="colour"))
    assert "  colour: not understood" in binned_report(path).found
