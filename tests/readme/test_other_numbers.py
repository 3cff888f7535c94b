"""Numbers of README outside its sentences: of commands, heads of tables, captions, drawings.

Each is the code's or a file's, or of an example, where any other would do as well. Then
none is left.
"""

import ast
import itertools
import re

import pytest

from halomass.observed.neighbour_counts import NEIGHBOUR_COUNTS
from mwlmc.model.total_masses import MASS_EDGE
from mwlmc.simulator import Simulator
from mwlmc.study.literature import HALO_MASS, QUANTITIES
from orrery.judging.regression import INTERVAL_LEVEL

from .files import NUMBER, RESULTS, ROOT, TEXT, measured, searched
from .own_simulator import SIMULATED

PAPERS_CAMPAIGN = "128000"  # simulations of Brooks et al. (2025b), section 3
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
CODE = r"^```.*?^```|`[^`]+`"
# Whose numbers are as good as others: names, versions and what a reader may choose.
EXAMPLES = (
    r"attempt-00[12]/",
    r"runs/desi/0123456789abcdef",
    r"--members 3\b",
    r"sfr_catalog_1\.000000\.bin --box 64",
    r"ORRERY_CPUS=256",
    r"sbatch --nodes=4",
    r"desi --workers 2\b",
    r"--workers 0\b|workers=0\b|actors=0\b",
    r"--simulations 100\b",
    r"ORRERY_DEBUG=1\b",
    r"\bTable [12]\b",
    r"`-9999`|`999`|`-999`|`99\.9`",
    r"sha256",
    r"VERSION = 1\b",
    # of a throw with a uniform prior, and where two of them begin
    r"lower=5, upper=13\b|`Flow\(1\)`",
    r"draws outside, g = 9\.8 \| g = 12\.8,",
)
# The simulator of one's own, which tests/test_readme.py runs as it stands.
OWN_SIMULATOR = r"^>>> .*?^```"
# A table of an invented host, which `test_your_host.py` reads.
OWN_HOST = r"^# %ECSV .*?^```"
# Its places and velocities from those that are seen, likewise.
SEEN_HOST = r"^from astropy import units as u$.*?^```"
# A run that is kept, which tests/experiments/test_own_simulator_page.py does.
KEPT_RUN = r"^from dataclasses import dataclass$.*?^```"


def power_of_ten(quantity):
    """The power of ten in which a mass is printed, as README writes it."""
    exponent = QUANTITIES[quantity].unit.partition(" ")[0].removeprefix("1e")
    return f"10{exponent}"


def simulations_of(benchmark):
    return f"{measured(benchmark)['simulations']}"


def of_the_benchmark(constant):
    """A constant of the benchmark of accuracies, which is a script and not imported."""
    script = ast.parse((ROOT / "tests/benchmarks/accuracy.py").read_text("utf-8"))
    (value,) = (
        node.value
        for node in script.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == constant
    )
    return ast.literal_eval(value)


def claims():
    """Returns what stands outside of sentences, and the numbers that must be there."""
    paper = [PAPERS_CAMPAIGN]
    searches = {name: searched(name) for name in ("architectures", "binnings")}
    edge = f"{MASS_EDGE:g}"
    powers = [power_of_ten(name) for name in ("M_LMC(<50 kpc)", HALO_MASS)]
    neighbours = [f"{count}" for count in NEIGHBOUR_COUNTS]
    return {
        rf"M_LMC\(<{NUMBER} kpc\) \[{NUMBER} M☉\]": [edge, powers[0]],
        rf"M_MW,halo\(<{NUMBER} kpc\) \[{NUMBER} M☉\]": [edge, powers[1]],
        rf"{NUMBER} neighbours: predicted mean .* {NUMBER} neighbours: predicted mean": (
            neighbours
        ),
        rf"beyond {NUMBER} kpc: {NUMBER}, {NUMBER}, {NUMBER} %": [
            f"{of_the_benchmark('FARTHER'):g}",
            *(f"{percentile}" for percentile in of_the_benchmark("PERCENTILES")),
        ],
        # a tenth of the tutorial's
        rf"all {NUMBER} tests \| tests that reject it": [f"{SIMULATED // 10}"],
        rf"predicted alike with {NUMBER} %, and": [f"{100 * INTERVAL_LEVEL:.0f}"],
        rf"carry {NUMBER} +sha256": [f"{Simulator().stars:,}"],
        rf"desi --simulations {NUMBER} +# DESI, the paper's": paper,
        rf"desi --simulations {NUMBER} --sampling full-footprint": paper,
        rf"ORRERY_CPUS=256 python experiments/desi\.py --simulations {NUMBER}": paper,
        rf"slurm\.sh experiments/desi\.py --simulations {NUMBER}": paper,
        rf"mean\+dispersion\s+--simulations {NUMBER}": re.findall(
            r"--moments mean\+dispersion --simulations (\d+)",
            (RESULTS / "README.md").read_text(encoding="utf-8"),
        ),
        rf"flow-architectures --simulations {NUMBER} --trials {NUMBER}": searches[
            "architectures"
        ],
        rf"binnings --simulations {NUMBER} --trials {NUMBER} --members {NUMBER}": searches[
            "binnings"
        ],
        rf"flow-architectures --trials {NUMBER} ": searches["architectures"][1:],
        rf"accuracy\.py --simulations {NUMBER}": [simulations_of("accuracy")],
        rf"simulate\.py --simulations {NUMBER} --cold-start": [
            simulations_of("simulate")
        ],
        rf"--accuracy orbit --simulations {NUMBER}": [simulations_of("simulate_orbit")],
    }


def outside_of_sentences():
    """README's commands, drawings, heads of tables and captions, as one text.

    Cells of tables are compared with files as they stand, by tests/readme/test_tables.py.
    """
    examples = "|".join((OWN_SIMULATOR, OWN_HOST, SEEN_HOST, KEPT_RUN))
    text = re.sub(examples, "```", TEXT, flags=re.DOTALL | re.MULTILINE)
    lines = text.splitlines()
    heads = [a for a, b in itertools.pairwise(lines) if re.fullmatch(r"[|: -]+", b)]
    captions = re.findall(r"!\[([^\]]*)\]", text)
    code = re.findall(CODE, text, flags=re.DOTALL | re.MULTILINE)
    return " ".join(
        " ".join([*heads, *captions, *code]).translate(SUPERSCRIPTS).split()
    )


@pytest.mark.parametrize("pattern", claims())
def test_a_number_outside_of_sentences_is_the_codes_or_a_files(pattern):
    found = [match.groups() for match in re.finditer(pattern, outside_of_sentences())]
    assert found, f"README has nothing like this: {pattern}"
    assert {*found} == {tuple(claims()[pattern])}


def test_no_number_outside_of_sentences_is_without_a_claim():
    text = outside_of_sentences()
    for pattern in (*claims(), *(f"({example})" for example in EXAMPLES)):
        matches = [*re.finditer(pattern, text)]
        assert matches, f"README has nothing like this: {pattern}"
        spans = [m.span(i) for m in matches for i in range(1, len(m.groups()) + 1)]
        for start, end in sorted(spans, reverse=True):
            text = f"{text[:start]}{'#' * (end - start)}{text[end:]}"
    assert re.findall(r".{0,40}(?<![\w.])\d[\d.,]*.{0,20}", text) == []
