"""What the surveys see: maps, with the user's stars where they are given."""

import numpy as np
import pytest

from mwlmc.study.options import Surveys
from mwlmc.study.surveys import _observed
from orrery.results.result import Result


@pytest.mark.slow
@pytest.mark.usefixtures("brief_forecasts")
@pytest.mark.walks("surveys")
def test_surveys_are_drawn_with_the_stars_that_are_given(
    experiments, write_stars, tmp_path, run, page, unknown_numbers
):
    script, random = experiments["surveys"], np.random.default_rng(1)
    without = write_stars(tmp_path / "without.csv")
    result = run(script, "--stars", without, "--reports", tmp_path / "runs")
    assert "with proper motions" in result.stderr.splitlines()[-1]
    motions = {
        name: random.normal(0, 0.3, 400) for name in ("pmra_masyr", "pmdec_masyr")
    }
    motions["vlos_kms"] = np.where(
        np.arange(400) % 4, random.normal(0, 100, 400), np.nan
    )
    given = ("--stars", write_stars(tmp_path / "stars.csv", **motions))
    result = run(script, *given, "--reports", tmp_path / "runs")
    assert "with `--most-missing 1` the others" in result.stderr.splitlines()[-1]
    maps = []
    for options in (), (*given, "--most-missing", "0.3"):
        reports = ("--reports", tmp_path / "runs")
        folder = page(run(script, *options, *reports, sketched=True)).parent
        assert (folder / "velocities.png").exists()
        assert unknown_numbers(folder) == []
        result = Result.open(folder)
        (sky,) = [part for part in result.sections if part["key"] == "sky"]
        maps.append(len(result.view(sky).panels))
    assert maps[1] == maps[0] + 1  # that of the stars


@pytest.mark.parametrize("name", ["stars.csv", "stars.fits", "stars.ecsv"])
def test_stars_are_on_the_map_whatever_their_file(write_stars, tmp_path, name):
    stars = write_stars(tmp_path / name)
    assert len(_observed(Surveys(stars=stars))["desi"]) > 300


def test_a_binned_table_has_no_stars_for_the_map():
    assert _observed(Surveys()) == {}
