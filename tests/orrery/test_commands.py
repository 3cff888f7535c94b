"""The `orrery` command: it knows all experiments, and `--help` waits for none of them."""

import argparse
import re
import subprocess
import sys

import pytest

from orrery import __main__ as program
from orrery import commands, runs
from orrery.commands import StudyCommand, ToolCommand, installed_commands

SLOW = (
    "astropy",
    "lightning",
    "matplotlib",
    "optuna",
    "pydantic",
    "ray",
    "sbi",
    "torch",
)
HEAVY = ("astropy", "lightning", "matplotlib", "numpy", "ray", "scipy", "torch", "tyro")


def program_parser():
    """Returns the parser of all commands, with their options."""
    return program._parser(installed_commands().values(), with_options=True)


def commands_of(parser):
    """Returns the parsers of a parser's commands, by name; empty if it has none."""
    several = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return several[0].choices if several else {}


def flags(parser):
    """Returns the options of a command, and of those below it."""
    own = {flag for action in parser._actions for flag in action.option_strings}
    return own.union(*map(flags, commands_of(parser).values()))


@pytest.fixture
def install(monkeypatch):
    """Lets a tuple of commands be those of an installed package."""

    class Package:
        value = "toys:COMMANDS"

        def __init__(self, added):
            self.added = added

        def load(self):
            return {command.name: command for command in self.added}

    def install(*packages):
        found = [Package(added) for added in packages]
        monkeypatch.setattr(commands.metadata, "entry_points", lambda group: found)

    return install


LISTED = (*installed_commands(), "runs", "report", "collate", "dataset")


def help_without(modules, *command):
    """Returns what `--help` prints, after checking that no module of these was imported."""
    code = (
        "import sys; from orrery.__main__ import main\n"
        f"try: main([*{command}, '--help'])\n"
        "except SystemExit: pass\n"
        f"print(sorted(set({modules}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stderr == "[]\n"
    return done.stdout


def test_help_imports_nothing_that_computes():
    printed = help_without(HEAVY)
    for command in LISTED:
        assert f"  {command} " in printed or f"  {command}\n" in printed


def test_alone_it_lists_all_commands(capsys):
    assert program.main([]) == 0
    printed = capsys.readouterr().out
    for command in LISTED:
        assert f" {command} " in printed or f" {command}\n" in printed


STUDIES = [
    n for n, one in installed_commands().items() if isinstance(one, StudyCommand)
]


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_options_are_explained_before_anything_that_computes_is_imported(name):
    printed = help_without(SLOW, name)
    assert "--reports" in printed


def test_columns_are_explained_before_astropy_is_imported():
    printed = help_without(HEAVY, "columns")
    assert "--as {satellites,neighbours,stars,binned}" in printed


@pytest.mark.parametrize("name", sorted(installed_commands()))
def test_what_a_command_names_is_there(name):
    command = installed_commands()[name]
    if isinstance(command, StudyCommand):
        named = (command.study, command.options)
    else:
        tables = (
            one for kind in command.kinds for one in (kind.report, kind.recognises)
        )
        named = tuple(one for one in tables if one)
    assert all(callable(commands.resolve_name(one)) for one in named)


def test_an_experiment_gets_what_follows_its_name(install, monkeypatch):
    def main(study, choices, arguments, called):
        found.append((study({"a": 1}), choices, arguments, called))

    found = []
    monkeypatch.setattr(runs, "main", main)
    install((StudyCommand("toy", "?", "builtins:sorted", "builtins:dict"),))
    assert program.main(["toy", "--draws", "7"]) == 0
    assert found == [(["a"], dict, ["--draws", "7"], "orrery toy")]


@pytest.mark.parametrize("arguments", [["--drwas", "7"], ["--draws", "many"]])
@pytest.mark.parametrize("script", ["orrery", "experiments/toy.py"])
def test_a_refusal_names_the_experiments_own_help(
    install, script, arguments, capsys, monkeypatch
):
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    name = "orrery.inference.options:Inference"
    toy = StudyCommand("toy", "?", "builtins:sorted", name)
    install((toy,))
    with pytest.raises(SystemExit, match=r"^2$"):
        toy.run() if script.endswith(".py") else program.main(["toy", *arguments])
    said = capsys.readouterr().err
    assert "For full helptext" in said
    assert " orrery toy --help " in said


def test_a_tool_ends_with_its_status(install):
    install((ToolCommand("count", "counts", "builtins:len"),))
    with pytest.raises(SystemExit, match=r"^2$"):
        program.main(["count", "a", "b"])


def test_two_commands_of_one_name_are_refused(install):
    one = ToolCommand("count", "counts", "builtins:len")
    install((one,), (one,))
    with pytest.raises(ValueError, match="two commands are called 'count'"):
        installed_commands()
    assert program.main(["runs"]) == 1


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        program.main(["quadrant"])
    assert "quadrants" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("halo-mas", "did you mean halo-mass?"),
        ("quadrent", "did you mean quadrants?"),
        ("zzz", "no command 'zzz': `orrery --help` lists all"),
    ],
)
def test_a_command_that_is_not_known_names_the_nearest(given, said, capsys):
    with pytest.raises(SystemExit) as ended:
        program.main([given])
    assert ended.value.code == 2
    text = " ".join(capsys.readouterr().err.split())
    assert said in text
    assert "collate" not in text


# --- help -------------------------------------------------------------------------------

EVERY = sorted(commands_of(program._parser(installed_commands().values())))


def help_of(name, monkeypatch, capsys):
    """Returns the help of a command, as one line."""
    monkeypatch.setenv("COLUMNS", "90")  # wider ones have boxes side by side
    with pytest.raises(SystemExit) as ended:
        program.main([name, "--help"])
    assert ended.value.code == 0
    return " ".join(capsys.readouterr().out.replace("│", " ").split())


@pytest.mark.parametrize("name", EVERY)
def test_each_default_in_a_help_is_readable(name, monkeypatch, capsys):
    text = help_of(name, monkeypatch, capsys)
    assert "(default: )" not in text
    assert not re.search(r"<\w[\w. ]*(object|function|class)\b| at 0x|fixed to", text)
    # what Python says of objects, such as PosixPath('runs') or Flow(kind='maf')
    assert not re.search(r"\(default: [A-Za-z_.]+\(", text)


@pytest.mark.parametrize("name", EVERY)
def test_a_help_names_no_option_that_is_not_there(name, monkeypatch, capsys):
    text = help_of(name, monkeypatch, capsys)
    known = flags(commands_of(program_parser())[name])
    assert known >= {
        one.rstrip(".") for one in re.findall(r"(?<![\w-])--\w[\w.-]*", text)
    }


def test_runs_of_a_folder_that_is_not_there_are_an_error(tmp_path, capsys):
    assert program.main(["runs", str(tmp_path)]) == 0
    assert program.main(["runs", str(tmp_path / "typo")]) == 1
    assert "typo is not there: name the folder of the runs" in capsys.readouterr().err
