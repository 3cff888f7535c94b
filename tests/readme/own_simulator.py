"""What the pages say of which sizes do for one's own simulator."""

from orrery.judging.diagnostics import FEWEST_TARP_TESTS

from .files import NUMBER, ROOT, measured

SIMULATED = 3000  # by the tutorial


def of_own_simulators():
    rows = measured("own_simulator")["measured"]
    sizes = {r["simulations"]: r for r in rows if not {"heights", "parameters"} & {*r}}
    few, many = (
        {
            r["parameters"]: r
            for r in rows
            if "parameters" in r and r["simulations"] == n
        }
        for n in (3000, 30_000)
    )
    most = max(few)
    heights = max(r.get("heights", 0) for r in rows)
    wide = [r["heights"] for r in rows if "heights" in r and not r["rejects"]]
    found = [row["tests"] for row in sizes.values() if len(row["control"]) == 3]
    first = sizes[min(sizes)]
    assert first["tests"] < FEWEST_TARP_TESTS
    assert not first["control"]
    assert many[most]["rejects"]
    assert all(r["rejects"] for r in rows if r.get("heights") == heights)
    return {
        rf"are the tests, at most {NUMBER}\.": [f"{sizes[max(sizes)]['tests']:,}"],
        rf"fewer than {NUMBER} of them neither TARP nor": [f"{FEWEST_TARP_TESTS}"],
        rf"From {NUMBER} tests on all three find that one": [f"{min(found)}"],
        rf"with {NUMBER} parameters {NUMBER} nat were missing, then {NUMBER}, and": [
            f"{most}",
            f"{few[most]['missing']:.2f}",
            f"{many[most]['missing']:.2f}",
        ],
        rf"as that by {NUMBER} data is": [f"{max(wide)}"],
        rf"such as {NUMBER} heights for two parameters": [f"{heights}"],
        rf"beside about {NUMBER} s for importing the libraries, {NUMBER} simulations took "
        rf"{NUMBER} s of one CPU, {NUMBER} took {NUMBER} s\.": [
            f"{first['cpu_seconds']:.0f}",  # which has imported them
            f"{3000:,}",
            f"{sizes[3000]['cpu_seconds']:.1f}",
            f"{30_000:,}",
            f"{sizes[30_000]['cpu_seconds']:.0f}",
        ],
    }


def of_priors_with_edges():
    """What tests/experiments/test_own_simulator_page.py measures, with the edges that it takes."""
    edges = [f"{end}" for end in (9, 21, 5, 13)]
    test = (ROOT / "tests/experiments/test_own_simulator_page.py").read_text("utf-8")
    assert ".uniform([9, 5], [21, 13])" in test
    tutorial = (ROOT / "docs/tutorials/own-simulator.md").read_text("utf-8")
    assert f"simulations = {SIMULATED}\n" in tutorial
    return {
        rf"uniform ones instead, {NUMBER} to {NUMBER} m/s and {NUMBER} to {NUMBER} m/s², and "
        rf"{NUMBER} simulations": [*edges, f"{SIMULATED:,}"],
    }
