"""Binnings at toy size: stored stars are binned anew, or read, and none is simulated by a trial."""

import json

import pytest
from astropy.table import Table

from orrery.sweeps.trial import read_trials

TOY = (
    *("--simulations", "32", "--surveys", "h3", "--max-epochs", "2"),
    *("--trials", "5", "--repeats", "2", "--concurrent", "1", "--transforms", "2"),
    # four validation pairs judge nothing
    *("--level", "1e-9"),
)

pytestmark = pytest.mark.slow


def trials(place, name):
    """Returns the trials of a sweep by their numbers."""
    (folder,) = (place / "runs" / "sweeps" / name).iterdir()
    return read_trials(folder)


@pytest.mark.walks("binnings")
def test_binnings_are_compared_and_choices_are_valued(
    experiments, place, run, page, metrics, unknown_numbers
):
    result = run(experiments["binnings"], *TOY, place=place, sketched=True)
    folder = page(result).parent
    numbers = metrics(folder)
    found = trials(place, "h3_binnings")
    assert len(found) == numbers["binnings.h3.trials"] == 5
    usual = {"survey.patches": "quadrants", "survey.distance_bins": 5}
    assert usual.items() <= found[0].point.items()
    behind = trials(place, "h3_binnings_worth")
    assert len(behind) == 9 * 2
    binned = [trial.curve[0]["rebinned"] for trial in (*found, *behind) if trial.curve]
    assert set(binned) == {0, 32}
    assert numbers["binnings.h3.read"] == binned.count(0) >= 9
    best = max(t.objectives["information_gain"] for t in found if t.objectives)
    assert numbers["binnings.h3.validation"] == best
    table = Table.read(folder / "binnings.h3.worth.ecsv")
    assert len(table) == 8
    for name, tried in (("trials", found), ("worth_trials", behind)):
        table = Table.read(folder / f"binnings.h3.{name}.ecsv")
        assert len(table) == len(tried)
        asked = table["bins_kept"] + table["bins_left_out"]
        pieces = {"whole": 1, "footprints": 2, "quadrants": 4, "healpix": 12}
        assert list(asked) == [
            pieces[row["survey.patches"]] * row["survey.distance_bins"] for row in table
        ]
        assert (table["stars_used"] > 0).all()
    assert numbers["binnings.h3.usual.kept.bins_asked"] == 4 * 5
    # from seeds none of which is the one of the search
    seeds = {trial.point["architecture.training_seed"] for trial in behind}
    assert seeds == {2, 3}
    assert numbers["binnings.h3.optimism_error"] > 0
    assert unknown_numbers(folder) == []
    document = json.loads((folder / "run.json").read_text())
    assert document["lineage"]["summaries"][0]["key"] == "binnings.h3"
