"""What README's sentences say of the paper's own campaign."""

import re

import numpy as np
from astropy.table import vstack

from mwlmc.study.comparison import BOUNDS
from mwlmc.study.literature import HALO_MASS

from .files import NUMBER, RESULTS, printed, result

CAMPAIGN = "desi_128000"
CLOSE = 0.3  # of a width, below which a median has hardly moved


def of_the_papers_campaign():
    kinds = ("without", "with")
    ours = vstack(
        [result(f"{CAMPAIGN}_{kind}_v_tb") for kind in kinds], "exact", "silent"
    )
    narrow = result("table2")[: len(ours)]
    assert list(narrow["quantity"]) == list(ours["quantity"])
    moved = np.abs(ours["median"] - narrow["median"])
    moved = 2 * moved / (narrow["upper"] - narrow["lower"])
    assert moved.max() < CLOSE
    below, above = ours[ours["quantity"] == HALO_MASS]
    (bound,) = {bounds[HALO_MASS] for bounds in BOUNDS.values()}
    assert 0 < -below["shift"] < bound < above["shift"]
    far = BOUNDS["with v_tb"][""]
    away = np.abs(ours["shift"][len(ours) // 2 :])
    simulations, minutes, seconds, rate, actors = of_the_card()
    return {
        rf"The paper's own campaign, {NUMBER} simulations": [f"{simulations:,}"],
        rf"medians differ by at most {NUMBER} of": [printed(moved.max(), "%.2f")],
        rf"halo masses are {NUMBER} and {NUMBER}, {NUMBER} published sigma below and {NUMBER} "
        rf"above": [
            *(printed(one["median"], "%.2f") for one in (below, above)),
            *(printed(abs(one["shift"]), "%.2f") for one in (below, above)),
        ],
        rf"With v_t,b, v_travel, v_z and M_LMC are {NUMBER}, {NUMBER} and {NUMBER} published sigma "
        rf"away, beyond the {NUMBER} at": [
            *(printed(shift, "%.2f") for shift in away[away > far]),
            f"{far:g}",
        ],
        rf"took {NUMBER} CPUs {NUMBER} minutes, {NUMBER} simulations a second": [
            *(actors, f"{round(minutes + seconds / 60)}", rate)
        ],
    }


def of_the_card():
    """Returns simulations, minutes and seconds, rate, and actors of the dataset's card."""
    card = (RESULTS / f"{CAMPAIGN}_campaign.md").read_text(encoding="utf-8")
    calls = r"^\| 20\S+ \| (\d+) \| 0:(\d+):(\d+) \| (\d+) \| (\d+) \| 0 \|"
    ((simulations, minutes, seconds, rate, actors),) = re.findall(calls, card, re.M)
    return int(simulations), int(minutes), int(seconds), rate, actors
