"""What README's sentences say of the travel velocity against distance."""

import re

from mwlmc.study.options import Desi

from .files import MINUS, NUMBER, RESULTS, interval, numbers_of, result

SPEED = rf"{NUMBER} \+{NUMBER}{MINUS}{NUMBER}"


def of_travel_velocities():
    table = result("travel_profile")
    text = (RESULTS / "README.md").read_text(encoding="utf-8")
    command = r"travel_profile\.py --simulations (\d+)"
    simulations = f"{int(re.search(command, text)[1]):,}"
    first, last = table["shell"][0], table["shell"][-1]
    desi = speeds(table, "DESI, without v_tb")
    return {
        rf"From {NUMBER} simulations, DESI's stars give {SPEED} km/s at {NUMBER}-{NUMBER} kpc and "
        rf"{SPEED} at {NUMBER}-{NUMBER},": [
            *(simulations, *desi[:3], *first.split("-")),
            *(*desi[3:], *last.split("-")),
        ],
        rf"in quadrants {SPEED} and {SPEED},": speeds(table, "quadrants, without v_tb"),
        rf"the prior alone has {SPEED} and {SPEED};": speeds(table, "prior"),
        rf"beyond {NUMBER} kpc DESI has no": [f"{Desi().selection.outer:g}"],
    }


def speeds(table, data):
    """Returns the numbers of the speeds in the first and the last shell, as README has them."""
    lines = table[table["data"] == data]
    assert lines["apex_b"].max() < -70  # near the southern pole
    assert list(lines["v_travel"]) == sorted(lines["v_travel"])
    found = []
    for line in (lines[0], lines[-1]):
        ends = {
            "median": line["v_travel"],
            "lower": line["v_travel_lower"],
            "upper": line["v_travel_upper"],
        }
        found += numbers_of(interval(ends, "%.1f"))
    return found
