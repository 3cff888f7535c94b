"""A shell completes commands, the options of experiments, and what options can be."""

import argparse
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
import shtab

from orrery import __main__ as program
from orrery import completion
from orrery.commands import installed_commands
from orrery.completion import add_options


@dataclass(frozen=True)
class Flow:
    kind: Literal["maf", "nsf"] = "maf"
    hidden: tuple[int, ...] = (8, 8)


@dataclass(frozen=True)
class Pendulum:
    table: Path = Path("lengths.csv")
    is_damped: bool = True
    planets: tuple[Literal["earth", "mars"], ...] = ("earth",)
    flow: Flow = field(default_factory=Flow)


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """Returns the script for bash, of all commands that are installed."""
    text = shtab.complete(
        program._parser(installed_commands().values(), with_options=True), "bash"
    )
    path = tmp_path_factory.mktemp("shell") / "orrery.bash"
    path.write_text(text)
    return path


def completed(script, *words):
    """Returns what bash offers for the last word."""
    typed = " ".join(f"'{word}'" for word in words)
    asked = (
        f"source {script}; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; "
        '_shtab_orrery; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", asked], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize("name", installed_commands())
def test_bash_completes_each_experiment_by_its_name(script, name):
    assert name in completed(script, "orrery", name[:3])


def told(name, monkeypatch, capsys):
    """Returns the options that the help of a package's command lists."""
    monkeypatch.setenv("COLUMNS", "90")  # wider ones have boxes side by side
    with pytest.raises(SystemExit) as ended:
        installed_commands()[name].run(["--help"])
    assert ended.value.code == 0
    listed = re.findall(
        r"^[│ ]{0,4}((?:-h, )?--\w.*?)(?:  |$)", capsys.readouterr().out, re.MULTILINE
    )
    return {one for line in listed for one in re.findall(r"--[\w.-]+", line)}


@pytest.mark.parametrize("name", installed_commands())
def test_bash_completes_all_options_that_the_help_lists(
    name, script, monkeypatch, capsys
):
    listed = told(name, monkeypatch, capsys)
    assert len(listed) > 1
    assert {*completed(script, "orrery", name, "--")} == listed


def test_all_paths_of_commands_are_completed_by_files(capsys):
    parser = program._parser(installed_commands().values(), with_options=True)
    completion._print_script(lambda: parser, argparse.Namespace(shell="bash"))
    printed = capsys.readouterr().out
    for name in ("columns", "runs", "report", "collate", "verify", "dataset", "doctor"):
        assert re.search(
            rf"_shtab_orrery_{name}_\w+_COMPGEN=_shtab_compgen_files", printed
        )


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (("quadrants", "--samp"), ["--sampling"]),
        (("quadrants", "--sampling", "sur"), ["survey-like"]),
        (("halo-mass", "--most"), ["--most-missing"]),
        (("travel-profile", "--surveys", "quadrants", "fore"), ["forecast-h3"]),
        (("desi", "--no-dist"), ["--no-distance-errors"]),
        (("collate", "--in"), ["--into"]),
        (("columns", "--a"), ["--as"]),
        (("columns", "--as", "sat"), ["satellites"]),
    ],
)
def test_bash_completes_options_and_their_choices(script, typed, offered):
    assert completed(script, "orrery", *typed) == offered


def test_options_are_those_that_an_experiment_takes():
    parser = argparse.ArgumentParser()
    add_options(parser, Pendulum)
    flags = {one for action in parser._actions for one in action.option_strings}
    assert flags == {
        *("-h", "--help", "--options", "--table", "--planets", "--kind", "--hidden"),
        *("--is-damped", "--no-is-damped"),
    }


def test_a_path_is_completed_by_files():
    parser = argparse.ArgumentParser()
    add_options(parser, Pendulum)
    paths = {action.dest for action in parser._actions if hasattr(action, "complete")}
    assert paths == {"options", "table"}


def test_the_command_prints_the_script(monkeypatch, capsys):
    monkeypatch.setattr(program, "installed_commands", dict)
    assert program.main(["completion", "zsh"]) == 0
    assert capsys.readouterr().out.startswith("#compdef orrery\n")
