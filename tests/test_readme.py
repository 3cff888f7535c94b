"""README is true: its picture, its numbers, its commands and its example."""

import doctest
import math
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest
from astropy.table import Table

from orrery import runs
from orrery.command_line import parse

ROOT = Path(__file__).parents[1]
PLATFORM = ROOT / "platform"
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
PROSE = " ".join(TEXT.split())
PICTURE = TEXT.partition("```\nplatform/\n")[2].partition("```")[0]
MINUS = "\N{MINUS SIGN}"


def result(name):
    return Table.read(ROOT / "datasets" / "results" / f"{name}.ecsv")


# --- the picture ------------------------------------------------------------------------


def pictured(picture):
    """Returns the modules in a picture: folders, then names, two spaces, and what they do."""
    found, above = [], []
    for line in picture.splitlines():
        branch = re.match(r"((?:│   |    )*)[├└]── (.*)", line)
        if not branch:
            continue
        depth = len(branch[1]) // 4
        head, _, rest = branch[2].partition(" ")
        if head.endswith("/"):
            above = [*above[:depth], head]
            names = re.split("  +", rest.strip())[0] if depth else ""
        else:
            names = re.split("  +", branch[2])[0]
        # a row without a folder of its own continues the nearest one above it
        folder = "".join(above if head.endswith("/") else above[:depth])
        found += [f"{folder}{name}" for name in names.split() if "." not in name]
    return found


def test_a_picture_is_read_by_its_branches():
    lines = (
        "├── a/       what a is",
        "│   ├── one two   words",
        "│   ├── b/     three   words",
        "│   │   │      more words",
        "│   │   └── four",
        "│   └── five",
    )
    assert pictured("\n".join(lines)) == [
        *("a/one", "a/two", "a/b/three", "a/b/four", "a/five")
    ]


def test_every_module_is_in_the_picture_and_nothing_else():
    modules = [
        str(path.relative_to(PLATFORM).with_suffix(""))
        for path in PLATFORM.rglob("*.py")
        if path.stem != "__init__"
    ]
    assert sorted(pictured(PICTURE)) == sorted(modules)


def test_everything_else_that_is_named_is_there():
    named = re.findall(
        r"(?:platform|experiments|tests|datasets)/[\w/.]*[\w/](?![\w<])", TEXT
    )
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


# --- the numbers ------------------------------------------------------------------------


def printed(number, form="%.1f"):
    text = (form % number).replace("-", MINUS)
    return text.removeprefix(MINUS) if not text.strip(f"{MINUS}0.") else text


def with_errors(middle, plus, minus, form="%.1f"):
    return (
        f"{printed(middle, form)} +{printed(plus, form)}{MINUS}{printed(minus, form)}"
    )


def rows_below(title):
    """Returns the cells of the table whose head begins with a title, row by row."""
    rows = [line for line in TEXT.splitlines() if line.startswith("|")]
    first = next(i for i, row in enumerate(rows) if row.startswith(f"| {title} |"))
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
        ours = [
            with_errors(x["median"], x["upper"] - x["median"], x["median"] - x["lower"])
            for x in row
        ]
        theirs = [with_errors(x["published"], x["plus"], x["minus"]) for x in row]
        expected += [[label, *ours], ["*published*", *(f"*{x}*" for x in theirs)]]
    assert rows_below("data") == expected


def test_halo_masses_are_the_file():
    expected = {}
    for line in result("halo_mass_by_catalogue"):
        name = str(line["trained_on"])
        median = line["median"]
        alike = with_errors(
            median, line["upper"] - median, median - line["lower"], "%.2f"
        )
        known = not math.isnan(line["published"])
        published = f"*{line['published']:.2f}*" if known else ""
        cells = [printed(line["log_m_vir"], "%.2f"), alike, published]
        expected[name] = expected.get(name, []) + cells
    found = {
        row[0].removesuffix(", the default"): row[1:]
        for row in rows_below("trained on")
    }
    assert found == expected


def claimed(pattern):
    """Returns the numbers that a sentence of README gives."""
    match = re.search(pattern, PROSE)
    assert match, f"README has no such sentence: {pattern}"
    return list(match.groups())


