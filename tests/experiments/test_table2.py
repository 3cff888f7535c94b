"""All posteriors of the paper's table: its rows, figures and files."""

import pyarrow.parquet as pq
import pytest

from mwlmc.parameters import INFERRED
from mwlmc.study.literature import QUANTITIES, TABLE2
from mwlmc.study.quantities import row_key
from orrery.learning import mixture

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("brief_forecasts")]


@pytest.mark.walks("table2")
def test_table_2_has_six_rows_and_its_figures(
    experiments, toy, place, run, page, shapes, unknown_numbers
):
    options = (*toy, "--members", "2")
    result = run(experiments["table2"], *options, place=place, sketched=True)
    folder = page(result).parent
    tables = shapes(folder)
    assert unknown_numbers(folder) == []
    assert tables["table2.ecsv"] == len(TABLE2)
    assert tables["calibration.ecsv"] == len(TABLE2)
    assert tables["table2.lines.ecsv"] == len(TABLE2) * len(QUANTITIES)
    for row in TABLE2:
        assert tables[f"prior_predictive.{row_key(row)}.ecsv"] > 6
        assert pq.read_table(folder / f"draws.{row_key(row)}.parquet").num_rows == 200
        (kept,) = (folder.parent / "posteriors" / row_key(row)).iterdir()
        learned = mixture.load(kept)
        assert learned.parameters == INFERRED
        assert len(learned.members) == 2
    for figure in ("masses", "reflex", "travel_velocity", "coverage"):
        assert {f"{figure}.png", f"{figure}.pdf"} <= {
            path.name for path in folder.iterdir()
        }
    assert len([*folder.glob("full.*.png")]) == 3
