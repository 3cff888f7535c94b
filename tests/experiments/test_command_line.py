"""Experiments from the command line: their help, and how they refuse."""

from pathlib import Path

import numpy as np
import pytest

EXPERIMENTS = sorted((Path(__file__).parents[2] / "experiments").glob("*.py"))
OF_STARS = sorted({path.stem for path in EXPERIMENTS} - {"halo_mass", "validation"})


def test_every_experiment_is_run_at_toy_size():
    assert {path.stem for path in EXPERIMENTS} == {
        *("architectures", "binnings", "desi", "halo_mass", "predictive"),
        *("desi_choices", "quadrants", "surveys", "table2", "travel_profile"),
        *("dispersions", "validation"),
    }


@pytest.mark.parametrize("name", OF_STARS)
def test_help_explains_every_option(name, experiments, check_help):
    usual = ("--transforms", "--calibration-tests")
    searched = ("--transforms", "--trials", "--concurrent")
    learned = {"surveys": (), "architectures": searched, "binnings": searched}
    check_help(
        experiments[name],
        *("--stars", "--simulations", "--lmc", "--lmc-mass"),
        *learned.get(name, usual),
    )


def test_an_unknown_row_is_refused(experiments, tmp_path, run):
    result = run(experiments["predictive"], "--rows", "Gaia", place=tmp_path)
    assert result.returncode != 0
    assert "H3+SEGUE+MagE quadrants" in result.stderr


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"distance_kpc": None}, "distance"),
        ({"distance_kpc": None, "distance_kms": np.full(400, 50.0)}, "distance"),
        ({"vlos_kms": np.full(400, np.nan)}, "stars"),
    ],
    ids=["missing column", "wrong unit", "no star left"],
)
def test_bad_stars_are_refused_with_one_line(
    columns, message, experiments, write_stars, tmp_path, run
):
    path = write_stars(tmp_path / "stars.csv", **columns)
    result = run(experiments["desi"], "--stars", path, place=tmp_path)
    assert result.returncode == 1
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "datasets").exists()


def test_an_unknown_option_is_refused(experiments, tmp_path, run):
    result = run(experiments["desi"], "--simulation", "10", place=tmp_path)
    assert result.returncode == 2


@pytest.mark.slow
def test_an_unwritable_folder_is_refused(experiments, tmp_path, run):
    (tmp_path / "runs").write_text("a file where a folder should be")
    result = run(experiments["desi"], place=tmp_path)
    assert result.returncode == 1
    assert "runs" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_a_binned_table_of_another_selection_is_refused(
    experiments, tmp_path, run_alone
):
    """In a process of its own: the exit code and the last line are what a shell sees."""
    result = run_alone(experiments["desi"], "--inner", "40", place=tmp_path)
    assert result.returncode == 1
    assert "40-100 kpc" in result.stderr.splitlines()[-1]
