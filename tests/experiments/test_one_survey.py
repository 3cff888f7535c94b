"""One survey's posterior: what an experiment leaves behind, and that it repeats itself."""

import shutil

import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from mwlmc.parameters import INFERRED, LMC_TODAY

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("connected")]


@pytest.mark.parametrize(
    ("name", "sketched", "repeat"),
    [("desi", False, "run"), ("quadrants", True, "run_alone")],
)
def test_experiment_leaves_a_report_and_repeats_itself(
    name,
    sketched,
    repeat,
    experiments,
    toy,
    place,
    run,
    page,
    tmp_path,
    request,
    unknown_numbers,
):
    """One of them in a process of its own, which shares nothing with the first run's."""
    first = page(run(experiments[name], *toy, place=place, sketched=sketched))
    names = {path.name for path in first.parent.iterdir()}
    expected = {"run.json", "report.html"}
    kinds = ("posterior", "data", "tarp", "sbc", "training")
    expected |= {f"{kind}.{name}.v_gsr.png" for kind in kinds}
    assert expected <= names
    assert "http" not in first.read_text().split("</style>")[1].split("Versions")[0]
    draws = pq.read_table(first.parent / f"draws.{name}.v_gsr.parquet")
    assert draws.num_rows == 200
    assert draws.column_names == [parameter.name for parameter in INFERRED]

    assert unknown_numbers(first.parent) == []

    document = shutil.copy(first.parent / "run.json", tmp_path)
    shutil.rmtree(first.parent.parent)  # with what was trained
    options = ("--options", document)
    again = request.getfixturevalue(repeat)(experiments[name], *options, place=place)
    assert page(again) == first  # the same run
    # The dataset is used again, the flow trained anew.
    assert "simulating" not in again.stderr
    assert "training" in again.stderr
    repeated = pq.read_table(page(again).parent / f"draws.{name}.v_gsr.parquet")
    assert repeated.equals(draws)


def test_the_lmc_is_inferred_like_the_masses_where_that_is_asked(
    experiments, toy, place, run, page
):
    options = (*toy, "--lmc-today", "inferred")
    first = page(run(experiments["desi"], *options, place=place, sketched=True))
    draws = pq.read_table(first.parent / "draws.desi.v_gsr.parquet")
    assert draws.column_names == [parameter.name for parameter in INFERRED + LMC_TODAY]
    data = Table.read(first.parent / "data_vector.desi.v_gsr.ecsv")
    assert not {*draws.column_names} & {*data["summary"]}
