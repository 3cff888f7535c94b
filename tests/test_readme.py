"""README and the pages of the documentation are true: picture, commands and example."""

import argparse
import doctest
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest
import yaml
from astropy.table import Table

from halomass.study.literature import SOURCE
from orrery import __main__ as program
from orrery import runs
from orrery.command_line import parse
from orrery.commands import StudyCommand, installed_commands

ROOT = Path(__file__).parents[1]
PLATFORM = ROOT / "platform"
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted((ROOT / "docs").rglob("*.md"))
TEXT = "\n".join([README, *(page.read_text(encoding="utf-8") for page in PAGES)])
MOST_WORDS = 1000
PICTURE = TEXT.partition("```\nplatform/\n")[2].partition("```")[0]


def test_readme_is_short():
    assert len(README.split()) <= MOST_WORDS


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
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(
        r"(?:platform|experiments|tests|datasets|docs)/[\w/.-]*[\w/](?![\w<-])",
        TEXT + contributing,
    )
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


# --- the commands -----------------------------------------------------------------------


def code():
    """Returns the pages' lines of code and, each as one line, the code in its sentences."""
    parts = re.split(r"^```.*\n", TEXT, flags=re.MULTILINE)
    lines = [line for block in parts[1::2] for line in block.splitlines()]
    sentences = " ".join(" ".join(parts[::2]).split())
    return [*lines, *re.findall(r"`([^`]+)`", sentences)]


def commands(pattern):
    """Returns what follows a beginning in the pages' code, up to a comment or a quote."""
    found = [re.search(rf"{pattern}[^\"#`]*", line) for line in code()]
    return sorted({match[0].strip() for match in found if match})


def options_of(script, words, monkeypatch):
    """Returns the options that a script knows, and the words that are meant for them."""

    def main(study, choices, arguments, program):
        found.append((choices, words if arguments is None else arguments))

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


@pytest.fixture
def understood(monkeypatch):
    """Lets `orrery` read its arguments, and do nothing with them."""

    def main(study, choices, arguments, called):
        assert isinstance(parse(choices, arguments, called), choices)
        sys.exit(0)

    def only_parsed(parser, arguments=None, namespace=None):
        parse_args(parser, arguments, namespace)
        sys.exit(0)

    def understood(command):
        # what a shell does with what is printed is not the command's
        name, *words = shlex.split(command.partition(" >")[0])[1:]
        if words[:1] == ["--options"]:  # the run is only an example
            words = words[2:]
        study = isinstance(installed_commands().get(name), StudyCommand)
        # the name alone of what is told of in a sentence, which needs more to do something
        program.main([name, *(words if words or study else ["--help"])])

    parse_args = argparse.ArgumentParser.parse_args
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", only_parsed)
    monkeypatch.setattr(runs, "main", main)
    return understood


@pytest.mark.parametrize("command", commands(r"^orrery (?!\w+:)"))
def test_an_installed_command_knows_its_options(command, understood, capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        understood(command)


@pytest.mark.parametrize(
    "command",
    [
        *("orrery runs --lineages", "orrery collate runs elsewhere"),
        *("orrery dataset look FOLDER", "orrery columns a.csv --as b.ecsv"),
        *("orrery desi --simulatons 7", "orrery quadrant --help", "orrery rums"),
    ],
)
def test_an_option_that_a_command_does_not_know_is_noticed(command, understood, capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        understood(command)


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
    names = {name.replace("_", "-") for pair in known for name in pair}
    assert options <= names


# --- the numbers ------------------------------------------------------------------------


NO_OPTIONS = {"trial", "state", "seconds", "reason", "rebinned", "rebinned_per_second"}


def points_in(name, goals):
    """Returns the points in a table of trials, row by row."""
    table = Table.read(ROOT / "datasets" / "results" / name)
    names = [name for name in table.colnames if name not in {*NO_OPTIONS, *goals}]
    return [tuple(map(str, row)) for row in table[names]]


def test_as_many_points_were_tried_as_it_says():
    prose = " ".join(TEXT.split())
    found = points_in("architectures_trials.ecsv", {"log_probability"})
    assert f"over {len(set(found))} architectures" in prose
    for survey in ("desi", "h3"):
        name = f"binnings_{survey}_trials.ecsv"
        found = points_in(name, {"information_gain", "width"})
        assert f"{len(set(found))} binnings each were tried" in prose


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


def test_both_papers_are_cited():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    told = [one["notes"] for one in cited["references"]]
    assert [any(name in note for note in told) for name in ("Brooks", "Hayati")] == [
        True,
        True,
    ]
    paper = SOURCE.partition(", ")[2]
    assert any(paper in note for note in told)
    assert all(len(one["authors"]) > 1 for one in cited["references"])
