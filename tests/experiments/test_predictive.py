"""Posterior predictive checks: draws are simulated, and each bin is judged."""

import pytest

from mwlmc.sky.binning import DESI_FOOTPRINT, QUADRANTS
from mwlmc.study.literature import TABLE2
from mwlmc.study.quantities import row_key
from orrery.results.result import Result

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("brief_forecasts", "small_shards"),
]


@pytest.mark.walks("predictive")
def test_predictions_are_simulated_and_judged_bin_by_bin(
    experiments, toy, place, run, page, shapes, metrics, unknown_numbers
):
    script, wanted = experiments["predictive"], [*TABLE2][0::5]
    options = (*toy, "--replicates", "24", "--rows", *wanted)
    folder = page(run(script, *options, place=place, sketched=True)).parent
    tables, numbers = shapes(folder), metrics(folder)
    assert unknown_numbers(folder) == []
    binnings = (DESI_FOOTPRINT.select(("v_gsr",)), QUADRANTS)
    for row, binning in zip(wanted, binnings, strict=True):
        assert tables[f"predictive.{row_key(row)}.ecsv"] == len(binning.names)
        assert 0 < numbers[f"predictive.{row_key(row)}.worst_entry_pvalue"] <= 1
        # too few replicates to test all entries together
        assert f"predictive.{row_key(row)}.whole_vector_pvalue" not in numbers
        assert numbers[f"predictive.{row_key(row)}.entries"] == len(binning.names)
        assert (folder / f"predictions.{row_key(row)}.png").exists()
    assert len([*(place / "datasets").glob("replay-*")]) == len(wanted)
    # the model's own parameters were learned, which are none of Table 2's quantities
    result = Result.open(folder)
    assert result.document["answers"] == []
    assert not [key for key in numbers if key.startswith("rigid_limit.")]
