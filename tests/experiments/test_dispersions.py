"""Means and dispersions: a forecast and real stars of two surveys, with an LMC and without."""

import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from mwlmc.study.literature import HALO_COLUMN, HALO_MASS
from mwlmc.study.shell_options import Dispersions

USUAL = Dispersions()


@pytest.mark.slow
@pytest.mark.usefixtures("brief_forecasts", "small_shards")
@pytest.mark.walks("dispersions")
def test_both_data_are_inferred_from_with_an_lmc_and_without(
    experiments, toy, place, run, page, metrics, unknown_numbers
):
    script = experiments["dispersions"]
    options = (*toy, "--survey-draws", "2", "--without-lmc", "32")
    folder = page(run(script, *options, place=place, sketched=True)).parent
    assert unknown_numbers(folder) == []
    numbers = metrics(folder)
    for key in ("forecast_h3", "sdss_desi"):
        draws = pq.read_table(folder / f"draws.{key}.parquet")
        assert tuple(draws.column_names) == USUAL.inferred.names
        alone = pq.read_table(folder / f"draws.{key}.without_lmc.parquet")
        assert alone.column_names == [HALO_COLUMN, "beta0", "r_dehnen"]
        for end in ("median", "lower", "upper"):
            assert f"posterior.{key}.m_mw_halo_50.{end}" in numbers
            assert f"posterior.{key}.without_lmc.beta0.{end}" in numbers
    table = Table.read(folder / "follow_up.ecsv")
    lines = {(line["data"], line["quantity"]): line for line in table}
    assert lines["SDSS K giants and DESI", HALO_MASS]["published"] == 3.36
    shifts = Table.read(folder / "without_lmc.ecsv")
    assert list(shifts["number"]) == [2, 2, 2, 1]
    # both surveys stand in one data vector, with both moments
    seen = Table.read(folder / "data_vector.sdss_desi.ecsv")
    names = " ".join(seen["summary"])
    for some in (
        "v_gsr_dispersion_q2_30",
        "v_gsr_mean_north_30",
        "v_tb_dispersion_desi",
    ):
        assert some in names


@pytest.mark.slow
def test_what_cannot_be_compared_or_inferred_is_refused(experiments, tmp_path, run):
    script = experiments["dispersions"]
    for options, message in (
        (("--infer", "beta0"), "without_lmc"),
        (("--infer", "mass", "--without-lmc", "0"), "choose from"),
        (("--moments", "mean"), "without_lmc"),
        (("--travel-edges", "20", "50"), "reach beyond"),
        (("--data", "desi", "desi"), "each once"),
    ):
        result = run(script, *options, place=tmp_path)
        assert result.returncode != 0
        assert message in result.stderr
        assert not (tmp_path / "datasets").exists()
