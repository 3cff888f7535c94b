"""The travel velocity against distance: each survey has its shells, in tables and figures."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from mwlmc.study.shell_options import TravelProfile
from orrery.results.result import Result

SHELLS = TravelProfile().shells


@pytest.mark.slow
@pytest.mark.usefixtures("brief_forecasts")
@pytest.mark.walks("travel_profile")
def test_each_survey_tells_the_speed_in_each_shell(
    experiments, toy, place, run, page, shapes, metrics, unknown_numbers
):
    script = experiments["travel_profile"]
    options = (*toy, "--survey-draws", "2", "--surveys", "desi", "forecast-h3")
    folder = page(run(script, *options, place=place, sketched=True)).parent
    assert unknown_numbers(folder) == []
    shells = len(SHELLS.labels)
    assert shapes(folder)["travel_profile.ecsv"] == 3 * shells  # of the prior too
    assert shapes(folder)["shell_errors.ecsv"] == shells
    result, numbers = Result.open(folder), metrics(folder)
    keys = {"desi.v_gsr", "h3_quadrants.v_gsr"}
    view = result.view(result.section("profile.v_travel"))
    assert view.bands.keys() == keys
    for key in keys:
        draws = pq.read_table(folder / f"draws.{key}.parquet")
        assert tuple(draws.column_names) == SHELLS.names
        speed = np.sqrt(sum(draws[n].to_numpy() ** 2 for n in SHELLS.names[:3]))
        assert view.bands[key][1, 0] == pytest.approx(np.median(speed))
        median = numbers[f"posterior.{key}.v_travel_50_60.median"]
        assert median == pytest.approx(np.median(speed))
        maps = result.view(result.section(f"apex.{key}")).panels
        assert [one.title for one in maps] == [f"{s} kpc" for s in SHELLS.labels]
        assert 0 <= numbers[f"profile.{key}.rising"] <= 1
    # the file that is not read decides nothing
    inputs = [entry["key"] for entry in result.document["lineage"]["inputs"]]
    assert inputs == ["desi_stars"]
    made = {entry["function"] for entry in result.document["lineage"]["summaries"]}
    assert made == {"reflex_motions", "velocity_moments"}
