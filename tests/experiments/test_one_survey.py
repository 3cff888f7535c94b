"""One survey's posterior: what an experiment leaves behind, and that it repeats itself."""

import shutil
from functools import partial

import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from mwlmc.parameters import INFERRED, LMC_TODAY

pytestmark = pytest.mark.slow


@pytest.fixture
def repeats_itself(experiments, toy, place, run, page, tmp_path, unknown_numbers):
    """Checks what an experiment leaves behind, and that its options give the same run."""

    def check(name, repeat):
        first = page(run(experiments[name], *toy, place=place, sketched=True))
        names = {path.name for path in first.parent.iterdir()}
        expected = {"run.json", "report.html"}
        kinds = ("posterior", "data", "tarp", "sbc", "training")
        expected |= {f"{kind}.{name}.v_gsr.png" for kind in kinds}
        assert expected <= names
        text = first.read_text().split("</style>")[1]
        assert "http" not in text.split("Versions")[0]
        draws = pq.read_table(first.parent / f"draws.{name}.v_gsr.parquet")
        assert draws.num_rows == 200
        assert draws.column_names == [parameter.name for parameter in INFERRED]
        assert unknown_numbers(first.parent) == []

        document = shutil.copy(first.parent / "run.json", tmp_path)
        shutil.rmtree(first.parent.parent)  # with what was trained
        again = repeat(experiments[name], "--options", document, place=place)
        assert page(again) == first  # the same run
        # The dataset is used again, the flow trained anew.
        assert "simulating" not in again.stderr
        assert "training" in again.stderr
        repeated = pq.read_table(page(again).parent / f"draws.{name}.v_gsr.parquet")
        assert repeated.equals(draws)

    return check


@pytest.mark.usefixtures("connected")
@pytest.mark.walks("desi")
def test_an_experiment_leaves_a_report_and_repeats_itself(run, repeats_itself):
    repeats_itself("desi", partial(run, sketched=True))


@pytest.mark.walks("quadrants")
def test_a_process_of_its_own_with_ray_repeats_what_was_done_without(
    run_alone, repeats_itself
):
    repeats_itself("quadrants", run_alone)


@pytest.mark.usefixtures("small_shards")
def test_the_lmc_is_inferred_like_the_masses_where_that_is_asked(
    experiments, toy, place, run, page
):
    options = (*toy, "--lmc-today", "inferred", "--lmc", "table1")
    first = page(run(experiments["desi"], *options, place=place, sketched=True))
    draws = pq.read_table(first.parent / "draws.desi.v_gsr.parquet")
    assert draws.column_names == [parameter.name for parameter in INFERRED + LMC_TODAY]
    data = Table.read(first.parent / "data_vector.desi.v_gsr.ecsv")
    assert not {*draws.column_names} & {*data["summary"]}
