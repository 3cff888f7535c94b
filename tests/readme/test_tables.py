"""README's tables are those of the files."""

import math

from mwlmc.model.stellar_halo import STEP_SHARES

from .files import TEXT, interval, measured, printed, result, with_errors


def rows_below(title):
    """Returns the cells of the table whose head begins with a title, row by row."""
    rows = [line for line in TEXT.splitlines() if line.startswith("|")]
    head = f"| {title} |" if title else "| |"
    first = next(i for i, row in enumerate(rows) if row.startswith(head))
    width = rows[first].count("|")
    below = [
        [c.strip() for c in row.strip("|").split("|")] for row in rows[first + 2 :]
    ]
    end = next((i for i, row in enumerate(below) if len(row) != width - 1), len(below))
    return below[:end]


def test_table_2_is_the_file():
    lines = result("table2")
    expected = []
    for name in dict.fromkeys(lines["data"]):
        row = lines[lines["data"] == name]
        label = name.replace("v_tb", "v_t,b").replace("H3+SEGUE+MagE", "H3+")
        label += "" if name.startswith("DESI") else " (forecast)"
        ours = [interval(x, "%.1f") for x in row]
        theirs = [with_errors(x["published"], x["plus"], x["minus"]) for x in row]
        expected += [[label, *ours], ["*published*", *(f"*{x}*" for x in theirs)]]
    assert rows_below("data") == expected


def test_halo_masses_are_the_file():
    expected = {}
    for line in result("halo_mass_by_catalogue"):
        name = str(line["trained_on"])
        known = not math.isnan(line["published"])
        published = f"*{line['published']:.2f}*" if known else ""
        cells = [printed(line["predicted_mean"], "%.2f"), _of_alike(line), published]
        expected[name] = expected.get(name, []) + cells
    found = {
        row[0].removesuffix(", the default"): row[1:]
        for row in rows_below("trained on")
    }
    assert found == expected


def _of_alike(line):
    middle, low, high = (line[f"{name}_alike"] for name in ("median", "lower", "upper"))
    # few hosts have no median
    if math.isnan(middle):
        return "\N{EN DASH}"
    return with_errors(middle, high - middle, middle - low, "%.2f")


def test_accuracies_are_what_the_benchmark_printed():
    by_name = {one["accuracy"]: one for one in measured("accuracy")["curve"]}
    expected = []
    for name in STEP_SHARES:
        one = by_name[name]
        position = ", ".join(f"{end:.2g}" for end in one["position"])
        shifts = [abs(one["shift"][m]["largest"]) for m in ("mean", "dispersion")]
        shift = ", ".join(f"{shift:.2f}" for shift in shifts)
        expected.append([name, f"{one['evaluations']:.0f}", position, shift])
    assert rows_below("") == expected


def test_sizes_for_ones_own_simulator_are_what_the_benchmark_printed():
    expected = []
    for one in measured("own_simulator")["measured"]:
        parameters = one.get("parameters", 2)
        data = one.get("heights", 4 * parameters)
        rejecting = (", ".join(one[name]) or "none" for name in ("rejects", "control"))
        counts = (one["simulations"], one["tests"], data, parameters)
        missing = printed(one["missing"], "%.2f")
        sums = "parameters" in one
        simulator = "sums of all parameters" if sums else "the tutorial's"
        numbers = (f"{count:,}" for count in counts)
        expected.append([simulator, *numbers, missing, *rejecting])
    assert rows_below("simulator") == expected
