"""All posteriors of the paper's table: its rows, figures and files."""

import pyarrow.parquet as pq
import pytest

from mwlmc.parameters import INFERRED
from mwlmc.study.literature import QUANTITIES, TABLE2
from orrery.learning import mixture
from orrery.results.reports import slug

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("connected")]


def test_table_2_has_six_rows_and_its_figures(
    experiments, toy, place, run, page, shapes
):
    folder = page(
        run(experiments["table2"], *toy, "--members", "2", place=place)
    ).parent
    tables = shapes(folder)
    assert tables["table_2.ecsv"] == len(TABLE2)
    assert tables["calibration_of_all.ecsv"] == len(TABLE2)
    assert tables["table_2_line_by_line.ecsv"] == len(TABLE2) * len(QUANTITIES)
    for row in TABLE2:
        assert tables[f"prior_predictive_check_{slug(row)}.ecsv"] > 6
        assert pq.read_table(folder / f"draws_{slug(row)}.parquet").num_rows == 200
        learned = mixture.load(folder / f"posterior_{slug(row)}")
        assert learned.parameters == INFERRED
        assert len(learned.members) == 2
    for figure in ("masses", "reflex_motion", "travel_velocity", "coverage_of_all"):
        assert {f"{figure}.png", f"{figure}.pdf"} <= {
            path.name for path in folder.iterdir()
        }
    assert len([*folder.glob("full_posterior_*.png")]) == 3