def test_misses_are_those_of_table_2():
    lines = result("table2")

    def ratios(quantity, rows):
        chosen = lines[lines["quantity"] == quantity]["width_ratio"]
        return [printed(ratio, "%.2f") for ratio in chosen[-rows:]]

    assert claimed(
        r"v_x in the last three rows \(([\d.]+), ([\d.]+) and ([\d.]+) times as wide\)"
    ) == ratios("v_x", 3)
    assert claimed(r"M_MW in the last \(([\d.]+)\)") == ratios("M_MW(<50 kpc)", 1)
    # friction is not judged: its interval is that of its prior
    judged = lines[lines["quantity"] != "log10 lambda_DF"]
    assert sum(abs(judged["width_ratio"] - 1) > 0.3) == 4


def test_calibration_is_the_file():
    table = result("table2_calibration")
    assert claimed(r"On ([\d,]+) held-out simulations") == [f"{table['tests'][0]:,}"]
    assert claimed(r"p from ([\d.]+) on, corrected") == [f"{min(table['sbc']):.2f}"]
    assert claimed(r"TARP at 1 % \(p from ([\d.]+) to ([\d.]+)") == [
        *(f"{end(table['tarp']):.2f}" for end in (min, max))
    ]
    assert max(table["atc"]) < 0
    assert claimed(r"by an area of ([\d.]+) at most") == [f"{-min(table['atc']):.3f}"]
    (control,) = claimed(r"fail both with p below (1e-\d+)")
    worst = max(*table["control_tarp"], *table["control_sbc"])
    assert worst < float(control) < 100 * worst
    assert claimed(r"information gain over the prior is ([\d.]+) to ([\d.]+) nat") == [
        *(f"{end(table['gain']):.1f}" for end in (min, max))
    ]


def test_dispersions_are_the_files():
    row = "H3+SEGUE+MagE quadrants, with v_tb"
    lines = result("table2")

    def error(lines):
        (line,) = lines[lines["quantity"] == "M_MW(<50 kpc)"]
        return f"{50 * (line['upper'] - line['lower']) / line['median']:.0f}"

    assert claimed(r"mass to (\d+) %, instead of (\d+) %") == [
        error(result("dispersions")),
        error(lines[lines["data"] == row]),
    ]


def test_errors_of_the_ensembles_are_the_file():
    table = result("halo_mass_errors")
    # noiseless data were called perfect when the file was made
    names = [
        f"{count} neighbours{data}"
        for data in ("", ", perfect data")
        for count in (25, 10)
    ]
    lines = [table[table["ensemble"] == name][0] for name in names]
    three = r"([\d.]+)"
    found = claimed(
        rf"is {three} dex with 25 neighbours and {three} with 10 \(published {three} and "
        rf"{three}\), {three} and {three} on noiseless data \(published {three} and {three}\)"
    )
    ours = [f"{line['smallest_rmse']:.3f}" for line in lines]
    theirs = [f"{line['published']:.3f}" for line in lines]
    assert found == [*ours[:2], *theirs[:2], *ours[2:], *theirs[2:]]


def test_variances_are_the_file():
    table = result("halo_mass_variances")
    ratio = {line["left_out"]: line["variance_ratio"] for line in table}
    published = {line["left_out"]: line["published"] for line in table}
    found = claimed(
        r"Without tangential velocities the variance of the errors is ([\d.]+) times as large, "
        r"without distances ([\d.]+) times \(published about (\d) for both\)"
    )
    assert found[:2] == [f"{ratio['no v_t']:.2f}", f"{ratio['no r']:.2f}"]
    assert {f"{published[name]:g}" for name in ("no v_t", "no r")} == {found[2]}


def test_satellites_left_out_move_the_mass_by_what_the_file_has():
    table = result("halo_mass_leaving_out_one")
    moves = [abs(table[f"{count} neighbours"]).max() for count in (25, 10)]
    (bound,) = claimed(r"left out moves the mass by more than ([\d.]+) dex")
    assert 0 < float(bound) - max(moves) < 0.01


def test_estimators_are_the_file():
    table = result("halo_mass_estimators")
    by_name = {line["estimator"]: line for line in table}
    flow, of_set = by_name["flow"], by_name["flow of a set"]

    def interval(line):
        median = line["median"]
        return with_errors(
            median, line["upper"] - median, median - line["lower"], "%.2f"
        )

    found = claimed(r"25 neighbours gives (\S+ \S+), one that .*? order, (\S+ \S+);")
    assert found == [interval(flow), interval(of_set)]
    densities = claimed(
        r"log-densities are ([\d.]+) and ([\d.]+) nat, the ensemble's ([\d.]+),"
    )
    lines = (flow, of_set, by_name["ensemble"])
    assert densities == [f"{line['log_probability']:.2f}" for line in lines]


