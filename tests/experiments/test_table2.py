"""All posteriors of the paper's table: its rows, figures and files."""

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mwlmc.parameters import INFERRED
from mwlmc.study.literature import QUANTITIES, TABLE2
from mwlmc.study.quantities import row_key
from orrery.learning import mixture

README = Path(__file__).parents[2] / "README.md"


def readme_draws(folder):
    """Returns the draws that the README's lines give of a run in a folder.

    Arguments:
        folder: Of its first attempt, which lies in a folder of its options.
    """
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    (lines,) = [block for block in blocks if "mixture.load" in block]
    (identity,) = (folder.parent / "posteriors" / "desi.v_gsr").iterdir()
    options = "runs/table2/<options>"
    assert lines.count(options) == 2
    assert folder.name == "attempt-001"
    lines = lines.replace(options, str(folder.parent))
    found = {}
    exec(lines.replace("<identity>", identity.name), found)
    return found["draws"]


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
    assert tables["table2.errors_twice.ecsv"] == 2 * len(QUANTITIES)
    assert (
        pq.read_table(folder / "draws.desi.v_gsr.errors_twice.parquet").num_rows == 200
    )
    assert len(readme_draws(folder)) == 10_000
    for figure in ("masses", "reflex", "travel_velocity", "coverage"):
        assert {f"{figure}.png", f"{figure}.pdf"} <= {
            path.name for path in folder.iterdir()
        }
    assert len([*folder.glob("full.*.png")]) == 3
