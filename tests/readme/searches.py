"""What is said of searches for architectures and binnings, and the numbers that must be there."""

from itertools import chain

import numpy as np

from mwlmc.observed.planned_survey import FEWEST, SCALE
from mwlmc.study.sweep_options import Binnings
from orrery.sweeps.binnings import MOST_DROPPED

from .files import NUMBER, printed, result, searched


def of_architectures():
    changes = {line["what"]: line for line in result("architectures_changes")}
    trials = result("architectures_trials")
    shape = changes["layers and nodes"]
    seeds = changes["seeds of one architecture"]
    unimportant = changes["layers and nodes, if they did not matter"]
    chance = f"{unimportant['change']:.3f}"
    return {
        rf"over {NUMBER} architectures they make what .* by {NUMBER} ± {NUMBER} nat; chance alone "
        rf"would by {NUMBER}\.": [
            f"{len(trials)}",
            f"{shape['change']:.3f}",
            f"{shape['error']:.3f}",
            chance,
        ],
        rf"over {NUMBER} architectures, trained on {NUMBER} simulations": [
            f"{len(trials)}",
            f"{int(searched('architectures')[0]):,}",
        ],
        rf"validation pairs by {NUMBER} ± {NUMBER} nat": [
            f"{shape['change']:.3f}",
            f"{shape['error']:.3f}",
        ],
        rf"If they did not matter, .*, {NUMBER} ± {NUMBER} would be found": [
            chance,
            f"{unimportant['error']:.3f}",
        ],
        rf"seeds of one architecture scatter by {NUMBER} ± {NUMBER} \(`": [
            f"{seeds['change']:.3f}",
            f"{seeds['error']:.3f}",
        ],
    }


def distinct_points(table):
    options = [name for name in table.colnames if name.startswith("survey.")]
    return {tuple(map(str, row)) for row in table[options]}


BINNED = ("desi", "h3")  # surveys whose binnings were searched
TWO = rf"{NUMBER} and {NUMBER}"


def winners(option):
    """Returns what the best binning of each survey has of an option."""
    found = []
    for survey in BINNED:
        table = result(f"binnings_{survey}_options")
        (line,) = table[table["option"] == f"survey.{option}"]
        found.append(line["winner"])
    return found


def worth(survey):
    return result(f"binnings_{survey}_worth")


def choices(beginning):
    """Returns the row of a choice for each survey."""
    found = []
    for lines in map(worth, BINNED):
        (line,) = [one for one in lines if one["choice"].startswith(beginning)]
        found.append(line)
    return found


def gains(beginning):
    return [printed(line["gain"], "%.1f") for line in choices(beginning)]


def narrowing(beginning):
    return [printed(-line["width"], "%.1f") for line in choices(beginning)]


def of_worths(motions):
    """What choices are worth, and in how many bins the best binnings have proper motions."""
    return {
        rf"dispersions beside the means are worth {TWO} nat": gains("dispersions"),
        rf"profile of proper motions in {NUMBER} bins of distance {TWO}, quadrants": [
            *motions,
            *gains("proper motions"),
        ],
        rf"quadrants instead of one patch {TWO}, twice": gains("4 patches"),
        rf"width smaller by {TWO} km/s, dispersions by {TWO}\.": [
            *narrowing("4 patches"),
            *narrowing("dispersions"),
        ],
        rf"twice the stars {TWO}, a second": gains("twice the stars"),
        rf"a second bin of distance {TWO}\.": gains("2 bins of distance"),
    }


def least_used(survey):
    """Returns what the binning that uses the fewest stars keeps, as the page says it."""
    trials = result(f"binnings_{survey}_trials")
    line = trials[np.argmin(trials["stars_used"])]
    assert line["survey.patches"] == "healpix"
    asked = line["bins_kept"] + line["bins_left_out"]
    return [
        str(line["survey.distance_bins"]),
        f"{line['bins_kept']}",
        f"{asked}",
        f"{line['stars_used']:,.0f}",
        f"{Binnings().stars_of(survey):,}",
    ]


def of_left_out_bins():
    """What binnings leave out, and which simulations each of them cannot use."""
    tables = [result(f"binnings_{survey}_trials") for survey in BINNED]
    desi, h3 = map(least_used, BINNED)
    bins, stars = rf"{NUMBER} of {NUMBER}", rf"with {NUMBER} of {NUMBER}"
    return {
        rf"simulations, up to {NUMBER} %, in which": [f"{100 * MOST_DROPPED:.0f}"],
        rf"fewer than {NUMBER} expected stars .*, as in {TWO} of the binnings\.": [
            f"{FEWEST:.0f}",
            *(str((table["bins_left_out"] > 0).sum()) for table in tables),
        ],
        rf"DESI's with {NUMBER} bins of distance keep {bins} bins of v_gsr, {stars} expected "
        rf"stars at {NUMBER} to {NUMBER} kpc, H3's": [
            *desi,
            *(f"{end:.0f}" for end in SCALE),
        ],
        rf"H3's with {NUMBER} bins {bins}, {stars}\. The": h3,
    }


def of_binnings():
    trials = [result(f"binnings_{survey}_trials") for survey in BINNED]
    (tried,) = {len(table) for table in trials}
    assert {len(distinct_points(table)) for table in trials} == {tried}

    assert winners("patches") == ["quadrants", "healpix"]
    assert winners("moments") == ["mean+dispersion"] * 2
    size = searched("binnings")
    shapes = zip(winners("distance_bins"), winners("v_tb_bins"), strict=True)
    (desi, h3) = ([*shape] for shape in shapes)
    seeds = {line["seeds"] for line in chain(*map(worth, BINNED))}
    return {
        rf"giants, {NUMBER} binnings each were tried on the same {NUMBER} simulations": [
            str(tried),
            f"{int(size[0]):,}",
        ],
        rf"quadrants, {NUMBER} bins of distance and {NUMBER} of proper": desi,
        rf"HEALPix patches, {TWO}, both": h3,
        **of_worths({desi[1], h3[1]}),
        **of_left_out_bins(),
        rf"means over {NUMBER} to {NUMBER} pairs of mixtures": [
            f"{min(seeds)}",
            f"{max(seeds)}",
        ],
        rf"is judged by {NUMBER} validation pairs, which find .* a level of {NUMBER} %": [
            f"{Binnings().calibration_tests}",
            f"{100 * Binnings().level:.0f}",
        ],
        rf"its tests rejected {TWO} of the trials": [
            str((table["state"] == "failed").sum()) for table in trials
        ],
    }