# --- the commands -----------------------------------------------------------------------


def code():
    """Returns README's lines of code and, each as one line, the code in its sentences."""
    parts = re.split(r"^```.*\n", TEXT, flags=re.MULTILINE)
    lines = [line for block in parts[1::2] for line in block.splitlines()]
    sentences = " ".join(" ".join(parts[::2]).split())
    return [*lines, *re.findall(r"`([^`]+)`", sentences)]


def commands(pattern):
    """Returns what follows a beginning in README's code, up to a comment or a quote."""
    found = [re.search(rf"{pattern}[^\"#`]*", line) for line in code()]
    return sorted({match[0].strip() for match in found if match})


def options_of(script, words, monkeypatch):
    """Returns the options that a script knows, and the words that are meant for them."""

    def main(study, choices, arguments=words):
        found.append((choices, arguments))

    found = []
    monkeypatch.setattr(runs, "main", main)
    monkeypatch.setattr(sys, "argv", [script, *words])
    runpy.run_path(str(ROOT / script), run_name="__main__")
    return found[0]


@pytest.mark.parametrize("command", commands(r"experiments/\w+\.py"))
def test_an_experiment_knows_its_options(command, monkeypatch):
    script, *words = shlex.split(command)
    choices, words = options_of(script, words, monkeypatch)
    if words == ["--help"]:
        with pytest.raises(SystemExit, match=r"^0$"):
            parse(choices, words)
        return
    if words[:1] == ["--options"]:  # the run is only an example
        words = words[2:]
    assert isinstance(parse(choices, words), choices)


@pytest.mark.parametrize("command", commands(r"(?<=python -m )[\w.]+"))
def test_a_module_can_be_run(command):
    module = command.split()[0]
    place = ROOT if module.startswith("tests.") else PLATFORM
    path = place.joinpath(*module.split("."))
    runnable = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    assert '__name__ == "__main__"' in runnable.read_text()


@pytest.mark.parametrize("command", commands(r"^make "))
def test_make_has_the_target(command):
    target = command.split()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("command", commands(r"tests/benchmarks/\w+\.py"))
def test_a_benchmark_knows_its_options(command):
    script, *words = command.split()
    source = (ROOT / script).read_text()
    options = {word.removeprefix("--") for word in words if word.startswith("--")}
    # an argument of argparse, or a field of a dataclass of options
    known = set(re.findall(r'"--([\w-]+)"|^    (\w+): ', source, re.MULTILINE))
    assert options <= {name for pair in known for name in pair}


# --- the example ------------------------------------------------------------------------


class Rounded(doctest.OutputChecker):
    """Lets a number differ by one in its last digit: other processors round otherwise."""

    NUMBER = re.compile(r"-?\d+\.\d+")

    def check_output(self, want, got, optionflags):
        wanted, found = self.NUMBER.findall(want), self.NUMBER.findall(got)
        words = self.NUMBER.sub("#", want) == self.NUMBER.sub("#", got)
        return words and all(map(self._near, wanted, found))

    @staticmethod
    def _near(want, got):
        digit = 10.0 ** -len(want.partition(".")[2])
        return abs(float(want) - float(got)) < 1.5 * digit


@pytest.mark.parametrize(
    ("got", "same"),
    [("<8.5 N>\n", True), ("<8.6 N>\n", False), ("<8.4 kg>\n", False)],
)
def test_only_the_last_digit_is_free(got, same):
    assert Rounded().check_output("<8.4 N>\n", got, 0) is same


@pytest.mark.slow
def test_a_simulator_of_ones_own_gets_a_calibrated_posterior(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (source,) = re.findall(r"```python\n(>>> .*?)```", TEXT, re.DOTALL)
    code = [line for line in source.splitlines() if line.startswith((">>>", "..."))]
    assert len(code) <= 20
    example = doctest.DocTestParser().get_doctest(
        source, {"__name__": "own"}, "README.md", None, 0
    )
    found = doctest.DocTestRunner(checker=Rounded()).run(example)
    assert found.attempted > 10
    assert found.failed == 0
